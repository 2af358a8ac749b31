"""The instrument: what a survey asks, what a valid answer is, and which tables are made of it.

What belongs here: the pydantic models of `instrument.toml`, finding it and reading it. What does not: anything that touches a
respondent's row. What is compiled from it: levels of an exposure in `levels`, outcomes of a table in `outcomes`, the pandera
schema in `schema`, the page for people in `codebook`.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from itertools import combinations, pairwise
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from survey_pipeline.errors import InputRefused, WrongUsage, did_you_mean
from survey_pipeline.names import (
    EVERYBODY,
    EXPORT,
    INSTRUMENT,
    ITEM_NONRESPONSE,
    NOT_STATED,
    READING_COMPOUND,
    READING_LABEL_ELEMENTAL,
    READING_WORST_CASE,
    RECORD,
    RESPONDENT,
    WAVE,
    WAVE_PATTERN,
    WHO_ANSWERED,
    option_column,
)
from survey_pipeline.periods import is_between, meet

Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]
"""Lower case, digits and underscores: safe as a column, a file name and a reference."""


class Strict(BaseModel):
    """Frozen, and refusing keys it does not know: a misspelt key must not become a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Kind(StrEnum):
    """What an answer looks like."""

    CHOICE = "choice"
    CHOICES = "choices"
    YES_NO = "yes_no"
    SCALE = "scale"
    NUMBER = "number"
    DATE = "date"
    DOSE = "dose"
    TEXT = "text"


class Role(StrEnum):
    """What an item is for."""

    EXPOSURE = "exposure"
    OUTCOME = "outcome"
    BASELINE = "baseline"
    SAFETY = "safety"
    STRATUM = "stratum"
    DETAIL = "detail"
    WEIGHT = "weight"
    DIARY = "diary"
    CONSENT = "consent"
    IDENTIFIER = "identifier"
    DROP = "drop"


CLOSED = frozenset({Kind.CHOICE, Kind.CHOICES, Kind.YES_NO})
"""Kinds of which all answers are known beforehand."""
LEFT_OUT = "left_out"
DOSE_PARTS = (
    "low_mg_per_day",
    "high_mg_per_day",
    "written_low_mg_per_day",
    "written_high_mg_per_day",
    "basis",
    "rule",
    "compound",
)
"""What is stored of a dose in words: the elemental interval, the written one, how they were read (see `answers.doses`)."""
TABLES_OF_OURS = (WHO_ANSWERED, ITEM_NONRESPONSE, "comparisons", "tests", "trend_over_waves")
"""Tables that the pipeline makes by itself."""
RESERVED = frozenset({INSTRUMENT, WAVE, EXPORT, RECORD, RESPONDENT})
"""Columns of the responses that are not answers."""
SEVERAL = "several"
NONE_TICKED = "none_ticked"
"""Levels of a question with several answers that are no option of it: see `levels.atoms`."""
READINGS = (READING_LABEL_ELEMENTAL, READING_COMPOUND, READING_WORST_CASE)
"""How a dose in words may be meant: see `docs/doses.md`."""
BASES = (READING_LABEL_ELEMENTAL, READING_COMPOUND)
"""The answers that say which weight a dose in words is; any other answer says that nobody knows."""
NOT_ASKED_OF_PEOPLE = frozenset({Role.CONSENT, Role.IDENTIFIER, Role.DROP, Role.DIARY, Role.WEIGHT})
"""Roles that are no question which everybody could have left out."""
NOT_STORED = frozenset({Role.IDENTIFIER, Role.DROP})
"""Roles whose answers are used while reading, if at all, and never written anywhere."""


class Option(Strict):
    """One answer of a closed question, as it is coded, shown, exported and misspelt."""

    code: Code
    label: str
    spellings: tuple[str, ...] = ()
    exclusive: bool = False
    free_text: bool = False
    """Whatever people write in their own words beside the offered options counts as this one."""

    @property
    def texts(self) -> tuple[str, ...]:
        """Every way in which the option may be written."""
        return (self.code, self.label, *self.spellings)


class Band(Strict):
    """A stretch of a numeric exposure, from the end of the band before it up to its own end."""

    code: Code
    label: str
    below: float | None = None
    up_to: float | None = None

    @property
    def end(self) -> tuple[float, bool]:
        """Where the band ends, and whether that value still belongs to it."""
        if self.below is not None:
            return self.below, False
        return (float("inf"), True) if self.up_to is None else (self.up_to, True)


class Group(Strict):
    """Several levels published as one, so that nobody in a small one can be picked out."""

    code: Code
    label: str
    of: tuple[Code, ...] = Field(min_length=2)


class Compound(Strict):
    """A substance in which a dose may be written, and how much of its weight counts.

    `elemental_percent`: per cent of the compound's weight; several where several salts share the name.
    """

    code: Code
    texts: tuple[str, ...] = Field(min_length=1)
    elemental_percent: tuple[float, ...] = Field(min_length=1)


