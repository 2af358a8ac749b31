"""Columns: which columns of an export hold which item, and one text an item out of one column or several.

What belongs here: matching an export's layout with an instrument, and putting ticks together. What does not: how a text is
read (`answers`) and which rows count (`ingest`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

import polars as pl

from survey_pipeline.answers import reader
from survey_pipeline.errors import InputRefused
from survey_pipeline.exports import Export
from survey_pipeline.exports.layout import TICKED, UNTICKED, Column, Mark, Part
from survey_pipeline.instrument import Instrument, Item, Kind, Role
from survey_pipeline.names import NOT_A_TICK, NOTHING_TICKED, OTHER, option_column
from survey_pipeline.texts import NO, YES, fold

Said = Callable[[str], str | None]
CLOSED = frozenset({Kind.CHOICE, Kind.CHOICES})
MISSING_LABELS = frozenset(
    {
        *("refused", "refusal", "don't know", "dont know", "do not know", "dk", "unknown", "no answer", "not answered"),
        *("not applicable", "n/a", "na", "missing", "not stated", "prefer not to say", "rather not say", "skipped"),
        *(
            "weiß nicht",
            "keine angabe",
            "verweigert",
            "nicht zutreffend",
            "no sabe",
            "no contesta",
            "no sabe/no contesta",
        ),
    }
)
"""What statistics programs' labels call a code that is no answer, where the file does not declare it as missing."""


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
            found[name] = _with_option(found.get(name, Match()), name, place, export, instrument)
    matches = {name: found[name] for name in instrument.items if name in found}
    _refuse_strangers(matches, export, instrument)
    _refuse_absent(matches, export, instrument)
    _refuse_other_numbers(matches, export, instrument)
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


def _with_option(match: Match, name: str, place: int, export: Export, instrument: Instrument) -> Match:
    """A column of free words beside an option says that "other" was chosen, if the instrument knows such an option."""
    column, item = export.layout.columns[place], instrument.items[name]
    if column.part in (Part.OTHER, Part.COMMENT):
        says = OTHER if column.part is Part.OTHER and OTHER in item.codes else None
    else:
        says = _option_of(column, item, place, name, export)
        _refuse_option_twice(match, says, name, export)
    return match if says is None else replace(match, options=(*match.options, OptionAt(says, place)))


def _option_of(column: Column, item: Item, place: int, name: str, export: Export) -> str | None:
    """The option that a column is about: its code, or its text where the instrument does not know it."""
    codes = {fold(text): option.code for option in item.options for text in option.texts}
    meant = {codes[text] for text in map(fold, column.option) if text in codes}
    if len(meant) > 1:
        raise InputRefused(
            f"Column {place + 1} of '{export.path.name}' is one option of '{name}' by its code and another by its text.",
            "Correct the codes or spellings of the options in the instrument.",
        )
    return next(iter(meant), column.option[-1] if column.option else None)


def _refuse_option_twice(match: Match, says: str | None, name: str, export: Export) -> None:
    columns = export.layout.columns
    if any(option.code == says and columns[option.place].part is not Part.OTHER for option in match.options):
        raise InputRefused(
            f"Two columns of '{export.path.name}' are the same option of the item '{name}'.",
            "Remove one of them, or correct the spellings of the options in the instrument.",
        )


def _refuse_strangers(matches: Mapping[str, Match], export: Export, instrument: Instrument) -> None:
    if not instrument.stored.keys() & matches.keys():
        raise InputRefused(
            f"No heading of '{export.path.name}' is a question of '{instrument.name}'.",
            "Check that it is the right survey, or add the headings to the instrument.",
        )


def _refuse_absent(matches: Mapping[str, Match], export: Export, instrument: Instrument) -> None:
    """A required answer, consent and the form must have been asked for. A near heading is named by its place only: in a file
    without headings, the words there are somebody's answer.
    """
    for name, item in instrument.asked.items():
        if name not in matches and (item.required or item.role is Role.CONSENT or name == instrument.form):
            raise InputRefused(
                f"'{export.path.name}' has no column for the item '{name}' ('{item.question}').{_nearest(item, export)}",
                "Check that the first line holds the headings and that it is the right survey, or add the heading as it "
                "stands there to the item's `headings` in the instrument.",
            )


