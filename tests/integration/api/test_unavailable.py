"""What the API says of what it can't do as it is set up, or for now."""

from __future__ import annotations

from tests.integration.api.support import Site


async def test_files_say_how_to_switch_them_on(api: Site) -> None:
    for path in ("/api/v1/firmware", "/api/v1/uploads", "/api/v1/uploads/1"):
        response = await api.get(path)
        assert (response.status_code, response.json()["code"]) == (409, "conflict")
        assert "files-port" in response.json()["detail"]


async def test_a_database_that_cannot_be_written(api: Site) -> None:
    await api.writer.close()

    response = await api.http.put("/api/v1/id-tags/A", json={})

    assert (response.status_code, response.json()["code"]) == (503, "not_stored")
