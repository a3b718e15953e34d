"""Whoever may ask, kept in memory: no request waits for the database to know its caller.

The database has the records. The server's own changes are taken over as they are stored; what `mcpp token` changes on
the machine is found by reading the few rows again, every second. (SQLite's `data_version` would say that something was
written, but it does so for each charger's message.)
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import structlog

from mcpp.api.callers import Caller
from mcpp.domain import tokens
from mcpp.reads import tokens as reads
from mcpp.storage.engine import ReaderPool
from mcpp.storage.pending import WriteFailed
from mcpp.storage.writer import Writer
from mcpp_generated.db.enums import Role
from mcpp_generated.db.models import Login, Token
from mcpp_generated.db.queries import Queries

_WRITTEN_EVERY: Final = timedelta(minutes=1)
"""Least time between two writings of when a token was used."""


class LoggedIn(NamedTuple):
    """A browser that is logged in."""

    caller: Caller
    expires_at: datetime
    stored_hash: bytes


class MadeToken(NamedTuple):
    """A new token, and its text, which is nowhere else."""

    row: Token
    text: str


class Credentials:
    """What is known of tokens and log-ins. Without any token everybody is an operator, on this machine alone."""

    def __init__(self, api_token: str | None, now: Callable[[], datetime], *, is_public: bool = False) -> None:
        """`api_token` is the setting's, an operator's; where it `is_public`, nobody gets in without a token."""
        self._is_public = is_public
        self._api_token = api_token
        self._api_hash = None if api_token is None else tokens.hash_of(api_token)
        self._api_caller = Caller(tokens.SETTING_NAME, Role.OPERATOR)
        self._local = Caller(tokens.LOCAL_NAME, Role.OPERATOR)
        self._now = now
        self._tokens: dict[bytes, tuple[Token, Caller]] = {}
        self._logins: dict[bytes, LoggedIn] = {}
        self._used: dict[int, datetime] = {}
        """When tokens were used last, by their keys, as far as it isn't written yet."""

    @property
    def has_setting(self) -> bool:
        """Whether there is an api-token."""
        return self._api_hash is not None

    @property
    def has_named(self) -> bool:
        """Whether there is a named token."""
        return bool(self._tokens)

    @property
    def needed(self) -> bool:
        """Whether requests need a token."""
        return self._is_public or self._api_hash is not None or bool(self._tokens)

    @property
    def local(self) -> Caller | None:
        """Who everybody is where no token is needed; else None."""
        return None if self.needed else self._local

    def by_token(self, token: str) -> Caller | None:
        """Whose token it is.

        Hashes are compared, and found by their first bits: how long that takes tells nothing of a token, of which
        nobody can choose the hash.
        """
        presented = tokens.hash_of(token)
        if self._api_hash is not None and hmac.compare_digest(presented, self._api_hash):
            return self._api_caller
        found = self._tokens.get(presented)
        if found is None or not hmac.compare_digest(found[0].hash, presented):
            return None
        self._note_use(found[1])
        return found[1]

    def by_login(self, secret: str) -> LoggedIn | None:
        """The log-in whose cookie holds this."""
        for stored_hash in self._login_hashes(secret):
            login = self._logins.get(stored_hash)
            if login is not None and login.expires_at > self._now():
                self._note_use(login.caller)
                return login
        return None

    def login_hash(self, caller: Caller, secret: str) -> bytes:
        """What is stored of a log-in of this caller."""
        plain, bound = tokens.hash_of(secret), self._bound_hash(secret)
        return plain if caller.token_id is not None or bound is None else bound

    def known(self) -> list[Token]:
        """The named tokens, with their latest uses."""
        return [row._replace(last_used_at=self._used.get(row.id, row.last_used_at)) for row, _ in self._tokens.values()]

    def replace_tokens(self, rows: Iterable[Token]) -> None:
        """These are all there are; who isn't among them, or was logged in by one that isn't, may ask no more."""
        before = self._tokens
        self._tokens = {}
        for row in rows:
            _, caller = before.pop(row.hash, (row, None))
            self._tokens[row.hash] = row, caller or Caller(row.name, row.role, row.id)
        for _, caller in before.values():
            caller.end()
        keys = {row.id for row, _ in self._tokens.values()}
        for login in list(self._logins.values()):
            if login.caller.token_id is not None and login.caller.token_id not in keys:
                self.remove_login(login.stored_hash)
        if self.needed and not self._local.is_ended:
            self._local.end()
        elif not self.needed and self._local.is_ended:
            self._local = Caller(tokens.LOCAL_NAME, Role.OPERATOR)

    def add_login(self, row: Login) -> LoggedIn | None:
        """A browser is logged in; None where its token isn't known any more."""
        by_key = {token.id: token for token, _ in self._tokens.values()}
        if row.token_id is None:
            caller = Caller(tokens.SETTING_NAME, Role.OPERATOR)
        elif row.token_id in by_key:
            token = by_key[row.token_id]
            caller = Caller(token.name, token.role, token.id)
        else:
            return None
        login = self._logins[row.hash] = LoggedIn(caller, row.expires_at, row.hash)
        while len(self._logins) > tokens.MOST_LOGINS:
            self.remove_login(min(self._logins.values(), key=lambda known: known.expires_at).stored_hash)
        return login

    def remove_login(self, stored_hash: bytes) -> None:
        """A browser is logged out."""
        login = self._logins.pop(stored_hash, None)
        if login is not None:
            login.caller.end()

    def end_expired(self) -> None:
        """End what was logged in for too long."""
        now = self._now()
        for login in [known for known in self._logins.values() if known.expires_at <= now]:
            self.remove_login(login.stored_hash)

    def take_uses(self, *, every: timedelta = _WRITTEN_EVERY) -> dict[int, datetime]:
        """What is to be written of uses: those that are so much later than what was written before."""
        due: dict[int, datetime] = {}
        for row, _ in self._tokens.values():
            used = self._used.get(row.id)
            if used is not None and (row.last_used_at is None or abs(used - row.last_used_at) >= every):
                due[row.id] = used
        return due

    def _note_use(self, caller: Caller) -> None:
        if caller.token_id is not None:
            self._used[caller.token_id] = self._now()

    def _login_hashes(self, secret: str) -> Iterable[bytes]:
        bound = self._bound_hash(secret)
        return (tokens.hash_of(secret),) if bound is None else (tokens.hash_of(secret), bound)

    def _bound_hash(self, secret: str) -> bytes | None:
        """Of a log-in with the api-token: another token in that setting is another hash, so the log-in ends."""
        if self._api_token is None:
            return None
        return hmac.digest(secret.encode(errors="surrogateescape"), self._api_token.encode(), "sha256")


