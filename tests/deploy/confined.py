"""`python confined.py CALLS FAMILIES COMMAND …` runs a command as systemd would confine it.

With the system calls listed in the file CALLS and no others (SystemCallFilter=, SystemCallErrorNumber=EPERM), with
sockets of FAMILIES alone, such as `AF_INET,AF_UNIX` (RestrictAddressFamilies=), and without memory that is both
writable and executable (MemoryDenyWriteExecute=).
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import sys
from pathlib import Path
from typing import Final

_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_SET_NO_NEW_PRIVS, _SET_MDWE, _REFUSE_EXEC_GAIN = 38, 65, 1
_UNKNOWN: Final = -1
_EQUAL: Final = 4
_FAMILIES: Final = 46  # as many as Linux has


class _Comparison(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = (("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64))


def confine(calls: list[str], families: set[int]) -> None:
    """From here on, for this process and all that it runs. Raises OSError where the kernel can't."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(_SET_MDWE, _REFUSE_EXEC_GAIN, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(_ERRNO | errno.EPERM))
    for call in set(calls) - {"socket"}:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number != _UNKNOWN and seccomp.seccomp_rule_add(context, _ALLOW, number, 0):
            raise OSError(0, f"seccomp_rule_add {call}")
    socket_call = seccomp.seccomp_syscall_resolve_name(b"socket")
    for family in range(_FAMILIES):
        action = _ALLOW if family in families else _ERRNO | errno.EAFNOSUPPORT
        compared = _Comparison(0, _EQUAL, family, 0)
        if seccomp.seccomp_rule_add_array(context, action, socket_call, 1, ctypes.byref(compared)):
            raise OSError(0, f"seccomp_rule_add_array {family}")
    if seccomp.seccomp_load(context):
        raise OSError(0, "seccomp_load")


if __name__ == "__main__":
    confine(Path(sys.argv[1]).read_text().split(), {getattr(socket, name) for name in sys.argv[2].split(",")})
    os.execv(sys.argv[3], sys.argv[3:])
