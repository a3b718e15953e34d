"""The plugin notify: a real receiver gets what Apprise posts; the clock is moved by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr, ValidationError

from mcpp.plugins.builtin.notify import Notify, NotifySettings
from mcpp.reads.attention import MOST_ITEMS, Attention, AttentionCode
from tests.integration.plugins.http_receiver import HttpReceiver, answer, listening
from tests.unit.plugins.site_by_hand import START, SiteByHand, charge_point

EVERY = 30
AFTER = 60


def fault(name: str = "Garage", connector_id: int = 1) -> Attention:
    params = {"name": name, "error": "GroundFailure"}
    return Attention(AttentionCode.FAULTED, name, connector_id, START, params)


def card(id_tag: str) -> Attention:
    return Attention(
        AttentionCode.UNKNOWN_CARD, "Garage", None, START, {"name": "Garage", "id_tag": id_tag, "status": "Invalid"}
    )


class Told:
    """The plugin at work, and what its receiver got."""

    def __init__(self, site: SiteByHand, receiver: HttpReceiver, quiet_hours: str | None = None) -> None:
        self.site = site
        self.receiver = receiver
        url = receiver.url.replace("http://", "json://")
        given = {"urls": url, "after": str(AFTER)} | ({"quiet_hours": quiet_hours} if quiet_hours else {})
        self.settings = NotifySettings.model_validate(given)

    async def start(self) -> None:
        self.site.restart()
        await Notify(self.settings, every=EVERY).server_started(self.site)

    async def see(self, *items: Attention, seconds: float = EVERY + AFTER + 1) -> list[str]:
        """What is told while these need somebody."""
        before = len(self.receiver.posted)
        self.site.attentions = list(items)
        await self.site.let_pass(seconds)
        return [posted.facts["message"] for posted in self.receiver.posted[before:]]


@asynccontextmanager
async def notified(quiet_hours: str | None = None, begin: datetime = START) -> AsyncIterator[Told]:
    async with listening(answer(200)) as receiver:
        site = SiteByHand()
        site.clock = begin
        told = Told(site, receiver, quiet_hours)
        await told.start()
        yield told


FAULT = "Garage reports a fault: GroundFailure"


async def test_an_incident_is_told_once_and_that_it_is_well_again() -> None:
    async with notified() as told:
        assert await told.see(fault()) == [FAULT]
        assert await told.see(fault(), seconds=3600) == []
        assert await told.see() == [f"Well again: {FAULT}"]
        assert await told.see(seconds=3600) == []
        assert await told.see(fault()) == [FAULT]


async def test_what_is_over_soon_is_told_neither_as_begun_nor_as_over() -> None:
    async with notified() as told:
        assert await told.see(fault(), seconds=EVERY) == []
        assert await told.see() == []
        assert await told.see(fault()) == [FAULT]
        assert await told.see(seconds=EVERY) == []
        assert await told.see(fault()) == []


async def test_several_come_in_one_message_and_only_what_was_asked_for() -> None:
    async with notified() as told:
        unasked = Attention(AttentionCode.DISK_LOW, None, None, START, {"free_mib": "3"})
        (message,) = await told.see(fault(), fault("Carport"), unasked)
        assert message.splitlines() == [FAULT, "Carport reports a fault: GroundFailure"]


async def test_each_card_is_told_once_and_never_well_again() -> None:
    async with notified() as told:
        assert len(await told.see(card("A"))) == 1
        assert len(await told.see(card("A"), card("B"))) == 1
        assert await told.see() == []


async def test_a_restart_tells_nothing_again() -> None:
    async with notified() as told:
        await told.see(fault())
        await told.start()
        assert await told.see(fault()) == []
        assert await told.see() == [f"Well again: {FAULT}"]
        await told.start()
        assert await told.see() == []


@pytest.mark.parametrize("code", [AttentionCode.FAULTED, AttentionCode.OFFLINE])
async def test_nobody_is_well_again_while_nobody_can_know(code: AttentionCode) -> None:
    """After a restart a list says nothing of who hasn't connected yet."""
    incident = replace(fault(), code=code)
    async with notified() as told:
        told.site.states["Garage"] = charge_point("Garage")
        (text,) = await told.see(incident)
        await told.start()
        assert await told.see() == []
        assert await told.see(incident) == []
        told.site.states["Garage"] = charge_point("Garage", connected=True)
        assert await told.see() == [f"Well again: {text}"]


async def test_a_card_is_the_same_at_another_charger() -> None:
    async with notified() as told:
        assert len(await told.see(card("A"))) == 1
        assert await told.see(replace(card("A"), charge_point_id="Carport")) == []


async def test_quiet_hours_hold_back_what_lasts_and_drop_what_is_over() -> None:
    begin = datetime(2026, 5, 1, 22, 30).astimezone()
    async with notified("22:00-07:00", begin.astimezone(UTC)) as told:
        assert await told.see(fault("Carport")) == []
        assert await told.see(fault()) == []
        until = begin.replace(hour=7) + timedelta(days=1, minutes=2)
        assert await told.see(fault(), seconds=(until - told.site.now()).total_seconds()) == [FAULT]


async def test_what_cannot_be_delivered_is_tried_again() -> None:
    async with notified() as told:
        told.receiver.behave(answer(500))
        assert len(await told.see(fault())) >= 1
        assert [line["event"] for line in told.site.lines] == ["notify_failed"] * len(told.site.lines)
        told.receiver.behave(answer(200))
        assert await told.see(fault(), seconds=4000) == [FAULT]
        assert told.site.lines[-1]["event"] == "notify_delivers_again"


async def test_an_incident_that_a_full_list_leaves_out_is_not_over() -> None:
    async with notified() as told:
        await told.see(fault())
        crowd = [fault(f"CP-{number}") for number in range(MOST_ITEMS)]
        (message,) = await told.see(*crowd)
        assert "Well again" not in message
        (message,) = await told.see()
        assert f"Well again: {FAULT}" in message


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("urls", "nonsense://host", "has a URL (of 'nonsense') that Apprise can't use"),
        ("quiet_hours", "night", "must be a span such as 22:00-07:00"),
        ("quiet_hours", "25:00-07:00", "must be a span such as 22:00-07:00"),
        ("codes", "on_fire", "Input should be 'faulted'"),
    ],
)
def test_settings_that_cannot_be_used(setting: str, value: str, told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NotifySettings.model_validate({"urls": "json://localhost", setting: value})
    assert told in str(refused.value)
    assert "localhost" not in str(refused.value)


def test_urls_with_commas_of_their_own() -> None:
    settings = NotifySettings.model_validate({"urls": "json://a.example/x,y , json://b.example json://c.example"})
    assert [url.get_secret_value() for url in settings.urls] == [
        "json://a.example/x,y",
        "json://b.example",
        "json://c.example",
    ]
    assert isinstance(settings.urls[0], SecretStr)
