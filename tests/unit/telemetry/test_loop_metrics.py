"""Plain numbers make the very scrape that the library's own metrics make."""

from __future__ import annotations

from functools import partial

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import choose_encoder

from mcpp.telemetry.metrics.loop_metrics import LoopCounter, LoopFamily, LoopHistogram
from tests.unit.telemetry.scrapes import OPENMETRICS

BOUNDS = (0.001, 0.5, 1, 10, 100_000)
TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture(autouse=True, scope="module")
def _one_moment() -> None:
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # as the server does


def scrapes(registry: CollectorRegistry) -> list[str]:
    return [choose_encoder(accept)[0](registry).decode() for accept in ("", OPENMETRICS)]


class Pair:
    """The same metrics, by the library and as plain numbers."""

    def __init__(self) -> None:
        self.theirs, self.ours = CollectorRegistry(), CollectorRegistry()
        words = ("m_seconds", "How long.", ("action", "side"))
        self.their_seconds = Histogram(*words, unit="seconds", buckets=BOUNDS, registry=self.theirs)
        self.our_seconds = LoopFamily(self.ours, "histogram", partial(LoopHistogram, BOUNDS), *words)
        words = ("m_total", 'How "\\" many.', ("action", "side"))
        self.their_number = Counter(*words, registry=self.theirs)
        self.our_number = LoopFamily(self.ours, "counter", LoopCounter, *words)
        self.their_size = Histogram("size", "Alone.", buckets=BOUNDS, registry=self.theirs)
        self.our_size = LoopFamily(self.ours, "histogram", partial(LoopHistogram, BOUNDS), "size", "Alone.").labels()


VALUES = st.one_of(st.sampled_from(BOUNDS), st.integers(0, 200_000), st.floats(0, 1e6))
LABELS = st.sampled_from(["Heartbeat", 'Odd "\n\\ü'])


@given(st.lists(st.tuples(LABELS, VALUES)))
def test_a_scrape_is_the_librarys(observed: list[tuple[str, float]]) -> None:
    pair = Pair()
    for label, value in observed:
        pair.their_seconds.labels(label, "in").observe(value)
        pair.our_seconds.labels(label, "in").observe(value)
        pair.their_number.labels(label, "out").inc(value)
        pair.our_number.labels(label, "out").inc(value)
        pair.their_size.observe(value)
        pair.our_size.observe(value)

    assert scrapes(pair.ours) == scrapes(pair.theirs)


def test_the_last_example_of_a_bucket_is_its_exemplar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.25)
    pair = Pair()
    for value, example in ((0.3, None), (0.4, TRACE), (0.2, "b" * 32), (0.1, None), (1e9, TRACE)):
        pair.their_seconds.labels("a", "in").observe(value, None if example is None else {"trace_id": example})
        pair.our_seconds.labels("a", "in").observe(value, example)

    plain, openmetrics = scrapes(pair.ours)
    assert [plain, openmetrics] == scrapes(pair.theirs)
    assert openmetrics.count("trace_id=") == 2


def test_two_metrics_of_one_name_are_refused() -> None:
    pair = Pair()
    with pytest.raises(ValueError, match="Duplicated"):
        LoopFamily(pair.ours, "counter", LoopCounter, "m_total", "Again.")


def test_a_series_has_a_value_for_each_label() -> None:
    with pytest.raises(ValueError, match="2 labels"):
        Pair().our_number.labels("one")
