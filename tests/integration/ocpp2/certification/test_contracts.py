"""Certification cases of contracts' certificates: a provider's plugin answers what vehicles ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from mcpp.plugins import ContractCertificateAnswer, ContractCertificateQuestion, Site, hookimpl
from tests.integration.field_notes.site import Central, central_system
from tests.integration.ocpp2.certification.by_the_letter import station_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCHEMA = "urn:iso:15118:2:2013:MsgDef"


class Provider:
    """Answers with what it was asked."""

    @hookimpl
    def contract_certificate_wanted(
        self, question: ContractCertificateQuestion, site: Site
    ) -> ContractCertificateAnswer | None:
        assert site is not None
        if question.schema_version != SCHEMA:
            return None
        return ContractCertificateAnswer(exi_response=f"{question.action}:{question.exi_request}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def central(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Central]:
    """A central system with a provider's plugin."""
    async with central_system(tmp_path_factory.mktemp("central"), plugins=f"{__name__}:Provider") as running:
        yield running


@pytest.mark.parametrize("action", [pytest.param("Install", id="TC_M_26"), pytest.param("Update", id="TC_M_28")])
async def test_a_vehicle_gets_its_contract_s_certificate(central: Central, action: str) -> None:
    async with station_at(central) as cs:
        answer = await cs.say(
            "Get15118EVCertificate", {"iso15118SchemaVersion": SCHEMA, "action": action, "exiRequest": "gAAA"}
        )
    assert answer == {"status": "Accepted", "exiResponse": f"{action}:gAAA"}