class Threshold(Strict):
    """When a person counts as a responder, and who says so."""

    name: Code
    label: str
    source: str
    percent: float | None = Field(default=None, gt=0, le=100)
    points: float | None = Field(default=None, gt=0)
    at_least: float | None = None
    at_most: float | None = None
    primary: bool = False

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        rules = (self.percent, self.points, self.at_least, self.at_most)
        if sum(rule is not None for rule in rules) != 1:
            raise ValueError("a threshold needs exactly one of percent, points, at_least and at_most")
        return self

    @property
    def needs_baseline(self) -> bool:
        return self.percent is not None or self.points is not None


class Limit(Strict):
    """A value of a number that people want to know themselves to be above or not, such as an upper level of intake."""

    code: Code
    label: str
    above: float
    source: str


class Retest(Strict):
    """How alike two answers of the same people are, some weeks apart, where nothing has changed for them on the whole.

    `lowest`, `highest`: the range of plausible correlations; `source`: who found it.
    """

    lowest: float = Field(ge=0, lt=1)
    highest: float = Field(gt=0, lt=1)
    source: str

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lowest > self.highest:
            raise ValueError("the lowest retest correlation must not lie above the highest")
        return self


class Condition(Strict):
    """An item applies only to people who gave one of these answers to another item."""

    item: Code
    values: tuple[Code, ...] = Field(min_length=1)
    otherwise: str
    """The label of the level for everybody else."""


