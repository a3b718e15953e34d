from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
import pytest_asyncio
from pydantic import SecretStr

from mcpp.domain.events import Event
from mcpp.plugins.builtin.webhook import Webhook
from mcpp.plugins.builtin.webhook.settings import WebhookSettings
from tests import events
from tests.integration.plugins.http_receiver import (
    OK,
    Behaviour,
    HttpReceiver,
    Posted,
    answer,
    hang,
    hang_up,
    listening,
)
from tests.unit.plugins.site_by_hand import START, SiteByHand

SECRET = "a secret that both sides know"


def booted(number: int, charge_point_id: str = "CP-1") -> Event:
    return replace(
        events.BOOTED,
        charge_point_id=charge_point_id,
        correlation_id=f"{number:032x}",
        at=START,
        vendor="Vendor",
        model=f"Model {number}",
    )


def verified(posted: Posted) -> Posted:
    """As docs/plugins/webhook.md tells receivers to do."""
    signed = f"{posted.headers['webhook-id']}.{posted.headers['webhook-timestamp']}.".encode() + posted.body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert hmac.compare_digest(posted.headers["webhook-signature"], f"v1,{expected}")
    return posted


def models(posted: list[Posted]) -> list[str]:
    return [verified(one).facts["model"] for one in posted]


class Deployment:
    """The plugin on a site, without pauses between tries unless a test wants them."""

    def __init__(self) -> None:
        self.site = SiteByHand()
        self._plugin: Webhook | None = None

    async def start(self, *urls: str, backoff: float = 0.0, flush: float = 5.0, **settings: object) -> Webhook:
        values = {"urls": tuple(map(SecretStr, urls)), "secret": SecretStr(SECRET), **settings}
        self._plugin = Webhook(WebhookSettings.model_validate(values), backoff=lambda _: backoff, flush_seconds=flush)
        await self._plugin.server_started(self.site)
        return self._plugin

    async def stop(self) -> None:
        if self._plugin is not None:
            await self._plugin.server_stopping()
            self._plugin = None


@pytest_asyncio.fixture
async def deployment() -> AsyncIterator[Deployment]:
    deployment = Deployment()
    yield deployment
    await deployment.stop()


Listen = Callable[..., Awaitable[HttpReceiver]]


@pytest_asyncio.fixture
async def listen() -> AsyncIterator[Listen]:
    """Starts receivers, and stops them."""
    async with AsyncExitStack() as started:

        async def start_one(*behaviours: Behaviour) -> HttpReceiver:
            return await started.enter_async_context(listening(*behaviours))

        yield start_one


async def test_an_event_arrives_as_signed_json(deployment: Deployment, listen: Listen) -> None:
    receiver = await listen()
    webhook = await deployment.start(receiver.url)
    webhook.event_published(booted(1))
    [posted] = await receiver.wait_for(1)
    assert (posted.method, posted.path) == ("POST", "/hook")
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["webhook-timestamp"] == str(int(START.timestamp()))
    assert posted.headers["webhook-attempt"] == "1"
    assert verified(posted).facts == {
        "event": "charge_point_booted",
        "charge_point_id": "CP-1",
        "correlation_id": f"{1:032x}",
        "at": "2026-05-01T12:00:00.000Z",
        "vendor": "Vendor",
        "model": "Model 1",
        "serial_number": None,
        "firmware_version": None,
    }


async def test_only_the_events_that_were_asked_for_arrive(deployment: Deployment, listen: Listen) -> None:
    receiver = await listen()
    webhook = await deployment.start(receiver.url, events="security_event_received")
    webhook.event_published(booted(1))
    webhook.event_published(events.TAMPERED)
    [posted] = await receiver.wait_for(1)
    assert verified(posted).facts["event"] == "security_event_received"


async def test_secrets_are_masked_in_the_body(deployment: Deployment, listen: Listen) -> None:
    receiver = await listen()
    webhook = await deployment.start(receiver.url)
    told = "AuthorizationKey=0123456789abcdef set from ftp://user:hunter2@files.example"
    webhook.event_published(replace(events.TAMPERED, tech_info=told))
    [posted] = await receiver.wait_for(1)
    assert b"0123456789abcdef" not in verified(posted).body
    assert b"hunter2" not in posted.body