def _refuse_other_numbers(matches: Mapping[str, Match], export: Export, instrument: Instrument) -> None:
    """A scale from 0 to 10 may be stored as codes from 1 to 11: the file's own labels say so."""
    for name, match in matches.items():
        if not instrument.items[name].is_numeric or match.whole is None:
            continue
        labels = export.layout.columns[match.whole].labels
        if any((number := _number(label)) is not None and number != _number(code) for code, label in labels.items()):
            raise InputRefused(
                f"In '{export.path.name}', the codes of the item '{name}' are not the numbers that its labels name.",
                "Export the labels instead of the codes, or recode the variable.",
            )


def _number(text: str) -> float | None:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return None


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


@dataclass(frozen=True)
class Written:
    """The answers as written. `texts`: a column an item; `unseen`: by stored column, the rows whose people were not shown
    that option, though they were shown others of its question.
    """

    texts: pl.DataFrame
    unseen: Mapping[str, pl.Series]


def item_texts(raw: pl.DataFrame, export: Export, matches: Mapping[str, Match], instrument: Instrument) -> Written:
    """The answers as written, a column an item, out of columns named by their place. Blank is null.

    An item with a column an option becomes one text: the options ticked, `NOTHING_TICKED` where the question was seen and
    nothing ticked, and null where nobody can tell.
    """
    texts: list[pl.Series] = []
    unseen: dict[str, pl.Series] = {}
    for name, match in matches.items():
        item = _ItemReader(export, match, name, instrument)
        ticks = item.ticks(raw)
        texts.append(item.text(raw, ticks).alias(name))
        unseen |= item.unseen(ticks)
    return Written(pl.DataFrame(texts) if texts else raw.select(), unseen)