class Item(Strict):
    """One question: its words, the answers it takes, and its part in the analysis."""

    label: str
    question: str
    theme: str
    kind: Kind
    role: Role
    headings: tuple[str, ...] = ()
    required: bool = False
    unit: str = ""
    note: str = ""
    source: str = ""
    options: tuple[Option, ...] = ()
    several_as: Code | None = None
    people: str = Field(default="", pattern=r"^$|\{level\}")
    """How the report speaks of the people of a level of this exposure, such as 'People who took {level}'."""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = Field(default=None, gt=0)
    missing: tuple[str, ...] = ()
    fixes: dict[str, str] = Field(default_factory=dict)
    decimal_sign: str | None = Field(default=None, pattern="^(point|comma)$")
    """What stands before the decimals. Without it both do, and 1.234 is refused: it may be a thousand."""
    date_order: str | None = Field(default=None, pattern="^(day_first|month_first)$")
    """How 3/4/2026 is meant. Without it such a date is refused; 13/4/2026 is plain."""
    compounds: tuple[Compound, ...] = ()
    since: Annotated[str, Field(pattern=WAVE_PATTERN)] | None = None
    until: Annotated[str, Field(pattern=WAVE_PATTERN)] | None = None
    """The first and the last wave in which the item is asked, both included; without them, always."""
    bands: tuple[Band, ...] = ()
    wider_bands: tuple[tuple[Band, ...], ...] = ()
    groups: tuple[tuple[Group, ...], ...] = ()
    levels_from: Annotated[str, Field(pattern=WAVE_PATTERN)] | None = None
    """From this wave on levels are chosen anew: what was merged before it need not stay merged."""
    applies_if: Condition | None = None
    baseline: Code | None = None
    better: str | None = Field(default=None, pattern="^(lower|higher)$")
    primary: bool = False
    thresholds: tuple[Threshold, ...] = ()
    responder_curve: tuple[int, ...] = ()
    """Improvements in per cent at which the cumulative responder curve is drawn, such as 10, 20, ..."""
    retest: Retest | None = None
    limits: tuple[Limit, ...] = ()
    """Of a number: what share of people lies above each of these."""
    comparison: Code | None = None
    """Of an exposure: the option with which the others are compared."""
    readings: Code | None = None
    """Of a dose in numbers: the item of kind dose by which its findings are read again, see `docs/doses.md`."""
    basis: Code | None = None
    """Beside `readings`: the item in which people say which weight their words mean. Its options hold `BASES`."""
    consent_answer: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for problem in _item_problems(self):
            raise ValueError(problem)
        return self

    @property
    def texts(self) -> tuple[str, ...]:
        """The headings under which an export may carry the item."""
        return (self.question, *self.headings)

    @property
    def is_stored(self) -> bool:
        return self.kind is not Kind.TEXT and self.role not in NOT_STORED

    @property
    def is_numeric(self) -> bool:
        return self.kind in (Kind.SCALE, Kind.NUMBER)

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(option.code for option in self.options)

    @property
    def level_codes(self) -> tuple[str, ...]:
        """The codes of everything that can be answered, as levels: options, yes and no, or bands."""
        if self.kind is Kind.YES_NO:
            return ("yes", "no")
        if self.kind is not Kind.CHOICES:
            return self.codes or tuple(band.code for band in self.bands)
        several = () if self.several_as else (SEVERAL,)
        return (*self.codes, *several, *(() if self._ticks_something else (NONE_TICKED,)))

    @property
    def _ticks_something(self) -> bool:
        """Whether who answered ticked at least one option, since one of them says that no other fits."""
        return any(option.exclusive for option in self.options)

    @property
    def consent_texts(self) -> frozenset[str]:
        """The folded texts that mean consent: the declared one, and every writing of the option it belongs to."""
        written = (option.texts for option in self.options if _fold(self.consent_answer) in map(_fold, option.texts))
        return frozenset(map(_fold, (self.consent_answer, *(text for texts in written for text in texts))))

    def is_asked_in(self, wave: str) -> bool:
        """Whether the item is asked in a wave, or in some part of it."""
        return is_between(wave, self.since, self.until)

    def is_cut_anew(self, before: str, wave: str) -> bool:
        """Whether the levels of a wave need not be those of a wave before."""
        return is_between(wave, self.levels_from, None) and not is_between(before, self.levels_from, None)

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns of the responses that hold the item called `name`."""
        if self.kind is Kind.CHOICES:
            return tuple(option_column(name, code) for code in self.codes)
        if self.kind is Kind.DOSE:
            return tuple(option_column(name, part) for part in DOSE_PARTS)
        return (name,)


def _item_problems(item: Item) -> Iterator[str]:
    """Each way in which an item contradicts itself, as a sentence without values from any export."""
    closed = item.kind in (Kind.CHOICE, Kind.CHOICES)
    if closed != bool(item.options):
        yield "kinds choice and choices need options, and no other kind takes them"
    if len(set(item.codes)) != len(item.codes):
        yield "two options have the same code"
    if item.kind is Kind.SCALE and (item.minimum is None or item.maximum is None):
        yield "a scale needs a minimum and a maximum"
    if item.minimum is not None and item.maximum is not None and item.minimum >= item.maximum:
        yield "the minimum must lie below the maximum"
    if item.role is Role.EXPOSURE and item.is_numeric and not item.bands:
        yield "a numeric exposure needs bands"
    for bands in filter(None, (item.bands, *item.wider_bands)):
        yield from _band_problems(bands)
    if item.several_as is not None and item.several_as not in item.codes:
        yield "several_as must name one of the item's options"
    if item.role is Role.CONSENT and not item.consent_answer:
        yield "a consent item needs consent_answer, the text that means consent"
    if item.role is Role.CONSENT and item.options and len(item.consent_texts) < 2:
        yield "consent_answer is none of the item's options"
    for text in sorted(_shared_texts(item)):
        yield f"two options may be written '{text}', so that nobody can tell which is meant"
    if item.compounds and item.kind is not Kind.DOSE:
        yield "only the kind dose takes compounds"
    if item.since and item.until and not item.is_asked_in(item.since):
        yield "`since` must not lie behind `until`"
    if any(threshold.needs_baseline for threshold in item.thresholds) and item.baseline is None:
        yield "a threshold in percent or points needs a baseline item"
    if any(not _is_partition(groups, item.level_codes) for groups in item.groups):
        yield "groups must name each of the item's codes (or not_stated) at most once"
    if not all(_is_coarser(later, earlier) for earlier, later in pairwise(item.groups)):
        yield "each list of groups must keep together what the list before it put together"
    yield from _analysis_problems(item)


def _analysis_problems(item: Item) -> Iterator[str]:
    """What an item says of its own analysis and cannot be done."""
    if item.comparison is not None and item.comparison not in item.level_codes:
        yield f"comparison must name one of the item's answers.{did_you_mean(item.comparison, item.level_codes)}"
    if item.levels_from and not (item.kind in CLOSED or item.bands):
        yield "levels_from is about levels: it needs options or bands"
    if item.limits and not item.is_numeric:
        yield "only numbers and scales take limits"
    for limit in item.limits:
        if item.maximum is not None and limit.above >= item.maximum:
            yield f"nothing can lie above the limit {limit.code}: the maximum is not above it"
    if len({limit.code for limit in item.limits}) != len(item.limits):
        yield "two limits have the same code"
    if item.readings is not None and item.kind is not Kind.NUMBER:
        yield "only the kind number takes readings"
    if item.basis is not None and item.readings is None:
        yield "basis says which weight a dose in words means: it needs readings, the item of those words"
    if (item.responder_curve or item.retest) and item.baseline is None:
        yield "responder_curve and retest need a baseline item"
    if list(item.responder_curve) != sorted({one for one in item.responder_curve if 0 < one <= 100}):
        yield "responder_curve must rise, from 1 to 100 per cent"
    if item.role is Role.WEIGHT and item.kind is not Kind.NUMBER:
        yield "the role weight takes the kind number"
    elif item.role is Role.WEIGHT and not (item.required and (item.minimum or 0) > 0):
        yield "the role weight needs `required = true` and a `minimum` above 0: an answer without a weight cannot be counted"


def _shared_texts(item: Item) -> set[str]:
    """Codes, labels and spellings that stand for more than one option."""
    texts = [text for option in item.options for text in set(map(_fold, option.texts))]
    return {text for text in texts if texts.count(text) > 1}


def _band_problems(bands: tuple[Band, ...]) -> Iterator[str]:
    if [band.end for band in bands] != sorted({band.end for band in bands}):
        yield "bands must be listed from low to high"
    if bands[-1].end[0] != float("inf"):
        yield "the last band must be open: give it neither below nor up_to"


def _is_partition(groups: Iterable[Group], codes: tuple[str, ...]) -> bool:
    members = [member for group in groups for member in group.of]
    return len(set(members)) == len(members) and set(members) <= {*codes, NOT_STATED}


def _is_coarser(later: Iterable[Group], earlier: Iterable[Group]) -> bool:
    wider = [set(group.of) for group in later]
    return all(any(set(group.of) <= members for members in wider) for group in earlier)


class TableSpec(Strict):
    """A table to publish: outcomes of everybody, by one exposure, or by one exposure within another.

    `shows`: "everything" that the outcomes have, or "counts" of people alone, without any comparison.
    """

    name: Code
    title: str
    exposure: Code | None = None
    by: Code | None = None
    outcomes: tuple[Code, ...] = Field(min_length=1)
    shows: str = Field(default="everything", pattern="^(everything|counts)$")

    @model_validator(mode="after")
    def _crossed_with_something(self) -> Self:
        if self.by is not None and self.by == self.exposure:
            raise ValueError(f"the table {self.name} has the same item as `exposure` and as `by`")
        if self.by is not None and self.exposure is None:
            raise ValueError(f"the table {self.name} has `by`, but no `exposure`")
        return self

    @property
    def cut_by(self) -> str:
        """The name of what the table tells people apart by: an item, two of them crossed, or nothing."""
        if self.exposure is None:
            return EVERYBODY
        return self.exposure if self.by is None else f"{self.exposure}_by_{self.by}"

    @property
    def factors(self) -> tuple[str, ...]:
        """The items by which people are told apart."""
        return tuple(name for name in (self.exposure, self.by) if name is not None)


class Margin(Strict):
    """How a group of people is made up outside the survey: the share of each answer to an item, and who says so."""

    item: Code
    shares: dict[Code, float] = Field(min_length=2)
    source: str


class Weighting(Strict):
    """How much each answer counts. Without it everybody counts alike, which is the default.

    Either the weight comes with the answer (an item of role "weight"), or it is made so that the margins fit: by raking (one
    margin after the other) or post-stratification (one margin). `trim`: the least and the greatest weight allowed, as a
    multiple of the average. `strata`, `clusters`: items that say how people were picked. `why` is printed in the report.
    """

    why: str
    margins: tuple[Margin, ...] = ()
    method: str = Field(default="rake", pattern="^(rake|post_stratify)$")
    trim: tuple[float, float] | None = None
    strata: Code | None = None
    clusters: Code | None = None


class Duplicates(Strict):
    """Which rows count as the same answer handed in twice, and which of them counts."""

    identical_rows: bool = False
    same_respondent: bool = False
    same_token: bool = False
    """The survey tool's own mark of an invitation or a response came twice."""
    same_answers_within_minutes: float | None = Field(default=None, gt=0)
    keep: str = Field(default="first", pattern="^(first|last)$")


