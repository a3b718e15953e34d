"""The charts of the page Energy, and what they say in words."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeAlias

from markupsafe import Markup

from mcpp.web.charts import Bar, Ranked, Unit, Words, bars, ranking
from mcpp.web.periods import CalendarPeriod
from mcpp.web.wording import Translate

RANKED: Final = 200
"""Of more the rest is in the CSV file."""

_MOST_YEARS: Final = 100
_LONGEST: Final = 60

TranslateCount: TypeAlias = Callable[[str, str, int], str]
"""An English text for one and for many, in the viewer's language."""


def isolated(name: str) -> str:
    """A name within a sentence, whichever way it's written, and not longer than a line."""
    cut = name if len(name) <= _LONGEST else name[:_LONGEST] + "\N{HORIZONTAL ELLIPSIS}"
    return f"\N{FIRST STRONG ISOLATE}{cut}\N{POP DIRECTIONAL ISOLATE}"


@dataclass(slots=True)
class Share:
    """What falls to somebody."""

    value: float | None = None
    """None where nothing of it has a price."""
    sessions: int = 0


@dataclass(slots=True)
class Sums:
    """What the sessions of a period amount to, in the unit that is shown."""

    value: float = 0.0
    sessions: int = 0
    implausible: int = 0
    by_step: dict[str, float] = field(default_factory=dict)
    """By day, month or year, as reports spell them."""
    by_subject: dict[str, Share] = field(default_factory=dict)

    def add(self, step: str, subject: str, value: float | None, sessions: int, implausible: int) -> None:
        """Count some sessions in."""
        self.sessions += sessions
        self.implausible += implausible
        share = self.by_subject.setdefault(subject, Share())
        share.sessions += sessions
        if value is not None:
            self.value += value
            self.by_step[step] = self.by_step.get(step, 0.0) + value
            share.value = (share.value or 0.0) + value


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Draws a period for one viewer."""

    period: CalendarPeriod | None
    """None: all time."""
    sums: Sums
    before: Sums
    today: date
    unit: Unit
    words: Words
    gettext: Translate
    ngettext: TranslateCount

    def bars(self) -> Markup:
        """By day, month or year, beside the period before."""
        _ = self.gettext
        steps = list(self._steps())
        headings = {10: _("Day"), 7: _("Month"), 4: _("Year")}
        of = headings[len(steps[0][0])] if steps else _("Year")
        has_before = self.period is not None and bool(self.before.by_step)
        drawn = [self._bar(step, label, name, before, has_before=has_before) for step, label, name, before in steps]
        return bars(
            drawn,
            self.unit,
            self.words,
            title=self.title,
            caption=self.caption(),
            columns=(of, self.what),
            before=self.name(self.period.before) if has_before and self.period else None,
            now=self.name(self.period) if has_before and self.period else None,
        )

    def ranking(self, names: Mapping[str, str], href: Callable[[str], str | None]) -> Markup:
        """Who took how much."""
        _ = self.gettext
        ranked = sorted(self.sums.by_subject.items(), key=lambda item: item[1].value or 0.0, reverse=True)[:RANKED]
        data = [
            Ranked(names.get(subject, subject), share.value, (str(share.sessions),), href(subject))
            for subject, share in ranked
        ]
        return ranking(
            data,
            self.unit,
            self.words,
            caption=self._who(ranked, names),
            columns=(_("Name"), self.what),
            beside=(_("Times"),),
            rest=_("All others"),
        )

    def _who(self, ranked: Sequence[tuple[str, Share]], names: Mapping[str, str]) -> str:
        """The ranking in words."""
        if not ranked or self.sums.value <= 0:
            return self.title
        (subject, first), *_ = ranked
        pattern = self.gettext("{name} comes first: {amount}, {percent} % of all.")
        value = first.value or 0.0
        percent = self.words.number(100 * value / self.sums.value, 0)
        amount = self.unit.spell(value, self.words)
        return pattern.format(name=isolated(names.get(subject, subject)), amount=amount, percent=percent)

    @property
    def what(self) -> str:
        """What is shown."""
        return self.gettext("Energy") if self.unit.name == "kWh" else self.gettext("Cost")

    @property
    def title(self) -> str:
        """What, and of when."""
        of = self.gettext("all years") if self.period is None else self.name(self.period)
        return f"{self.what}, {of}"

    def name(self, period: CalendarPeriod) -> str:
        """A month or year, as people say it."""
        return str(period.year) if period.month is None else f"{self.words.months[period.month - 1]} {period.year}"

    def caption(self) -> str:
        """The chart in words."""
        _, sums = self.gettext, self.sums
        if not sums.sessions and not sums.by_step:
            return _("No session ended in this time.")
        amount = self.unit.spell(sums.value, self.words)
        text = self.ngettext("{amount} in one session", "{amount} in {count} sessions", sums.sessions)
        said = text.format(amount=amount, count=self.words.number(sums.sessions, 0))
        if self.period is None:
            return f"{said}."
        runs = self._runs(self.period)
        before, name = self._comparable(runs=runs), self.name(self.period.before)
        if before <= 0:
            return f"{said}."
        change = round(100 * (sums.value - before) / before)
        if runs:
            pattern = _("{said} so far; {amount} up to the same day of {period}.")
            return pattern.format(said=said, amount=self.unit.spell(before, self.words), period=name)
        if change == 0:
            return _("{said}, as much as in {period}.").format(said=said, period=name)
        pattern = (
            _("{said}, {percent} % more than in {period}.")
            if change > 0
            else _("{said}, {percent} % less than in {period}.")
        )
        return pattern.format(said=said, percent=self.words.number(abs(change), 0), period=name)

    def _runs(self, period: CalendarPeriod) -> bool:
        return period.year == self.today.year and period.month in {None, self.today.month}

    def _comparable(self, *, runs: bool) -> float:
        """Of the period before: all of it, or up to the same step while this one runs."""
        if not runs:
            return self.before.value
        return sum(before or 0.0 for step, _, _, before in self._steps() if step <= self._step_now(step))

    def _step_now(self, like: str) -> str:
        return self.today.isoformat()[: len(like)]

    def _bar(self, step: str, label: str, name: str, before: float | None, *, has_before: bool) -> Bar:
        now = self._step_now(step)
        value = None if step > now else self.sums.by_step.get(step, 0.0)
        cell = None
        if len(step) < 10:
            cell = Markup('<a href="/energy?period={}">{}</a>').format(step, name)
        return Bar(label, name, value, before if has_before else None, runs=step == now, cell=cell)

    def _steps(self) -> Iterator[tuple[str, str, str, float | None]]:
        """Each step as reports spell it, its label, its name, and what the one before amounted to."""
        if self.period is None:
            years = sorted({int(step) for step in self.sums.by_step} | {self.today.year})[-_MOST_YEARS:]
            for year in range(max(years[0], years[-1] - _MOST_YEARS), years[-1] + 1):
                yield f"{year:04}", str(year), str(year), None
        elif self.period.month is None:
            for month in range(1, 13):
                before = self.before.by_step.get(f"{self.period.before}-{month:02}", 0.0)
                short = self.words.months[month - 1]
                yield f"{self.period}-{month:02}", short, f"{short} {self.period.year}", before
        else:
            days = monthrange(self.period.year, self.period.month)[1]
            days_before = monthrange(self.period.before.year, self.period.before.month or 1)[1]
            for day in range(1, days + 1):
                before_ = None if day > days_before else self.before.by_step.get(f"{self.period.before}-{day:02}", 0.0)
                name = self.words.day.format(day=day, month=self.words.months[self.period.month - 1])
                yield f"{self.period}-{day:02}", str(day), name, before_
