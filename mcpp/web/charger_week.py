"""In which states a charger's connectors were in the last seven days, each as a strip."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import floor
from typing import Final

from markupsafe import Markup

from mcpp.api.services import ApiServices
from mcpp.reads.connector_names import connector_name
from mcpp.reads.shown_state import ShownState
from mcpp.reads.state_history import ConnectorHistory, read_state_history
from mcpp.web.charts import Key, Stretch, Words, strip
from mcpp.web.wording import Translate, sentence_case

_WEEK: Final = timedelta(days=7)
_MOST: Final = 12
"""Connectors that have a strip: of more, nobody would look at them here."""

_SHORTEST: Final = timedelta(minutes=1)
"""Of a state that the key names; the table has all."""

_OUT_OF_USE: Final = frozenset({ShownState.FAULTED, ShownState.UNAVAILABLE, ShownState.OFFLINE})
_UNKNOWN: Final = "unknown"
"""The look of a time of which nothing is known."""


async def week_charts(
    services: ApiServices, charge_point_id: str, names: Mapping[ShownState, str], words: Words, _: Translate
) -> list[Markup]:
    """A figure for each connector; none of a charger that has never come. `names` are the states' in words."""
    now = services.clock.now()
    history = await read_state_history(services.readers, charge_point_id, now - _WEEK, now, connectors=_MOST)
    if history is None:
        return []
    return [
        _figure(one, (history.since, history.until), names, words, _)
        for one in history.connectors
        if one.durations.keys() - {None, ShownState.NEVER_CONNECTED}
    ]


def _figure(
    connector: ConnectorHistory,
    span: tuple[datetime, datetime],
    names: Mapping[ShownState, str],
    words: Words,
    _: Translate,
) -> Markup:
    name = connector_name(connector.connector_id, connector.evse_id, several=connector.has_siblings, translate=_)
    return strip(
        [
            Stretch(it.since, it.until, _look(it.state), _("Not known") if it.state is None else names[it.state])
            for it in connector.stretches
        ],
        words,
        begin=span[0],
        end=span[1],
        title=_("The last 7 days of {connector}").format(connector=name),
        caption=_("{connector} could be used for {share} % of the time.").format(
            connector=sentence_case(name), share=words.number(100 * _usable(connector.durations), 1)
        ),
        key=[
            Key(_look(state), f"{_('Not known') if state is None else names[state]} {_spell(length, words)}")
            for state in (*names, None)
            if (length := connector.durations.get(state, timedelta())) >= _SHORTEST
        ],
        columns=(_("From"), _("Until"), _("State")),
    )


def _look(state: ShownState | None) -> str:
    return _UNKNOWN if state is None else state.value


def _spell(length: timedelta, words: Words) -> str:
    if length < timedelta(hours=1):
        return f"{length // timedelta(minutes=1)} min"
    return f"{words.number(length / timedelta(hours=1), 1)} h"


def _usable(durations: Mapping[ShownState | None, timedelta]) -> float:
    """For which share of the time that is known a connector could be used, or was. Whole only where it's whole."""
    known = {state: length for state, length in durations.items() if state not in {None, ShownState.NEVER_CONNECTED}}
    usable = sum((length for state, length in known.items() if state not in _OUT_OF_USE), timedelta())
    return floor(1000 * (usable / sum(known.values(), timedelta()))) / 1000