class Completeness(Strict):
    """Which rows are whole answers of a person, where the survey tool says so."""

    unfinished: str = Field(default="exclude", pattern="^(exclude|keep)$")
    previews: str = Field(default="exclude", pattern="^(exclude|keep)$")
    event: str = ""
    """Of a survey that is answered at several events: the one that is counted."""


class Disclosure(Strict):
    """What this survey asks of a release beyond the policy in force, which it may only tighten: see `policy.policy_for`.

    Counts are of people. Nothing said means: as the policy says.
    """

    min_n: int | None = Field(default=None, ge=1, strict=True)
    min_n_for_statistics: int | None = Field(default=None, ge=1, strict=True)
    rounding_base: int | None = Field(default=None, ge=1, strict=True)
    least_difference: int | None = Field(default=None, ge=1, strict=True)
    require_approval: bool | None = Field(default=None, strict=True)


class Reference(Strict):
    """Something others found, with where it can be read."""

    text: str
    source: str


def _mission_tables(given: dict[str, Any]) -> list[dict[str, Any]]:
    """Outcomes by form and by dose."""
    shown = (("form_by_outcome", "form"), ("dose_by_outcome", "dose"))
    return [
        {
            "name": name,
            "title": f"What people reported, by {of}",
            "exposure": given.get(of),
            "outcomes": given["outcomes"],
        }
        for name, of in shown
    ]


