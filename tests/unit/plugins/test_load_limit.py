"""The plugin `load_limit` at a site whose chargers a test plays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from pydantic import ValidationError

from mcpp.csms.operations import ChangeOutcome
from mcpp.errors import StartError
from mcpp.ocppj.errors import CallTimeout, CommandError, NotConnected
from mcpp.plugins import ConnectorState
from mcpp.plugins.builtin.load_limit import LoadLimit, LoadLimitSettings
from tests import events
from tests.unit.plugins.site_by_hand import SiteByHand, charge_point

Obeys: Final = "obeys"
Refuses: Final = "refuses"


class Chargers:
    """What they were told, in order, and how each takes it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Decimal]] = []
        self.manner: dict[str, str | CommandError] = {}
        self.limits: dict[str, Decimal] = {}
        self.by_evse: dict[int, Decimal] = {}

    async def limit_current(
        self, charge_point_id: str, connector_id: int, amperes: Decimal | None, evse_id: int = 0
    ) -> bool:
        assert (connector_id, evse_id) in {(1, 0), (0, 1), (0, 2)}
        assert amperes is not None
        manner = self.manner.get(charge_point_id, Obeys)
        if isinstance(manner, NotConnected):
            raise manner
        self.told.append((charge_point_id, amperes))
        if isinstance(manner, CommandError):
            raise manner
        if manner == Obeys:
            self.limits[charge_point_id] = amperes
            self.by_evse[evse_id] = amperes
        return manner == Obeys

    async def remote_start(self, charge_point_id: str, connector_id: int, id_tag: str, evse_id: int = 0) -> bool:
        raise NotImplementedError

    async def remote_stop(self, charge_point_id: str, transaction_id: int) -> bool:
        raise NotImplementedError

    async def get_configuration(self, charge_point_id: str, keys: object = ()) -> dict[str, str | None]:
        raise NotImplementedError

    async def change_configuration(self, charge_point_id: str, key: str, value: str) -> ChangeOutcome:
        raise NotImplementedError


class CarPark(SiteByHand):
    """A site with chargers of one connector each, under the plugin."""

    def __init__(self, names: str, *, maximum: int, **settings: object) -> None:
        super().__init__()
        self.chargers = Chargers()
        self.settings = LoadLimitSettings.model_validate({"maximum": maximum, **settings})
        self.plugin = LoadLimit(self.settings)
        for name in names:
            self.put(name, "Available")

    @property
    def verbs(self) -> Chargers:
        return self.chargers

    def put(self, name: str, status: str, *, connected: bool = True) -> None:
        connector = ConnectorState(
            connector_id=1,
            status=status,
            error_code="NoError",
            status_at=self.clock,
            transaction_id=None,
            inoperative=False,
            reserved_for=None,
            session_correlation_id=None,
        )
        self.states[name] = replace(charge_point(name, connected=connected), connectors=[connector])

    async def start(self) -> None:
        self.plugin.server_started(self)
        await self.let_pass(2)

    async def restart_server(self) -> None:
        self.restart()
        self.plugin = LoadLimit(self.settings)
        self.chargers.told.clear()
        await self.start()

    async def report(self, names: str, status: str, seconds: float = 2) -> None:
        for name in names:
            self.put(name, status, connected=self.states[name].connected)
            event = replace(
                events.PREPARING, charge_point_id=name, at=self.clock, status=status, reported_at=self.clock
            )
            self.plugin.connector_status_changed(event, self)
        await self.let_pass(seconds)

    async def boot(self, name: str) -> None:
        self.plugin.charge_point_booted(replace(events.BOOTED, charge_point_id=name, at=self.clock), self)
        await self.let_pass(2)

    async def connect(self, name: str) -> None:
        self.put(name, self.states[name].connectors[0].status or "Available")
        self.plugin.charge_point_connected(replace(events.CONNECTED, charge_point_id=name, at=self.clock), self)
        await self.let_pass(2)

    @property
    def told(self) -> list[tuple[str, str]]:
        """Charger and A, of the commands since the last look."""
        told = [(name, f"{amperes:f}") for name, amperes in self.chargers.told]
        self.chargers.told.clear()
        return told


def amperes(**limits: str) -> dict[str, Decimal]:
    return {name: Decimal(limit) for name, limit in limits.items()}


async def test_a_charger_is_limited_before_any_car_comes() -> None:
    park = CarPark("AB", maximum=40)
    await park.start()

    assert park.chargers.limits == amperes(A="0", B="0")


