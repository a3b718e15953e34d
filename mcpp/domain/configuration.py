"""Configuration keys as a charge point last reported or accepted them; secrets are kept without their value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mcpp import bounds
from mcpp.bounds import Over
from mcpp.domain.occasion import LeftOut, Occasion, Result
from mcpp.redaction import is_secret, redact_text
from mcpp_generated.db.models import DeleteConfigurationKeysParams, PutConfigurationKeysParams
from mcpp_generated.db.queries import Queries


class KnownKey(NamedTuple):
    """A configuration key as the charge point reports it (OCPP 1.6 §7.29)."""

    key: str
    value: str | None
    readonly: bool


def note_keys(q: Queries, occasion: Occasion, known: Sequence[KnownKey], unknown: Sequence[str]) -> Result[None]:
    """Store what a GetConfiguration returned; a key that the charge point doesn't know is forgotten."""
    q.delete_all_variables(charge_point_key=occasion.charge_point_key)  # it has no device model (any more)
    q.delete_configuration_keys([DeleteConfigurationKeysParams(occasion.charge_point_key, key) for key in unknown])
    q.put_configuration_keys(
        [
            PutConfigurationKeysParams(occasion.charge_point_key, key, _presentable(key, value), readonly, occasion.at)
            for key, value, readonly in known
        ]
    )
    return Result(None, left_out=tuple(_drop_oldest(q, occasion.charge_point_key)))


def _drop_oldest(q: Queries, charge_point_key: int) -> Iterator[LeftOut]:
    """Bound what is kept: keys that weren't reported for the longest time go first."""
    kept = q.size_of_configuration(charge_point_key=charge_point_key)
    known, size = kept.known, kept.bytes
    while known > bounds.CONFIGURATION_KEYS or size > bounds.CONFIGURATION_BYTES:
        oldest = q.find_oldest_configuration_key(charge_point_key=charge_point_key)
        if oldest is None:
            break
        q.delete_configuration_keys([DeleteConfigurationKeysParams(charge_point_key, oldest.key)])
        known, size = known - 1, size - len(oldest.key.encode()) - len((oldest.value or "").encode())
        yield LeftOut(Over.OLDEST_DROPPED, "configurationKey[].key", oldest.key, "")


def note_change(q: Queries, occasion: Occasion, key: str, value: str) -> Result[None]:
    """Keep what a ChangeConfiguration changed, spelled as the charge point spelled it before, if it did."""
    known = q.get_configuration_key(charge_point_key=occasion.charge_point_key, key=key)
    return note_keys(q, occasion, [KnownKey(known.key if known else key, value, readonly=False)], [])


def positive_number(q: Queries, charge_point_key: int, key: str) -> int | None:
    """A limit that the charge point reported of itself; None where it reported none, or no positive number."""
    known = q.get_configuration_key(charge_point_key=charge_point_key, key=key)
    if known is None or known.value is None:
        return None
    return as_positive(known.value)


def as_positive(text: str) -> int | None:
    """A positive number as a charge point wrote it; None where it's none."""
    text = text.strip()
    return int(text) or None if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _presentable(key: str, value: str | None) -> str | None:
    """The value as it may be stored and shown."""
    return None if value is None or is_secret(key) else redact_text(value)
