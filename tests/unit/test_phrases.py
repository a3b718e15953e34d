"""Texts with their facts apart."""

from __future__ import annotations

import copy
import json
import pickle

from mcpp.phrases import Figure, Phrase, as_is, chained, phrase_of, quoted, reworded, translated, verbatim

_GERMAN = {
    "at most {most}": "höchstens {most}",
    "“{original}”": "„{original}“",
    "{card} took {energy}": "{energy} an {card}",
    "it ended": "zu Ende",
    ".": ",",
}


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


def test_a_librarys_text_stays_and_ours_is_what_is_translated() -> None:
    phrase = reworded("String should have at most 5 characters", "at most {most}", most=5)

    for it in (phrase, copy.deepcopy(phrase), pickle.loads(pickle.dumps(phrase))):
        assert (it, translated(it, _translate)) == ("String should have at most 5 characters", "höchstens 5")
    assert translated(as_is("body.{x}"), _translate) == "body.{x}"
    assert translated(quoted("it {broke}"), _translate) == "„it {broke}“"
    assert quoted("") == ""