async def test_limits_go_down_and_are_accepted_before_others_go_up() -> None:
    park = CarPark("AB", maximum=40)
    await park.start()
    await park.report("A", "Preparing")
    assert park.told[2:] == [("A", "32")]

    await park.report("B", "Preparing")
    assert park.told == [("A", "20.0"), ("B", "20.0")]

    await park.report("A", "Available")
    assert park.told == [("A", "0.0"), ("B", "32")]


async def test_the_evses_of_a_charger_are_limited_each_as_a_whole() -> None:
    """Two of an EVSE's connectors are never in use at once; and nothing is kept free for a connector 1 without EVSE."""
    park = CarPark("A", maximum=20, charge_points="A")
    (known,) = park.states["A"].connectors
    places = [(1, 1, "Available"), (1, 2, "Charging"), (2, 1, "Charging")]
    park.states["A"] = replace(
        park.states["A"],
        connectors=[replace(known, evse_id=evse, connector_id=number, status=it) for evse, number, it in places],
    )
    await park.start()
    await park.let_pass(10)

    assert park.chargers.by_evse == {1: Decimal(10), 2: Decimal(10)}
    park.chargers.by_evse.clear()
    await park.restart_server()
    await park.let_pass(10)
    assert park.chargers.by_evse == {1: Decimal(10), 2: Decimal(10)}


async def test_news_that_change_nothing_cost_no_command() -> None:
    park = CarPark("AB", maximum=40)
    await park.start()
    await park.report("AB", "Preparing")
    assert park.told

    await park.report("AB", "Charging")
    await park.connect("A")
    await park.report("B", "SuspendedEVSE")
    assert park.told == []


async def test_a_full_car_keeps_the_minimum_only() -> None:
    park = CarPark("AB", maximum=32)
    await park.start()
    await park.report("AB", "Charging")
    await park.report("A", "SuspendedEV")
    assert park.chargers.limits == amperes(A="6", B="26")

    await park.report("A", "Charging")
    assert park.chargers.limits == amperes(A="16", B="16")


async def test_a_charger_that_refuses_counts_with_all_it_could_draw_and_is_asked_again_ever_more_seldom() -> None:
    park = CarPark("AB", maximum=40)
    park.chargers.manner["A"] = Refuses
    await park.start()
    await park.report("B", "Preparing")
    assert park.told == [("A", "0.0"), ("B", "0.0"), ("B", "8.0")]
    (line,) = park.named("current_limit_refused")
    assert (line["charge_point_id"], line["connector_id"], line["log_level"]) == ("A", 1, "warning")

    await park.let_pass(600)
    assert park.told == [("A", "0.0")] * 3  # after 1, 2 and 4 minutes

    park.chargers.manner["A"] = Obeys
    await park.let_pass(600)
    assert park.told == [("A", "0.0"), ("B", "32")]


async def test_a_charger_that_falls_silent_counts_with_the_higher_of_what_it_may_have() -> None:
    park = CarPark("AB", maximum=40)
    await park.start()
    await park.report("A", "Charging")
    park.chargers.manner["A"] = CallTimeout("no answer within 30 s")
    await park.report("B", "Charging")
    assert park.chargers.limits == amperes(A="32", B="8.0")


async def test_what_is_offline_counts_with_what_it_last_accepted_also_after_a_restart_server() -> None:
    park = CarPark("ABC", maximum=40)
    await park.start()
    await park.report("AB", "Charging")
    assert park.chargers.limits == amperes(A="20.0", B="20.0", C="0.0")
    park.put("A", "Charging", connected=False)
    await park.report("B", "Available")
    await park.report("C", "Charging")
    assert park.chargers.limits == amperes(A="20.0", B="0.0", C="20.0")

    await park.restart_server()
    assert sorted(park.told) == [("B", "0.0"), ("C", "20.0")]  # said again, unchanged


async def test_a_charger_that_was_never_limited_leaves_only_what_it_cannot_draw() -> None:
    park = CarPark("AB", maximum=32)
    park.put("A", "Available", connected=False)
    await park.start()
    await park.report("B", "Charging")
    assert park.chargers.limits == amperes(B="0.0")
    (line,) = park.named("current_short")
    assert line["uncontrolled"] == ["A"]

    await park.connect("A")
    assert park.chargers.limits == amperes(A="0.0", B="32")
    assert park.named("current_sufficient")


async def test_limits_are_set_again_after_a_boot() -> None:
    park = CarPark("AB", maximum=40)
    await park.start()
    await park.report("AB", "Charging")
    assert park.told

    await park.boot("A")
    assert park.told == [("A", "20.0")]


async def test_a_charger_that_refuses_after_its_boot_may_have_forgotten_its_limit() -> None:
    park = CarPark("AB", maximum=40)
    await park.start()
    await park.report("AB", "Charging")
    park.chargers.manner["A"] = Refuses

    await park.boot("A")
    assert park.chargers.limits["B"] == Decimal(8)

    park.put("A", "Charging", connected=False)
    await park.restart_server()
    assert park.chargers.limits["B"] == Decimal(8)


