"""What a charge point's identity may be, and which two look the same (OCPP-J 1.6 §3.1.1)."""

from __future__ import annotations

import unicodedata
from typing import Final

from mcpp.phrases import Phrase

_LONGEST: Final = 255


def mistake_in(identity: str) -> Phrase | None:
    """What is wrong with an identity, for the person who typed it into the charge point; None where it may be one.

    Two that look exactly the same can't both be had: blanks at the ends and decomposed Unicode are refused.
    """
    if not (1 <= len(identity) <= _LONGEST and identity.isprintable() and "/" not in identity):
        return Phrase("an identity has 1 to 255 printable characters and no slash")
    if identity in {".", ".."}:
        return Phrase("an identity can't be . or .., which are no names in a URL's path")
    if identity != identity.strip():
        return Phrase("an identity can't begin or end with a blank: take it out where the identity is set")
    if not unicodedata.is_normalized("NFC", identity):
        return Phrase(
            "an identity must be written with composed characters (Unicode form NFC): type it anew, or without accents"
        )
    return None


def plain_form(identity: str) -> str:
    """The same for two identities whose characters differ in Unicode form only, such as full-width letters."""
    return unicodedata.normalize("NFKC", identity)
