"""The generator: what it writes, and what it says when contract and schemas don't agree."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from mcpp.ocppj.actions import Sender
from mcpp_generated.ocpp16 import actions
from tests.contract.official import OCPP16, OCPP21, OCPP201, ROOT, VERSIONS, Version
from tools.contract import schemas
from tools.contract.__main__ import main
from tools.contract.bundle import bundle
from tools.contract.generate import generate
from tools.contract.naming import constant
from tools.contract.schemas import Source
from tools.contract.table import ContractError
from tools.contract.widening import narrower

CONTRACT, SOURCES = OCPP16.contract, OCPP16.sources
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
    @pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.contract.version)
    def test_the_committed_code_is_what_the_contract_gives(self, version: Version) -> None:
        package = ROOT / "generated" / "mcpp_generated" / version.contract.module
        committed = {path.name: path.read_text("utf-8") for path in package.glob("*.py")}

        assert generate(version.contract, schemas.folder(version.contract)) == committed

    def test_written_where_told_and_nothing_stale_stays(self, tmp_path: Path) -> None:
        package = tmp_path / "ocpp16"
        package.mkdir()
        (package / "stale.py").touch()

        assert run(tmp_path, TABLE, "generate", "--output", str(tmp_path)) == 0
        assert sorted(path.stem for path in package.iterdir()) == ["__init__", "actions", "models", "scalars", "texts"]

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

    def test_a_message_that_is_never_answered_is_no_action(self) -> None:
        assert len(OCPP201.actions) == 64
        assert len(OCPP21.actions) == 90
        assert list(OCPP21.sends) == ["NotifyPeriodicEventStream"]

    @pytest.mark.parametrize(
        ("name", "spelled"),
        [
            ("BootNotification", "BOOT_NOTIFICATION"),
            ("GetDERControl", "GET_DER_CONTROL"),
            ("NotifyEVChargingNeeds", "NOTIFY_EV_CHARGING_NEEDS"),
            ("Get15118EVCertificate", "GET_15118EV_CERTIFICATE"),
            ("SignV2G20Certificate", "SIGN_V2G20_CERTIFICATE"),
            ("s309-1P-16A", "S309_1P_16A"),
            ("Energy.Active.Net", "ENERGY_ACTIVE_NET"),
        ],
    )
    def test_words_of_a_name_stay_apart(self, name: str, spelled: str) -> None:
        assert constant(name) == spelled


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

        with pytest.raises(ContractError, match=r"ChargingSchedulePeriod.limit: .* is unknown: teach"):
            bundle(CONTRACT, dict(sources))


class TestWidening:
    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('    "EVSEType.id/minimum",\n', "", "2.1 refuses what 2.0.1 allows at EVSEType.id/minimum: see"),
            (
                '"EVSEType.id/minimum"',
                '"EVSEType.id/maximum"',
                "2.1 refuses what 2.0.1 allows at EVSEType.id/minimum: see",
            ),
            ("at = [\n", 'at = [\n"X.y/enum",\n', "2.1 allows what 2.0.1 allows at X.y/enum: remove it"),
            ('widens = "ocpp201"', 'widens = "ocpp20"', "widens: there is no table ocpp20.toml"),
        ],
    )
    def test_is_checked_against_what_is_listed(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, says: str
    ) -> None:
        text = OCPP21.contract.path.read_text("utf-8")
        assert old in text
        (tmp_path / "ocpp201.toml").write_text(OCPP201.contract.path.read_text("utf-8"), "utf-8")
        (tmp_path / "ocpp21.toml").write_text(text.replace(old, new, 1), "utf-8")

        assert main(["--contracts", str(tmp_path), "generate", "--output", str(tmp_path / "output")]) == 1

        assert says in capsys.readouterr().err
        assert not (tmp_path / "output").exists()

    @pytest.mark.parametrize(
        ("file", "old", "new", "found"),
        [
            ("ResetRequest", '"OnIdle"', '"Idle"', "ResetEnumType/OnIdle"),
            ("ResetRequest", '"type"\n', '"type", "evseId"\n', "ResetRequest.evseId/required"),
            ("AuthorizeRequest", '"maxLength": 10000', '"maxLength": 5499', "AuthorizeRequest.certificate/maxLength"),
            ("HeartbeatResponse", '"currentTime": {', '"time": {', "HeartbeatResponse.currentTime/missing"),
            ("CostUpdatedRequest", '"number"', '"integer"', "CostUpdatedRequest.totalCost/type"),
            ("GetVariablesRequest", '"minItems": 1', '"minItems": 2', "GetVariablesRequest.getVariableData/minItems"),
        ],
    )
    def test_finds_what_became_narrower(self, file: str, old: str, new: str, found: str) -> None:
        text = OCPP21.sources[file].text
        assert old in text
        sources = {**OCPP21.sources, file: Source(file, text.replace(old, new))}
        earlier, later = bundle(OCPP201.contract, OCPP201.sources), bundle(OCPP21.contract, sources)

        assert found in set(narrower(earlier, later)) - OCPP21.contract.narrower.keys()


class TestDigests:
    def test_form_of_the_file_does_not_count(self) -> None:
        source = SOURCES["Authorize"]
        other_form = json.dumps(dict(reversed(json.loads(source.text).items())), indent=7)

        assert Source("Authorize", other_form).digest == source.digest
        assert Source("Authorize", source.text.replace("20", "21")).digest != source.digest

    def test_shown_and_left_alone(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        stale = TABLE.replace(SOURCES["ResetResponse"].digest, "sha256:0")

        assert run(tmp_path, stale, "digests") == 0

        assert capsys.readouterr().out.startswith("ocpp16.toml: Reset response: sha256:0 is now sha256:")
        assert (tmp_path / "ocpp16.toml").read_text("utf-8") == stale

    def test_brought_up_to_date(self, tmp_path: Path) -> None:
        stale = TABLE.replace(SOURCES["Reset"].digest, "sha256:1")
        stale = stale.replace(SOURCES["ResetResponse"].digest, "sha256:0")

        assert run(tmp_path, stale, "digests", "--write") == 0
        assert (tmp_path / "ocpp16.toml").read_text("utf-8") == TABLE
