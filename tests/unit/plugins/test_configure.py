"""The plugin `configure` at a charger whose configuration a test plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mcpp.csms.operations import ChangeOutcome
from mcpp.errors import StartError
from mcpp.ocppj.errors import CallRefused, CallTimeout, CommandError
from mcpp.plugins import ConnectorState
from mcpp.plugins.builtin.configure import Configure, ConfigureSettings
from mcpp.plugins.builtin.configure.settings import same
from tests import events
from tests.unit.plugins.site_by_hand import SiteByHand, charge_point

INTERVAL = "MeterValueSampleInterval"
DATA = "MeterValuesSampledData"


class Charger:
    """A configuration, and what the charger is asked and told; times in seconds since the last boot."""

    def __init__(self, site: SiteByHand, **values: str | None) -> None:
        self.site = site
        self.values = values
        self.asked: list[Sequence[str]] = []
        self.told: list[tuple[str, str]] = []
        self.moments: list[float] = []
        self.booted_at = site.clock
        self.outcomes: dict[str, ChangeOutcome] = {}
        self.fails: list[CommandError] = []

    def _note(self) -> None:
        self.moments.append((self.site.clock - self.booted_at).total_seconds())
        if self.fails:
            raise self.fails.pop(0)

    async def get_configuration(self, charge_point_id: str, keys: Sequence[str] = ()) -> dict[str, str | None]:
        self.asked.append(list(keys))
        self._note()
        return {key: value for key, value in self.values.items() if not keys or key in keys}

    async def change_configuration(self, charge_point_id: str, key: str, value: str) -> ChangeOutcome:
        self.told.append((key, value))
        self._note()
        outcome = self.outcomes.get(key, ChangeOutcome.ACCEPTED)
        if outcome is ChangeOutcome.ACCEPTED:
            self.values[key] = value
        return outcome

    async def limit_current(self, charge_point_id: str, connector_id: int, amperes: object, evse_id: int = 0) -> bool:
        raise NotImplementedError

    async def remote_start(self, charge_point_id: str, connector_id: int, id_tag: str, evse_id: int = 0) -> bool:
        raise NotImplementedError

    async def remote_stop(self, charge_point_id: str, transaction_id: int) -> bool:
        raise NotImplementedError


class Garage(SiteByHand):
    """One charger under the plugin."""

    def __init__(self, settings: ConfigureSettings | None = None, /, **values: str | None) -> None:
        super().__init__()
        self.settings = settings or ConfigureSettings(
            sample_interval=60, sampled_data="Energy.Active.Import.Register,Power.Active.Import"
        )
        self.plugin = Configure(self.settings)
        self.charger = Charger(self, **values)
        self.states["CP-1"] = replace(
            charge_point("CP-1", connected=True), vendor="Acme", model="Wall 2", firmware_version="1.0"
        )

    @property
    def verbs(self) -> Charger:
        return self.charger

    async def boot(self, seconds: float = 30) -> None:
        self.charger.told.clear()
        self.charger.asked.clear()
        self.charger.moments.clear()
        self.charger.booted_at = self.clock
        version = self.states["CP-1"].firmware_version
        event = replace(events.BOOTED, at=self.clock, vendor="Acme", model="Wall 2", firmware_version=version)
        self.plugin.charge_point_booted(event, self)
        await self.let_pass(seconds)

    async def reconnect(self) -> None:
        self.states["CP-1"] = replace(self.states["CP-1"], connected=True)
        self.plugin.charge_point_connected(replace(events.CONNECTED, at=self.clock), self)
        await self.let_pass(30)

    def charge(self, transaction_id: int | None) -> None:
        connector = ConnectorState(
            connector_id=1,
            status="Charging" if transaction_id else "Available",
            error_code="NoError",
            status_at=self.clock,
            transaction_id=transaction_id,
            inoperative=False,
            reserved_for=None,
            session_correlation_id=None,
        )
        self.states["CP-1"] = replace(self.states["CP-1"], connectors=[connector])


WRONG = {INTERVAL: "900", DATA: "Energy.Active.Import.Register"}
WANTED = [(INTERVAL, "60"), (DATA, "Energy.Active.Import.Register,Power.Active.Import")]


async def test_what_differs_is_set_one_at_a_time_some_time_after_the_boot() -> None:
    garage = Garage(**WRONG)
    await garage.let_pass(3600)
    assert garage.charger.asked == [], "nothing may be sent before a boot"

    await garage.boot()

    assert garage.charger.asked == [[INTERVAL, DATA]]
    assert garage.charger.told == WANTED
    assert garage.charger.moments == [10, 12, 14]
    assert [(line["key"], line["value"]) for line in garage.named("configuration_set")] == WANTED


async def test_what_is_right_is_left_alone() -> None:
    garage = Garage(**{INTERVAL: " 60.0", DATA: "power.active.import, Energy.Active.Import.Register"})
    await garage.boot()

    assert garage.charger.asked == [[INTERVAL, DATA]]
    assert garage.charger.told == []


@pytest.mark.parametrize("outcome", [o for o in ChangeOutcome if o is not ChangeOutcome.ACCEPTED])
async def test_what_was_not_taken_is_not_tried_again_not_even_after_a_restart(outcome: ChangeOutcome) -> None:
    garage = Garage(**WRONG)
    garage.charger.outcomes[DATA] = outcome
    await garage.boot()
    assert garage.charger.told == WANTED

    await garage.boot()
    assert garage.charger.told == []

    garage.restart()
    garage.plugin = Configure(garage.settings)
    await garage.boot()
    assert garage.charger.told == []
    assert len([*garage.named("configuration_refused"), *garage.named("configuration_set_after_reboot")]) == 1


async def test_a_refusal_is_forgotten_with_another_firmware_or_another_wish() -> None:
    garage = Garage(**WRONG)
    garage.charger.outcomes = dict.fromkeys((INTERVAL, DATA), ChangeOutcome.REJECTED)
    await garage.boot()

    garage.states["CP-1"] = replace(garage.states["CP-1"], firmware_version="2.0")
    await garage.boot()
    assert garage.charger.told == WANTED

    garage.plugin = Configure(ConfigureSettings(sample_interval=30))
    await garage.boot()
    assert garage.charger.told == [(INTERVAL, "30")]


async def test_a_charger_that_answers_with_an_error_has_refused() -> None:
    garage = Garage(**WRONG)
    await garage.boot(11)
    garage.charger.fails = [CallRefused("NotImplemented", "", {})]
    await garage.let_pass(30)
    assert garage.charger.told == WANTED

    await garage.boot()
    assert garage.charger.told == []


async def test_a_charger_that_refuses_to_read_these_keys_is_asked_for_all() -> None:
    garage = Garage(**WRONG)
    garage.charger.fails = [CallRefused("OccurenceConstraintViolation", "", {})]
    await garage.boot()

    assert garage.charger.asked == [[INTERVAL, DATA], []]
    assert garage.charger.told == WANTED


async def test_a_charger_in_use_is_left_in_peace() -> None:
    garage = Garage(**WRONG)
    garage.charge(7)
    await garage.boot(3600)
    assert garage.charger.moments == []

    garage.charge(None)
    await garage.let_pass(120)
    assert garage.charger.told == WANTED


async def test_a_charger_that_does_not_answer_is_tried_three_times_until_its_next_boot() -> None:
    garage = Garage(**WRONG)
    garage.charger.fails = [CallTimeout("no answer within 30 s")] * 3
    await garage.boot(3600)
    assert garage.charger.moments == [10, 70, 130]
    assert [line["given_up"] for line in garage.named("configuration_failed")] == [False, False, True]

    await garage.boot()
    assert garage.charger.told == WANTED


async def test_it_goes_on_where_a_lost_connection_was_in_the_way() -> None:
    garage = Garage(**WRONG)
    await garage.boot(12)
    garage.states["CP-1"] = replace(garage.states["CP-1"], connected=False)
    await garage.let_pass(3600)
    assert garage.charger.told == WANTED[:1]

    await garage.reconnect()
    assert garage.charger.told == WANTED
    await garage.reconnect()
    assert garage.charger.told == WANTED


async def test_a_boot_in_the_middle_begins_anew_once() -> None:
    garage = Garage(**WRONG)
    await garage.boot(12)
    await garage.boot()

    assert garage.charger.asked == [[INTERVAL, DATA]]
    assert garage.charger.told == WANTED[1:]


async def test_rules_for_some_chargers_and_the_last_one_counts(tmp_path: Path) -> None:
    path = tmp_path / "wanted.toml"
    path.write_text(
        """
        [[wanted]]
        keys = { HeartbeatInterval = 600, LocalPreAuthorize = false }

        [[wanted]]
        vendor = "acme"
        model = "Wall*"
        [wanted.keys]
        heartbeatInterval = 120
        StopTxnSampledData = ["SoC", "Power.Active.Import"]

        [[wanted]]
        vendor = "Other"
        keys = { HeartbeatInterval = 5 }

        [[wanted]]
        charge_point = "CP-[12]"
        keys = { ConnectionTimeOut = 60 }
        """
    )
    garage = Garage(ConfigureSettings(file=path, sample_interval=60))
    await garage.boot(60)

    assert garage.charger.told == [
        (INTERVAL, "60"),
        ("heartbeatInterval", "120"),
        ("LocalPreAuthorize", "false"),
        ("StopTxnSampledData", "SoC,Power.Active.Import"),
        ("ConnectionTimeOut", "60"),
    ]


LONG = "K" * 51
NO_KEY = (
    f"{LONG!r} names no variable: write Component.Variable, or with all that a name may have "
    "Component[instance]@evse.connector.Variable[instance]#Target"
)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[wanted]]", "wanted 1: keys: Field required"),
        ('[[wanted]]\nkeys = { A = 1 }\nmodle = "x"', "wanted 1: modle: Extra inputs are not permitted"),
        (
            '[[wanted]]\nkeys = { AuthorizationKey = "s3cret" }',
            "wanted 1: keys: AuthorizationKey can't be set from a file: send a ChangeConfiguration command",
        ),
        ("[[wanted]]\nkeys = { A = { b = 1 } }", "wanted 1: keys: A: Input should be a valid string"),
        (f'[[wanted]]\nkeys = {{ "{LONG}" = 1 }}', f"wanted 1: keys: {NO_KEY}"),
        (
            '[[wanted]]\nkeys = { "Modem.SimPin" = "1234" }',
            "wanted 1: keys: Modem.SimPin can't be set from a file: send a ChangeConfiguration command",
        ),
        ("wanted = ", "is no TOML file: Invalid value (at end of document)"),
        ("", "wanted: Field required"),
    ],
)
def test_a_wrong_file_is_told_in_one_clear_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "wanted.toml"
    path.write_text(text)
    with pytest.raises(StartError) as caught:
        Configure(ConfigureSettings(file=path))

    assert [line.removeprefix(str(path)).lstrip(": ") for line in caught.value.lines] == [complaint]


def test_no_wish_at_all_is_told() -> None:
    with pytest.raises(StartError, match="nothing is wanted"):
        Configure(ConfigureSettings())


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("60", "60.0", True),
        ("TRUE", "true", True),
        ("b , A", "a,B", True),
        ("", "", True),
        ("NaN", "nan", True),
        ("60", "61", False),
        ("a,b", "a", False),
        (None, "", False),
        ("", "a", False),
    ],
)
def test_values_are_compared_by_their_meaning(value: str | None, wanted: str, expected: bool) -> None:
    assert same(value, wanted) is expected
