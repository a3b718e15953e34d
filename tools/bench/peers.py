"""What MCPP is measured against: `python -m tools.bench.peers ocpp` or `echo` prints its port and serves.

`ocpp` is the ChargePoint of the `ocpp` package as a central system that keeps everything in memory and writes no log;
`echo` sends each frame back, so it shows what the WebSocket alone costs. Both run on uvloop, as MCPP does, with the
packages' defaults.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final, cast

import uvloop
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

_ACCEPTED: Final = IdTagInfo(status=AuthorizationStatus.accepted)

_transaction_ids = count(1)


class _MemoryChargePoint(ChargePoint):
    """Answers what a charging session consists of and remembers the last of each."""

    def __init__(self, identity: str, connection: ServerConnection) -> None:
        super().__init__(identity, connection)  # type: ignore[no-untyped-call]  # the package has no types
        self._statuses: dict[int, str] = {}
        self._meter_values: dict[int, object] = {}
        self._transactions: dict[int, Mapping[str, object]] = {}
        # Handlers by name instead of by decorator, since the package's decorator takes their types away.
        self.route_map = {
            action.value: {"_on_action": handler, "_skip_schema_validation": False}
            for action, handler in {
                Action.boot_notification: self._boot,
                Action.heartbeat: self._heartbeat,
                Action.status_notification: self._status,
                Action.meter_values: self._meter,
                Action.start_transaction: self._start,
                Action.stop_transaction: self._stop,
            }.items()
        }

    def _boot(self, **_: object) -> call_result.BootNotification:
        return call_result.BootNotification(current_time=_now(), interval=300, status=RegistrationStatus.accepted)

    def _heartbeat(self, **_: object) -> call_result.Heartbeat:
        return call_result.Heartbeat(current_time=_now())

    def _status(self, connector_id: int, status: str, **_: object) -> call_result.StatusNotification:
        self._statuses[connector_id] = status
        return call_result.StatusNotification()

    def _meter(self, connector_id: int, meter_value: object, **_: object) -> call_result.MeterValues:
        self._meter_values[connector_id] = meter_value
        return call_result.MeterValues()

    def _start(self, **payload: object) -> call_result.StartTransaction:
        transaction_id = next(_transaction_ids)
        self._transactions[transaction_id] = payload
        return call_result.StartTransaction(transaction_id=transaction_id, id_tag_info=_ACCEPTED)

    def _stop(self, transaction_id: int, **_: object) -> call_result.StopTransaction:
        self._transactions.pop(transaction_id, None)
        return call_result.StopTransaction(id_tag_info=_ACCEPTED)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


async def _ocpp(connection: ServerConnection) -> None:
    assert connection.request is not None
    charge_point = _MemoryChargePoint(connection.request.path.rpartition("/")[2], connection)
    with suppress(ConnectionClosed):
        await charge_point.start()  # type: ignore[no-untyped-call]  # the package has no types


async def _echo(connection: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        async for message in connection:
            await connection.send(message)


_HANDLERS: Final[Mapping[str, Callable[[ServerConnection], Awaitable[None]]]] = {"ocpp": _ocpp, "echo": _echo}


async def _serve(handler: Callable[[ServerConnection], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with serve(handler, "127.0.0.1", 0, subprotocols=[Subprotocol("ocpp1.6")]) as server:
        address = cast("tuple[str, int]", next(iter(server.sockets)).getsockname())
        print(address[1], flush=True)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.peers", description=__doc__)
    parser.add_argument("kind", choices=_HANDLERS)
    options: Any = parser.parse_args()
    uvloop.run(_serve(_HANDLERS[options.kind]))


if __name__ == "__main__":
    main()