class Instrument(Strict):
    """One survey. `form` and `dose` say which items the mission's two tables are about."""

    name: Code
    title: str
    version: str
    community: str
    about: str
    language: str = "en"
    contact: str = ""
    recruitment: str = ""
    form: Code
    dose: Code
    items: dict[Code, Item]
    outcomes: tuple[Code, ...] = ()
    """What the tables of an instrument without tables of its own show: by form and by dose."""
    tables: tuple[TableSpec, ...] = ()
    who_answered: tuple[Code, ...] = ()
    weighting: Weighting | None = None
    duplicates: Duplicates = Duplicates()
    completeness: Completeness = Completeness()
    disclosure: Disclosure | None = None
    missing: tuple[str, ...] = ()
    cannot_say: tuple[str, ...] = ()
    evidence: tuple[Reference, ...] = ()
    safety: tuple[str, ...] = ()
    ask: str = ""
    _wave: str | None = PrivateAttr(default=None)

    @model_validator(mode="before")
    @classmethod
    def _with_tables(cls, given: Any) -> Any:
        """Without tables of its own an instrument has the mission's two, of its `outcomes`."""
        if isinstance(given, dict) and not given.get("tables") and given.get("outcomes"):
            return {**given, "tables": _mission_tables(given)}
        return given

    @model_validator(mode="after")
    def _references_exist(self) -> Self:
        for problem in _instrument_problems(self):
            raise ValueError(problem)
        return self

    @cached_property
    def stored(self) -> dict[str, Item]:
        """The items whose answers are kept, by name, in the instrument's order."""
        return {name: item for name, item in self.items.items() if item.is_stored}

    @cached_property
    def fingerprint(self) -> str:
        """The same for the same meaning: comments and layout of the file do not count.

        `disclosure` came later: a survey that does not use it keeps the fingerprint under which it was published.
        """
        unsaid = set() if self.disclosure else {"disclosure"}
        return sha256(self.model_dump_json(exclude=unsaid).encode()).hexdigest()

    @cached_property
    def asked(self) -> dict[str, Item]:
        """The items that are asked: in the wave this instrument is for (`in_wave`), else all of them."""
        wave = self._wave
        return {name: item for name, item in self.items.items() if wave is None or item.is_asked_in(wave)}

    def in_wave(self, wave: str) -> "Instrument":
        """The instrument as it holds in one wave. An item that is not asked in it stays, so that its numbers are published as
        not asked, but has no column (see `asked`), is required of nobody and cuts no table. Its fingerprint is its own: what
        is stored and published names the whole instrument.

        Raises `InputRefused` if the form is not asked in the wave, since all numbers of people come from it.
        """
        _refuse_without_form(self, wave)
        parts = {key: getattr(self, key) for key in type(self).model_fields}
        items = {name: _as_asked(item, wave) for name, item in self.items.items()}
        cut = {name for name, item in self.items.items() if item.is_asked_in(wave)}
        tables = tuple(table for table in self.tables if cut.issuperset(table.factors))
        who = tuple(name for name in self.who_answered if name in cut)
        narrowed = Instrument.model_construct(**parts | {"items": items, "tables": tables, "who_answered": who})
        narrowed._wave = wave
        return narrowed

    def is_read_again(self, name: str) -> bool:
        """Whether this is a number beside which people are asked for their own words, in which it may be read again."""
        item = self.items.get(name)
        return item is not None and item.readings in self.asked

    @property
    def is_weighted(self) -> bool:
        """Whether some answers count more than others: then every batch that is counted has a column `names.WEIGHT`."""
        return self.weighting is not None and bool(self.weighting.margins or self.weight_items)

    @property
    def weight_items(self) -> tuple[str, ...]:
        """The items that hold weights: one at most."""
        return tuple(name for name, item in self.items.items() if item.role is Role.WEIGHT)

    def with_role(self, role: Role) -> dict[str, Item]:
        """The items of a role that are asked."""
        return {name: item for name, item in self.asked.items() if item.role is role}


def _as_asked(item: Item, wave: str) -> Item:
    return item if item.is_asked_in(wave) else item.model_copy(update={"required": False})


def _refuse_without_form(instrument: Instrument, wave: str) -> None:
    if not instrument.items[instrument.form].is_asked_in(wave):
        raise InputRefused(
            f"The item '{instrument.form}' is not asked in the wave '{wave}', and the tables are about it.",
            "Correct its `since` and `until`, or read this wave with the instrument of its time.",
        )


def _instrument_problems(instrument: Instrument) -> Iterator[str]:
    items = instrument.items
    for where, name in _references(instrument):
        if name not in items:
            yield f"{where} names the item '{name}', which does not exist.{did_you_mean(name, items)}"
    if not instrument.tables:
        yield "there is nothing to show: give `outcomes`, the items to show by form and by dose, or `[[tables]]`"
    for name in {instrument.form, instrument.dose, *(name for table in instrument.tables for name in table.factors)}:
        if name in items and not _has_levels(items[name]):
            yield f"the exposure '{name}' has neither options nor bands"
        elif name in items:
            yield from _level_problems(name, items[name])
    for name, item in items.items():
        yield from _relation_problems(name, item, items)
    for name in instrument.who_answered:
        if name in items and not _has_levels(items[name]):
            yield f"who_answered counts people by their answer, and '{name}' has neither options nor bands"
    for table in instrument.tables:
        yield from _table_problems(table, {name: items[name] for name in table.outcomes if name in items}, instrument)
    yield from _name_problems(instrument)
    yield from _weighting_problems(instrument)
    if twice := {heading for one, other in combinations(items.values(), 2) for heading in _shared_headings(one, other)}:
        yield f"two items are exported under the same heading: '{min(twice)}'"
    yield from _reserved(items)


