"""A virtual charger that charges for a minute and stays until Ctrl-C: virtual_charger.py URL CARD."""

import asyncio
import itertools
import json
import sys
from contextlib import suppress
from datetime import UTC, datetime

from websockets import Subprotocol
from websockets.asyncio.client import connect


async def charge(url: str, card: str) -> None:
    async with connect(url, subprotocols=[Subprotocol("ocpp1.6")], proxy=None) as charger:
        ids = itertools.count(1)

        async def say(action: str, **payload: object) -> dict[str, object]:
            await charger.send(json.dumps([2, str(next(ids)), action, payload]))
            answer: dict[str, object] = json.loads(await charger.recv())[2]
            sys.stdout.write(f"{action} {answer}\n")
            return answer

        async def status(text: str) -> None:
            await say("StatusNotification", connectorId=1, errorCode="NoError", status=text)

        def now() -> str:
            return datetime.now(UTC).isoformat()

        await say("BootNotification", chargePointVendor="Virtual", chargePointModel="11 kW")
        await status("Preparing")
        start = await say("StartTransaction", connectorId=1, idTag=card, meterStart=1000, timestamp=now())
        session = start["transactionId"]
        await status("Charging")
        for minute in range(1, 6):
            samples = [
                {"value": str(1000 + 180 * minute), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
                {"value": "10800", "measurand": "Power.Active.Import", "unit": "W"},
            ]
            values = [{"timestamp": now(), "sampledValue": samples}]
            await say("MeterValues", connectorId=1, transactionId=session, meterValue=values)
            await asyncio.sleep(12)
        await say("StopTransaction", transactionId=session, meterStop=1900, timestamp=now(), reason="EVDisconnected")
        await status("Available")
        sys.stdout.write("Done. It stays connected, and accepts all that it's asked for; Ctrl-C ends it.\n")
        async for text in charger:
            _, unique_id, action, _ = json.loads(text)
            sys.stdout.write(f"The server sends {action}\n")
            await charger.send(json.dumps([3, unique_id, {"status": "Accepted"}]))


with suppress(KeyboardInterrupt):
    asyncio.run(charge(sys.argv[1], sys.argv[2]))
