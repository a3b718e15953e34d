"""What a CALL is about: the EVSE and connector that it names. A transaction's own id is told by its charge point."""

from __future__ import annotations

from functools import cache
from operator import attrgetter

from pydantic import BaseModel

from mcpp.csms.decoding import ReadSubject


@cache
def read_subject(model: type[BaseModel]) -> ReadSubject | None:
    """Reads `evse`, or `evse_id` and `connector_id`, of any version's models."""
    names = model.model_fields.keys()
    if "evse" in names:
        evse = attrgetter("evse")

        def of_evse(request: BaseModel) -> tuple[int | None, int | None, int | None]:
            named = evse(request)
            return (None, None, None) if named is None else (named.connector_id, None, named.id)

        return of_evse
    if "evse_id" not in names:
        return None
    evse_id = attrgetter("evse_id")
    if "connector_id" in names:
        both = attrgetter("connector_id", "evse_id")

        def of_both(request: BaseModel) -> tuple[int | None, int | None, int | None]:
            connector, evse = both(request)
            return connector, None, evse

        return of_both
    return lambda request: (None, None, evse_id(request))
