"""Passwords: the forms a key is sent in, what is stored, and who waits for whom."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpp.server import passwords
from mcpp.server.passwords import Passwords, canonical, hash_password, password_matches

KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0ff0f1f2f3")


@pytest.fixture
def checker() -> Iterator[Passwords]:
    checker = Passwords()
    yield checker
    checker.close()


class Attempts:
    """The real check, counted, and held up for as long as a test wants."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun: list[bytes] = []
        self.threads: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()
        monkeypatch.setattr(passwords, "password_matches", self._check)

    def _check(self, stored: str, password: bytes) -> bool:
        self.begun.append(password)
        self.threads.add(threading.get_ident())
        assert self.gate.wait(10)
        return password_matches(stored, password)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Attempts]:
    attempts = Attempts(monkeypatch)
    yield attempts
    attempts.gate.set()


async def until_begun(attempts: Attempts, number: int) -> None:
    async with asyncio.timeout(10):
        while len(attempts.begun) < number:
            await asyncio.sleep(0)


@pytest.mark.parametrize("stored_as", [KEY, KEY.hex(), KEY.hex().upper()])
@pytest.mark.parametrize("sent", [KEY, KEY.hex().encode(), KEY.hex().upper().encode()])
def test_a_key_is_right_as_hexadecimal_text_and_as_its_bytes(stored_as: str | bytes, sent: bytes) -> None:
    assert password_matches(hash_password(stored_as), sent)


@pytest.mark.parametrize("password", ["secret", "with:colon", "ünïcode", "deadbee", "123456", "s" * 500])
def test_other_passwords_are_right_as_they_are(password: str) -> None:
    stored = hash_password(password)

    assert password_matches(stored, password.encode())
    assert not password_matches(stored, password.encode().hex().encode()[:-1])
    assert not password_matches(stored, password.upper().encode() + b"!")
    assert not password_matches(stored, b"")


@given(st.binary(min_size=4, max_size=40) | st.text("0123456789abcdef", min_size=4, max_size=40).map(str.encode))
def test_bytes_and_their_hexadecimal_text_have_one_form(key: bytes) -> None:
    assert canonical(key) == canonical(key.hex()) == canonical(key.hex().upper().encode())


def test_the_stored_text_has_a_salt_of_its_own_and_nothing_of_the_password() -> None:
    first, second = hash_password("s3cret-pass"), hash_password("s3cret-pass")

    assert first != second
    assert first.startswith("$scrypt$ln=")
    assert "s3cret" not in first


def test_a_hash_of_another_cost_is_still_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_LOG2_COST", 4)
    stored = hash_password("secret")
    monkeypatch.undo()

    assert "ln=4," in stored
    assert password_matches(stored, b"secret")
    assert not password_matches(stored, b"wrong")


def test_a_damaged_hash_is_an_error_that_does_not_tell_it() -> None:
    with pytest.raises(ValueError, match="can't be read") as caught:
        password_matches("plain-s3cret", b"plain-s3cret")
    assert "s3cret" not in str(caught.value)


async def test_a_right_password_costs_one_check_in_the_life_of_the_process(
    checker: Passwords, attempts: Attempts
) -> None:
    stored = await checker.hash(KEY.hex())
    for sent in (KEY, KEY.hex().encode(), KEY):
        assert await checker.check("CP-1", "192.0.2.1", stored, sent)

    assert attempts.begun == [KEY]
    assert await checker.check("CP-1", "198.51.100.9", stored, KEY)
    assert len(attempts.begun) == 1


async def test_a_wrong_password_is_never_taken_for_right(checker: Passwords) -> None:
    stored = await checker.hash("right")
    for sent, right in ((b"wrong", False), (b"wrong", False), (b"right", True), (b"wrong", False), (b"right", True)):
        assert await checker.check("CP-1", "192.0.2.1", stored, sent) is right


async def test_a_changed_password_is_another_one_at_once(checker: Passwords) -> None:
    before, after = await checker.hash("before"), await checker.hash("after")

    assert await checker.check("CP-1", "192.0.2.1", before, b"before")
    assert not await checker.check("CP-1", "192.0.2.1", after, b"before")
    assert await checker.check("CP-1", "192.0.2.1", after, b"after")


async def test_what_one_charge_point_has_proven_is_no_proof_of_another(checker: Passwords, attempts: Attempts) -> None:
    stored = await checker.hash("shared")

    assert await checker.check("CP-1", "192.0.2.1", stored, b"shared")
    assert await checker.check("CP-2", "192.0.2.1", stored, b"shared")
    assert len(attempts.begun) == 2


async def test_the_loop_is_free_while_a_password_is_checked(checker: Passwords, attempts: Attempts) -> None:
    stored = await checker.hash("right")
    attempts.gate.clear()
    check = asyncio.create_task(checker.check("CP-1", "192.0.2.1", stored, b"right"))
    await until_begun(attempts, 1)  # runs here all the while

    attempts.gate.set()
    assert await check
    assert threading.get_ident() not in attempts.threads


async def test_guesses_at_one_identity_keep_others_waiting_for_one_check(
    checker: Passwords, attempts: Attempts
) -> None:
    guessed_at, other = await checker.hash("guessed-at"), await checker.hash("other")
    attempts.gate.clear()
    guesses = [
        asyncio.create_task(checker.check("CP-1", "198.51.100.9", guessed_at, b"guess %d" % number))
        for number in range(50)
    ]
    await until_begun(attempts, 1)
    right = [
        asyncio.create_task(checker.check("CP-1", "192.0.2.1", guessed_at, b"guessed-at")),
        asyncio.create_task(checker.check("CP-2", "198.51.100.9", other, b"other")),
    ]
    await asyncio.sleep(0)

    attempts.gate.set()
    assert all(await asyncio.gather(*right))
    assert not any(await asyncio.gather(*guesses))
    assert [sent.partition(b" ")[0] for sent in attempts.begun[:3]] == [b"guess", b"guessed-at", b"other"]


async def test_an_attempt_whose_connection_has_ended_is_never_made(checker: Passwords, attempts: Attempts) -> None:
    stored = await checker.hash("right")
    attempts.gate.clear()
    first = asyncio.create_task(checker.check("CP-1", "192.0.2.1", stored, b"first"))
    await until_begun(attempts, 1)
    gone = asyncio.create_task(checker.check("CP-2", "192.0.2.1", stored, b"gone"))
    last = asyncio.create_task(checker.check("CP-3", "192.0.2.1", stored, b"last"))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait([gone])
    attempts.gate.set()
    await asyncio.gather(first, last)

    assert attempts.begun == [b"first", b"last"]


async def test_one_worker_checks_a_whole_fleet(checker: Passwords, attempts: Attempts) -> None:
    stored = await checker.hash("right")
    fleet = [(f"CP-{number}", "192.0.2.1", stored, b"right") for number in range(60)]

    assert all(await asyncio.gather(*(checker.check(*charger) for charger in fleet)))
    assert all(await asyncio.gather(*(checker.check(*charger) for charger in fleet)))
    assert len(attempts.begun) == 60
    assert len(attempts.threads) == 1
