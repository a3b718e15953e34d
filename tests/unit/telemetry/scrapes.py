"""A scrape as a scraper reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from mcpp.telemetry.metrics.definitions import Metrics

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


async def text_of(metrics: Metrics, accept: str = "") -> str:
    _, pieces = metrics.render(accept)
    return await joined(pieces)


async def joined(pieces: AsyncIterator[bytes]) -> str:
    return b"".join([piece async for piece in pieces]).decode()


def families_in(text: str) -> dict[str, Metric]:
    """By name, counters with their `_total`; refuses what no scraper would take."""
    found = list((parse_openmetrics if text.endswith("# EOF\n") else parse_prometheus)(text))
    families = {f"{family.name}_total" if family.type == "counter" else family.name: family for family in found}
    assert len(families) == len(found), "a family comes twice"
    for family in found:
        series = [(sample.name, *sorted(sample.labels.items())) for sample in family.samples]
        assert len(set(series)) == len(series), f"{family.name}: a series comes twice"
    return families


async def scrape(metrics: Metrics, accept: str = "") -> dict[str, Metric]:
    return families_in(await text_of(metrics, accept))


def values(families: dict[str, Metric], name: str, **labels: str) -> dict[str, float]:
    """A family's values by those labels that aren't given, joined by `/`; of the series that bear the given ones."""
    return {
        "/".join(value for label, value in sample.labels.items() if label not in labels): sample.value
        for sample in families[name].samples
        if labels.items() <= sample.labels.items()
    }


def value(families: dict[str, Metric], name: str, **labels: str) -> float | None:
    """The value of one series; None where there is none."""
    return _only(sample.value for sample in families[name].samples if sample.labels == labels)


def _only(found: Iterable[float]) -> float | None:
    numbers = list(found)
    assert len(numbers) <= 1
    return numbers[0] if numbers else None
