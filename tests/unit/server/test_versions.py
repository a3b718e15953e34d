"""Which versions of OCPP a server speaks, by its setting."""

from __future__ import annotations

import pytest

from mcpp.errors import StartError
from mcpp.server.versions import VERSIONS, spoken_versions
from mcpp.settings import Settings


def test_all_or_those_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert spoken_versions(Settings().ocpp_versions) == VERSIONS
    monkeypatch.setenv("MCPP_OCPP_VERSIONS", "2.1, 1.6")
    assert [version.name for version in spoken_versions(Settings().ocpp_versions)] == ["1.6", "2.1"]


def test_one_that_there_is_not_stops_the_start() -> None:
    with pytest.raises(StartError, match=r"ocpp-versions: there is no version '3\.0' here; .* 1\.6, 2\.0\.1, 2\.1"):
        spoken_versions(["1.6", "3.0"])
    with pytest.raises(StartError, match=r"'ocpp16' is no version of OCPP such as 1\.6"):
        Settings.load({"ocpp_versions": "ocpp16"})