def _table_problems(table: TableSpec, shown: dict[str, Item], instrument: Instrument) -> Iterator[str]:
    """What a table cannot show of its items."""
    for name, item in shown.items():
        if not _is_measurable(item):
            yield f"the table {table.name} cannot show '{name}': an outcome is a scale, or has options, or is yes or no"
        if table.shows == "counts" and item.is_numeric and not item.limits:
            yield f"the table {table.name} shows counts, and '{name}' is a number: it takes options, or yes or no, or limits"
    if any(item.role is Role.DIARY for item in shown.values()) and not _keeps_diaries(instrument):
        yield (
            f"the table {table.name} is about a diary, and that needs a code by which people are known (an item of the role "
            "identifier) and the day of an entry (an item of the role diary and the kind date)"
        )


def _keeps_diaries(instrument: Instrument) -> bool:
    items = instrument.items.values()
    days = (item for item in items if item.role is Role.DIARY and item.kind is Kind.DATE)
    return any(days) and any(item.role is Role.IDENTIFIER for item in items)


def _level_problems(name: str, item: Item) -> Iterator[str]:
    codes = item.level_codes
    yield from (
        f"the option '{code}' of the exposure '{name}' is taken for a level of its own: name it in several_as, or rename it"
        for code in sorted({code for code in codes if codes.count(code) > 1})
    )


def _name_problems(instrument: Instrument) -> Iterator[str]:
    """Exposures, tables and outcomes that are made of items have names of their own, and no item may have them."""
    items = instrument.items
    made = {table.cut_by: "the exposure" for table in instrument.tables if table.by}
    made |= {EVERYBODY: "the exposure"}
    made |= dict.fromkeys(TABLES_OF_OURS, "the table")
    exposures = {name for table in instrument.tables for name in table.factors} | set(instrument.who_answered)
    tables = [table.name for table in instrument.tables]
    for name in dict.fromkeys(name for name in tables if tables.count(name) > 1):
        yield f"two tables are called '{name}': give one of them another name"
    for name, what in made.items():
        taken = name in tables if what == "the table" else name in exposures
        if taken:
            yield f"{what} '{name}' is made by the pipeline: give yours another code"
    outcomes = [outcome for name, item in items.items() if item.is_stored for outcome in outcome_names(name, item)]
    twice = sorted({outcome for outcome in outcomes if outcomes.count(outcome) > 1})
    yield from (f"the name '{outcome}' is taken: give the item, option or limit another code" for outcome in twice)


def outcome_names(name: str, item: Item) -> tuple[str, ...]:
    """The names of all outcomes that can be made of an item: of its answers, its limits, and of who left it out."""
    answers = tuple(option_column(name, code) for code in item.codes) or (name,)
    limits = tuple(f"above_{limit.code}" for limit in item.limits)
    read = tuple(option_column(limit, reading) for limit in limits for reading in READINGS if item.readings)
    return (*answers, *(option_column(name, each) for each in (*limits, *read, LEFT_OUT)))


def _weighting_problems(instrument: Instrument) -> Iterator[str]:
    """Each way in which what an instrument says of weights cannot be meant."""
    weighting, given = instrument.weighting, instrument.weight_items
    if weighting is None:
        if given:
            yield f"the item {given[0]} has the role weight: say why in [weighting]"
        return
    if len(given) > 1:
        yield f"the items {given[0]} and {given[1]} both have the role weight: there is one weight a person"
    if given and weighting.margins:
        yield f"weights come from the item {given[0]} or from margins, not from both"
    if not (given or weighting.margins or weighting.strata or weighting.clusters):
        yield "[weighting] needs margins, an item of the role weight, or strata or clusters"
    yield from _method_problems(weighting)
    for margin in weighting.margins:
        yield from _margin_problems(margin, instrument.items.get(margin.item))
    for key, name in (("strata", weighting.strata), ("clusters", weighting.clusters)):
        yield from _design_problems(key, name, instrument.items.get(name or ""))


def _method_problems(weighting: Weighting) -> Iterator[str]:
    items = [margin.item for margin in weighting.margins]
    if len(set(items)) != len(items):
        yield "two margins are about the same item"
    if weighting.method == "post_stratify" and len(items) > 1:
        yield 'post-stratification takes one margin: use `method = "rake"` for several'
    if weighting.trim is not None and not 0 <= weighting.trim[0] < 1 < weighting.trim[1]:
        yield "`trim` is the least and the greatest weight, as multiples of the average: below 1 and above 1"


