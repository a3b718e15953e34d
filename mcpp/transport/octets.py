"""Frames of RFC 6455 as bytes: the few things that are read and written without the `websockets` package."""

from __future__ import annotations

from typing import Final

try:
    from websockets.speedups import apply_mask
except ImportError:  # where the package came without its C extension
    from websockets.utils import apply_mask

_TEXT: Final = 0x81
"""First byte of a text's only frame (RFC 6455 §5.2): FIN, no reserved bits, opcode 1."""
_MASKED: Final = 0x80
LONGEST_HEAD: Final = 10
"""Bytes of a frame's head up to its mask."""
_SHORT_HEADS: Final = [bytes((_TEXT, size)) for size in range(126)]


def read_text(data: bytes, at: int, longest: int) -> tuple[bytes, int] | None:
    """The text that begins there and where its frame ends; None unless it's whole, masked, in one frame and short.

    Short: at most `longest` bytes, and less than 64 KiB.
    """
    end = len(data)
    if end - at < 6 or data[at] != _TEXT:
        return None
    size = data[at + 1] - _MASKED
    at += 6
    if size == 126 and at + 2 <= end:
        size = data[at - 4] << 8 | data[at - 3]
        at += 2
    elif not 0 <= size < 126:
        return None
    stop = at + size
    if stop > end or size > longest:
        return None
    return apply_mask(data[at:stop], data[at - 4 : at]), stop


def frame_size(head: bytes) -> int | None:
    """Bytes of the frame that begins so, its head included; None where that is too little to tell."""
    if len(head) < 2:
        return None
    size, masked = head[1] & 0x7F, head[1] & _MASKED
    wide = {126: 2, 127: 8}.get(size, 0)
    if len(head) < 2 + wide:
        return None
    if wide:
        size = int.from_bytes(head[2 : 2 + wide], "big")
    return 2 + wide + (4 if masked else 0) + size


def text_head(size: int) -> bytes:
    """What goes before a text of so many bytes from a server, which doesn't mask (RFC 6455 §5.1)."""
    if size < 126:
        return _SHORT_HEADS[size]
    if size < 1 << 16:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")
