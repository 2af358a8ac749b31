"""Drift: what changed against the instrument or since the wave before, and which trends that breaks.

What belongs here: comparing an export's headings, what was refused of its answers, and two instruments; each difference with
the nearest known match and what to do about it. Pure functions. What does not: matching columns (`columns`), refusing
answers (`validate`), and the words of a report (`render`). Nothing here names what anybody wrote, however many rows say the
same: they may be one person's.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from difflib import SequenceMatcher, get_close_matches
from enum import StrEnum
from typing import Any

import polars as pl

from survey_pipeline.exports import Column
from survey_pipeline.exports.layout import Part
from survey_pipeline.instrument import Instrument, Item, Kind, Option, Role, Threshold
from survey_pipeline.names import INVENTED_HEADING, ITEM, RULE, VALUE, Rule
from survey_pipeline.personal import named
from survey_pipeline.plural import n_of
from survey_pipeline.texts import fold

NEAR = 0.75
"""From this likeness on a heading is "almost so". Questions of one survey share much of their wording ("... in the last 7
days: 0 = none, 10 = ..."), so the usual 0.6 would name another question's column."""
OFTEN = 0.05
"""Slips of the pen make up about 1 or 2 answers in 100; where 5 in 100 lie outside a scale, people were shown another one."""
SLIPS = 2
"""So few answers out of range may be slips, however small the wave."""
STEPS_WITH_TENTHS = 20
"""A tenth of a shorter scale is a single answer: everybody may well have given it."""
SHARE_OF_AN_OPTION = 0.01
"""Of the answers to a question: among hundreds of thousands, any slip is made by ten people."""
LONGEST_OPTION = 100
"""A longer text is nobody's option, even if many gave it."""
READ, LOWEST_TENTH = "read", "lowest_tenth"
"""What `counted` says beside the rules: answers to a number that were read, and how many of them lie at its lower end."""
COUNTS_SCHEMA: dict[str, type[pl.DataType]] = {ITEM: pl.String, RULE: pl.String, "text": pl.String, "n": pl.Int64}
"""Counts of answers; `text` (folded) only where the answer is no option of a closed question. Parts add up (`together`)."""


class DriftKind(StrEnum):
    """What is different."""

    HEADING_MISSING = "heading_missing"
    HEADING_NEAR = "heading_near"
    ASKED_OUTSIDE_ITS_TIME = "asked_outside_its_time"
    OPTION_NEW = "option_new"
    OPTION_GONE = "option_gone"
    OPTION_RELABELLED = "option_relabelled"
    OPTION_UNKNOWN = "option_unknown"
    """Answers that are no option, each by so few that it may be somebody's own words."""
    CODE_CHANGED = "code_changed"
    RANGE_CHANGED = "range_changed"
    COLUMNS_NEW = "columns_new"
    """Columns of answers that are no item's."""
    KIND_CHANGED = "kind_changed"
    UNIT_CHANGED = "unit_changed"
    SCORING_CHANGED = "scoring_changed"
    """What counts as better or as a responder, or with what it is compared."""
    LEVELS_CHANGED = "levels_changed"
    """How a number is cut into bands, or whom the question concerns."""
    WORDING_CHANGED = "wording_changed"
    OUT_OF_RANGE_OFTEN = "out_of_range_often"
    RANGE_NOT_USED = "range_not_used"
    ITEM_NEW = "item_new"
    ITEM_GONE = "item_gone"


OF_OPTIONS = frozenset(
    {DriftKind.OPTION_NEW, DriftKind.OPTION_GONE, DriftKind.OPTION_RELABELLED, DriftKind.CODE_CHANGED}
)


@dataclass(frozen=True)
class Drift:
    """One difference: `said` is a plain sentence and what to do, `nearest` the nearest known match, if there is one."""

    item: str
    what: DriftKind
    said: str
    nearest: str | None = None
    breaks_trend: bool = False


def lines(drifts: Iterable[Drift]) -> list[str]:
    """What is said to the steward, a line a difference; items that were simply not in an export share one.

    Single answers that are no option are every wave's: they are among the refused, and no difference worth a line.
    """
    found = [drift for drift in drifts if drift.what is not DriftKind.OPTION_UNKNOWN]
    absent = [drift.item for drift in found if drift.what is DriftKind.HEADING_MISSING]
    said = [drift.said for drift in found if drift.what is not DriftKind.HEADING_MISSING]
    return [*said, *([_without_column(absent)] if absent else [])]


def documents(drifts: Iterable[Drift]) -> list[dict[str, Any]]:
    """The same for JSON."""
    return [asdict(drift) | {"what": drift.what.value} for drift in drifts]


# --- Headings: an export against the instrument ------------------------------------------------------------------------


def against_instrument(
    columns: Sequence[Column], matched: Collection[str], instrument: Instrument, wave: str | None = None
) -> list[Drift]:
    """Items without a column, columns headed almost as an item, and items asked outside their time.

    `matched`: the items that have a column. A heading is named by its place only: in a file without headings, the words there
    are somebody's answer. Without a wave, every item is taken to be asked.
    """
    asked = {name: item for name, item in instrument.items.items() if wave is None or item.is_asked_in(wave)}
    outside = {name: item for name, item in instrument.items.items() if name not in asked}
    absent = {name: item for name, item in asked.items() if name not in matched and item.role is not Role.DROP}
    free = _unclaimed(columns, instrument.items)
    near = _pairs(absent, free)
    left = [place for place in free if place not in near.values()]
    others = {name: item for name, item in asked.items() if name not in absent}
    doubled = _pairs(others, {place: free[place] for place in left})
    new = sorted(_strangers(columns, instrument.items) - {*near.values(), *doubled.values()})
    return [
        *(_absent(name, near.get(name)) for name in absent),
        *(_doubled(name, place) for name, place in doubled.items()),
        *_outside(columns, outside, asked),
        *([_not_declared(new)] if new else []),
    ]


def _absent(name: str, place: int | None) -> Drift:
    if place is None:
        return Drift(name, DriftKind.HEADING_MISSING, _without_column([name]), breaks_trend=True)
    said = (
        f"No column is headed as '{name}', but column {place + 1} is headed almost so: "
        "if it is the same question, add its heading to the item's `headings`."
    )
    return Drift(name, DriftKind.HEADING_NEAR, said, f"column {place + 1}", breaks_trend=True)


def _without_column(items: Sequence[str]) -> str:
    return (
        f"No column for {_listed(items)}: where it was asked, add its heading to `headings`; "
        "where it was not, say so with `since` or `until`."
    )


def _doubled(name: str, place: int) -> Drift:
    said = (
        f"Column {place + 1} is headed almost as '{name}', which has a column already: nothing of column {place + 1} is "
        "stored. If it is a question of its own, add an item for it."
    )
    return Drift(name, DriftKind.HEADING_NEAR, said, f"column {place + 1}")


def _outside(columns: Sequence[Column], outside: Mapping[str, Item], asked: Mapping[str, Item]) -> Iterator[Drift]:
    now, then = _texts_of(asked), _texts_of(outside)
    for place, column in enumerate(columns):
        texts = _texts(column)
        name = next((then[text] for text in texts if text in then), None)
        if name and not any(text in now for text in texts):
            then = {text: other for text, other in then.items() if other != name}
            yield _asked_outside(name, outside[name], place)


def _asked_outside(name: str, item: Item, place: int) -> Drift:
    bounds = [f"{word} {bound}" for word, bound in (("since", item.since), ("until", item.until)) if bound]
    said = (
        f"Column {place + 1} is '{name}', which is asked {' and '.join(bounds)} only: its answers are left out. "
        "If it was asked in this wave, correct the item's `since` or `until`."
    )
    return Drift(name, DriftKind.ASKED_OUTSIDE_ITS_TIME, said)


def _texts_of(items: Mapping[str, Item]) -> dict[str, str]:
    """Every folded text under which an export may carry one of some items."""
    return {fold(text): name for name, item in items.items() for text in (*item.texts, name)}


def _texts(column: Column) -> tuple[str, ...]:
    return tuple(text for text in map(fold, (*column.names, *column.question)) if text)


def _unclaimed(columns: Sequence[Column], items: Mapping[str, Item]) -> dict[int, tuple[str, ...]]:
    """Columns of answers that are no item's, by place; of a question with a column an option, the first one."""
    known, found = _texts_of(items), dict[tuple[str, ...], int]()
    for place, column in enumerate(columns):
        texts = tuple(map(fold, column.question)) if column.part is Part.OPTION else _texts(column)
        if column.part in (Part.ANSWER, Part.OPTION) and texts and not any(text in known for text in _texts(column)):
            found.setdefault(texts, place)
    return {place: texts for texts, place in found.items()}


def _strangers(columns: Sequence[Column], items: Mapping[str, Item]) -> set[int]:
    """Places of whole answers that are no item's and hold nothing that is left out by its name."""
    known = _texts_of(items)
    return {
        place
        for place, column in enumerate(columns)
        if column.part is Part.ANSWER
        and (texts := _texts(column))
        and not any(text in known for text in texts)
        and INVENTED_HEADING not in column.names
        and not named(column.names)
    }


def _not_declared(places: Sequence[int]) -> Drift:
    are, they = ("is", "it asks") if len(places) == 1 else ("are", "one of them asks")
    columns = f"Column{'' if len(places) == 1 else 's'} {_ranges(places)}"
    said = (
        f"{columns} {are} no question of the instrument and {are} not stored. "
        f"If {they} something to be counted, add an item for it."
    )
    return Drift("", DriftKind.COLUMNS_NEW, said)


def _ranges(places: Sequence[int]) -> str:
    """Numbers of columns, from 1: '3, 5 to 9 and 12'."""
    runs: list[list[int]] = []
    for number in (place + 1 for place in places):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return _and([part for run in runs for part in _run(run)])


def _run(run: Sequence[int]) -> list[str]:
    return [f"{run[0]} to {run[-1]}"] if len(run) > 2 else [str(number) for number in run]


def _pairs(items: Mapping[str, Item], free: Mapping[int, Sequence[str]]) -> dict[str, int]:
    """For each item that has one, its nearest column; the likest pair first, each item and column once."""
    likeness = sorted(_likeness(items, free), key=lambda pair: (-pair[0], pair[2]))
    found: dict[str, int] = {}
    for _, name, place in likeness:
        if name not in found and place not in found.values():
            found[name] = place
    return found


def _likeness(items: Mapping[str, Item], free: Mapping[int, Sequence[str]]) -> Iterator[tuple[float, str, int]]:
    wanted = [(name, fold(text)) for name, item in items.items() for text in item.texts]
    for place, texts in free.items():
        for text in texts:
            matcher = SequenceMatcher(b=text)  # remembers its second text
            for name, question in wanted:
                matcher.set_seq1(question)
                if matcher.real_quick_ratio() >= NEAR and matcher.quick_ratio() >= NEAR and matcher.ratio() >= NEAR:
                    yield matcher.ratio(), name, place


# --- Answers: what was refused, and how numbers lie --------------------------------------------------------------------


def counted(kept: pl.DataFrame, refused: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """Counts of one batch, columns as `COUNTS_SCHEMA`. `kept`: rows as stored; `refused`: columns item, rule and value."""
    closed = (pl.col(RULE) == Rule.UNKNOWN_OPTION.value) & pl.col(ITEM).is_in(_closed(instrument))
    texts = refused[VALUE].unique().drop_nulls()
    folded = dict(zip(texts, map(fold, texts), strict=True))
    text = pl.col(VALUE).replace_strict(folded, default=None, return_dtype=pl.String)
    said = refused.select(ITEM, RULE, text=pl.when(closed).then(text))
    return together([said.group_by(ITEM, RULE, "text").len("n").cast({"n": pl.Int64}), _numbers(kept, instrument)])


def _closed(instrument: Instrument) -> list[str]:
    return [name for name, item in instrument.items.items() if item.options or item.kind is Kind.YES_NO]


def _numbers(kept: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    rows = []
    for name, item in instrument.stored.items():
        if item.is_numeric and name in kept.columns:
            end = _end_of_lowest_tenth(item)
            low = 0 if end is None else int((kept[name] <= end).sum())
            rows += [(name, READ, None, kept[name].count()), (name, LOWEST_TENTH, None, low)]
    return pl.DataFrame(rows, schema=COUNTS_SCHEMA, orient="row")


def _end_of_lowest_tenth(item: Item) -> float | None:
    """Where the lowest tenth of a long scale ends."""
    if item.kind is not Kind.SCALE or item.minimum is None or item.maximum is None:
        return None
    width = item.maximum - item.minimum
    return item.minimum + width / 10 if width / (item.step or 1.0) >= STEPS_WITH_TENTHS else None


def together(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The counts of several batches or exports."""
    keys = list(COUNTS_SCHEMA)[:-1]
    whole = pl.concat([pl.DataFrame(schema=COUNTS_SCHEMA), *(part.select(list(COUNTS_SCHEMA)) for part in parts)])
    return whole.group_by(keys).agg(pl.col("n").sum()).filter(pl.col("n") > 0).sort(keys)


def in_answers(
    counts: pl.DataFrame, instrument: Instrument, min_n: int, answered: Mapping[str, int] | None = None
) -> list[Drift]:
    """What the answers of a wave say of its questions; columns of `counts` as `COUNTS_SCHEMA`. `answered`: by item, how many
    answers could be read.

    A text that at least `min_n` rows, and a fair share of all, gave to a closed question is likely an option of it, and is
    told by itself; all others are counted together. None is named: many rows may be one person's.
    """
    fewest = {name: max(min_n, SHARE_OF_AN_OPTION * n) for name, n in (answered or {}).items()}
    found = {name: counts.filter(pl.col(ITEM) == name) for name in counts[ITEM].unique()}
    return [
        drift
        for name, item in instrument.items.items()
        if name in found
        for drift in (
            *_refused_options(name, item, found[name], fewest.get(name, min_n)),
            *_lie_of_numbers(name, item, found[name], min_n),
        )
    ]


def _refused_options(name: str, item: Item, counts: pl.DataFrame, fewest: float) -> Iterator[Drift]:
    rare = 0
    for text, n in counts.filter(pl.col(RULE) == Rule.UNKNOWN_OPTION.value).select("text", "n").iter_rows():
        if text is not None and n >= fewest and _could_be_an_option(text):
            yield _option_met(name, n, _nearest_option(text, item.options))
        else:
            rare += n
    if rare:
        said = (
            f"{n_of(rare, 'answer')} to '{name}' {'is' if rare == 1 else 'are'} none of its options: "
            "see the quarantine, and add what is an option or a spelling of one."
        )
        yield Drift(name, DriftKind.OPTION_UNKNOWN, said)


def _could_be_an_option(text: str) -> bool:
    """Short, printable, and neither an address nor a long number."""
    digits = sum(mark.isdigit() for mark in text)
    return len(text) <= LONGEST_OPTION and text.isprintable() and "@" not in text and "//" not in text and digits < 6


def _option_met(name: str, n: int, near: str | None) -> Drift:
    nearest = f"; the nearest option is '{near}'" if near else ""
    spelling = "if it is a spelling of that option, add it to its `spellings`; " if near else ""
    do = f"Look at it in the quarantine; {spelling}if it is an option of the form, add that option."
    said = f"{n_of(n, 'answer')} to '{name}' have one text that is none of its options{nearest}. {do}"
    return Drift(name, DriftKind.OPTION_NEW, said, near, breaks_trend=True)


def _nearest_option(text: str, options: Iterable[Option]) -> str | None:
    known = {fold(written): option.label for option in options for written in option.texts}
    near = get_close_matches(fold(text), known, n=1)
    return known[near[0]] if near else None


def _lie_of_numbers(name: str, item: Item, counts: pl.DataFrame, min_n: int) -> Iterator[Drift]:
    n = dict(counts.group_by(RULE).agg(pl.col("n").sum()).iter_rows())
    out, read = n.get(Rule.OUT_OF_RANGE.value, 0), n.get(READ, 0)
    if out > SLIPS and out >= OFTEN * (read + out):
        said = (
            f"{out} of {read + out} answers to '{name}' are out of its range ({_range(item)}): the question may have another "
            "scale or unit now. If so, give it a new code and `since`, and the old one `until`."
        )
        yield Drift(name, DriftKind.OUT_OF_RANGE_OFTEN, said, breaks_trend=True)
    if read >= min_n and n.get(LOWEST_TENTH, 0) == read:
        said = (
            f"All {read} answers to '{name}' lie in the lowest tenth of its range ({_range(item)}): the question may have a "
            "shorter scale now. If so, give it a new code and `since`, and the old one `until`."
        )
        yield Drift(name, DriftKind.RANGE_NOT_USED, said, breaks_trend=True)


# --- Instruments: one wave's against the wave before --------------------------------------------------------------------


def between(before: Instrument, now: Instrument, wave_before: str, wave: str) -> list[Drift]:
    """What the instrument says otherwise than it said in the wave before. Wordings that it knows of old are no change."""
    old = {name: item for name, item in before.stored.items() if item.is_asked_in(wave_before)}
    new = {name: item for name, item in now.stored.items() if item.is_asked_in(wave)}
    gone = [name for name in old if name not in now.items]
    added = [name for name in new if name not in before.items]
    both = [name for name in new if name in old]
    return [
        *(_gone(name, old[name], {other: new[other] for other in added}, wave_before) for name in gone),
        *(_added(name, new[name], wave) for name in added if new[name].is_asked_in(wave_before)),
        *(drift for name in both for drift in _changes(name, old[name], new[name])),
    ]


def _gone(name: str, item: Item, added: Mapping[str, Item], wave_before: str) -> Drift:
    """An item that left the instrument; if a new one has its question, it was given another code."""
    heir = next((other for other, new in added.items() if _same_wording(item.texts[:1], new.texts)), None)
    if heir:
        said = f"The question of '{name}' has the code '{heir}' now. Codes must stay: call it '{name}' again."
        return Drift(name, DriftKind.CODE_CHANGED, said, heir, breaks_trend=True)
    said = (
        f"'{name}' is gone. Put it back with `until = \"{wave_before}\"`, so that it counts as not asked from now on."
    )
    near = get_close_matches(name, list(added), n=1)
    return Drift(name, DriftKind.ITEM_GONE, said, near[0] if near else None, breaks_trend=True)


def _added(name: str, item: Item, wave: str) -> Drift:
    said = f"'{name}' is new. Give it `since = \"{wave}\"`, so that earlier waves count as not asked."
    return Drift(name, DriftKind.ITEM_NEW, said)


def comparable(name: str, before: Instrument, now: Instrument) -> bool:
    """Whether numbers of an item (or of one of its options, `item__option`) mean the same in both instruments.

    The kind, range, step, unit, scoring, levels and options are the same, and so are the wordings or they are mapped: the old
    one stands in `headings`, an option's old label in its `spellings`. What only one of them has cannot be compared. The same
    holds for the item's baseline. Of a question with several answers, an option that both have can be compared even if others
    came or went, unless it excludes them: "none of these" means another thing then.
    """
    item, code = _item_and_option(name, now)
    if item not in before.items or item not in now.items:
        return False
    was, is_now = before.items[item], now.items[item]
    broken = {drift.what for drift in _changes(item, was, is_now) if drift.breaks_trend}
    if code:
        return not broken - OF_OPTIONS and _same_option(code, was, is_now)
    return not broken and _same_baseline(was, before, is_now, now)


def _item_and_option(name: str, instrument: Instrument) -> tuple[str, str]:
    """The item of an outcome, and the code of the option where it is one."""
    whole = (known for known in instrument.items if name.startswith(f"{known}__"))
    item = name if name in instrument.items else next(whole, name)
    return item, name[len(item) + 2 :]


def incomparable(before: Instrument, now: Instrument) -> frozenset[str]:
    """The items of both instruments whose trend is broken between them: what `render` is told not to compare."""
    return frozenset(name for name in now.stored if name in before.stored and not comparable(name, before, now))


def _same_baseline(was: Item, before: Instrument, item: Item, now: Instrument) -> bool:
    if item.baseline is None or was.baseline is None:
        return was.baseline == item.baseline
    drifts = _changes(item.baseline, before.items[was.baseline], now.items[item.baseline])
    return not any(drift.breaks_trend for drift in drifts)


def _same_option(code: str, was: Item, item: Item) -> bool:
    old, new = ({option.code: option for option in each.options}.get(code) for each in (was, item))
    if old is None or new is None or not _same_label(old, new):
        return False
    return set(was.codes) == set(item.codes) or (item.kind is Kind.CHOICES and not new.exclusive and not old.exclusive)


def _changes(name: str, was: Item, item: Item) -> Iterator[Drift]:
    """Everything about an item that means something else now; of an item of another kind, that alone."""
    for kind, told, said in _RULES if was.kind is item.kind else _RULES[:1]:
        old, new = told(was), told(item)
        if old != new:
            yield Drift(name, kind, said.format(name=name, old=old, new=new), breaks_trend=True)
    if _scoring(was) != _scoring(item) or _other_responders(was, item):
        yield Drift(name, DriftKind.SCORING_CHANGED, _SCORED.format(name=name), breaks_trend=True)
    if not _same_wording((was.question,), item.texts) and not _same_wording((item.question,), was.texts):
        yield _reworded(name)
    if was.kind is item.kind:
        yield from _option_changes(name, was, item)


def _reworded(name: str) -> Drift:
    said = (
        f"The question of '{name}' was reworded. If it still asks the same, add the old wording to the item's `headings`; "
        "if not, give it a new code and `since`, and the old one `until`."
    )
    return Drift(name, DriftKind.WORDING_CHANGED, said, breaks_trend=True)


_SCORED = (
    "What counts as better, as a responder or as before was changed for '{name}': its numbers mean something else now."
)
_NEW_CODE = "Give the new question a code of its own and `since`, and keep the old one with `until`."


def _range(item: Item) -> str:
    ends = ("any" if end is None else f"{end:g}" for end in (item.minimum, item.maximum))
    steps = item.step or (1.0 if item.kind is Kind.SCALE else None)
    return f"{' to '.join(ends)}{f' in steps of {steps:g}' if steps else ''}"


def _scoring(item: Item) -> object:
    return item.better, item.baseline, item.several_as


def _other_responders(was: Item, item: Item) -> bool:
    """Whether a threshold keeps its name and means something else. One that came or went has nothing to be compared with."""
    old, new = ({rule.name: _rule(rule) for rule in each.thresholds} for each in (was, item))
    return any(old[name] != new[name] for name in old.keys() & new.keys())


def _rule(threshold: Threshold) -> object:
    return threshold.percent, threshold.points, threshold.at_least, threshold.at_most


def _levels(item: Item) -> object:
    condition = item.applies_if and (item.applies_if.item, set(item.applies_if.values))
    return condition, [[band.end for band in bands] for bands in (item.bands, *item.wider_bands)]


_RULES: tuple[tuple[DriftKind, Callable[[Item], object], str], ...] = (
    (
        DriftKind.KIND_CHANGED,
        lambda item: item.kind.value,
        f"'{{name}}' was a {{old}} and is a {{new}} now. {_NEW_CODE}",
    ),
    (DriftKind.RANGE_CHANGED, _range, f"The range of '{{name}}' was {{old}} and is {{new}} now. {_NEW_CODE}"),
    (
        DriftKind.UNIT_CHANGED,
        lambda item: fold(item.unit) or "none",
        f"The unit of '{{name}}' was {{old}} and is {{new}} now. {_NEW_CODE}",
    ),
    (
        DriftKind.LEVELS_CHANGED,
        _levels,
        "The bands of '{name}' or whom it concerns were changed: its levels mean something else now.",
    ),
)
"""What is compared as a whole: how it is told, and what is said where it differs."""


def _same_wording(one: Iterable[str], other: Iterable[str]) -> bool:
    return bool(set(map(fold, one)) & set(map(fold, other)))


def _same_label(was: Option, option: Option) -> bool:
    """The label is the same or was known before, here or there."""
    return _same_wording((was.label,), _labels(option)) or _same_wording((option.label,), _labels(was))


def _labels(option: Option) -> tuple[str, ...]:
    """What an option is called, now and before. Its code says nothing: it stays even where the meaning was changed."""
    return (option.label, *option.spellings)


def _option_changes(name: str, was: Item, item: Item) -> Iterator[Drift]:
    old, new = ({option.code: option for option in each.options} for each in (was, item))
    moved = {code: heir for code in old if (heir := _heir(old[code], new, old))}
    for code, option in old.items():
        if code in moved:
            yield _recoded(name, option, moved[code])
        elif code not in new:
            yield _option_gone(name, option, [new[other] for other in new if other not in old])
        elif not _same_label(option, new[code]):
            yield _relabelled(name, option, new[code])
    yield from (_option_new(name, new[code]) for code in new if code not in old and code not in moved.values())


def _heir(option: Option, new: Mapping[str, Option], old: Mapping[str, Option]) -> str | None:
    """The other code under which an option stands now: its code is gone, or means something else."""
    if option.code in new and _same_label(option, new[option.code]):
        return None
    alike = (
        code for code, other in new.items() if code != option.code and _same_wording((option.label,), _labels(other))
    )
    return next((code for code in alike if code not in old or not _same_label(old[code], new[code])), None)


def _recoded(name: str, option: Option, heir: str) -> Drift:
    said = f"Option '{option.label}' of '{name}' has the code '{heir}' now. Codes must stay: call it '{option.code}' again."
    return Drift(name, DriftKind.CODE_CHANGED, said, heir, breaks_trend=True)


def _option_gone(name: str, option: Option, added: Sequence[Option]) -> Drift:
    said = (
        f"The option '{option.label}' of '{name}' is gone, so its other answers cannot be compared with earlier ones."
    )
    return Drift(name, DriftKind.OPTION_GONE, said, _nearest_option(option.label, added), breaks_trend=True)


def _option_new(name: str, option: Option) -> Drift:
    said = f"The option '{option.label}' of '{name}' is new, so its other answers cannot be compared with earlier ones."
    return Drift(name, DriftKind.OPTION_NEW, said, breaks_trend=True)


def _relabelled(name: str, was: Option, option: Option) -> Drift:
    said = (
        f"The option '{was.label}' of '{name}' is called '{option.label}' now. If it means the same, add the old label to "
        "its `spellings`; if not, give it a new code."
    )
    return Drift(name, DriftKind.OPTION_RELABELLED, said, option.label, breaks_trend=True)


# --- Words -------------------------------------------------------------------------------------------------------------


def _listed(items: Sequence[str]) -> str:
    return _and([f"'{item}'" for item in items])


def _and(words: Sequence[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
