"""A site's maximum current, seen from its chargers: what they were told and accepted never sums up to more."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from ocpp.v16 import call, call_result
from ocpp.v16.enums import ChargePointErrorCode, ChargePointStatus, ChargingProfileStatus

from tests.acceptance.charger import Charger, connected_charger
from tests.acceptance.server import Server, running_server

MAXIMUM = Decimal(63)
OWN_MAXIMUM = Decimal(32)
HYSTERESIS = Decimal("0.5")
AT_ONCE = {"MCPP_PLUGIN_LOAD_LIMIT_MAXIMUM": "63", "MCPP_PLUGIN_LOAD_LIMIT_SETTLE": "0.02"}


class Fuse:
    """Sums up the limits of all chargers at each moment when one of them accepts another."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.sums: list[Decimal] = []
        self._changed = asyncio.Condition()

    async def note(self) -> None:
        async with self._changed:
            self.sums.append(sum((box.limit for box in self.boxes if box.limit is not None), Decimal(0)))
            self._changed.notify_all()

    async def shared(self) -> None:
        """Wait until every car has its share, and nobody else has anything."""
        async with asyncio.timeout(30), self._changed:
            await self._changed.wait_for(self._is_shared)

    def _is_shared(self) -> bool:
        cars = [box for box in self.boxes if box.has_car]
        least = min(OWN_MAXIMUM, MAXIMUM / len(cars)) - HYSTERESIS if cars else Decimal(0)
        return all(
            box.limit is not None and (box.limit >= least if box.has_car else box.limit == 0) for box in self.boxes
        )


class Box:
    """A charger with one connector; its limits outlive its connections."""

    def __init__(self, identity: str, fuse: Fuse) -> None:
        self.identity = identity
        self.fuse = fuse
        self.has_car = False
        self.refuses = False
        self.told = 0
        self._default: Decimal | None = None
        self._running: tuple[int, Decimal] | None = None
        """Transaction id and limit of the TxProfile."""
        self._transaction_id: int | None = None
        self._meter = count(1000, 100)
        self._line = AsyncExitStack()
        self._charger: Charger | None = None
        fuse.boxes.append(self)

    @property
    def limit(self) -> Decimal | None:
        """The highest limit in force; None before the first."""
        if self._running is not None and self._running[0] == self._transaction_id:
            return max(self._running[1], self._default or Decimal(0))
        return self._default

    async def dial(self, server: Server) -> None:
        self._charger = await self._line.enter_async_context(connected_charger(server.ocpp_url, self.identity))
        self._charger.route_map = {
            "SetChargingProfile": {"_on_action": self._on_profile, "_skip_schema_validation": False}
        }

    async def fall_off(self) -> None:
        assert self._charger is not None
        await self._charger.cut()
        await self.hang_up()

    async def hang_up(self) -> None:
        await self._line.aclose()

    async def ask(self, request: object) -> Any:
        assert self._charger is not None
        return await self._charger.ask(request)

    async def _on_profile(
        self, connector_id: int, cs_charging_profiles: dict[str, Any]
    ) -> call_result.SetChargingProfile:
        self.told += 1
        if self.refuses:
            return call_result.SetChargingProfile(status=ChargingProfileStatus.rejected)
        assert connector_id == 1
        schedule = cs_charging_profiles["charging_schedule"]
        (period,) = schedule["charging_schedule_period"]
        assert schedule["charging_rate_unit"] == "A"
        amperes = Decimal(str(period["limit"]))
        if cs_charging_profiles["charging_profile_purpose"] == "TxDefaultProfile":
            self._default = amperes
        else:
            self._running = (cs_charging_profiles["transaction_id"], amperes)
        await self.fuse.note()
        return call_result.SetChargingProfile(status=ChargingProfileStatus.accepted)

    async def boot(self) -> None:
        await self.ask(call.BootNotification(charge_point_model="Box", charge_point_vendor="Acme"))
        await self.report(ChargePointStatus.available)

    async def report(self, status: ChargePointStatus) -> None:
        await self.ask(call.StatusNotification(connector_id=1, error_code=ChargePointErrorCode.no_error, status=status))

    async def plug(self) -> None:
        self.has_car = True
        await self.report(ChargePointStatus.preparing)
        started = await self.ask(
            call.StartTransaction(
                connector_id=1, id_tag="TAG", meter_start=next(self._meter), timestamp=datetime.now(UTC).isoformat()
            )
        )
        self._transaction_id = started.transaction_id
        await self.report(ChargePointStatus.charging)

    async def unplug(self) -> None:
        await self.ask(
            call.StopTransaction(
                transaction_id=self._transaction_id or 0,
                meter_stop=next(self._meter),
                timestamp=datetime.now(UTC).isoformat(),
            )
        )
        self.has_car, self._transaction_id = False, None
        await self.report(ChargePointStatus.finishing)
        await self.report(ChargePointStatus.available)


