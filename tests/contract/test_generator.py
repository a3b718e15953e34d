"""The generator: what it writes, and what it says when contract and schemas don't agree."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from mcpp.ocppj.actions import Sender
from mcpp_generated.ocpp16 import actions
from tests.contract.official import CONTRACT, ROOT, SOURCES
from tools.contract import schemas
from tools.contract.__main__ import main
from tools.contract.bundle import bundle
from tools.contract.generate import generate
from tools.contract.schemas import Source
from tools.contract.table import ContractError

TABLE = CONTRACT.path.read_text("utf-8")


def run(tmp_path: Path, text: str, *arguments: str) -> int:
    """The command over a changed table."""
    (tmp_path / "ocpp16.toml").write_text(text, "utf-8")
    return main(["--contracts", str(tmp_path), *arguments])


def changed(name: str, edit: Callable[[str], str]) -> Mapping[str, Source]:
    """All schemas, one of them edited."""
    edited = edit(SOURCES[name].text)
    assert edited != SOURCES[name].text
    return {**SOURCES, name: Source(name, edited)}


class TestOutput:
    def test_the_committed_code_is_what_the_contract_gives(self) -> None:
        package = ROOT / "generated" / "mcpp_generated" / "ocpp16"
        committed = {path.name: path.read_text("utf-8") for path in package.glob("*.py")}

        assert generate(CONTRACT, schemas.folder(CONTRACT)) == committed

    def test_written_where_told_and_nothing_stale_stays(self, tmp_path: Path) -> None:
        package = tmp_path / "ocpp16"
        package.mkdir()
        (package / "stale.py").touch()

        assert main(["generate", "--output", str(tmp_path)]) == 0
        assert sorted(path.name for path in package.iterdir()) == ["__init__.py", "actions.py", "models.py", "texts.py"]

    def test_every_action_has_its_constant(self) -> None:
        constants = {name: getattr(actions, name) for name in vars(actions) if name.isupper() and name != "ACTIONS"}

        assert len(actions.ACTIONS) == 39
        assert list(actions.ACTIONS.values()) == list(constants.values())
        assert actions.ACTIONS["BootNotification"] is actions.BOOT_NOTIFICATION

    def test_profiles_and_senders(self) -> None:
        profiles = [action.profile for action in actions.ACTIONS.values()]
        senders = [action.sender for action in actions.ACTIONS.values()]

        assert {profile: profiles.count(profile) for profile in profiles} == {
            "Core": 16,
            "FirmwareManagement": 4,
            "LocalAuthListManagement": 2,
            "Reservation": 2,
            "SmartCharging": 3,
            "RemoteTrigger": 1,
            "Security": 11,
        }
        assert {sender: senders.count(sender) for sender in senders} == {
            Sender.CHARGE_POINT: 13,
            Sender.CENTRAL_SYSTEM: 25,
            Sender.BOTH: 1,
        }


class TestFailures:
    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('request = "sha256:', 'request = "sha256:0', "another schema for Authorize: look"),
            ("[actions.Heartbeat]", "[actions.Hartbeat]", "no schema for Hartbeat, HartbeatResponse"),
            ('IdTagInfo = [\n    "AuthorizationData.idTagInfo",\n', "IdTagInfo = [\n", "AuthorizationData.idTagInfo"),
            ('"IdTagInfo.status"', '"IdTagInfo.state"', "the type at IdTagInfo.status has no name"),
            ('["IdTagInfo.status"]', '["IdTagInfo.status", "X.y"]', "no schema has a type at X.y"),
            ('["IdTagInfo.status"]', '["IdTagInfo.status", "Reset.type"]', "no schema has a type at Reset.type"),
            ('["IdTagInfo.status"]', '["ResetRequest.type"]', "ResetRequest.type is named twice"),
            ("\nResetType =", "\nResetRequest =", "is named as a message, ResetRequest"),
            ('plain_enums = ["Location"', 'plain_enums = ["Place"', "no enum is named Place: correct"),
            ('plain_enums = ["Location"', 'plain_enums = ["IdTagInfo"', "no enum is named IdTagInfo: correct"),
            ('at = "UnitOfMeasure/enum"', 'at = "UnitOfMeasure/x"', "differ at UnitOfMeasure/enum: list it"),
            ("[actions.Authorize]", '[[differences]]\nat = "X/enum"\nreason = "-"\n[actions.Authorize]', "at X/enum"),
            (
                "ReserveNow = { reservationId",
                "ReserveNow = { reservation",
                "rewrites.ReserveNow.reservation: no such prop",
            ),
            ("\nReserveNow = {", "\nReserveLater = {", "rewrites.ReserveLater: there is no such action"),
            ('sender = "charge_point"', 'sender = "charger"', "actions.Authorize.sender"),
            ('schemas = "v16"', 'schemas = "v15"', "no folder v15"),
            ('version = "1.6"', "version = 1.6.", "not TOML"),
        ],
    )
    def test_one_clear_line_and_nothing_written(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
    ) -> None:
        assert old in TABLE
        output = tmp_path / "output"

        assert run(tmp_path, TABLE.replace(old, new, 1), "generate", "--output", str(output)) == 1

        error = capsys.readouterr().err
        assert says in error
        assert error.count("\n") == 1
        assert not output.exists()

    def test_schema_without_an_action(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        start = TABLE.index("[actions.Heartbeat]")
        without = TABLE[:start] + TABLE[TABLE.index("[actions.", start + 1) :]

        assert run(tmp_path, without, "generate", "--output", str(tmp_path)) == 1
        assert "no action for the schema Heartbeat, HeartbeatResponse" in capsys.readouterr().err

    def test_no_table(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--contracts", str(tmp_path), "generate"]) == 1
        assert "no table" in capsys.readouterr().err

    def test_shared_type_that_comes_to_differ(self) -> None:
        sources = changed("AuthorizeResponse", lambda text: text.replace('"maxLength": 20', '"maxLength": 36'))

        with pytest.raises(ContractError, match=r"differ at IdTagInfo.parentIdTag/maxLength"):
            bundle(CONTRACT, dict(sources))

    def test_listed_difference_without_a_union(self) -> None:
        sources = changed("AuthorizeResponse", lambda text: text.replace('"maxLength": 20', '"maxLength": 36'))
        listed = replace(CONTRACT, differences={**CONTRACT.differences, "IdTagInfo.parentIdTag/maxLength": "-"})

        with pytest.raises(ContractError, match="no class can hold both"):
            bundle(listed, dict(sources))

    def test_keyword_that_the_generator_does_not_know(self) -> None:
        sources = changed("Authorize", lambda text: text.replace('"maxLength": 20', '"pattern": "x"'))

        with pytest.raises(ContractError, match=r"Authorize.json: properties.idTag.pattern"):
            bundle(CONTRACT, dict(sources))

    def test_scalar_that_has_no_type(self) -> None:
        sources = changed("SetChargingProfile", lambda text: text.replace("0.1", "0.01", 1))

        with pytest.raises(ContractError, match="ChargingSchedulePeriod.limit: .* is unknown: teach"):
            bundle(CONTRACT, dict(sources))


class TestDigests:
    def test_form_of_the_file_does_not_count(self) -> None:
        source = SOURCES["Authorize"]
        other_form = json.dumps(dict(reversed(json.loads(source.text).items())), indent=7)

        assert Source("Authorize", other_form).digest == source.digest
        assert Source("Authorize", source.text.replace("20", "21")).digest != source.digest

    def test_shown_and_left_alone(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        stale = TABLE.replace(CONTRACT.actions["Reset"].response, "sha256:0")

        assert run(tmp_path, stale, "digests") == 0

        assert capsys.readouterr().out.startswith("ocpp16.toml: Reset response: sha256:0 is now sha256:")
        assert (tmp_path / "ocpp16.toml").read_text("utf-8") == stale

    def test_brought_up_to_date(self, tmp_path: Path) -> None:
        reset = CONTRACT.actions["Reset"]
        stale = TABLE.replace(reset.response, "sha256:0").replace(reset.request, "sha256:1")

        assert run(tmp_path, stale, "digests", "--write") == 0
        assert (tmp_path / "ocpp16.toml").read_text("utf-8") == TABLE
