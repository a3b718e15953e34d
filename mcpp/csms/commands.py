"""Operations that a person or a script sends to a charge point: any action, its payload as given."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pydantic import BaseModel, JsonValue

from mcpp.csms.decoding import decode_payload
from mcpp.csms.live import Exchange, LiveChargePoints
from mcpp.csms.version import SpokenVersion
from mcpp.ocppj.actions import AnyAction, Sender, encode
from mcpp.ocppj.errors import InvalidPayload, Mistake, NotConnected, UnknownAction, WrongVersion

_BLANKS_OUTSIDE_OF_TEXT: Final = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')


def sent_by_us(tables: Iterable[Mapping[str, AnyAction]]) -> dict[str, list[AnyAction]]:
    """What a central system may send, by name: one action for each version's table that has it."""
    found: dict[str, list[AnyAction]] = {}
    for table in tables:
        for name, action in table.items():
            if action.sender is not Sender.CHARGE_POINT:
                found.setdefault(name, []).append(action)
    return found


class Commands:
    """Sends what meets the contract; what a charge point thinks of it is the charge point's to say."""

    def __init__(self, live: LiveChargePoints, versions: Sequence[SpokenVersion]) -> None:
        self._live = live
        self._versions = {spoken.version: spoken for spoken in versions}
        self.actions: Final = sent_by_us(spoken.actions for spoken in versions)

    async def send(self, identity: str, action_name: str, payload: bytes) -> Exchange[BaseModel]:
        """Send an operation, as part of what causes it, and wait for the charge point's response.

        The payload goes out with its members in their order, rewrites applied and blanks removed. Raises
        UnknownAction, NotConnected, InvalidPayload, QueueFull, CallRefused, CallTimeout, ConnectionLost, InvalidAnswer.
        """
        if action_name not in self.actions:
            raise UnknownAction(f"a central system can't send {action_name!r}")
        spoken = self._spoken_by(identity)
        action = spoken.actions.get(action_name)
        if action is None:
            raise WrongVersion(f"OCPP {spoken.version}, which {identity} speaks, has no {action_name}")
        text = await _rewritten(spoken, action, payload)
        request = decode_payload(action.request, text)
        return await self._live.send(identity, action, request, text)

    async def stop_transaction(self, identity: str, transaction_id: int) -> Exchange[BaseModel]:
        """Ask a charge point to stop a transaction, in the words of the version that it speaks; raises as `send`."""
        action, request = self._spoken_by(identity).remote_stop(transaction_id)
        return await self._live.send(identity, action, request, encode(request))

    def _spoken_by(self, identity: str) -> SpokenVersion:
        version = self._live.version_of(identity)
        if version is None:
            raise NotConnected(f"{identity} is not connected")
        return self._versions[version]


async def _rewritten(spoken: SpokenVersion, action: AnyAction, payload: bytes) -> bytes:
    try:
        document: JsonValue = json.loads(payload or b"{}")
    except (ValueError, RecursionError) as error:
        raise InvalidPayload([Mistake("", f"the payload is not JSON: {error}")]) from error
    if not isinstance(document, dict):
        raise InvalidPayload([Mistake("", "the payload is not a JSON object")])
    resolved = await spoken.prepare(action, document)
    if resolved is document:
        return _BLANKS_OUTSIDE_OF_TEXT.sub(rb"\1", payload or b"{}")
    try:
        return json.dumps(resolved, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidPayload([Mistake("", "the payload holds half a surrogate pair, which is no text")]) from error
