"""When a charger was in use in the last seven days, as a strip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from mcpp.api.services import ApiServices
from mcpp.reads import transactions
from mcpp.reads.people import Holders
from mcpp.reads.transactions import Transaction, TransactionQuery
from mcpp.web.charts import Key, Stretch, Words, strip
from mcpp.web.charts.strip import MOST
from mcpp.web.wording import Translate

_DAYS: Final = 7
_LONGEST: Final = timedelta(days=14)
"""A session that began earlier and runs still isn't looked for."""


async def week_chart(
    services: ApiServices, charge_point_id: str, holders: Holders, words: Words, _: Translate
) -> Markup | None:
    """The figure; None where nobody charged. `holders` say whose a session was."""
    now = services.clock.now()
    begin = now - timedelta(days=_DAYS)
    query = TransactionQuery(charge_point_id=charge_point_id, since=begin - _LONGEST, limit=MOST)
    page = await transactions.list_page(services.readers, query, services.live_readings)
    used = [it for it in reversed(page.items) if (it.stopped_at or now) > begin and it.started_at < now]
    if not used:
        return None
    return strip(
        [Stretch(it.started_at, it.stopped_at or now, "charging", _who(it, holders)) for it in used],
        words,
        begin=begin,
        end=now,
        title=_("The last 7 days"),
        caption=_("In the last 7 days in use for {hours} h; sessions: {count}").format(
            hours=words.number(_in_use(used, begin, now) / timedelta(hours=1), 1), count=len(used)
        ),
        key=[Key("charging", _("A session"))],
        columns=(_("From"), _("Until"), _("Who")),
    )


def _who(session: Transaction, holders: Holders) -> str:
    person = holders.of(session.id_tag, session.started_at)
    return session.id_tag if person is None else person.name


def _in_use(sessions: Sequence[Transaction], begin: datetime, now: datetime) -> timedelta:
    """How long there was a session at one connector at least; they are in the order of their starts."""
    whole, covered = timedelta(), begin
    for session in sessions:
        start, end = max(session.started_at, covered), min(session.stopped_at or now, now)
        if end > start:
            whole, covered = whole + (end - start), end
    return whole
