"""The sink against real pipes, files and processes: what its reader gets, and what a bad reader costs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from mcpp.telemetry.logs.sink import LogSink

TIMEOUT = 30


@contextmanager
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    try:
        yield reader, writer
    finally:
        os.close(writer)
        os.close(reader)


def start(program: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def read_lines(fd: int, count: int) -> list[bytes]:
    data = b""
    while data.count(b"\n") < count:
        data += os.read(fd, 65536)
    return data.splitlines(keepends=True)


def test_a_reader_gets_every_line_in_order() -> None:
    program = """
from mcpp.telemetry.logs.sink import LogSink
sink = LogSink()
for number in range(50_000):
    sink.write(b"%d\\n" % number)
sink.close()
raise SystemExit(sink.dropped)
"""
    process = start(program)
    output, errors = process.communicate(timeout=TIMEOUT)

    assert (process.returncode, errors) == (0, b"")
    assert [b"%d" % number for number in range(50_000)] == output.splitlines()


def test_lines_from_several_threads_stay_whole_and_in_each_threads_order() -> None:
    with pipe() as (reader, writer):
        sink = LogSink(writer)

        def write(name: bytes) -> None:
            for number in range(200):
                sink.write(b"%b %d\n" % (name, number))

        threads = [Thread(target=write, args=(name,)) for name in (b"a", b"b", b"c")]
        for thread in threads:
            thread.start()
        lines = read_lines(reader, 600)
        for thread in threads:
            thread.join()
        sink.close()

    for name in (b"a", b"b", b"c"):
        assert [b"%b %d\n" % (name, n) for n in range(200)] == [line for line in lines if line.startswith(name)]


def test_a_stalled_reader_costs_lines_and_neither_the_work_nor_the_exit() -> None:
    program = """
import sys
import tempfile
from mcpp.telemetry.logs.sink import LogSink
sink = LogSink(limit_bytes=200_000)
for number in range(100_000):
    sink.write(b"%06d\\n" % number)
sink.close(timeout=0.1)
print(sink.dropped, file=sys.stderr)
"""
    process = start(program)
    assert process.stdout is not None
    assert process.stderr is not None

    # Nobody reads standard output until the program has ended by itself.
    assert process.wait(TIMEOUT) == 0
    dropped = int(process.stderr.read())
    received = process.stdout.read().splitlines()
    process.communicate()

    assert dropped > 0
    assert 0 < len(received) <= 100_000 - dropped
    assert [b"%06d" % number for number in range(len(received) - 1)] == received[:-1]


def test_lines_flow_again_once_a_stalled_reader_reads() -> None:
    with pipe() as (reader, writer):
        sink = LogSink(writer, limit_bytes=300_000)
        line = b"x" * 999 + b"\n"
        for _ in range(1000):
            sink.write(line)
        kept = 1000 - sink.dropped
        received = read_lines(reader, kept)
        # All that waited was read; the sink has room as soon as it has noticed.
        dropped = sink.dropped
        while True:
            sink.write(b"again\n")
            if sink.dropped == dropped:
                break
            dropped = sink.dropped
        again = read_lines(reader, 1)
        sink.close()

    assert kept < 1000
    assert [line] * kept == received
    assert again == [b"again\n"]


def test_the_reader_is_told_how_much_he_missed() -> None:
    with pipe() as (reader, writer):
        sink = LogSink(writer, limit_bytes=300_000)
        sink.tell_lost = b"%d lost\n".__mod__
        line = b"x" * 999 + b"\n"
        for _ in range(1000):
            sink.write(line)
        dropped = sink.dropped
        received = read_lines(reader, 1000 - dropped + 1)
        for _ in range(3):
            sink.write(b"again\n")
        received += read_lines(reader, 3)
        sink.close()

    assert dropped > 0
    assert received == [*[line] * (1000 - dropped), b"%d lost\n" % dropped, *[b"again\n"] * 3]


def test_a_slow_reader_makes_room_as_he_reads() -> None:
    with pipe() as (reader, writer):
        sink = LogSink(writer, limit_bytes=1_000_000)
        written = 0

        def write_until(*, drops: bool) -> None:
            nonlocal written
            while True:
                dropped = sink.dropped
                sink.write(b"x" * 999 + b"\n")
                written += 1
                if (sink.dropped > dropped) is drops:
                    return

        write_until(drops=True)
        some = len(read_lines(reader, 300))
        write_until(drops=False)
        # Only now the rest is read; it's still most of what waited.
        rest = len(read_lines(reader, written - sink.dropped - some))
        sink.close()

    assert rest > 500


def test_a_closed_reader_costs_lines_and_the_program_goes_on_and_exits_well() -> None:
    program = """
import sys
import tempfile
from mcpp.telemetry.logs.sink import LogSink
sink = LogSink()
sys.stdin.read()
for number in range(1000):
    sink.write(b"lost\\n")
sink.close()
print(sink.dropped, file=sys.stderr)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.close()
    errors = process.stderr.read()
    process.stderr.close()

    assert process.wait(TIMEOUT) == 0
    assert errors == b"1000\n"


def test_a_descriptor_that_was_made_non_blocking_loses_nothing() -> None:
    with pipe() as (reader, writer):
        os.set_blocking(writer, False)
        sink = LogSink(writer)
        line = b"x" * 999 + b"\n"
        for _ in range(1000):
            sink.write(line)
        received = read_lines(reader, 1000)
        sink.close()

    assert [line] * 1000 == received
    assert sink.dropped == 0


def test_a_line_cut_by_a_full_disk_is_counted_and_does_not_spoil_the_next() -> None:
    # A limit on the size of files stands for the disk.
    program = """
import os, resource, sys
from mcpp.telemetry.logs.sink import LogSink
sink = LogSink(gather_seconds=0)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (25, hard))
for number in range(5):
    sink.write(b"before %02d\\n" % number)
while sink.dropped < 3:
    pass
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
sink.write(b"after\\n")
sink.close()
raise SystemExit(sink.dropped)
"""
    with tempfile.TemporaryFile() as output:
        result = subprocess.run([sys.executable, "-c", program], stdout=output, timeout=TIMEOUT, check=False)
        output.seek(0)
        received = output.read()

    assert result.returncode == 3
    assert received == b"before 00\nbefore 01\nbefor\nafter\n"


def test_lines_after_the_end_are_counted_as_lost_and_closing_twice_is_harmless() -> None:
    with pipe() as (_, writer):
        sink = LogSink(writer)
        sink.close()
        sink.close()
        sink.write(b"too late\n")

    assert sink.dropped == 1
