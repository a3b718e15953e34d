"""Every CALL of OCPP 2.0.1 and 2.1 in both directions, over real sockets, judged by the official schemas."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest

from mcpp.ocppj.actions import Sender
from tests.contract.official import dump
from tests.integration.field_notes.site import Central
from tests.integration.ocpp2.spoken import VERSIONS, charger_of, payload, sent_by, shape

pytestmark = pytest.mark.parametrize("version", VERSIONS)


async def test_every_command_is_sent_and_its_answer_understood(central: Central, version: str) -> None:
    commands = sent_by(version, Sender.CENTRAL_SYSTEM)
    assert len(commands) == {"2.0.1": 40, "2.1": 55}[version]
    answers = {action: payload(version, action, "response") for action in commands}
    failed = {}
    async with charger_of(central, version, answers) as charger:
        for action in commands:
            for whole in (False, True):
                charger.answers[action] = payload(version, action, "response", whole=whole)
                request = payload(version, action, "request", whole=whole)
                response = await central.command(action, request)
                if response.status_code != HTTPStatus.OK:
                    failed[action, whole] = response.text
                elif charger.asked[-1] != (action, request):
                    failed[action, whole] = str(charger.asked[-1])
    assert failed == {}, [line for line in central.lines() if line["level"] == "error"][:3]


async def test_every_call_gets_an_answer_that_its_version_allows(central: Central, version: str) -> None:
    calls = sent_by(version, Sender.CHARGE_POINT)
    failed = {}
    async with charger_of(central, version, boots=False) as charger:
        for action in ["BootNotification", *calls]:
            for whole in (False, True):
                told = payload(version, action, "request", whole=whole)
                text = json.dumps(told, ensure_ascii=False).encode()
                frame = await charger.exchange(action, text)
                if frame[0] != 3:
                    failed[action, whole] = str(frame)
                elif errors := shape(version, action, "response").official_errors(dump(frame[2])):
                    failed[action, whole] = f"{frame[2]}: {errors}"
    assert failed == {}, [line for line in central.lines() if line["level"] == "error"][:3]
    assert await central.deviations("BootNotification") == 0
