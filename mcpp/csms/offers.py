"""A CALL of ours that gives a charge point a new password, whatever the OCPP version.

The password is kept before the CALL goes out, so that whatever becomes of the CALL, the connection or this process, the
charge point gets in by the password that it has.
"""

from __future__ import annotations

from typing import Protocol


class Offer(Protocol):
    """One such CALL."""

    async def keep(self) -> None:
        """Keep the password; once it's through, the CALL may go out. Raises NotStored or KeyChangesOpen."""
        ...

    def take_back(self) -> None:
        """The CALL never went out."""
        ...

    async def answered(self, *, accepted: bool) -> None:
        """The charge point will use the password, or never will; raises WriteFailed. Silence says neither."""
        ...
