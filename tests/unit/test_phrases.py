"""Texts with their facts apart."""

from __future__ import annotations

import copy
import json
import pickle

from mcpp.phrases import Figure, Phrase, chained, phrase_of, translated, verbatim

_GERMAN = {"{card} took {energy}": "{energy} an {card}", "it ended": "zu Ende", ".": ","}


def _translate(text: str) -> str:
    return _GERMAN.get(text, text)


def test_a_phrase_is_its_english_text_and_is_translated_with_its_facts() -> None:
    phrase = Phrase("{card} took {energy}", card="a.{0}<b>", energy=Figure("1.250 kWh"))

    assert json.dumps([phrase]) == '["a.{0}<b> took 1.250 kWh"]'
    assert translated(phrase, _translate) == "1,250 kWh an a.{0}<b>"
    for again in (copy.deepcopy(phrase), pickle.loads(pickle.dumps(phrase)), phrase_of(ValueError(phrase))):
        assert (again, translated(again, _translate)) == (phrase, "1,250 kWh an a.{0}<b>")


def test_a_row_with_a_part_that_is_no_phrase_is_translated_not_at_all() -> None:
    whole = chained([Phrase("it ended"), verbatim("{Local}")])

    assert (whole, translated(whole, _translate)) == ("it ended; {Local}", "zu Ende; {Local}")
    assert translated(chained([Phrase("it ended"), "by whom"]), _translate) is None
    assert phrase_of(ValueError("plain", 1)) == "('plain', 1)"
