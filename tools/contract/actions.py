"""Writes `actions.py`: one typed constant per action, and the table of them all."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mcpp.ocppj.actions import Rewrite, Sender
from tools.contract.bundle import class_name
from tools.contract.table import Contract


def actions_module(contract: Contract, header: str) -> str:
    """The source text, not yet formatted."""
    lines = [
        header,
        "from __future__ import annotations",
        "from collections.abc import Mapping",
        "from types import MappingProxyType",
        "from mcpp.ocppj.actions import Action, AnyAction, Rewrite, Sender",
        f"from mcpp_generated.{contract.module} import models",
    ]
    for name, row in sorted(contract.actions.items()):
        lines += [
            f"{constant(name)} = Action(",
            f"    name={name!r},",
            f"    request=models.{class_name(name, 'request')},",
            f"    response=models.{class_name(name, 'response')},",
            f"    profile={row.profile!r},",
            f"    sender=Sender.{row.sender.name},",
            f"    version={contract.version!r},",
            *_rewrites(contract.rewrites.get(name, {})),
            ")",
        ]
    constants = ", ".join(constant(name) for name in sorted(contract.actions))
    lines += [
        f"ACTIONS: Mapping[str, AnyAction] = {{action.name: action for action in ({constants})}}",
        f'"""Every action of OCPP {contract.version} by its name."""',
    ]
    return "\n".join(lines) + "\n"


def names_module(contract: Contract, header: str) -> str:
    """The source text of the package itself: the names of all actions, for those who don't need the models."""
    rows = sorted(contract.actions.items())
    calls = [name for name, row in rows if row.sender is not Sender.CENTRAL_SYSTEM]
    commands = {name: row.profile for name, row in rows if row.sender is not Sender.CHARGE_POINT}
    return "\n".join(
        (
            header,
            "from __future__ import annotations",
            "from collections.abc import Mapping",
            "from types import MappingProxyType",
            f"VERSION = {contract.version!r}",
            f"CALLS = frozenset({calls!r})",
            f'"""The actions of OCPP {contract.version} that a charge point may send."""',
            f"COMMANDS: Mapping[str, str] = MappingProxyType({commands!r})",
            '"""Those that a central system may send, each with its profile or functional block."""',
        )
    )


def _rewrites(rewrites: Mapping[str, Rewrite]) -> list[str]:
    if not rewrites:
        return []
    properties = ", ".join(f"{name!r}: Rewrite.{rewrite.name}" for name, rewrite in rewrites.items())
    return [f"    rewrites=MappingProxyType({{{properties}}}),"]


def constant(action: str) -> str:
    """`BootNotification` is BOOT_NOTIFICATION."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", action).upper()
