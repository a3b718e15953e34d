"""What a scraper reads from a running server."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.server import Server

Labels = frozenset[tuple[str, str]]


class Scrape:
    """What one scrape holds."""

    def __init__(self, text: str) -> None:
        self._values: dict[tuple[str, Labels], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                series = (sample.name, frozenset(sample.labels.items()))
                assert series not in self._values, f"{series} is there twice"
                self._values[series] = sample.value

    def value(self, name: str, **labels: str) -> float | None:
        """Of one series; None where there is none."""
        return self._values.get((f"mcpp_{name}", frozenset(labels.items())))

    def by(self, label: str, name: str, **labels: str) -> dict[str, float]:
        """Values by one label, of the series that have these others."""
        fixed = labels.items()
        return {
            dict(found)[label]: value
            for (found_name, found), value in self._values.items()
            if found_name == f"mcpp_{name}" and fixed <= dict(found).items()
        }


async def scrape(server: Server) -> Scrape:
    async with httpx.AsyncClient(base_url=server.http_url) as client:
        return Scrape((await client.get("/metrics")).text)
