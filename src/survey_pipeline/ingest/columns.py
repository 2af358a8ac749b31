"""Columns: which columns of an export hold which item, and one text an item out of one column or several.

What belongs here: matching an export's layout with an instrument, and putting ticks together. What does not: how a text is
read (`answers`) and which rows count (`ingest`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

import polars as pl

from survey_pipeline.errors import InputRefused
from survey_pipeline.exports import Export
from survey_pipeline.exports.layout import TICKED, UNTICKED, Column, Mark, Part
from survey_pipeline.instrument import Instrument, Item, Kind, Role
from survey_pipeline.names import NOTHING_TICKED, OTHER
from survey_pipeline.texts import fold

Said = Callable[[str], str | None]
CLOSED = frozenset({Kind.CHOICE, Kind.CHOICES})
WITH_LABELS = frozenset({*CLOSED, Kind.YES_NO})
"""Kinds in which a code of the file stands for its label. A scale's codes are its numbers, whatever its ends are called."""


@dataclass(frozen=True)
class OptionAt:
    """One option's own column: the option's code, or its text as exported where the instrument does not know it."""

    code: str
    place: int


@dataclass(frozen=True)
class Match:
    """Where an item stands: in a column of its own, or in a column an option."""

    whole: int | None = None
    options: tuple[OptionAt, ...] = ()

    @property
    def places(self) -> tuple[int, ...]:
        """Every column that holds something of the item."""
        return (*(() if self.whole is None else (self.whole,)), *(option.place for option in self.options))


# --- Matching ----------------------------------------------------------------------------------------------------------


def match_columns(export: Export, instrument: Instrument) -> dict[str, Match]:
    """Where each item stands in an export; items that do not stand there are left out.

    Raises `InputRefused` if a required item has no column, one item has several, or no item has any.
    """
    known = {fold(text): name for name, item in instrument.asked.items() for text in (*item.texts, name)}
    found: dict[str, Match] = {}
    for place, column in enumerate(export.layout.columns):
        if name := _whole(column, known):
            found[name] = _with_whole(found.get(name, Match()), name, place, export)
        elif name := _of_question(column, known, instrument):
            found[name] = _with_option(found.get(name, Match()), name, place, column, instrument)
    matches = {name: _decided(found[name], instrument.items[name]) for name in instrument.items if name in found}
    _refuse_absent(matches, export, instrument)
    _refuse_strangers(matches, export, instrument)
    return matches


def _whole(column: Column, known: Mapping[str, str]) -> str | None:
    """The item that a column holds as a whole. Words beside an answer never do."""
    if column.part in (Part.OTHER, Part.COMMENT):
        return None
    return next((known[folded] for folded in map(fold, column.names) if folded in known), None)


def _of_question(column: Column, known: Mapping[str, str], instrument: Instrument) -> str | None:
    """The closed item one of whose options a column is about."""
    names = (known[folded] for folded in map(fold, column.question) if folded in known)
    return next((name for name in names if instrument.items[name].kind in CLOSED), None)


def _with_whole(match: Match, name: str, place: int, export: Export) -> Match:
    """An answer's own column comes before one of the tool's own, such as a time; of the latter, the first serves."""
    columns = export.layout.columns
    if match.whole is None or (_is_tools(columns[match.whole]) and not _is_tools(columns[place])):
        return replace(match, whole=place)
    if not _is_tools(columns[place]):
        raise InputRefused(
            f"Two columns of '{export.path.name}' are headed as the item '{name}'.", "Remove or rename one of them."
        )
    return match


def _is_tools(column: Column) -> bool:
    return column.part is Part.TOOL


def _with_option(match: Match, name: str, place: int, column: Column, instrument: Instrument) -> Match:
    """A column of free words beside an option says that "other" was chosen, if the instrument knows such an option."""
    item = instrument.items[name]
    if column.part in (Part.OTHER, Part.COMMENT):
        says = OTHER if column.part is Part.OTHER and OTHER in item.codes else None
    else:
        codes = {fold(text): option.code for option in item.options for text in option.texts}
        texts = [fold(text) for text in column.option]
        says = next((codes[text] for text in texts if text in codes), column.option[-1] if column.option else None)
    return match if says is None else replace(match, options=(*match.options, OptionAt(says, place)))


def _decided(match: Match, item: Item) -> Match:
    """A column an option is surer than all of them in one cell; only where "other" has one is the cell itself needed."""
    if match.whole is not None and any(option.code != OTHER for option in match.options):
        return replace(match, whole=None)
    return match


def _refuse_strangers(matches: Mapping[str, Match], export: Export, instrument: Instrument) -> None:
    if not instrument.stored.keys() & matches.keys():
        raise InputRefused(
            f"No heading of '{export.path.name}' is a question of '{instrument.name}'.",
            "Check that it is the right survey, or add the headings to the instrument.",
        )


def _refuse_absent(matches: Mapping[str, Match], export: Export, instrument: Instrument) -> None:
    """A required answer and consent must have been asked for. A near heading is named by its place only: in a file
    without headings, the words there are somebody's answer.
    """
    for name, item in instrument.asked.items():
        if name not in matches and (item.required or item.role is Role.CONSENT):
            raise InputRefused(
                f"'{export.path.name}' has no column for the item '{name}' ('{item.question}').{_nearest(item, export)}",
                "Check that the first line holds the headings and that it is the right survey, or add the heading as it "
                "stands there to the item's `headings` in the instrument.",
            )


