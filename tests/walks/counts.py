"""Counts over many walks, as tables; and the shortest story of each kind of failure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator

from tests.walks.account import Session
from tests.walks.central import Said
from tests.walks.judge import Finding, Verdict
from tests.walks.walk import Walk


class Counts:
    def __init__(self, told: Collection[Verdict] = ()) -> None:
        """The stories of these verdicts are kept, beside those of failures."""
        self._told = told
        self.walks = 0
        self.messages = 0
        self.sessions = 0
        self.verdicts: Counter[Verdict] = Counter()
        self.notes: Counter[str] = Counter()
        self._by_habit: dict[str, Counter[Verdict]] = defaultdict(Counter)
        self._shortest: dict[tuple[str, ...], tuple[int, Walk, Finding]] = {}
        self._classes: Counter[tuple[str, ...]] = Counter()

    @property
    def failures(self) -> int:
        return sum(count for verdict, count in self.verdicts.items() if verdict.is_failure)

    def add(self, seed: int, walk: Walk) -> None:
        self.walks += 1
        self.messages += sum(isinstance(said, Said) for said in walk.story)
        self.sessions += len(walk.sessions)
        for finding in walk.findings:
            self.verdicts[finding.verdict] += 1
            if finding.note:
                self.notes[finding.note] += 1
            for habit, value in walk.habits.named().items():
                self._by_habit[f"{habit}: {value}"][finding.verdict] += 1
            for mark in finding.session.marks if finding.session else ():
                self._by_habit[f"mishap: {mark}"][finding.verdict] += 1
            if finding.verdict.is_failure or finding.verdict in self._told:
                self._keep(seed, walk, finding)

    def _keep(self, seed: int, walk: Walk, finding: Finding) -> None:
        marks = finding.session.marks if finding.session else ()
        registers = walk.habits.registers.value
        key = (finding.verdict.value, registers, *sorted(mark for mark in marks if not mark.startswith("MeterValues")))
        self._classes[key] += 1
        known = self._shortest.get(key)
        if known is None or len(walk.story) < len(known[1].story):
            self._shortest[key] = seed, walk, finding

    def lines(self) -> Iterator[str]:
        """The tables."""
        yield f"{self.walks} walks, {self.sessions} sessions, {self.messages} messages"
        yield ""
        total = sum(self.verdicts.values()) or 1
        for verdict in Verdict:
            count = self.verdicts[verdict]
            yield f"{'✗' if verdict.is_failure and count else ' '} {verdict.value:32} {count:7} {count / total:8.3%}"
        for note, count in self.notes.most_common():
            yield f"    undecidable: {note}: {count}"
        yield ""
        shown = [verdict for verdict in Verdict if self.verdicts[verdict]]
        for number, verdict in enumerate(shown, 1):
            yield f"  {number:2} = {verdict.value}"
        yield f"{'':52}" + "".join(f"{number:7}" for number in range(1, len(shown) + 1))
        for habit in sorted(self._by_habit):
            counts = self._by_habit[habit]
            yield f"{habit[:51]:52}" + "".join(f"{counts[verdict] or '':7}" for verdict in shown)

    def stories(self, most: int) -> Iterator[str]:
        """Kinds of failures, the commonest first, with the shortest story of each."""
        for key, count in self._classes.most_common(most):
            seed, walk, finding = self._shortest[key]
            yield ""
            yield f"=== {count} × {' | '.join(key)} (seed {seed})"
            yield from story_lines(walk, finding)


def story_lines(walk: Walk, finding: Finding | None = None) -> Iterator[str]:
    """What was said, the account and the books."""
    habits = ", ".join(f"{name}: {value}" for name, value in walk.habits.named().items())
    yield f"  habits: {habits}; {walk.habits}"
    for said in walk.story:
        if isinstance(said, str):
            yield f"  -- {said}"
        else:
            yield f"  {said.at:%d %H:%M:%S} {said.action} {_short(said.payload)} -> {said.answer}"
    for found in walk.findings:
        here = ">>" if found is finding else "  "
        yield f"{here} {found.verdict} {found.note}: {_account(found.session)}"
        for booked in found.transactions:
            yield (
                f"      books: {booked.transaction_id}: {booked.meter_start} to {booked.meter_stop} Wh ="
                f" {booked.energy_wh}, {booked.stop_origin}, implausible={booked.energy_implausible},"
                f" {booked.evidence}"
            )


def _short(payload: object) -> str:
    return str(payload).replace("'", "").replace("measurand: ", "").replace("Energy.Active.Import.", "")


def _account(session: Session | None) -> str:
    if session is None:
        return "nobody's"
    return (
        f"connector {session.connector}, {session.tag}, {session.begin_wh} to {session.end_wh} = {session.wh} Wh"
        f" (told {session.told_wh}), ids {session.answers}, {', '.join(sorted(session.marks)) or 'no mishap'}"
    )
