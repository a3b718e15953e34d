"""Operations that a person or a script sends to a charge point: any action, its payload as given."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel, JsonValue

from mcpp.csms.decoding import decode_payload
from mcpp.csms.dialect import Dialect
from mcpp.csms.live import Exchange, LiveChargePoints
from mcpp.ocppj.actions import AnyAction, Sender
from mcpp.ocppj.errors import InvalidPayload, Mistake, NotConnected, UnknownAction, WrongVersion

_BLANKS_OUTSIDE_OF_TEXT: Final = re.compile(rb'("(?:[^"\\]|\\.)*")|[ \t\r\n]+')


class Commands:
    """Sends what meets the contract; what a charge point thinks of it is the charge point's to say."""

    def __init__(self, live: LiveChargePoints, dialects: Sequence[Dialect]) -> None:
        self._live = live
        self._dialects = {dialect.version: dialect for dialect in dialects}
        self.actions: Mapping[str, AnyAction] = {
            name: action
            for dialect in dialects
            for name, action in dialect.actions.items()
            if action.sender is not Sender.CHARGE_POINT
        }
        """What a central system may send, in any version, by name."""

    async def send(self, identity: str, action_name: str, payload: bytes) -> Exchange[BaseModel]:
        """Send an operation, as part of what causes it, and wait for the charge point's response.

        The payload goes out with its members in their order, rewrites applied and blanks removed. Raises
        UnknownAction, NotConnected, InvalidPayload, QueueFull, CallRefused, CallTimeout, ConnectionLost, InvalidAnswer.
        """
        if action_name not in self.actions:
            raise UnknownAction(f"a central system can't send {action_name!r}")
        version = self._live.version_of(identity)
        if version is None:
            raise NotConnected(f"{identity} is not connected")
        dialect = self._dialects[version]
        action = dialect.actions.get(action_name)
        if action is None:
            raise WrongVersion(f"OCPP {version}, which {identity} speaks, has no {action_name}")
        text = await _rewritten(dialect, action, payload)
        request = decode_payload(action.request, text)
        return await self._live.send(identity, action, request, text)


async def _rewritten(dialect: Dialect, action: AnyAction, payload: bytes) -> bytes:
    try:
        document: JsonValue = json.loads(payload or b"{}")
    except (ValueError, RecursionError) as error:
        raise InvalidPayload([Mistake("", f"the payload is not JSON: {error}")]) from error
    if not isinstance(document, dict):
        raise InvalidPayload([Mistake("", "the payload is not a JSON object")])
    resolved = await dialect.prepare(action, document)
    if resolved is document:
        return _BLANKS_OUTSIDE_OF_TEXT.sub(rb"\1", payload or b"{}")
    try:
        return json.dumps(resolved, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidPayload([Mistake("", "the payload holds half a surrogate pair, which is no text")]) from error
