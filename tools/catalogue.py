"""Message catalogues: `python -m tools.catalogue` brings them in line with the pages and compiles them.

New texts come in without a translation, which a test then asks for; texts that nothing says any more go.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages import Catalog
from babel.messages.extract import extract, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from mcpp.csms.refused import REMEDIES
from mcpp.phrases import DECIMAL_POINT
from mcpp.phrases.mistakes import WORDS
from mcpp.reads.attention import TEXTS
from mcpp.reads.connector_names import CONNECTOR_TEXTS
from mcpp.settings import Settings
from mcpp.settings.texts import documented
from mcpp.story.phrases import CAUSES, EVIDENCE_SOURCES, IMPLAUSIBLE, STOP_REGISTER_SOURCE

PACKAGE: Final = Path(__file__).parents[1] / "mcpp"

WEB: Final = PACKAGE / "web"

LOCALES: Final = WEB / "locales"

_NEVER: Final = datetime(2026, 1, 1, tzinfo=UTC)

_METHODS: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]

_OPTIONS: Final = {
    "templates/**.html": {"trimmed": "true", "silent": "false", "trim_blocks": "true", "extensions": "jinja2.ext.do"}
}

_IN_PHRASES: Final = {"Phrase": None, "reworded": (2,)}

_KEYWORDS: Final = {"_": None, "gettext": None, "ngettext": (1, 2), "msgid": None, **_IN_PHRASES}
"""`msgid("…")` marks a text that is translated elsewhere."""


def messages() -> Iterator[str | tuple[str, ...]]:
    """All texts that the pages say: of the templates, of the modules, of phrases, and of tables."""
    for _, _, message, _, _ in extract_from_dir(WEB, _METHODS, _OPTIONS, keywords=_KEYWORDS):
        yield message
    for path in PACKAGE.rglob("*.py"):
        source = path.read_bytes()
        if b"Phrase(" in source or b"reworded(" in source:  # few have one, and reading all takes its time
            for _, message, _, _ in extract("python", BytesIO(source), _IN_PHRASES):
                yield message
    yield DECIMAL_POINT
    for field in Settings.model_fields.values():
        yield from filter(None, (field.description, documented(field).unit, documented(field).default))
    for table in (TEXTS, REMEDIES, CAUSES, EVIDENCE_SOURCES, IMPLAUSIBLE, WORDS):
        yield from table.values()
    yield STOP_REGISTER_SOURCE
    yield from CONNECTOR_TEXTS


def catalogue(language: str) -> Catalog:
    """The texts as they are now, with the translations that there are."""
    path = po_path(language)
    known = read_po(BytesIO(path.read_bytes()), locale=language) if path.exists() else Catalog(locale=language)
    template = Catalog()
    for message in messages():
        template.add(message)
    known.update(template, no_fuzzy_matching=True)
    known.obsolete.clear()
    return known


def untranslated(language: str) -> list[str]:
    """Texts that still are English in the file."""
    with po_path(language).open("rb") as file:
        return [str(it.id) for it in read_po(file, locale=language) if it.id and not (it.string and all(it.string))]


def po_path(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / "mcpp.po"


def languages() -> list[str]:
    return sorted(path.name for path in LOCALES.iterdir() if path.is_dir())


def written(language: str) -> tuple[bytes, bytes]:
    """The catalogue as text (.po) and as the pages read it (.mo)."""
    texts = catalogue(language)
    as_text, compiled = BytesIO(), BytesIO()
    write_po(as_text, texts, width=120, sort_output=True, no_location=True, omit_header=True)
    header = b'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    header += f'"Language: {language}\\n"\n"Plural-Forms: {texts.plural_forms}\\n"\n\n'.encode()
    to_compile = read_po(BytesIO(header + as_text.getvalue()), locale=language)
    to_compile.creation_date = to_compile.revision_date = _NEVER  # the same texts make the same file
    write_mo(compiled, to_compile)
    return header + as_text.getvalue(), compiled.getvalue()


if __name__ == "__main__":
    for each in languages():
        text, binary = written(each)
        po_path(each).write_bytes(text)
        po_path(each).with_suffix(".mo").write_bytes(binary)
        for missing in untranslated(each):
            print(f"{each}: not translated: {missing}")
