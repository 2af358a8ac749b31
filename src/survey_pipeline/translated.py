"""Translated: a survey's own words, and a release's labels, in another language than the survey's own.

What belongs here: which texts of an instrument people read, finding and drafting their translations, and an instrument and a
release with their labels exchanged. What does not: the program's own sentences (`language`), and any number or code.

The translations of a survey lie beside its `instrument.toml` as `de.po`, `es.po`: text files for translators, in which each
text of the survey stands beside its translation. What has none stays as it is.
"""

from collections.abc import Collection, Iterator, Mapping
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from pydantic import BaseModel

from survey_pipeline import names
from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.instrument import Instrument, beside, folder_of, load_instrument
from survey_pipeline.joining import as_one
from survey_pipeline.language import compiled, language_of, later, say, speaking
from survey_pipeline.levels import Crossing, DoseReading, Exposure, Level, cross, exposure_of, split
from survey_pipeline.release import ComparisonRow, PublishedLevel, Release, Row
from survey_pipeline.reports import write_file

READ_BY_PEOPLE: Final = frozenset(
    {
        "about",
        "ask",
        "cannot_say",
        "community",
        "contact",
        "label",
        "note",
        "otherwise",
        "people",
        "recruitment",
        "safety",
        "source",
        "text",
        "title",
        "unit",
        "why",
    }
)
"""The keys of an instrument whose texts a report may show. A question stays as it was asked."""
PROVENANCE: Final = {names.INVENTED: later("invented data"), names.REAL: later("survey answers")}
Labels = Mapping[str, Mapping[str, str]]
"""By exposure, the label of each level that has another one in the language."""


# --- Instruments -------------------------------------------------------------------------------------------------------


def texts(instrument: Instrument) -> tuple[str, ...]:
    """Every text of an instrument that a report may show, each once, in the order of the file: what can be translated."""
    return tuple(dict.fromkeys(text for text in _texts("", instrument) if text.strip()))


def _texts(key: str, part: Any) -> Iterator[str]:
    if isinstance(part, str):
        yield from (part,) if key in READ_BY_PEOPLE else ()
    elif isinstance(part, BaseModel):
        for name in type(part).model_fields:
            yield from _texts(name, getattr(part, name))
    elif isinstance(part, Mapping):
        for value in part.values():
            yield from _texts(key, value)
    elif isinstance(part, Collection):
        for value in part:
            yield from _texts(key, value)


def in_language(instrument: Instrument, language: str, words: NullTranslations) -> Instrument:
    """The instrument with its texts in another language. Codes, numbers and everything else stay, and so does the wave it is
    for; its fingerprint is its own.
    """
    parts = {key: _in_words(key, getattr(instrument, key), words) for key in type(instrument).model_fields}
    found = Instrument.model_construct(**parts | {"language": language})
    found._wave = instrument._wave
    return found


def _in_words(key: str, part: Any, words: NullTranslations) -> Any:
    if isinstance(part, str):
        return words.gettext(part) if key in READ_BY_PEOPLE and part else part
    if isinstance(part, BaseModel):
        return part.model_copy(
            update={name: _in_words(name, getattr(part, name), words) for name in type(part).model_fields}
        )
    if isinstance(part, dict):
        return {name: _in_words(key, value, words) for name, value in part.items()}
    return tuple(_in_words(key, value, words) for value in part) if isinstance(part, tuple) else part


def draft_beside(instrument: str | Path, language: str, out: Path | None = None) -> tuple[Path, int, int]:
    """Write the translator's file beside an instrument, or bring the one that lies there up to date. Gives its path, and how
    many of its texts are not translated yet.

    Raises `WrongUsage` for an unknown instrument or its own language, `InputRefused` if what lies there cannot be read.
    """
    loaded, file = load_instrument(instrument), f"{language_of(language)}.po"
    if language_of(language) == language_of(loaded.language):
        raise WrongUsage(f"'{loaded.name}' is written in that language already.", "Choose another with --to.")
    path = out or folder_of(instrument) / file
    translations(instrument, language)  # what cannot be read is refused before it is written over
    content = draft(loaded, language, beside(instrument, file))
    write_file(path, content)
    told = [message for message in read_po(BytesIO(content)) if message.id]
    return path, sum(not message.string for message in told), len(told)


def _head(language: str) -> str:
    """What a catalogue says of itself; no date, so that nothing changes where nothing was changed."""
    said = (
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        f"Language: {language_of(language)}",
    )
    return "\n".join(['msgid ""', 'msgstr ""', *(f'"{line}\\n"' for line in said)]) + "\n\n"


def translations(instrument: str | Path, language: str) -> NullTranslations | None:
    """The translations that lie beside an instrument (a name or a path, as for `load_instrument`); None where there are none.

    Raises `InputRefused` if the file cannot be read.
    """
    text = beside(instrument, f"{language_of(language)}.po")
    if text is None:
        return None
    try:
        return compiled(text.encode())
    except (ValueError, UnicodeError):
        raise InputRefused(
            f"The translations {language_of(language)}.po cannot be read.", "They are a PO file: see docs/languages.md."
        ) from None


