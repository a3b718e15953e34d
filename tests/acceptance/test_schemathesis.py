"""The running server keeps what its own OpenAPI document promises: schemathesis makes up the requests."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

from ocpp.v16 import call

from tests.acceptance.operated import operated_charger
from tests.acceptance.operations import OPERATIONS
from tests.acceptance.server import running_server

SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
"""Without positive_data_acceptance: no schema tells which cursors and which profiles' names there are."""

REACHING = """\
[[operations]]
include-path-regex = "^/api/v1/charge-points/.+/"
parameters = { "path.id" = "CP-1" }

[[operations]]
include-path-regex = "^/api/v1/transactions/"
parameters = { "path.transaction_id" = 1 }
"""
"""So that commands reach a charger, which no DELETE may forget, and the rest its transaction."""


async def test_no_request_breaks_what_the_document_promises(tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(REACHING)
    answers: dict[str, Any] = {operation.action: operation.answer for operation in OPERATIONS}
    # Of one version only: the others' payloads are described and refused by the same means, and take as long again.
    files = ("--files-port", "0", "--files-directory", str(tmp_path / "files"), "--ocpp-versions", "1.6")
    async with (
        running_server(tmp_path / "mcpp.db", "--api-token", "t0ken", *files) as server,
        operated_charger(server.ocpp_url, "CP-1", answers) as charger,
    ):
        await charger.ask(call.BootNotification(charge_point_model="Wall", charge_point_vendor="Acme"))
        await charger.ask(
            call.StartTransaction(connector_id=1, id_tag="A", meter_start=1, timestamp="2026-05-04T09:30:00Z")
        )
        process = await asyncio.create_subprocess_exec(
            SCHEMATHESIS,
            f"--config-file={config}",
            "run",
            f"{server.http_url}/openapi.json",
            "--header=Authorization: Bearer t0ken",
            f"--checks={','.join(CHECKS)}",
            "--phases=coverage,fuzzing",
            "--max-examples=3",
            "--seed=16",
            "--exclude-path=/api/v1/events",  # it doesn't end
            "--exclude-path=/login",  # a page is there, too, of which the document doesn't speak
            "--no-color",
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()
    assert {action for action, _ in charger.seen} == {operation.action for operation in OPERATIONS}
