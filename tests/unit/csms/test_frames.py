"""The rings of frames: bounded for one charge point and for all, and masked where they were cut."""

from __future__ import annotations

import pytest

from mcpp.bounds import FRAME_KEPT, FRAMES, FRAMES_OF_ONE
from mcpp.csms.frames import FrameBook
from mcpp.reads.frames import shown_text


def test_a_ring_keeps_the_newest_within_its_bounds() -> None:
    book = FrameBook()
    ring = book.connected("CP-1")
    for number in range(3 * FRAMES):
        ring.add(str(number).encode(), is_out=bool(number % 2))
    kept = book.newest_last("CP-1")
    assert FRAMES * 3 // 4 <= len(kept) <= FRAMES
    assert [(frame.beginning, frame.is_out) for frame in kept] == [
        (str(number).encode(), bool(number % 2)) for number in range(3 * FRAMES - len(kept), 3 * FRAMES)
    ]

    for _ in range(50):
        ring.add(b"x" * 100_000, is_out=False)
    assert 4 < len(book.newest_last("CP-1")) < 10
    assert book.held <= FRAMES_OF_ONE
    newest = book.newest_last("CP-1")[-1]
    assert (newest.size, len(newest.beginning)) == (100_000, FRAME_KEPT)


def test_all_rings_together_are_bounded_also_by_those_that_are_silent() -> None:
    book = FrameBook(most_bytes=1 << 20)
    for number in range(2000):
        ring = book.connected(f"CP-{number}")
        for _ in range(40):
            ring.add(b"x" * 1000, is_out=False)
        assert book.held <= 2 * (1 << 20) + 2000 * 1200
    # Each has its newest one at least.
    assert all(book.newest_last(f"CP-{number}") for number in range(2000))


def test_those_gone_for_the_longest_go_first_and_those_that_are_connected_never() -> None:
    book = FrameBook()
    book.connected("stays").add(b"frame", is_out=False)
    for number in range(1500):
        book.connected(f"CP-{number}").add(b"frame", is_out=False)
        book.disconnected(f"CP-{number}")
    assert book.newest_last("stays")
    assert [bool(book.newest_last(f"CP-{number}")) for number in (0, 499, 500, 1499)] == [False, False, True, True]


def test_a_takeover_keeps_the_ring() -> None:
    book = FrameBook()
    first, second = book.connected("CP-1"), book.connected("CP-1")
    first.add(b"1", is_out=False)
    second.add(b"2", is_out=False)
    book.disconnected("CP-1")
    book.forget("CP-1")
    assert [frame.beginning for frame in book.newest_last("CP-1")] == [b"1", b"2"]
    book.disconnected("CP-1")
    book.forget("CP-1")
    assert book.newest_last("CP-1") == []


SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "frame",
    [
        f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{SECRET}"}}]',
        f'[2,"1","ChangeConfiguration",{{"value":"{SECRET}","key":"AuthorizationKey"}}]',
        f'[2,"1","ChangeConfiguration",{{ "value" : "{SECRET}" , "key" : "AuthorizationKey" }}]',
        f'[2,"1","UpdateFirmware",{{"location":"ftp://user:{SECRET}@host/x"}}]',
        f'[2,"1","DataTransfer",{{"data":"{{\\"password\\":\\"{SECRET}\\"}}"}}]',
        f'[2,"1","DataTransfer",{{"password":{{"a":["{SECRET}"]}}}}]',
        f'[2,"1","DataTransfer",{{"password":"{SECRET}"',
        f'[3,"1",{{"configurationKey":[{{"key":"WifiPassword","readonly":false,"value":"{SECRET}"}}]}}]',
    ],
)
def test_no_secret_is_shown(frame: str) -> None:
    assert SECRET not in shown_text(frame.encode(), is_cut=False)
    assert "***" in shown_text(frame.encode(), is_cut=False)


@pytest.mark.parametrize("order", [("key", "value"), ("value", "key")])
def test_a_cut_frame_shows_no_secret_wherever_it_was_cut(order: tuple[str, str]) -> None:
    entry = {"key": '"key":"AuthorizationKey"', "value": f'"value":"{SECRET}"'}
    whole = '[3,"1",{"configurationKey":[{"key":"A","value":"1"},{' + ",".join(entry[name] for name in order) + "},{"
    for length in range(len(whole)):
        assert SECRET[:4] not in shown_text(whole[:length].encode(), is_cut=True)


def test_what_hides_nothing_is_shown_as_it_was_sent() -> None:
    frame = '[2, "1",  "StatusNotification", {"connectorId": 1.0, "info": "é"}]'
    assert shown_text(frame.encode(), is_cut=False) == frame
    assert shown_text(b'[2,"1","Heartbeat",\xff', is_cut=True) == '[2,"1","Heartbeat",\\xff…'
