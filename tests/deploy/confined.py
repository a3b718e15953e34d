"""`python confined.py CALLS COMMAND …` runs a command as systemd would confine it.

With the system calls listed in the file CALLS and no others (SystemCallFilter=, SystemCallErrorNumber=EPERM), and
without memory that is both writable and executable (MemoryDenyWriteExecute=).
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Final

_EPERM: Final = 1
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_SET_NO_NEW_PRIVS, _SET_MDWE, _REFUSE_EXEC_GAIN = 38, 65, 1
_UNKNOWN: Final = -1


def confine(calls: list[str]) -> None:
    """From here on, for this process and all that it runs. Raises OSError where the kernel can't."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(_SET_MDWE, _REFUSE_EXEC_GAIN, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(_ERRNO | _EPERM))
    for call in calls:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number != _UNKNOWN and seccomp.seccomp_rule_add(context, _ALLOW, number, 0):
            raise OSError(0, f"seccomp_rule_add {call}")
    if seccomp.seccomp_load(context):
        raise OSError(0, "seccomp_load")


if __name__ == "__main__":
    confine(Path(sys.argv[1]).read_text().split())
    os.execv(sys.argv[2], sys.argv[2:])