async def test_six_chargers_with_cars_that_come_and_go_never_exceed_the_maximum(tmp_path: Path) -> None:
    random, fuse = Random(63), Fuse()
    boxes = [Box(f"CP-{number}", fuse) for number in range(1, 7)]
    async with running_server(tmp_path / "mcpp.db", variables=AT_ONCE) as server:
        for box in boxes:
            await box.dial(server)
            await box.boot()
        await fuse.shared()
        for _ in range(60):
            box = random.choice(boxes)
            await (box.unplug() if box.has_car else box.plug())
            happens = random.random()
            if happens < 0.1:
                await box.fall_off()
                await box.dial(server)
            elif happens < 0.15:
                await box.boot()
                if box.has_car:
                    await box.report(ChargePointStatus.charging)
            elif happens < 0.4:
                await fuse.shared()
        for box in boxes:
            if not box.has_car:
                await box.plug()
        await fuse.shared()
        shares = [box.limit for box in boxes]
        told = sum(box.told for box in boxes)
        for box in boxes:
            await box.hang_up()

    assert max(fuse.sums) <= MAXIMUM
    assert max(fuse.sums) > MAXIMUM - 1, "the maximum was never made use of"
    assert shares == [Decimal("10.5")] * 6
    assert told < 1500


async def test_a_charger_that_refuses_counts_with_all_it_can_draw(tmp_path: Path) -> None:
    fuse = Fuse()
    first, second, third = (Box(f"CP-{number}", fuse) for number in range(1, 4))
    first.refuses = True
    async with running_server(tmp_path / "mcpp.db", variables=AT_ONCE) as server:
        for box in (first, second, third):
            await box.dial(server)
            await box.boot()
        refused = await server.wait_for_line(lambda line: line["event"] == "current_limit_refused")
        fuse.boxes.remove(first)
        await second.plug()
        await third.plug()
        await server.wait_for_line(
            lambda line: line.get("current_amperes") == 15.5 and line["event"] == "current_limit_set"
        )
        async with asyncio.timeout(30):
            while (second.limit, third.limit) != (Decimal("15.5"), Decimal("15.5")):
                await server.get("/healthz")
        for box in (first, second, third):
            await box.hang_up()

    assert (refused["charge_point_id"], refused["level"]) == ("CP-1", "warning")
    assert max(fuse.sums) <= MAXIMUM - OWN_MAXIMUM


async def test_limits_hold_over_a_kill_and_a_restart_with_half_the_chargers_gone(tmp_path: Path) -> None:
    fuse = Fuse()
    boxes = [Box(f"CP-{number}", fuse) for number in range(1, 7)]
    async with running_server(tmp_path / "mcpp.db", variables=AT_ONCE) as server:
        for box in boxes:
            await box.dial(server)
            await box.boot()
        for box in boxes[:4]:
            await box.plug()
        await fuse.shared()
        await server.kill()
        for box in boxes:
            await box.hang_up()
    before = [box.limit for box in boxes]

    async with running_server(tmp_path / "mcpp.db", variables=AT_ONCE) as server:
        for box in boxes[3:]:
            await box.dial(server)
        await boxes[3].unplug()
        await boxes[5].plug()
        async with asyncio.timeout(30):
            while not (boxes[3].limit == 0 and (boxes[5].limit or 0) > 15):
                await server.get("/healthz")
        for box in boxes[3:]:
            await box.hang_up()

    assert [box.limit for box in boxes[:3]] == before[:3]
    assert boxes[5].limit == MAXIMUM - sum(limit or 0 for limit in before[:3])
    assert max(fuse.sums) <= MAXIMUM