def draft(instrument: Instrument, language: str, known: str | None = None) -> bytes:
    """The file for a translator: every text of the instrument, with its translation where the file before (`known`) has one.
    What the instrument no longer says goes.
    """
    before = read_po(BytesIO(known.encode())) if known else Catalog()
    found = Catalog(locale=Locale.parse(language_of(language)))
    for text in texts(instrument):
        there = before.get(text)
        found.add(text, there.string if there else "", flags=there.flags if there else ())
    file = BytesIO()
    write_po(file, found, width=100, omit_header=True, sort_output=False)
    return _head(language).encode() + file.getvalue()


# --- Releases ----------------------------------------------------------------------------------------------------------


def with_labels(release: Release, own: Instrument, shown: Instrument) -> Release:
    """A release with its levels called as another language calls them: `own` is its instrument, `shown` the same one in the
    language that is spoken now. A label that is not made of the instrument's words stays as it was published.
    """
    labels = {exposure: _labels(exposure, levels, own, shown) for exposure, levels in release.levels.items()}
    changes = {
        "levels": {
            exposure: tuple(_renamed(level, labels[exposure], exposure, own, shown) for level in levels)
            for exposure, levels in release.levels.items()
        },
        "rows": tuple(_row(row, labels) for row in release.rows),
        "comparisons": tuple(_comparison(row, labels) for row in release.comparisons),
        "stages": tuple(one.model_copy(update={"label": say(one.label)}) for one in release.stages),
        "corrections": tuple(one.model_copy(update={"label": say(one.label)}) for one in release.corrections),
        "instrument": release.instrument.model_copy(update={"title": shown.title}),
    }
    return release.model_copy(update=changes)


def _labels(exposure: str, levels: Collection[PublishedLevel], own: Instrument, shown: Instrument) -> dict[str, str]:
    return {level.label: _label(level.label, frozenset(level.members), exposure, own, shown) for level in levels}


def _label(label: str, members: frozenset[str], exposure: str, own: Instrument, shown: Instrument) -> str:
    """What a level is called now; as published, where what it holds does not tell what it was called."""
    with speaking("en"):
        known = exposure in _exposures(own) and _called(exposure_of(own, exposure), members) == label
    return (_called(exposure_of(shown, exposure), members) or label) if known else label


def _exposures(instrument: Instrument) -> set[str]:
    crossed = {table.cut_by for table in instrument.tables if table.by}
    read = {names.option_column(name, reading) for name in instrument.items for reading in _READINGS}
    return {*instrument.items, *crossed, *(one for one in read if instrument.is_read_again(one.partition("__")[0]))}


_READINGS: Final = (names.READING_LABEL_ELEMENTAL, names.READING_COMPOUND, names.READING_WORST_CASE)


def _called(exposure: Exposure, members: frozenset[str]) -> str | None:
    """What a level of some atoms is called; None where they are no atoms of the exposure."""
    level = _level(exposure, members)
    return level.label if level else None


def _level(exposure: Exposure, members: frozenset[str]) -> Level | None:
    if isinstance(exposure, Crossing):
        held = Level(code="cells", label="", members=tuple(sorted(members)))
        first, second = (
            _level(side, codes)
            for side, codes in zip((exposure.first, exposure.second), split(exposure, held), strict=True)
        )
        return cross(first, second) if first and second else None
    item = exposure.dose.item if isinstance(exposure, DoseReading) else getattr(exposure, "item", None)
    if item is None or not exposure.partitions[0]:
        return None
    parts = [level for level in exposure.partitions[0] if members.issuperset(level.members)]
    left = members.difference(*(level.members for level in parts))
    parts += [atom for atom in exposure.atoms if atom.code in left]
    return as_one(item, parts) if parts and not left.difference(atom.code for atom in exposure.atoms) else None


def _renamed(
    level: PublishedLevel, labels: Mapping[str, str], exposure: str, own: Instrument, shown: Instrument
) -> PublishedLevel:
    """A level under its new label, and what it is made of under theirs."""
    if level.made_of == (level.label,):
        made_of: tuple[str, ...] = (labels[level.label],)
    else:
        parts = _finest(own, shown, exposure)
        made_of = tuple(parts.get(label, label) for label in level.made_of)
    return level.model_copy(update={"label": labels[level.label], "made_of": made_of})


def _finest(own: Instrument, shown: Instrument, exposure: str) -> dict[str, str]:
    """The finest levels that an instrument declares, by what they are called in its own language."""
    with speaking("en"):
        published = exposure_of(own, exposure).partitions[0]
    return {
        one.label: now.label for one, now in zip(published, exposure_of(shown, exposure).partitions[0], strict=True)
    }


def _row(row: Row, labels: Labels) -> Row:
    level = labels.get(row.exposure, {}).get(row.level, row.level)
    return row if level == row.level else row.model_copy(update={"level": level})


def _comparison(row: ComparisonRow, labels: Labels) -> ComparisonRow:
    known = labels.get(row.exposure, {})
    return row.model_copy(
        update={
            "level": known.get(row.level, row.level),
            "compared_with": known.get(row.compared_with, row.compared_with),
        }
    )
