"""What is kept of how connectors stood, of when charge points were connected, and of when the server ran.

The newest of each is kept, so that it has an end however often a charge point changes its mind. `mcpp.reads.
state_history` makes states of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from mcpp import bounds
from mcpp_generated.db.models import Connector
from mcpp_generated.db.queries import Queries

RUNS: Final = 1_000
"""Of the server, that are kept."""


def keep_status(q: Queries, connector: Connector, status: str, at: datetime) -> int:
    """Keep a connector's status where it's another one than before; returns how often it has become another by then."""
    if status == connector.status:
        return connector.status_changes
    slot = connector.status_changes % bounds.STATUS_CHANGES
    q.put_connector_status(connector_key=connector.key, slot=slot, began_at=at, status=status)
    return connector.status_changes + 1


def begin_connection(q: Queries, charge_point_key: int, epoch: int, at: datetime) -> None:
    """Keep that a charge point connected; `epoch` is the connection's number."""
    q.begin_connection(charge_point_key=charge_point_key, slot=epoch % bounds.CONNECTIONS, began_at=at)


def end_connection(q: Queries, charge_point_key: int, epoch: int, at: datetime) -> None:
    """Keep that a connection ended."""
    q.end_connection(charge_point_key=charge_point_key, slot=epoch % bounds.CONNECTIONS, ended_at=at)


def note_run(q: Queries, run_id: int | None, began_at: datetime, now: datetime) -> int:
    """Note how far a run of the server has got, at first without its number; returns that."""
    if run_id is None:
        last = q.find_newest_run()
        run_id = 1
        if last is not None:
            q.close_run(id=last.id, before_at=began_at)
            run_id = last.id + 1
        q.forget_runs(until_id=run_id - RUNS)
    q.note_run(id=run_id, began_at=began_at, newest_at=now)
    return run_id