class CredentialStore:
    """Changes tokens and log-ins, in the database and then in memory."""

    def __init__(
        self,
        api_token: str | None,
        readers: ReaderPool,
        writer: Writer[Queries],
        now: Callable[[], datetime],
        *,
        is_public: bool = False,
    ) -> None:
        self.known: Final = Credentials(api_token, now, is_public=is_public)
        self._readers = readers
        self._writer = writer
        self._now = now
        self._changing = asyncio.Lock()
        """Held over a change and the reading of what it made, so that no older state is taken over after it."""

    async def load(self) -> None:
        """Take over all that is stored; once, before the first request."""
        async with self._changing:
            await self._read_tokens()
            for row in await reads.list_logins(self._readers):
                self.known.add_login(row)
            self.known.end_expired()

    async def refresh(self) -> None:
        """Take over what somebody else has changed, write what is due, end what is over."""
        uses = self.known.take_uses()
        async with self._changing:
            await self._write(uses)
            await self._read_tokens()
        self.known.end_expired()

    async def finish(self) -> None:
        """Write all uses that aren't written yet; before the server ends."""
        await self._write(self.known.take_uses(every=timedelta(milliseconds=1)))

    async def add(self, name: str, role: Role, by: Caller) -> MadeToken:
        """Make a token. Raises Conflict and WriteFailed."""
        text = tokens.new_token()
        async with self._changing:
            row = await self._writer.submit_keeping(
                tokens.add_token,
                name,
                role,
                tokens.hash_of(text),
                self._now(),
                first_may_view=self.known.has_setting,
            )
            await self._read_tokens()
        _log("token_added", name=row.name, role=str(row.role), caller=by.name)
        return MadeToken(row, text)

    async def revoke(self, name: str, by: Caller) -> None:
        """End a token, at once. Raises Unknown, Conflict and WriteFailed."""
        async with self._changing:
            row = await self._writer.submit_keeping(tokens.revoke_token, name, last_may_go=self.known.has_setting)
            await self._read_tokens()
        _log("token_revoked", name=row.name, role=str(row.role), caller=by.name)

    async def log_in(self, caller: Caller) -> tuple[str, datetime]:
        """Log a browser in. Returns what its cookie gets, and until when. Raises Unknown and WriteFailed."""
        secret = tokens.new_secret()
        stored_hash = self.known.login_hash(caller, secret)
        async with self._changing:
            expires_at = await self._writer.submit_keeping(tokens.add_login, stored_hash, caller.token_id, self._now())
            self.known.add_login(Login(stored_hash, caller.token_id, expires_at))
        _log("logged_in", name=caller.name, role=str(caller.role))
        return secret, expires_at

    async def log_out(self, login: LoggedIn) -> None:
        """Log a browser out, at once."""
        self.known.remove_login(login.stored_hash)
        await self._writer.submit_keeping(tokens.end_login, login.stored_hash)
        _log("logged_out", name=login.caller.name, role=str(login.caller.role))

    async def _write(self, uses: Mapping[int, datetime]) -> None:
        """What the database refuses is due again."""
        if uses:
            with suppress(WriteFailed):
                await self._writer.submit_keeping(tokens.note_uses, uses)

    async def _read_tokens(self) -> None:
        self.known.replace_tokens(await reads.list_tokens(self._readers))


def _log(event: str, **facts: str) -> None:
    structlog.get_logger().info(event, category="system", **facts)