class _ItemReader:
    """How one item's columns become one text."""

    def __init__(self, export: Export, match: Match, name: str, instrument: Instrument) -> None:
        self.layout, self.match, self.name = export.layout, match, name
        self.item = instrument.items[name]
        self.codes = {fold(text): option.code for option in self.item.options for text in option.texts}
        self.no_answer = {fold(text) for text in (*instrument.missing, *self.item.missing, *export.layout.missing)}
        self.read = reader(self.item, instrument.missing) if match.options and match.whole is not None else None

    def text(self, raw: pl.DataFrame, ticks: pl.DataFrame) -> pl.Series:
        """What is written in the item's columns, as one text a row."""
        whole = None if self.match.whole is None else self._whole(raw[str(self.match.whole)], self.match.whole)
        if not self.match.options:
            return whole if whole is not None else raw.to_series()
        joined = self._joined(raw, ticks)
        return joined if whole is None else self._beside(whole, joined)

    # --- A cell of its own ---

    def _whole(self, texts: pl.Series, place: int) -> pl.Series:
        """A cell as it stands, but for what is declared as missing, and for codes of which the file has labels."""
        column = self.layout.columns[place]
        missing = {fold(text) for text in column.missing | self.layout.missing}
        if not missing and not column.labels:
            return texts
        return _mapped(texts, lambda text: None if fold(text) in missing else self._labelled(text, column.labels))

    def _labelled(self, text: str, labels: Mapping[str, str]) -> str | None:
        """What a code stands for. Where code and label are two different options, nobody can tell which was meant."""
        label = labels.get(text)
        if label is None or fold(label) in MISSING_LABELS:
            return text if label is None else None
        if self.item.kind is Kind.YES_NO:
            return label if fold(label) in YES | NO else text
        if self.item.kind not in CLOSED:
            return text
        by_code, by_label = self.codes.get(fold(text)), self.codes.get(fold(label))
        if by_code and by_label and by_code != by_label:
            return f"{NOT_A_TICK} {text}"
        return text if by_code and not by_label else label

    def _beside(self, whole: pl.Series, joined: pl.Series) -> pl.Series:
        """Both, where a tool writes both: each where the other is blank, and refused where they disagree."""
        pairs = pl.DataFrame({"whole": whole, "joined": joined})
        different = pairs.unique(maintain_order=True)
        said = [self._agreed(*pair) for pair in different.iter_rows()]
        agreed = different.with_columns(pl.Series("said", said, dtype=pl.String))
        return pairs.join(agreed, on=["whole", "joined"], how="left", nulls_equal=True, maintain_order="left")["said"]

    def _agreed(self, whole: str | None, joined: str | None) -> str | None:
        if whole is None or joined is None or self.read is None or not self._has_own_columns:
            return joined if whole is None else whole
        return joined if self.read(whole) == self.read(joined) else f"{NOT_A_TICK} {whole}"

    @property
    def _has_own_columns(self) -> bool:
        """Whether options have columns, and not only the words beside "other"."""
        return any(self.layout.columns[option.place].part is not Part.OTHER for option in self.match.options)

    # --- A column an option ---

    def _joined(self, raw: pl.DataFrame, ticks: pl.DataFrame) -> pl.Series:
        parts = [pl.when(pl.col(name) != "").then(pl.col(name)) for name in ticks.columns]
        ticked = ticks.select(pl.concat_str(parts, separator=", ", ignore_nulls=True)).to_series()
        if any(option.exclusive for option in self.item.options):
            nothing = pl.lit(None, dtype=pl.String)  # whoever was asked would have ticked "none"
        else:
            nothing = pl.when(pl.lit(self._seen(raw, ticks))).then(pl.lit(NOTHING_TICKED))
        return pl.select(pl.when(pl.lit(ticked) == "").then(nothing).otherwise(pl.lit(ticked))).to_series()

    def ticks(self, raw: pl.DataFrame) -> pl.DataFrame:
        """What each option's column says, by the option's place in the match; no columns where no option has one."""
        return pl.DataFrame(
            [self._ticks(raw[str(option.place)], option).alias(str(n)) for n, option in enumerate(self.match.options)]
        )

    def _seen(self, raw: pl.DataFrame, ticks: pl.DataFrame) -> pl.Series:
        """Where the question was surely seen: "no" was written for one of its options, or the tool's own mark says so."""
        seen = pl.repeat(False, raw.height, eager=True)
        for option, tick in zip(self.match.options, ticks.get_columns(), strict=True):
            mark = self.layout.columns[option.place].seen
            seen |= (tick == "").fill_null(False) & (True if mark is None else marked(raw, mark))
        return seen

    def _ticks(self, texts: pl.Series, option: OptionAt) -> pl.Series:
        """What an option's column says: the option where it is ticked, "" where it is not, null where it is blank or missing;
        what is neither is marked, to be refused.
        """
        column = self.layout.columns[option.place]
        missing = self.no_answer | {fold(text) for text in column.missing}
        known = option.code in self.item.codes
        ticked = TICKED | (self._own_texts(option, column) - UNTICKED)
        says = option.code if known else f"{NOT_A_TICK} {option.code}"

        def said(text: str) -> str | None:
            folded = fold(column.labels.get(text, text))
            if not folded or folded in missing or fold(text) in missing or folded in MISSING_LABELS:
                return None
            if column.part is Part.OTHER:
                return None if folded in UNTICKED else option.code
            return says if folded in ticked else "" if folded in UNTICKED else f"{NOT_A_TICK} {text}"

        return _mapped(texts, said)

    def _own_texts(self, option: OptionAt, column: Column) -> frozenset[str]:
        """An option's own words say that it was ticked; a number does not: it may be a code for no."""
        own = (text for known in self.item.options if known.code == option.code for text in known.texts)
        texts = frozenset(map(fold, (*own, *column.option)))
        return frozenset(text for text in texts if _number(text) is None)

    def unseen(self, ticks: pl.DataFrame) -> dict[str, pl.Series]:
        """By stored column: the rows with ticks in which one option has no cell, though others of its question have."""
        if self.item.kind is not Kind.CHOICES or not self._has_own_columns:
            return {}
        any_tick = ticks.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        any_no = ticks.select(pl.any_horizontal((pl.all() == "").fill_null(False))).to_series()
        return {
            option_column(self.name, code): any_tick if places is None else _all_null(ticks, places) & any_no
            for code in self.item.codes
            if (places := self._places_of(code)) != []
        }

    def _places_of(self, code: str) -> list[int] | None:
        """Which of the columns say whether an option was ticked. None: none is about it; []: only words beside it are."""
        about = [n for n, option in enumerate(self.match.options) if option.code == code]
        parts = (self.layout.columns[option.place].part for option in self.match.options)
        words = {n for n, part in enumerate(parts) if part is Part.OTHER}
        return [n for n in about if n not in words] if about else None


def _all_null(frame: pl.DataFrame, places: list[int]) -> pl.Series:
    return frame.select(pl.all_horizontal(pl.col(str(place)).is_null() for place in places)).to_series()


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