async def test_credentials_in_the_url_are_sent_and_never_logged(
    deployment: Deployment, listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver = await listen(answer(500), OK)
    url = receiver.url.replace("http://", "http://user:hunter2@") + "/a-path-that-is-a-secret"
    webhook = await deployment.start(url)
    webhook.event_published(booted(1))
    posted = await receiver.wait_for(2)
    assert posted[0].headers["authorization"] == "Basic " + base64.b64encode(b"user:hunter2").decode()
    line = await deployment.site.line("webhook_delivers_again")
    assert line["receiver"] == receiver.url.removesuffix("/hook")
    logged = repr(deployment.site.lines) + "".join(r.getMessage() for r in caplog.records if r.name == "httpx")
    assert "hunter2" not in logged
    assert "a-path-that-is-a-secret" not in logged


@pytest.mark.parametrize(
    "failure", [answer(500), answer(404), answer(429), hang_up], ids=["500", "404", "429", "hangs up"]
)
async def test_what_fails_is_tried_again_under_the_same_id(
    failure: Behaviour, deployment: Deployment, listen: Listen
) -> None:
    receiver = await listen(failure, failure, OK)
    webhook = await deployment.start(receiver.url)
    webhook.event_published(booted(1))
    posted = await receiver.wait_for(3)
    assert models(posted) == ["Model 1"] * 3
    assert len({one.headers["webhook-id"] for one in posted}) == 1
    assert [one.headers["webhook-attempt"] for one in posted] == ["1", "2", "3"]


async def test_each_try_is_signed_at_its_own_time(deployment: Deployment, listen: Listen) -> None:
    async def later(_: Posted, writer: asyncio.StreamWriter) -> None:
        await deployment.site.let_pass(600)
        writer.write(b"HTTP/1.1 503 Later\r\ncontent-length: 0\r\n\r\n")

    receiver = await listen(later, OK)
    webhook = await deployment.start(receiver.url)
    webhook.event_published(booted(1))
    first, second = map(verified, await receiver.wait_for(2))
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 600


async def test_one_that_hangs_is_tried_again(deployment: Deployment, listen: Listen) -> None:
    receiver = await listen(hang, OK)
    webhook = await deployment.start(receiver.url, timeout=0.05)
    webhook.event_published(booted(1))
    assert models(await receiver.wait_for(2)) == ["Model 1"] * 2
    assert "no answer within 0.05 s" in (await deployment.site.line("webhook_failing"))["error"]


async def test_one_that_answers_for_ever_is_left(deployment: Deployment, listen: Listen) -> None:
    async def babble(_: Posted, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"blah" * 4096)
            await writer.drain()

    receiver = await listen(babble)
    webhook = await deployment.start(receiver.url, timeout=60)
    webhook.event_published(booted(1))
    webhook.event_published(booted(2))
    assert models(await receiver.wait_for(2)) == ["Model 1", "Model 2"]


async def test_redirects_are_not_followed(deployment: Deployment, listen: Listen) -> None:
    elsewhere = await listen()
    receiver = await listen(answer(307, location=elsewhere.url))
    webhook = await deployment.start(receiver.url, tries=2)
    webhook.event_published(booted(1))
    await deployment.site.line("webhook_given_up")
    assert len(receiver.posted) == 2
    assert elsewhere.posted == []
    assert "redirects are not followed" in (await deployment.site.line("webhook_failing"))["error"]


async def test_what_is_tried_in_vain_is_given_up_and_the_next_one_has_its_turn(
    deployment: Deployment, listen: Listen
) -> None:
    receiver = await listen(answer(500), answer(500), answer(500), OK)
    webhook = await deployment.start(receiver.url, tries=3)
    webhook.event_published(booted(1))
    webhook.event_published(booted(2))
    assert models(await receiver.wait_for(4)) == ["Model 1"] * 3 + ["Model 2"]
    line = await deployment.site.line("webhook_given_up")
    assert line["log_level"] == "warning"
    assert line["tries"] == 3
    assert line["delivery_id"] == receiver.posted[0].headers["webhook-id"]
    assert line["delivered_event"] == "charge_point_booted"
    assert line["charge_point_id"] == "CP-1"


async def test_the_order_of_each_charger_is_kept_whatever_fails(deployment: Deployment, listen: Listen) -> None:
    failures = [answer(500), hang_up, OK, answer(503), OK, OK, hang_up, hang_up]
    receiver = await listen(*failures, OK)
    webhook = await deployment.start(receiver.url)
    for number in range(20):
        webhook.event_published(booted(number, f"CP-{number % 3}"))
    await receiver.wait_for(20 + 5)
    for charge_point_id in ("CP-0", "CP-1", "CP-2"):
        of_one = [posted.facts for posted in receiver.posted if posted.facts["charge_point_id"] == charge_point_id]
        numbers = [int(facts["correlation_id"], 16) for facts in of_one]
        assert numbers == sorted(numbers)
        assert set(numbers) == {n for n in range(20) if f"CP-{n % 3}" == charge_point_id}


async def test_a_charger_whose_event_fails_does_not_hold_up_another(deployment: Deployment, listen: Listen) -> None:
    receiver = await listen(answer(500), OK)
    webhook = await deployment.start(receiver.url, backoff=3600)
    webhook.event_published(booted(1, "CP-1"))
    await deployment.site.line("webhook_failing")
    webhook.event_published(booted(2, "CP-2"))
    assert models(await receiver.wait_for(2)) == ["Model 1", "Model 2"]


async def test_a_dead_receiver_does_not_hold_up_another(deployment: Deployment, listen: Listen) -> None:
    dead, alive = await listen(hang), await listen()
    webhook = await deployment.start(dead.url, alive.url, flush=0.0)
    for number in range(100):
        webhook.event_published(booted(number))
    assert models(await alive.wait_for(100)) == [f"Model {number}" for number in range(100)]
    assert alive.connections == 1


async def test_a_slow_receiver_gets_everything(deployment: Deployment, listen: Listen) -> None:
    gate = asyncio.Event()

    async def wait(posted: Posted, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await OK(posted, writer)

    receiver = await listen(wait)
    webhook = await deployment.start(receiver.url)
    for number in range(300):
        webhook.event_published(booted(number, f"CP-{number % 50}"))
    await receiver.wait_for(8)
    gate.set()
    await receiver.wait_for(300)
    assert len({posted.headers["webhook-id"] for posted in receiver.posted}) == 300
    assert receiver.connections <= 8


async def test_a_receiver_that_comes_back_gets_what_waited(deployment: Deployment, listen: Listen) -> None:
    receiver = await listen()
    await receiver.stop()
    webhook = await deployment.start(receiver.url, tries=20, backoff=0.05)
    webhook.event_published(booted(1))
    webhook.event_published(booted(2))
    await deployment.site.line("webhook_failing")
    await receiver.start()
    assert models(await receiver.wait_for(2)) == ["Model 1", "Model 2"]
    await deployment.site.line("webhook_delivers_again")


async def test_a_dead_receiver_costs_a_full_queue_and_no_more(deployment: Deployment, listen: Listen) -> None:
    receiver = await listen(hang)
    webhook = await deployment.start(receiver.url, queue_limit=10, flush=0.0)
    for number in range(1000):
        webhook.event_published(booted(number, f"CP-{number}"))
    assert webhook.waiting == 10
    assert len(deployment.site.named("webhook_queue_full")) == 1
    await deployment.stop()
    assert [line["count"] for line in deployment.site.named("webhook_events_lost")] == [990, 10]


async def test_what_was_dropped_is_told_when_it_has_eased(deployment: Deployment, listen: Listen) -> None:
    gate = asyncio.Event()

    async def wait(posted: Posted, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        await OK(posted, writer)

    receiver = await listen(wait)
    webhook = await deployment.start(receiver.url, queue_limit=10)
    for number in range(15):
        webhook.event_published(booted(number))
    gate.set()
    assert models(await receiver.wait_for(10)) == [f"Model {number}" for number in range(10)]
    assert (await deployment.site.line("webhook_events_lost"))["count"] == 5


async def test_the_end_of_the_server_waits_for_what_is_under_way(deployment: Deployment, listen: Listen) -> None:
    receiver = await listen()
    webhook = await deployment.start(receiver.url)
    for number in range(100):
        webhook.event_published(booted(number))
    await deployment.stop()
    assert models(receiver.posted) == [f"Model {number}" for number in range(100)]
    assert deployment.site.named("webhook_events_lost") == []


async def test_the_end_of_the_server_gives_what_waits_for_its_next_try_a_last_one(
    deployment: Deployment, listen: Listen
) -> None:
    receiver = await listen(answer(500), OK)
    webhook = await deployment.start(receiver.url, backoff=3600)
    webhook.event_published(booted(1))
    webhook.event_published(booted(2))
    await deployment.site.line("webhook_failing")
    await deployment.stop()
    assert models(receiver.posted) == ["Model 1", "Model 1", "Model 2"]


async def test_the_end_of_the_server_does_not_wait_for_one_that_hangs(deployment: Deployment, listen: Listen) -> None:
    receiver = await listen(hang)
    webhook = await deployment.start(receiver.url, timeout=60, flush=0.05)
    webhook.event_published(booted(1))
    webhook.event_published(booted(2))
    await receiver.wait_for(1)
    async with asyncio.timeout(10):
        await deployment.stop()
    assert (await deployment.site.line("webhook_events_lost"))["count"] == 2


async def test_the_end_of_the_server_says_in_one_line_what_a_dead_receiver_missed(
    deployment: Deployment, listen: Listen
) -> None:
    receiver = await listen(hang_up)
    webhook = await deployment.start(receiver.url, backoff=3600)
    for number in range(50):
        webhook.event_published(booted(number, f"CP-{number % 5}"))
    await deployment.stop()
    assert [line["count"] for line in deployment.site.named("webhook_events_lost")] == [50]
    assert deployment.site.named("webhook_given_up") == []
