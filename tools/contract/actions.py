"""Writes `actions.py`: one typed constant per action, and the tables of them all."""

from __future__ import annotations

from collections.abc import Mapping

from mcpp.ocppj.actions import Rewrite, Sender
from tools.contract.naming import constant
from tools.contract.table import Contract


def actions_module(contract: Contract, header: str) -> str:
    """The source text, not yet formatted."""
    answered = [name for name in sorted(contract.actions) if contract.is_answered(name)]
    sent = [name for name in sorted(contract.actions) if not contract.is_answered(name)]
    lines = [
        header,
        "from __future__ import annotations",
        "from collections.abc import Mapping",
        "from types import MappingProxyType",
        "from mcpp.ocppj.actions import Action, AnyAction, AnySend, Rewrite, Send, Sender",
        f"from mcpp_generated.{contract.module} import models",
    ]
    for name in sorted(contract.actions):
        lines += _constant(contract, name)
    lines += [
        f"ACTIONS: Mapping[str, AnyAction] = {{action.name: action for action in ({_constants(answered)})}}",
        f'"""Every action of OCPP {contract.version} that is answered, by its name."""',
    ]
    if sent:
        lines += [
            f"SENDS: Mapping[str, AnySend] = {{send.name: send for send in ({_constants(sent)})}}",
            f'"""Every message of OCPP {contract.version} that is never answered, by its name."""',
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


def _constant(contract: Contract, name: str) -> list[str]:
    row = contract.actions[name]
    return [
        f"{constant(name)} = {'Action' if contract.is_answered(name) else 'Send'}(",
        f"    name={name!r},",
        *(f"    {part}=models.{contract.class_name(name, part)}," for part in contract.parts(name)),
        f"    profile={row.profile!r},",
        f"    sender=Sender.{row.sender.name},",
        f"    version={contract.version!r},",
        *_rewrites(contract.rewrites.get(name, {})),
        ")",
    ]


def _constants(names: list[str]) -> str:
    return "".join(f"{constant(name)}, " for name in names)


def _rewrites(rewrites: Mapping[str, Rewrite]) -> list[str]:
    if not rewrites:
        return []
    properties = ", ".join(f"{name!r}: Rewrite.{rewrite.name}" for name, rewrite in rewrites.items())
    return [f"    rewrites=MappingProxyType({{{properties}}}),"]
