"""The power of a session over time, drawn and in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

from markupsafe import Markup

from mcpp.reads.curves import Bucket, Curve, PowerSource
from mcpp.web.charts import Step, Unit, Words, step_area
from mcpp.web.wording import Translate

_KILOWATT: Final = Unit("kW", 1)
_SHORTEST_GAP: Final = timedelta(minutes=10)
_LONG: Final = 6
"""Times as long as the readings usually are apart: in between nothing is known."""

_LEAST_SHARE: Final = 1 / 100
"""Of a session's time: of less nothing could be seen."""


def power_chart(curve: Curve, words: Words, _: Translate) -> Markup | None:
    """The figure, or a sentence where it would be empty; None where nothing is known of the power."""
    steps = _steps(curve, words)
    if not steps:
        return None
    if _drawn(steps) <= (curve.until - curve.since) * _LEAST_SHARE:
        last = steps[-1]
        said = _("There are too few readings for a curve; the last one says {power} ({time}).")
        power = "" if last.mean is None else _KILOWATT.spell(last.mean, words)
        return Markup('<p class="soft">{}</p>').format(said.format(power=power, time=words.moment(last.begin)))
    return step_area(
        steps,
        _KILOWATT,
        words,
        title=_("Power of the session"),
        caption=_caption(curve, steps, words, _),
        time=_("From"),
        mean=_("Mean"),
        least=_("Least"),
        greatest=_("Greatest"),
        band=_("From least to greatest"),
        beside=(_("Energy so far (kWh)"),),
    )


def _steps(curve: Curve, words: Words) -> list[Step]:
    known = [bucket for bucket in curve.buckets if bucket.mean_w is not None]
    ends = [bucket.start for bucket in known[1:]] + [max(curve.until, known[-1].start)] if known else []
    longest = _longest_between(known)
    return [
        Step(
            bucket.start,
            min(end, bucket.start + longest[1]) if end - bucket.start > longest[0] else end,
            _kilowatts(bucket.mean_w),
            _kilowatts(bucket.least_w),
            _kilowatts(bucket.greatest_w),
            (words.missing if bucket.energy_wh is None else words.number(bucket.energy_wh / 1000, 2),),
        )
        for bucket, end in zip(known, ends, strict=True)
    ]


def _drawn(steps: Sequence[Step]) -> timedelta:
    """Of how much time something is known."""
    return sum((step.end - step.begin for step in steps), timedelta())


def _longest_between(known: Sequence[Bucket]) -> tuple[timedelta, timedelta]:
    """How far readings are apart at most where nothing is missing, and usually."""
    apart = [(after.start - before.start).total_seconds() for before, after in pairwise(known)]
    usual = timedelta(seconds=median(apart)) if apart else timedelta()
    return max(_SHORTEST_GAP, _LONG * usual), usual


def _kilowatts(watts: float | None) -> float | None:
    return None if watts is None else watts / 1000


def _caption(curve: Curve, steps: Sequence[Step], words: Words, _: Translate) -> str:
    whole = _drawn(steps).total_seconds()
    greatest = max(step.mean if step.greatest is None else step.greatest for step in steps if step.mean is not None)
    area = sum((step.mean or 0.0) * (step.end - step.begin).total_seconds() for step in steps)
    text = _("Up to {greatest}, {mean} on average.").format(
        greatest=_KILOWATT.spell(greatest, words),
        mean=_KILOWATT.spell(area / whole if whole else greatest, words),
    )
    if (gap := _longest_gap(steps)) is not None:
        text += " " + _("Nothing is known of this time: {span}.").format(span=words.span(*gap))
    if curve.power_source is PowerSource.DERIVED:
        text += " " + _("Reckoned from its meter’s register: the charger doesn’t say its power.")
    if not curve.every_peak:
        text += " " + _("It has too many readings to draw them all: a short peak may be missing.")
    return text


def _longest_gap(steps: Sequence[Step]) -> tuple[datetime, datetime] | None:
    gaps = [(one.end, other.begin) for one, other in pairwise(steps) if other.begin > one.end]
    return max(gaps, key=lambda gap: gap[1] - gap[0], default=None)