def _margin_problems(margin: Margin, item: Item | None) -> Iterator[str]:
    if item is None:
        return
    if item.kind not in (Kind.CHOICE, Kind.YES_NO) or not item.is_stored:
        yield f"a margin is about the item {margin.item}: it takes a stored item of the kind choice or yes_no"
        return
    for code in sorted(set(margin.shares) - set(item.level_codes)):
        near = did_you_mean(code, item.level_codes)
        yield f"the margin of {margin.item} names the answer '{code}', which is no code of it.{near}"
    if min(margin.shares.values()) < 0:
        yield f"the margin of {margin.item} has a share below 0"
    if abs(sum(margin.shares.values()) - 1) > 0.001:  # percentages rounded to a tenth miss it by as much
        yield f"the shares of the margin of {margin.item} do not add up to 1"


def _design_problems(key: str, name: str | None, item: Item | None) -> Iterator[str]:
    if item and (item.kind not in (Kind.CHOICE, Kind.YES_NO, Kind.NUMBER) or not item.is_stored):
        yield f"`{key}` names the item {name}: it takes a stored item of the kind choice, yes_no or number"


def _reserved(items: dict[str, Item]) -> Iterator[str]:
    """Columns of the responses are named after items and options: each may be there only once."""
    columns = [column for name, item in items.items() if item.is_stored for column in item.columns(name)]
    twice = {column for column in columns if columns.count(column) > 1} | (RESERVED & set(columns))
    yield from (f"the name '{column}' is taken: give the item or option another code" for column in sorted(twice))
    headings = {_fold(text): name for name, item in items.items() for text in item.texts}
    for name in items:
        if headings.get(_fold(name), name) != name:
            yield f"the item {headings[name]} is exported under the heading '{name}', which is another item's code"


def _shared_headings(one: Item, other: Item) -> set[str]:
    """Headings that could be either item's. One that took the other's place at a later time may have its wording."""
    shared = set(map(_fold, one.texts)) & set(map(_fold, other.texts))
    return shared if shared and meet(one.since, one.until, other.since, other.until) else set()


def _relation_problems(name: str, item: Item, items: dict[str, Item]) -> Iterator[str]:
    """What one item says of another must fit the other: a condition its codes, a baseline the same scale."""
    if item.applies_if and (condition := items.get(item.applies_if.item)):
        for unknown in sorted(set(item.applies_if.values) - set(condition.codes or ("yes", "no"))):
            near = did_you_mean(unknown, condition.codes)
            yield f"the item {name} applies if '{item.applies_if.item}' is '{unknown}', which is no code of it.{near}"
    if item.baseline == name:
        yield f"the item {name} is its own baseline: name the item that holds the same score before"
    if item.baseline and (before := items.get(item.baseline)) and _scale_of(before) != _scale_of(item):
        yield f"the items {name} and {item.baseline} must have the same kind, minimum, maximum and step"
    yield from _reading_problems(name, item, items)


def _reading_problems(name: str, item: Item, items: dict[str, Item]) -> Iterator[str]:
    """What stands beside a dose must be one in words, and an answer to which weight is meant."""
    written, basis = items.get(item.readings or ""), items.get(item.basis or "")
    if written and not (written.kind is Kind.DOSE and written.is_stored):
        yield f"the item {name} is read again by '{item.readings}', which is of another kind than dose, or not stored"
    if basis and not (basis.kind is Kind.CHOICE and basis.is_stored):
        yield f"the item {name} has the basis '{item.basis}', which is of another kind than choice, or not stored"
    elif basis and (lacking := [code for code in BASES if code not in basis.codes]):
        yield f"the item {name} has the basis '{item.basis}', whose options lack the code '{lacking[0]}'"


def _scale_of(item: Item) -> tuple[Kind, float | None, float | None, float | None]:
    return item.kind, item.minimum, item.maximum, item.step


def _has_levels(item: Item) -> bool:
    """Whether people can be told apart by the item, each in one level."""
    return item.is_stored and (item.kind in CLOSED or (item.is_numeric and bool(item.bands)))


def _is_measurable(item: Item) -> bool:
    if item.role is Role.DIARY:
        return item.kind in (Kind.SCALE, Kind.NUMBER, Kind.YES_NO)
    return item.is_stored and (item.kind is Kind.SCALE or item.kind in CLOSED or bool(item.limits))


def _references(instrument: Instrument) -> Iterator[tuple[str, str]]:
    yield "form", instrument.form
    yield "dose", instrument.dose
    yield from (("who_answered", name) for name in instrument.who_answered)
    for table in instrument.tables:
        yield from ((f"the table {table.name}", name) for name in table.factors)
        yield from ((f"the table {table.name}", name) for name in table.outcomes)
    for name, item in instrument.items.items():
        if item.baseline:
            yield f"the item {name}", item.baseline
        if item.applies_if:
            yield f"the item {name}", item.applies_if.item
        if item.readings:
            yield f"the item {name}", item.readings
        if item.basis:
            yield f"the item {name}", item.basis
    if weighting := instrument.weighting:
        named = (*(margin.item for margin in weighting.margins), weighting.strata, weighting.clusters)
        yield from (("[weighting]", name) for name in named if name is not None)


