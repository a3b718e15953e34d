from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import ValidationError

from mcpp.domain.samples import Sample, SampleKind
from mcpp.plugins.builtin.webhook import Webhook
from mcpp.plugins.builtin.webhook.post import signed_headers
from mcpp.plugins.builtin.webhook.receiver import Delivery, Receiver, backoff
from mcpp.plugins.builtin.webhook.settings import WebhookSettings, signing_key
from mcpp.reads.event_json import EVENT_NAMES, event_json
from tests import events
from tests.unit.plugins.site_by_hand import SiteByHand

AT = datetime(2026, 5, 1, 14, 0, 0, 1234, tzinfo=timezone(timedelta(hours=2)))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("MCPP_PLUGIN_WEBHOOK_URLS", "https://a.example/hook, https://user:hunter2@b.example:8443/x")
    monkeypatch.setenv("MCPP_PLUGIN_WEBHOOK_SECRET", "0123456789abcdef")
    return monkeypatch


def test_the_signature_is_that_of_standard_webhooks() -> None:
    # The example of the specification's own libraries.
    headers = signed_headers(
        signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_documented_check_takes_what_is_signed_and_nothing_else() -> None:
    page = (Path(__file__).parents[3] / "docs" / "plugins" / "webhook.md").read_text()
    names: dict[str, Callable[[str, Mapping[str, str], bytes], bool]] = {}
    [code] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(code, names)
    is_genuine = names["is_genuine"]
    now = int(time.time())
    secret, body = "0123456789abcdef", b'{"event": "charge_point_booted"}'
    headers = signed_headers(signing_key(secret), "msg_1", now, body)
    assert is_genuine(secret, headers, body)
    assert not is_genuine("another secret!!", headers, body)
    assert not is_genuine(secret, headers, body + b" ")
    assert not is_genuine(secret, {**headers, "webhook-id": "msg_2"}, body)
    assert not is_genuine(secret, {**headers, "webhook-timestamp": str(now + 1)}, body)
    assert not is_genuine(secret, signed_headers(signing_key(secret), "msg_1", now - 3600, body), body)


async def test_large_events_fill_the_queue_as_many_do() -> None:
    async def hang(_: Delivery, __: int) -> None:
        await asyncio.Event().wait()

    site = SiteByHand()
    receiver = Receiver(hang, site.log, tries=1, queue_limit=1000, byte_limit=1000)
    for number in range(4):
        receiver.put(Delivery(f"msg_{number}", "charge_point_booted", "CP-1", "a" * 32, bytes(400)))
    assert receiver.waiting == 2
    await receiver.close(0)
    assert [line["count"] for line in site.named("webhook_events_lost")] == [2, 2]


def test_the_pause_between_tries_doubles_and_is_spread_and_bounded() -> None:
    for number in range(1, 21):
        longest = min(300.0, 2.0 ** (number - 1))
        pauses = {backoff(number) for _ in range(50)}
        assert len(pauses) > 1
        assert all(longest / 2 <= pause <= longest for pause in pauses)


def test_settings_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("MCPP_PLUGIN_WEBHOOK_EVENTS", "transaction_started,transaction_stopped")
    settings = WebhookSettings()
    assert [url.get_secret_value() for url in settings.urls] == [
        "https://a.example/hook",
        "https://user:hunter2@b.example:8443/x",
    ]
    assert settings.events == {"transaction_started", "transaction_stopped"}
    assert "hunter2" not in repr(settings)
    assert "0123456789abcdef" not in repr(settings)


def test_heartbeats_and_meter_values_are_posted_only_where_they_are_asked_for(environment: pytest.MonkeyPatch) -> None:
    assert WebhookSettings().events == EVENT_NAMES - {"heartbeat_received", "meter_values_received"}


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("URLS", "ftp://a.example", "must be URLs such as"),
        ("URLS", "https://", "must be URLs such as"),
        ("URLS", "https://[::1", "must be URLs such as"),
        ("URLS", ",", "at least 1 item"),
        ("SECRET", "short", "less than 16 bytes"),
        ("SECRET", "whsec_no base64", "no base64"),
        ("SECRET", "whsec_c2hvcnQ=", "less than 16 bytes"),
        ("EVENTS", "transaction_begun", "there is no event 'transaction_begun'; there are card_learnt, "),
        ("TIMEOUT", "0", "greater than 0"),
        ("TRIES", "0", "greater than or equal to 1"),
        ("QUEUE_LIMIT", "0", "greater than or equal to 1"),
    ],
)
def test_a_mistake_in_the_settings_stops_the_start(
    name: str, value: str, complaint: str, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv(f"MCPP_PLUGIN_WEBHOOK_{name}", value)
    with pytest.raises(ValidationError, match=re.escape(complaint)):
        Webhook()


@pytest.mark.parametrize(
    ("name", "value"), [("URLS", "ftp://user:hunter2@a.example/path"), ("SECRET", "whsec_hunter2, no base64")]
)
def test_a_mistake_in_a_secret_does_not_show_it(name: str, value: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv(f"MCPP_PLUGIN_WEBHOOK_{name}", value)
    with pytest.raises(ValidationError) as mistake:
        Webhook()
    assert "hunter2" not in str(mistake.value)


@pytest.mark.parametrize("name", ["URLS", "SECRET"])
def test_urls_and_a_secret_are_needed(name: str, environment: pytest.MonkeyPatch) -> None:
    environment.delenv(f"MCPP_PLUGIN_WEBHOOK_{name}")
    with pytest.raises(ValidationError, match=name.lower()):
        Webhook()


def test_a_secret_in_base64_is_the_bytes_behind_it() -> None:
    assert signing_key("whsec_" + base64.b64encode(bytes(range(32))).decode()) == bytes(range(32))
    assert signing_key("plain text") == b"plain text"


def test_an_event_is_json_with_times_in_utc() -> None:
    event = replace(events.HEARTBEAT, correlation_id="a" * 32, at=AT)
    assert json.loads(event_json(event)) == {
        "event": "heartbeat_received",
        "charge_point_id": "CP-1",
        "correlation_id": "a" * 32,
        "at": "2026-05-01T12:00:00.001Z",
    }


def test_samples_have_the_names_of_the_api() -> None:
    kind = SampleKind("Voltage", "L1", "V", "Sample.Periodic", "", "Raw")
    event = replace(events.MEASURED, samples=(Sample(AT, kind, "231.4", 0),))
    assert json.loads(event_json(event))["samples"] == [
        {
            "timestamp": "2026-05-01T12:00:00.001Z",
            "measurand": "Voltage",
            "phase": "L1",
            "unit": "V",
            "context": "Sample.Periodic",
            "location": None,
            "format": "Raw",
            "value": "231.4",
        }
    ]


def test_evidence_is_an_object() -> None:
    event = replace(events.RECOVERED, evidence='{"cause": "next_start"}')
    facts = json.loads(event_json(event))
    assert facts["event"] == "transaction_recovered"
    assert facts["evidence"] == {"cause": "next_start"}
    assert facts["origin"] == "recovered"
