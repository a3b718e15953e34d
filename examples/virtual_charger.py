"""A virtual charger that charges for a minute and stays until Ctrl-C: virtual_charger.py URL CARD."""

import asyncio
import itertools
import json
import sys
from contextlib import suppress
from datetime import UTC, datetime

from websockets import Subprotocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidURI

Answer = dict[str, object]


class Charger:
    """Says things to the central system, and accepts all that it asks for."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count(1)
        self._answer: asyncio.Future[Answer] = asyncio.Future()

    async def listen(self) -> None:
        async for text in self._connection:
            kind, unique_id, content, *_ = json.loads(text)
            if kind == 2:
                sys.stdout.write(f"The server asks for {content}\n")
                await self._connection.send(json.dumps([3, unique_id, {"status": "Accepted"}]))
            else:
                self._answer.set_result(content)

    async def say(self, action: str, **payload: object) -> Answer:
        self._answer = asyncio.Future()
        await self._connection.send(json.dumps([2, str(next(self._ids)), action, payload]))
        answer = await self._answer
        sys.stdout.write(f"{action} {answer}\n")
        return answer

    async def status(self, status: str) -> None:
        await self.say("StatusNotification", connectorId=1, errorCode="NoError", status=status)

    async def charge(self, card: str) -> None:
        """A session of a minute, with 0.9 kWh."""
        await self.say("BootNotification", chargePointVendor="Virtual", chargePointModel="11 kW")
        await self.status("Preparing")
        start = await self.say("StartTransaction", connectorId=1, idTag=card, meterStart=1000, timestamp=now())
        session = start["transactionId"]
        await self.status("Charging")
        for minute in range(1, 6):
            samples = [
                {"value": str(1000 + 180 * minute), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
                {"value": "10800", "measurand": "Power.Active.Import", "unit": "W"},
            ]
            values = [{"timestamp": now(), "sampledValue": samples}]
            await self.say("MeterValues", connectorId=1, transactionId=session, meterValue=values)
            await asyncio.sleep(12)
        await self.say(
            "StopTransaction", transactionId=session, meterStop=1900, timestamp=now(), reason="EVDisconnected"
        )
        await self.status("Available")


def now() -> str:
    """As OCPP writes it."""
    return datetime.now(UTC).isoformat()


async def main(url: str, card: str) -> None:
    """Connect, charge, and stay."""
    async with (
        connect(url, subprotocols=[Subprotocol("ocpp1.6")], proxy=None) as connection,
        asyncio.TaskGroup() as tasks,
    ):
        charger = Charger(connection)
        tasks.create_task(charger.listen())
        await charger.charge(card)
        sys.stdout.write("Done. It stays connected; Ctrl-C ends it.\n")


if len(sys.argv) != 3:
    sys.exit(__doc__)
try:
    with suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1], sys.argv[2]))
except (OSError, InvalidURI, InvalidHandshake) as error:
    sys.exit(f"{sys.argv[1]}: no connection ({error})")