# --- Finding and reading -----------------------------------------------------------------------------------------------


def load_instrument(name_or_path: str | Path) -> Instrument:
    """Read an instrument: a path to a file or folder, else `./schemas/NAME/`, else one shipped with the package.

    Raises `WrongUsage` if there is none, `InputRefused` if it cannot be read or contradicts itself.
    """
    return parse_instrument(_find(str(name_or_path)))


def shipped_instruments() -> list[str]:
    """The names of the instruments that come with the package."""
    return sorted(entry.name for entry in _shipped().iterdir() if (entry / "instrument.toml").is_file())


def _shipped() -> Any:
    """Package data in an installed wheel; the repository's own `schemas/` in a source checkout."""
    inside = files("survey_pipeline").joinpath("schemas")
    return inside if inside.is_dir() else Path(__file__).parents[2] / "schemas"


def shipped_text(*parts: str) -> str:
    """A text file shipped below `schemas/`, such as the disclosure policy."""
    text: str = _shipped().joinpath(*parts).read_text(encoding="utf-8")
    return text


def _find(name: str) -> str:
    given = Path(name)
    for path in (given, given / "instrument.toml", Path("schemas") / name / "instrument.toml"):
        if path.is_file():
            return _read_text(path)
    if re.fullmatch(r"[a-z][a-z0-9_]*", name) and name in shipped_instruments():
        return shipped_text(name, "instrument.toml")
    known = shipped_instruments()
    raise WrongUsage(
        f"There is no instrument '{name}'.{did_you_mean(name, known)}",
        f"Give a path to an instrument.toml, or one of: {', '.join(known)}.",
    )


def folder_of(name_or_path: str | Path) -> Path:
    """The folder in which what belongs to an instrument lies, or would lie: that of its file, else `./schemas/NAME/`."""
    given = Path(name_or_path)
    if given.is_file():
        return given.parent
    return given if (given / "instrument.toml").is_file() else Path("schemas") / given


def beside(name_or_path: str | Path, file: str) -> str | None:
    """The text of a file that lies beside an instrument, which is found as `load_instrument` finds it; None where there is no
    such file, or no such instrument.
    """
    folder, name = folder_of(name_or_path), str(name_or_path)
    if (folder / file).is_file():
        return _read_text(folder / file)
    is_own = Path(name_or_path).is_file() or (folder / "instrument.toml").is_file()
    shipped = _shipped() / name / file
    return shipped_text(name, file) if not is_own and name in shipped_instruments() and shipped.is_file() else None


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise InputRefused(f"The file {path.name} cannot be read as UTF-8 text.", "Save it again as UTF-8.") from None


def parse_instrument(text: str) -> Instrument:
    """An instrument from the text of its file; `InputRefused` names the place and the nearest known key."""
    try:
        return Instrument.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputRefused(f"The instrument is not valid TOML: {error}.", "Mend that line and run again.") from None
    except ValidationError as error:
        raise InputRefused(explain(error, Instrument), "Mend the instrument and run again.") from None


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first thing a file gets wrong, as one sentence with its place and, for an unknown key, the nearest known one."""
    found = error.errors(include_url=False, include_context=False)
    # A misspelt key is unknown and missing at once: to name it as unknown says more.
    first = next((one for one in found if one["type"] == "extra_forbidden"), found[0])
    place = ".".join(str(part) for part in first["loc"]) or "the file"
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        return f"Unknown key '{key}' at {place}.{did_you_mean(key, _known_keys(model, first['loc'][:-1]))}"
    said = _in_words(first)
    return f"At {place}: {said}{'' if said.endswith('?') else '.'}"


def _in_words(problem: Any) -> str:
    """What is wrong with a key, in words that say what is allowed."""
    allowed = re.fullmatch(r".*'\^\(([a-z_|]+)\)\$'.*", problem["msg"])
    plain = {
        "missing": "this key is needed",
        "too_short": "it must not be empty",
        "string_pattern_mismatch": "it is not written as this key is: see schemas/README.md",
    }
    if problem["type"] == "string_pattern_mismatch" and allowed:
        return f"it must be one of: {', '.join(allowed[1].split('|'))}"
    return plain.get(problem["type"]) or str(problem["msg"]).removeprefix("Value error, ")


def _known_keys(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """The keys allowed at a place in a nested model."""
    current = model
    for part in place:
        field = current.model_fields.get(str(part))
        current = (_model_inside(field.annotation) or current) if field else current
    return list(current.model_fields)


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_inside(argument) for argument in getattr(annotation, "__args__", ()))
    return next((found for found in inner if found), None)


def _fold(text: str) -> str:
    """Headings are compared without regard to case, non-breaking or doubled spaces."""
    return " ".join(text.split()).casefold()
