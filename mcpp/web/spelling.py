"""Numbers and times as elements that say their value: a module spells them by `Intl` for whoever looks.

What stands in them until then, and without scripts, is spelled here, in the viewer's zone and with their decimal sign.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from markupsafe import Markup

from mcpp.reads.times import in_zone, spell_time
from mcpp.web.viewer import Viewer

_TIME_STYLES: Final = {
    "datetime": "%Y-%m-%d %H:%M",
    "date": "%Y-%m-%d",
    "second": "%H:%M:%S",
    "since": "%Y-%m-%d %H:%M",
    "month": "%Y-%m",
}
"""`since` becomes "3 minutes ago" for those who have scripts."""

NOTHING: Final = Markup('<span class="none">–</span>')
"""Where a value isn't known."""

_HOUR: Final = 3600
_MINUTE: Final = 60


class Spelling:
    """How values are spelled for one viewer; its methods are the filters of the templates."""

    def __init__(self, viewer: Viewer) -> None:
        self._zone = viewer.zone
        self._is_german = viewer.language == "de"

    def time(self, moment: datetime | None, style: str = "datetime") -> Markup:
        """`<time>`, in one of the styles."""
        if moment is None:
            return NOTHING
        local = in_zone(moment, self._zone).strftime(_TIME_STYLES[style])
        return Markup(f'<time datetime="{spell_time(moment)}" data-as="{style}">{local}</time>')  # noqa: S704  # nosec B704  no text

    def energy(self, wh: float | None) -> Markup:
        """Wh as kWh: two decimals below 100, one below 1,000."""
        return NOTHING if wh is None else self._data(wh, "energy", f"{self.number(wh / 1000, _decimals(wh))} kWh")

    def power(self, watts: float | None) -> Markup:
        """W as kW, with one decimal."""
        return NOTHING if watts is None else self._data(watts, "power", f"{self.number(watts / 1000, 1)} kW")

    def money(self, amount: Decimal | None, currency: str) -> Markup:
        """An amount with its currency (ISO 4217)."""
        if amount is None:
            return NOTHING
        text = f"{self.number(amount, 2)} {currency}"
        spelled = Markup('<data value="{}" data-as="money" data-currency="{}">{}</data>')
        return spelled.format(amount, currency, text)

    def size(self, size: int) -> str:
        """Bytes as MiB, from a thousand of them on as GiB."""
        mib = size / (1 << 20)
        return f"{self.number(mib, 1)} MiB" if mib < 1000 else f"{self.number(mib / 1024, 1)} GiB"

    def duration(self, given: timedelta | float | None) -> Markup:
        """Seconds as hours and minutes."""
        if given is None:
            return NOTHING
        seconds = given.total_seconds() if isinstance(given, timedelta) else given
        minutes = round(seconds) // _MINUTE
        text = f"{minutes} min" if seconds < _HOUR else f"{minutes // 60} h {minutes % 60:02} min"
        return self._data(round(seconds), "duration", text)

    def percent(self, value: float | None) -> Markup:
        """Of a hundred."""
        return NOTHING if value is None else self._data(value, "percent", f"{self.number(value, 0)} %")

    def count(self, value: int) -> Markup:
        """A plain number."""
        return self._data(value, "number", self.number(value, 0))

    def number(self, value: float | Decimal, decimals: int) -> str:
        """With the viewer's decimal sign and groups."""
        text = f"{value:,.{decimals}f}"
        return text.translate(_GERMAN) if self._is_german else text

    @staticmethod
    def _data(value: float, style: str, text: str) -> Markup:
        number = f"{value:.15g}"
        return Markup(f'<data value="{number}" data-as="{style}">{text}</data>')  # noqa: S704  # nosec B704  numbers only


_GERMAN: Final = str.maketrans({",": ".", ".": ","})


def _decimals(wh: float) -> int:
    return 2 if abs(wh) < 100_000 else 1 if abs(wh) < 1_000_000 else 0
