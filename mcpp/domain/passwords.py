"""A charge point's password while it is being changed: which ones let it in, and what ends them.

Whether a charge point has taken a new password, and when it begins to use it, can't be known: an answer gets lost, and
some apply it at their next reboot. So a new one is kept as a candidate before it is sent, and each lets the charge
point in, until the charge point shows by what it uses, or says by its answer, which are over.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from mcpp_generated.db.queries import Queries

MOST_CANDIDATES: Final = 4
"""New passwords of which none was answered or used: more than that is a mistake, and each costs time to check."""


class Hashes(NamedTuple):
    """Of the passwords that let a charge point in; candidates are in the order in which they were last sent."""

    current: str | None
    """None: it may connect without one."""
    candidates: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """The likeliest first: the one that was right before, then the newest."""
        newest_first = self.candidates[::-1]
        return newest_first if self.current is None else (self.current, *newest_first)


NO_HASHES: Final = Hashes(None, ())


class TooManyCandidates(Exception):
    """None of the new passwords that a charge point was sent has been used or answered, and there are enough."""


def read_hashes(current: str | None, candidates: str | None) -> Hashes:
    """From their columns."""
    return Hashes(current, tuple(candidates.split(_BETWEEN)) if candidates else ())


def get_hashes(q: Queries, key: int) -> Hashes:
    """Of the passwords that let this charge point in; none where it was forgotten meanwhile."""
    stored = q.get_password_hashes(key=key)
    return NO_HASHES if stored is None else read_hashes(*stored)


def offer(q: Queries, key: int, new_hash: str, same_as: str | None = None) -> str | None:
    """Keep a password as a candidate, before it's sent. Returns the hash that it is kept by, None for a repeat.

    `same_as` is the hash by which the same password was found to be known. Raises TooManyCandidates.
    """
    hashes = get_hashes(q, key)
    if same_as is not None and same_as == hashes.current:
        return None
    if same_as in hashes.candidates:
        # Sent last, it's the newest: use of another that was sent before doesn't end it.
        _put_candidates(q, key, hashes, *(kept for kept in hashes.candidates if kept != same_as), same_as)
        return None
    if len(hashes.candidates) >= MOST_CANDIDATES:
        raise TooManyCandidates
    _put_candidates(q, key, hashes, *hashes.candidates, new_hash)
    return new_hash


def accepted(q: Queries, key: int, candidate: str) -> None:
    """The charge point will use it: it has taken the place of the candidates that were sent before.

    The old password stays, since the charge point may use it until it reboots.
    """
    hashes = get_hashes(q, key)
    if candidate in hashes.candidates:
        _put_candidates(q, key, hashes, *hashes.candidates[hashes.candidates.index(candidate) :])


def rejected(q: Queries, key: int, candidate: str) -> None:
    """The charge point will never use it."""
    hashes = get_hashes(q, key)
    if candidate in hashes.candidates:
        _put_candidates(q, key, hashes, *(kept for kept in hashes.candidates if kept != candidate))


def used(q: Queries, key: int, hashes: Hashes, proven: str) -> None:
    """The charge point has connected by this password: a candidate becomes the password, and ends those before it.

    Use of the old one ends nothing: the new one may come with the next reboot.
    """
    if proven != hashes.current and proven in hashes.candidates:
        later = hashes.candidates[hashes.candidates.index(proven) + 1 :]
        q.set_password_hashes(key=key, password_hash=proven, password_hash_candidate=_as_text(later))


def replace(q: Queries, key: int, password_hash: str | None) -> None:
    """Store what an operator says: the hash of its password, None where it may connect without one.

    Candidates stay, since the charge point may have taken one of them; they end where it needs no password at all.
    """
    candidates = () if password_hash is None else get_hashes(q, key).candidates
    q.set_password_hashes(key=key, password_hash=password_hash, password_hash_candidate=_as_text(candidates))


_BETWEEN: Final = " "
"""No hash has one."""


def _put_candidates(q: Queries, key: int, hashes: Hashes, *candidates: str) -> None:
    q.set_password_hashes(key=key, password_hash=hashes.current, password_hash_candidate=_as_text(candidates))


def _as_text(candidates: tuple[str, ...]) -> str | None:
    return _BETWEEN.join(candidates) or None
