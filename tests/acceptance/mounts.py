"""File systems of a test's own: small, or ones that can be made to fail. Only where the machine lets us mount."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


def _run(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{command[0]}: {done.stderr.strip()}")


@contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A disk in memory that is soon full."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=0700", "tmpfs", folder)
    try:
        yield folder
    finally:
        _run("umount", "--lazy", folder)


@contextmanager
def ext4_image(folder: Path, image: Path, mebibytes: int = 48) -> Iterator[Path]:
    """A file system in a file."""
    folder.mkdir(exist_ok=True)
    if not image.exists():
        with image.open("wb") as file:
            file.truncate(mebibytes << 20)
        _run("mkfs.ext4", "-q", image)
    _run("mount", "-o", "loop", image, folder)
    try:
        yield folder
    finally:
        _run("umount", "--lazy", folder)


def abort(folder: Path) -> None:
    """As the kernel does it after a disk's error: nothing can be written any more."""
    _run("mount", "-o", "remount,abort", folder)


def fill(ballast: Path) -> None:
    """Takes all that is left of a disk."""
    handle = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    try:
        with suppress(OSError):
            while os.write(handle, b"x" * 4096):
                pass
    finally:
        os.close(handle)