async def test_more_cars_than_minimums_take_turns() -> None:
    park = CarPark("ABC", maximum=13)
    await park.start()
    for name in "ABC":
        await park.report(name, "Charging")
    assert park.chargers.limits == amperes(A="6.5", B="6.5", C="0")

    await park.let_pass(1800)
    assert park.chargers.limits == amperes(A="6.5", B="0", C="6.5")

    await park.let_pass(1800)
    assert park.chargers.limits == amperes(A="0", B="6.5", C="6.5")

    await park.report("B", "Available")
    assert park.chargers.limits == amperes(A="6.5", B="0", C="6.5")


async def test_the_minimum_can_be_kept_for_cars_that_come_while_the_server_is_away() -> None:
    park = CarPark("ABC", maximum=40, keep_minimum=True)
    await park.start()
    assert park.chargers.limits == amperes(A="6", B="6", C="6")

    await park.report("A", "Charging")
    assert park.chargers.limits == amperes(A="28", B="6", C="6")


async def test_a_charger_whose_boot_was_never_accepted_is_told_nothing_and_counts() -> None:
    park = CarPark("AB", maximum=40)
    park.states["A"] = charge_point("A", connected=True, accepted=False)
    await park.start()
    await park.report("B", "Charging")
    assert park.chargers.limits == amperes(B="8")


def groups_file(path: Path, text: str) -> LoadLimitSettings:
    path.write_text(text)
    return LoadLimitSettings(file=path)


async def test_each_group_of_a_file_has_its_own_maximum(tmp_path: Path) -> None:
    text = """
        [[group]]
        maximum = 20
        charge_points = ["A", "B"]
        connector_maximums = { A = 10.5 }

        [[group]]
        maximum = 16
    """
    park = CarPark("ABCD", maximum=6)
    park.plugin = LoadLimit(groups_file(tmp_path / "groups.toml", text))
    await park.start()
    await park.report("ABCD", "Charging")
    assert park.chargers.limits == amperes(A="10", B="10", C="8", D="8")

    await park.report("B", "Available")
    assert park.chargers.limits == amperes(A="10.5", B="0", C="8", D="8")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("[[group]]\nmaximum = 63.05", ["group 1: maximum: Input should be a multiple of 0.1"]),
        ("[[group]]\nmaximum = 5", ["group 1: maximum: Input should be greater than or equal to 6"]),
        ("[[group]]\nmax = 5", ["group 1: maximum: Field required", "group 1: max: Extra inputs are not permitted"]),
        ("[[group]]\nmaximum = 16\nminimum = 20", ["group 1: the minimum is above a maximum"]),
        ("[[group]", ["is no TOML file: Expected ']]' at the end of an array declaration (at line 1, column 8)"]),
        ("", ["group: Field required"]),
        ("group = []", ["group: there is no [[group]]"]),
        (
            '[[group]]\nmaximum = 16\ncharge_points = ["A"]\n[[group]]\nmaximum = 16\ncharge_points = ["A"]',
            ["group: a charge point can be in one group only: A"],
        ),
    ],
)
def test_a_wrong_file_is_told_in_a_line_for_each_mistake(tmp_path: Path, text: str, lines: list[str]) -> None:
    path = tmp_path / "groups.toml"
    with pytest.raises(StartError) as caught:
        LoadLimit(groups_file(path, text))

    assert [line.removeprefix(str(path)).lstrip(": ") for line in caught.value.lines] == lines


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"gone\.toml: No such file or directory$"):
        LoadLimit(LoadLimitSettings(file=tmp_path / "gone.toml"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: LoadLimitSettings(),
        lambda: LoadLimitSettings(maximum=Decimal(63), file=Path("groups.toml")),
        lambda: LoadLimitSettings(maximum=Decimal("5.9")),
    ],
)
def test_wrong_settings_are_refused(make: Callable[[], LoadLimitSettings]) -> None:
    with pytest.raises(ValidationError):
        make()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPP_PLUGIN_LOAD_LIMIT_MAXIMUM", "63.5")
    monkeypatch.setenv("MCPP_PLUGIN_LOAD_LIMIT_CHARGE_POINTS", "CP-1, CP-2")
    monkeypatch.setenv("MCPP_PLUGIN_LOAD_LIMIT_TURN", "15")

    (group,) = LoadLimitSettings().groups()

    assert (group.maximum, group.charge_points) == (Decimal("63.5"), ("CP-1", "CP-2"))
    assert group.turn.total_seconds() == 900
