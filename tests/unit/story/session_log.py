"""A server's log, made by hand in the form of INTERFACE.md §4."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

from mcpp.domain.evidence import Origin
from mcpp.domain.readings import store_in_transaction
from mcpp.domain.samples import Sample, SampleKind
from mcpp_generated.db.queries import Queries

Line = dict[str, JsonValue]


def spelled(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class SessionLog:
    """Lines of one session on a connector; times are seconds after its begin."""

    def __init__(
        self,
        begin: datetime,
        session: str,
        *,
        charge_point_id: str = "CP-1",
        connector_id: int = 1,
        evse_id: int | None = None,
        first_flow: int = 1,
    ) -> None:
        self.begin = begin
        self.session = session
        self.lines: list[Line] = []
        self._of_session: Line = {
            "session_correlation_id": session,
            "charge_point_id": charge_point_id,
            "connector_id": connector_id,
        }
        if evse_id is not None:
            self._of_session["evse_id"] = evse_id
        self._charge_point: Line = {"charge_point_id": charge_point_id}
        self._flow = 0xABCD0000_00000000_00000000_00000000 + first_flow

    def flow(self) -> str:
        """A new correlation id."""
        self._flow += 1 << 96
        return f"{self._flow:032x}"

    def write(self, path: Path, *, junk: str = "") -> Path:
        path.write_text(self.text() + junk)
        return path

    def text(self) -> str:
        return "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in self.lines)

    def add(self, seconds: float, event: str, *fields: Line, level: str = "info", **more: JsonValue) -> None:
        at = spelled(self.begin + timedelta(seconds=seconds))
        line: Line = {"timestamp": at, "level": level, "event": event, "category": "ocpp"}
        for facts in (*fields, more):
            line |= facts
        self.lines.append(line)

    def message(
        self,
        seconds: float,
        action: str,
        *,
        flow: str = "",
        direction: str = "in",
        milliseconds: float = 2.5,
        in_session: bool = True,
        error: str = "",
        request: JsonValue = None,
        response: JsonValue = None,
    ) -> str:
        """A CALL and its answer, a CALLERROR where `error` names one; gives their correlation id."""
        flow = flow or self.flow()
        fields: Line = {"correlation_id": flow}
        fields |= self._of_session if in_session else self._charge_point
        fields |= {"action": action, "message_id": f"m-{len(self.lines)}"}
        call: Line = {"direction": direction, "message_type": "call", "size_bytes": 80}
        call |= {} if request is None else {"payload": request}
        answer: Line = {"direction": "out" if direction == "in" else "in", "duration_ms": milliseconds}
        answer |= {"message_type": "call_error", "error": error} if error else {"message_type": "call_result"}
        answer |= {} if response is None else {"payload": response}
        self.add(seconds, "ocpp_message", fields, call)
        self.add(seconds + milliseconds / 1000, "ocpp_message", fields, answer)
        return flow

    def event(self, seconds: float, event: str, flow: str, facts: Line) -> None:
        """A line of the session's that is no frame's."""
        self.add(seconds, event, {"correlation_id": flow}, self._of_session, facts)

    def status(self, seconds: float, status: str, previous: str, error_code: str = "NoError") -> str:
        flow = self.message(seconds, "StatusNotification")
        facts: Line = {"status": status, "previous_status": previous, "error_code": error_code}
        self.event(seconds + 0.004, "connector_status_changed", flow, facts)
        return flow

    def started(self, seconds: float, transaction_id: int, meter_start: int, id_tag: str) -> str:
        flow = self.message(seconds, "StartTransaction")
        facts: Line = {"transaction_id": transaction_id, "meter_start": meter_start, "id_tag": id_tag}
        self.event(seconds + 0.004, "transaction_started", flow, facts)
        return flow

    def stopped(self, seconds: float, transaction_id: int, meter_stop: int, energy_wh: int, reason: str) -> str:
        flow = self.message(seconds, "StopTransaction")
        facts: Line = {"transaction_id": transaction_id, "meter_stop": meter_stop, "energy_wh": energy_wh}
        self.event(seconds + 0.004, "transaction_stopped", flow, facts | {"reason": reason, "origin": "charger"})
        return flow

    def connection(self, seconds: float, outcome: str, charge_point_id: str = "CP-1") -> None:
        self.add(seconds, "connection", charge_point_id=charge_point_id, outcome=outcome, remote_address="10.0.0.7")


def store_reading(q: Queries, transaction_id: int, at: datetime, *, wh: int | None = None, **watts: int) -> None:
    """A reading in the books: a register, and power by phase, `whole` for all of them."""
    texts = {("Energy.Active.Import.Register", "", "Wh"): wh} | {
        ("Power.Active.Import", "" if phase == "whole" else phase, "W"): power for phase, power in watts.items()
    }
    kinds = {SampleKind(*text, "Sample.Periodic", "Outlet", "Raw"): number for text, number in texts.items()}
    given = [(kind, str(number)) for kind, number in kinds.items() if number is not None]
    samples = [Sample(at, kind, value, position) for position, (kind, value) in enumerate(given)]
    store_in_transaction(q, transaction_id, samples, at, Origin.NAMED, lambda kind: q.add_sample_kind(**kind.as_dict()))
