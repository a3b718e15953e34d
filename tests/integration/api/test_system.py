"""Health, readiness, metrics and documentation, from outside."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration.api.support import Site, site


async def test_health(api: Site) -> None:
    response = await api.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_ready(api: Site) -> None:
    response = await api.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": {"database": "ok", "schema": "ok"}, "clock": "ok"}


async def test_not_ready_says_which_check_fails(api: Site) -> None:
    await api.writer.close()

    response = await api.get("/readyz")

    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert response.json()["checks"]["database"] not in {"", "ok"}
    assert (await api.get("/healthz")).status_code == 200


async def test_metrics_in_both_formats(api: Site) -> None:
    api.metrics.connections.labels("opened").inc()

    plain = await api.http.get("/metrics", headers={"Accept": "text/plain"})
    openmetrics = await api.http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})

    assert plain.headers["content-type"].startswith("text/plain; version=")
    assert 'mcpp_connections_total{outcome="opened"} 1.0\n' in plain.text
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert openmetrics.text.endswith("# EOF\n")


async def test_the_docs_take_everything_from_this_server(api: Site) -> None:
    page = await api.get("/docs")
    links = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page.text)

    assert page.status_code == 200
    assert len(links) >= 3
    assert "//" not in "".join(links)
    for link in links:
        assert (await api.get(link)).status_code == 200, link
    assert "url: '/openapi.json'" in page.text or '"url": "/openapi.json"' in page.text


async def test_docs_and_health_need_no_token(tmp_path: Path) -> None:
    async with site(tmp_path, api_token="t0ken") as guarded:
        for path in ("/healthz", "/readyz", "/openapi.json", "/docs"):
            assert (await guarded.get(path)).status_code == 200, path
