"""Operations that a person or a script sends to a charge point: any action, its payload as given."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

from pydantic import BaseModel, JsonValue

from mcpp.csms.decoding import decode_payload
from mcpp.csms.live import Exchange, LiveChargePoints
from mcpp.csms.operations import TransactionIds
from mcpp.csms.version import KnownVersion, SpokenVersion
from mcpp.ocppj.actions import AnyAction, encode
from mcpp.ocppj.errors import InvalidPayload, Mistake, NotConnected, UnknownAction, WrongVersion
from mcpp.phrases import Phrase

_BLANKS_OUTSIDE_OF_TEXT: Final = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')


def sent_by_us(versions: Iterable[KnownVersion]) -> dict[str, dict[str, str]]:
    """What a central system may send, by name: the versions that have it, each with its profile there."""
    found: dict[str, dict[str, str]] = {}
    for version in versions:
        for name, profile in version.commands.items():
            found.setdefault(name, {})[version.name] = profile
    return found


class Commands:
    """Sends what meets the contract; what a charge point thinks of it is the charge point's to say."""

    def __init__(self, live: LiveChargePoints, versions: Sequence[SpokenVersion]) -> None:
        self._live = live
        self._versions = {spoken.version: spoken for spoken in versions}
        self.names: Final = sent_by_us(spoken.known for spoken in versions)

    @cached_property
    def actions(self) -> Mapping[str, Sequence[AnyAction]]:
        """What a central system may send, by name: one action for each version that has it. Loads all versions."""
        return {
            name: [self._versions[version].actions[name] for version in by_version]
            for name, by_version in self.names.items()
        }

    async def send(self, identity: str, action_name: str, payload: bytes) -> Exchange[BaseModel]:
        """Send an operation, as part of what causes it, and wait for the charge point's response.

        The payload goes out with its members in their order, rewrites applied and blanks removed. Raises
        UnknownAction, NotConnected, InvalidPayload, QueueFull, CallRefused, CallTimeout, ConnectionLost, InvalidAnswer.
        """
        known_in = self.names.get(action_name)
        if known_in is None:
            raise UnknownAction(Phrase("a central system can't send {action!r}", action=action_name))
        spoken = self._spoken_by(identity)
        if spoken.version not in known_in:
            which = " and ".join(known_in)
            why = Phrase(
                "OCPP {version}, which {identity} speaks, has no {action}; OCPP {others} has it",
                version=spoken.version,
                identity=identity,
                action=action_name,
                others=which,
            )
            raise WrongVersion(why)
        action = spoken.actions[action_name]
        text = await _rewritten(spoken, action, payload)
        request = decode_payload(action.request, text)
        return await self._live.send(identity, action, request, text)

    async def stop_transaction(self, identity: str, transaction: TransactionIds) -> Exchange[BaseModel]:
        """Ask a charge point to stop a transaction, in the words of the version that it speaks; raises as `send`."""
        action, request = self._spoken_by(identity).remote_stop(transaction)
        return await self._live.send(identity, action, request, encode(request))

    def _spoken_by(self, identity: str) -> SpokenVersion:
        version = self._live.version_of(identity)
        if version is None:
            raise NotConnected(identity)
        return self._versions[version]


async def _rewritten(spoken: SpokenVersion, action: AnyAction, payload: bytes) -> bytes:
    try:
        document: JsonValue = json.loads(payload or b"{}")
    except (ValueError, RecursionError) as error:
        raise InvalidPayload([Mistake("", Phrase("the payload is not JSON: {error}", error=str(error)))]) from error
    if not isinstance(document, dict):
        raise InvalidPayload([Mistake("", Phrase("the payload is not a JSON object"))])
    resolved = await spoken.prepare(action, document)
    if resolved is document:
        return _BLANKS_OUTSIDE_OF_TEXT.sub(rb"\1", payload or b"{}")
    try:
        return json.dumps(resolved, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidPayload(
            [Mistake("", Phrase("the payload holds half a surrogate pair, which is no text"))]
        ) from error