def _nearest(item: Item, export: Export) -> str:
    near = get_close_matches(item.question, export.headings, n=1)
    return f" Column {export.headings.index(near[0]) + 1} is headed almost so." if near else ""


def used_places(matches: Mapping[str, Match], instrument: Instrument) -> set[int]:
    """The columns of which something is stored."""
    return {place for name, match in matches.items() if name in instrument.stored for place in match.places}


# --- One text an item --------------------------------------------------------------------------------------------------


def marks_of(export: Export, matches: Mapping[str, Match]) -> Iterator[Mark]:
    """The marks that say where an unticked option was seen."""
    for match in matches.values():
        yield from (mark for option in match.options if (mark := export.layout.columns[option.place].seen))


def item_texts(raw: pl.DataFrame, export: Export, matches: Mapping[str, Match], instrument: Instrument) -> pl.DataFrame:
    """The answers as written, a column an item, out of columns named by their place. Blank is null.

    An item with a column an option becomes one text: the options ticked, `NOTHING_TICKED` where the question was seen and
    nothing ticked, and null where nobody can tell.
    """
    texts = (_item_text(raw, export, matches[name], instrument.items[name]).alias(name) for name in matches)
    return pl.DataFrame(list(texts)) if matches else raw.select()


def _item_text(raw: pl.DataFrame, export: Export, match: Match, item: Item) -> pl.Series:
    whole = None if match.whole is None else _whole_text(raw[str(match.whole)], export, match.whole, item)
    if not match.options:
        return whole if whole is not None else raw.to_series()
    joined = _joined(raw, export, match, item)
    return joined if whole is None else _beside(whole, joined)


def _whole_text(texts: pl.Series, export: Export, place: int, item: Item) -> pl.Series:
    """A cell as it stands, but for what the file or the tool declares as missing, and for codes of which it has labels."""
    column = export.layout.columns[place]
    missing = {fold(text) for text in column.missing | export.layout.missing}
    labels = column.labels if item.kind in WITH_LABELS else {}
    if not missing and not labels:
        return texts
    known = {text for option in item.options for text in map(fold, option.texts)}

    def said(text: str) -> str | None:
        return None if fold(text) in missing else text if fold(text) in known else labels.get(text, text)

    return _mapped(texts, said)


def _beside(whole: pl.Series, other: pl.Series) -> pl.Series:
    """A cell of its own, and "other" only where it is empty: the words beside it are somebody's own, the answer is not."""
    return pl.select(pl.coalesce(pl.lit(whole), pl.lit(other))).to_series()


def _joined(raw: pl.DataFrame, export: Export, match: Match, item: Item) -> pl.Series:
    ticks = [_ticks(raw[str(option.place)], export, option, item) for option in match.options]
    frame = pl.DataFrame([tick.alias(str(n)) for n, tick in enumerate(ticks)])
    text = pl.concat_str(
        [pl.when(pl.col(name) != "").then(pl.col(name)) for name in frame.columns], separator=", ", ignore_nulls=True
    )
    ticked = frame.select(text).to_series()
    if any(option.exclusive for option in item.options):
        return ticked.replace("", None)  # whoever was asked would have ticked "none"
    nothing = pl.when(pl.lit(_seen(raw, export, match, frame))).then(pl.lit(NOTHING_TICKED))
    return pl.select(pl.when(pl.lit(ticked) == "").then(nothing).otherwise(pl.lit(ticked))).to_series()


def _seen(raw: pl.DataFrame, export: Export, match: Match, ticks: pl.DataFrame) -> pl.Series:
    """Where the question was surely seen: a "no" was written for one of its options, or the tool's own mark says so."""
    seen = pl.repeat(False, raw.height, eager=True)
    for option, tick in zip(match.options, ticks.get_columns(), strict=True):
        mark = export.layout.columns[option.place].seen
        seen |= (tick == "").fill_null(False) & (True if mark is None else marked(raw, mark))
    return seen


def _ticks(texts: pl.Series, export: Export, option: OptionAt, item: Item) -> pl.Series:
    """What an option's column says: the option where it is ticked, "" where it is not, null where it is blank; a text that is
    neither stays as it is, to be refused.
    """
    column = export.layout.columns[option.place]
    own = {fold(text) for known in item.options if known.code == option.code for text in known.texts}
    ticked = TICKED | own | {fold(text) for text in column.option}
    missing = {fold(text) for text in column.missing | export.layout.missing}

    def said(text: str) -> str | None:
        folded = fold(text)
        if column.part is Part.OTHER:
            return option.code if folded and folded not in UNTICKED else None
        if not folded or folded in missing:
            return None
        return option.code if folded in ticked else "" if folded in UNTICKED else text

    return _mapped(texts, said)


def _mapped(texts: pl.Series, said: Said) -> pl.Series:
    """A column through a function of its texts, each different one asked once."""
    different = texts.unique().drop_nulls()
    if different.is_empty():
        return texts
    new = pl.Series([said(text) for text in different], dtype=pl.String)
    return texts.replace_strict(different, new, default=None, return_dtype=pl.String)


def marked(raw: pl.DataFrame, mark: Mark) -> pl.Series:
    """The rows in which a mark applies."""
    texts = raw[str(mark.place)].fill_null("")
    hits = [text for text in texts.unique() if (fold(text) in mark.texts) != mark.turned]
    return texts.is_in(hits)
