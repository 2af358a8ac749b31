"""A chunk: some neighbouring rows of a sample, and what each of its people answers.

What belongs here: random numbers and the order of rows. What does not: probabilities (`population`), how a single answer is
written (`cells`), and what an export looks like (`layouts`, `files`).

Every column of every chunk has a stream of random numbers of its own, named by seed, wave, chunk and column. So the
same inputs give the same bytes, and memory is bounded by one chunk, whatever the number of rows.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from survey_pipeline.instrument import Instrument, Item, Kind, Option, Role
from survey_pipeline.sample.cells import Cell, Writer, conditions_of, consent_cells, label_of, plain, writer
from survey_pipeline.sample.plan import DoseWords, SamplePlan
from survey_pipeline.sample.population import Floats, Integers, Population
from survey_pipeline.sample.sent import Question, Sent, as_times
from survey_pipeline.sample.tallied import RowKind, Tallied

Flags = npt.NDArray[np.bool_]

CHUNK_ROWS: Final = 50_000
IN_WORDS: Final = (Kind.TEXT, Kind.DOSE)
"""Kinds whose answers are written in people's own words."""
TIMESTAMP: Final = "Timestamp"
DAYS_OPEN: Final = 28
DAY: Final = 86_400
LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""No I, O, 0 or 1: people copy such codes by hand."""
COMMENTS: Final = (
    "Thank you for asking!",
    "Some days are better than others, it is hard to say.",
    "Très utile, merci à toute l'équipe 🙏",
    'My label only says "magnesium", nothing else.',
    "First line\nsecond line, with a comma",
    "Größe der Tablette: zu groß 😅",
    "=1+1 is what the spreadsheet made of it",
)
SEASONS: Final = {"winter": 1, "spring": 4, "summer": 7, "autumn": 10, "fall": 10}


def chunks(people: Population, rows: int, seed: int) -> Iterator["Chunk"]:
    """The parts in which a sample is drawn; one empty part where no rows are asked for, as headings are written."""
    writers = Writers(people.instrument, people.plan)
    tables: dict[str, Table] = {}
    for number, first in enumerate(range(0, max(rows, 1), CHUNK_ROWS)):
        yield Chunk(people, seed, number, first, min(CHUNK_ROWS, rows - first), rows, writers, tables)


# --- Random choice ---------------------------------------------------------------------------------------------------


class Table:
    """Rows of probabilities, from which places are picked by numbers between 0 and 1."""

    def __init__(self, probabilities: Floats) -> None:
        flat = probabilities.reshape(-1, probabilities.shape[-1])
        cumulated = np.minimum(np.cumsum(flat, axis=1), 1.0)
        cumulated[cumulated > 1 - 1e-12] = 1.0
        cumulated[:, -1] = 1.0
        self.width = flat.shape[1]
        self.ends = (cumulated + np.arange(len(flat))[:, None]).ravel()

    def pick(self, rows: Integers, luck: Floats) -> Integers:
        """For each row number the place whose share of the row the luck falls in."""
        places: Integers = np.searchsorted(self.ends, rows + luck, side="right") - rows * self.width
        return places.clip(max=self.width - 1)


class Writers:
    """How each column is written; kept over chunks where its answers are always the same."""

    def __init__(self, instrument: Instrument, plan: SamplePlan) -> None:
        self.instrument, self.plan = instrument, plan
        self._kept: dict[str, Writer] = {}

    def fixed(self, name: str, answers: Sequence[str]) -> Writer:
        """The writer of an item that always has the same answers."""
        if name not in self._kept:
            item = self.instrument.items[name]
            self._kept[name] = self.changing(name, answers, [label_of(item, answer) for answer in answers])
        return self._kept[name]

    def changing(self, name: str, answers: Sequence[str], texts: Sequence[str]) -> Writer:
        """The writer of an item whose answers differ from chunk to chunk."""
        return writer(self.instrument, self.plan, name, answers or [""], texts or [""])


# --- A chunk of rows -------------------------------------------------------------------------------------------------


@dataclass
class Chunk:
    """Some neighbouring rows of a sample. Answers are places among an item's answers; -1 where nothing was asked."""

    people: Population
    seed: int
    number: int
    first_row: int
    height: int
    total: int
    writers: Writers
    tables: dict[str, Table]
    _drawn: dict[str, Integers] = field(default_factory=dict)

    @property
    def instrument(self) -> Instrument:
        """The instrument that is answered."""
        return self.people.instrument

    @property
    def plan(self) -> SamplePlan:
        """The plan under which people answer."""
        return self.people.plan

    def luck(self, *key: str) -> Floats:
        """One number between 0 and 1 for each row, always the same for the same key."""
        return self.lucks(self.height, *key)

    def lucks(self, n: int, *key: str) -> Floats:
        """So many numbers between 0 and 1, always the same for the same key."""
        words = ("sample", self.instrument.name, self.people.wave, str(self.seed), str(self.number), *key)
        digest = sha256("|".join(words).encode()).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big"))).random(n)

    # --- answers ---

    def answers(self, name: str) -> Integers:
        """The answers to an item: places among `Population.answers`, bits of ticked options, or days ago."""
        if name not in self._drawn:
            self._drawn[name] = np.where(self.asked(name), self._latent(name), -1)
        return self._drawn[name]

    def _latent(self, name: str) -> Integers:
        """The answers that everybody would give if everybody was asked."""
        item = self.instrument.items[name]
        if item.kind is Kind.CHOICES:
            return self._ticked(name, item)
        if item.kind is Kind.DATE:
            return (self.luck(name) * 7).astype(np.int64)
        if name in self.people.outcomes:
            return self._now(name, item)
        if name in self.people.baselines:
            before = self.people.before(self.people.baselines[name])[1]
            return self._table(name, before[None, :]).pick(np.zeros(self.height, dtype=np.int64), self.luck(name))
        return self._table(name, self.people.pmf(name)).pick(self._form_rows(name), self.luck(name))

    def drawn(self, name: str, rows: Integers, luck: Floats) -> Integers:
        """Answers to a question that is not about before and now, for some of the rows, each with luck of its own."""
        return self._table(name, self.people.pmf(name)).pick(self._form_rows(name)[rows], luck)

    def _table(self, name: str, probabilities: Floats) -> Table:
        if name not in self.tables:
            self.tables[name] = Table(probabilities)
        return self.tables[name]

    def _form_rows(self, name: str) -> Integers:
        """Each person's row in the arrays by form. What the form itself depends on is drawn as for 'no form'."""
        form = self.instrument.form
        if self._is_before_form(name):
            return np.full(self.height, len(self.people.forms))
        return np.where(self.answers(form) < 0, len(self.people.forms), self._one_form())

    def _one_form(self) -> Integers:
        """Each person's form; of those who ticked several, the answer that stands for it, or else the first of them."""
        form = self.instrument.items[self.instrument.form]
        given = self.answers(self.instrument.form)
        if form.kind is not Kind.CHOICES:
            return given
        lowest = np.log2(np.maximum(given & -given, 1)).astype(np.int64)
        several = lowest if form.several_as is None else form.codes.index(form.several_as)
        found: Integers = np.where(given < 0, -1, np.where(given & (given - 1) > 0, several, lowest))
        return found

    def _is_before_form(self, name: str) -> bool:
        """Whether an item is the form or decides who is asked for one: then nothing about it can depend on the form."""
        return name == self.instrument.form or name in conditions_of(self.instrument, self.instrument.form)

    def _ticked(self, name: str, item: Item) -> Integers:
        """Ticked options as bits. Nobody ticks nothing: they tick 'none', or any one where there is no such option."""
        chances = self.people.ticked(name)[self._form_rows(name)]
        ticked = sum((self.luck(name, code) < chances[:, i]).astype(np.int64) << i for i, code in enumerate(item.codes))
        empty = next((1 << i for i, option in enumerate(item.options) if option.exclusive), None)
        alone = empty if empty is not None else 1 << self._one_of(name, item)
        return np.where(np.asarray(ticked) == 0, alone, ticked).astype(np.int64)

    def _one_of(self, name: str, item: Item) -> Integers:
        return (self.luck(name, "one") * len(item.options)).astype(np.int64)

    def _now(self, name: str, item: Item) -> Integers:
        bands = self.people.effects.shape[1]
        rows = self._form_rows(name) * bands + self._dose_band()
        if item.baseline:
            before = len(self.people.before(name)[0])
            rows = rows * before + self._before(item.baseline)
        table = self.tables[name] if name in self.tables else self._table(name, self.people.now(name)[1])
        return table.pick(rows, self.luck(name))

    def _before(self, baseline: str) -> Integers:
        """The score before, also of people who were not asked for it."""
        key = f"{baseline} (latent)"
        if key not in self._drawn:
            self._drawn[key] = self._latent(baseline)
        return self._drawn[key]

    def _dose_band(self) -> Integers:
        if not self.people.doses:
            return np.full(self.height, self.people.band_of_dose[-1])
        return self.people.band_of_dose[self.answers(self.instrument.dose)]

    def asked(self, name: str) -> Flags:
        """Who answers an item at all: not skipped, the condition met, the optional section filled in."""
        met = self._everybody()
        if condition := self.instrument.items[name].applies_if:
            met &= self._meets(condition.item, condition.values)
        if not self._is_before_form(name):
            met &= self._fills_in(name)
        return met

    def _fills_in(self, name: str) -> Flags:
        for place, section in enumerate(self.plan.optional):
            if name in section.items:
                return self.luck("section", str(place)) < section.share
        skipping = [place for place, form in enumerate(self.people.forms) if name in self.plan.skipped.get(form, ())]
        filling_in: Flags = np.isin(self._one_form(), skipping, invert=True)
        return filling_in

    def _everybody(self) -> Flags:
        return np.ones(self.height, dtype=np.bool_)

    def _meets(self, name: str, values: tuple[str, ...]) -> Flags:
        item, given = self.instrument.items[name], self.answers(name)
        if item.kind is Kind.CHOICES:
            wanted = sum(1 << place for place, code in enumerate(item.codes) if code in values)
            ticked: Flags = (given >= 0) & ((given & wanted) != 0)
            return ticked
        met: Flags = np.isin(given, [i for i, code in enumerate(self.people.answers(name)) if code in values])
        return met

    # --- rows ---

    @cached_property
    def kinds(self) -> Integers:
        """What each row is. Only an ordinary row of the same chunk is repeated, and only where a rule would notice."""
        limits = 1 - np.cumsum(self._rates()[::-1])[::-1]
        kinds = np.searchsorted(limits, self.luck("rows"), side="right").astype(np.int64)
        before = np.append(RowKind.DOUBLED, kinds)[: self.height]
        repeats = (kinds == RowKind.DOUBLED) | (kinds == RowKind.SECOND_ANSWER)
        return np.where(repeats & (before != RowKind.ORDINARY), RowKind.ORDINARY, kinds)

    def _rates(self) -> tuple[float, float, float]:
        mess, rules = self.plan.mess, self.instrument.duplicates
        consent = mess.rows_without_consent * bool(self.instrument.with_role(Role.CONSENT))
        known = rules.same_respondent and bool(self.instrument.with_role(Role.IDENTIFIER))
        return consent, mess.doubled_rows * rules.identical_rows, mess.second_answers * known

    @cached_property
    def _without_required(self) -> Integers:
        """For each row, which of the required items (by place) was left blank; -1 for none."""
        required = [name for name, item in self.instrument.stored.items() if item.required]
        which = (self.luck("which required") * len(required)).astype(np.int64)
        blank = self.luck("required") < self.plan.mess.rows_without_required * bool(required)
        return np.where(blank, which, -1)

    @cached_property
    def seconds(self) -> Integers:
        """When each row was sent: evenly over the weeks in which the wave was open, in order."""
        place = (self.first_row + np.arange(self.height) + self.luck("time")) / max(self.total, 1)
        return (opening(self.people.wave) + place * DAYS_OPEN * DAY).astype(np.int64)

    # --- columns ---

    def sent(self, tallied: "Tallied") -> Sent:
        """What the people of these rows sent; adds what was planted to `tallied`."""
        readable = np.ones(self.height, dtype=np.bool_)
        written: dict[str, tuple[tuple[Cell, ...], Integers]] = {}
        questions: list[Question] = []
        for number, name, item in self.asked_in_order():
            if self.is_special(item):
                questions.append(self._special(number, name, item))
                continue
            cells, places = written[name] = self._written(name, item)
            questions.append(Question(number, name, item, cells, places))
            if item.required:
                readable &= np.array([cell.is_readable for cell in cells])[places]
        tallied.add(self.instrument, self.kinds, readable, written)
        doubled = np.arange(self.height) - (self.kinds == RowKind.DOUBLED)
        return Sent(self.first_row, self.seconds, tuple(questions), doubled)

    def asked_in_order(self) -> Iterator[tuple[int, str, Item]]:
        """The questions with their numbers, from 1; the tools write the time of an answer by themselves."""
        asked = ((name, item) for name, item in self.instrument.items.items() if TIMESTAMP not in item.texts)
        yield from ((number, name, item) for number, (name, item) in enumerate(asked, start=1))

    @staticmethod
    def is_special(item: Item) -> bool:
        """Whether answers to a question are not counted: consent, the respondent's code, words."""
        return item.kind in IN_WORDS or item.role in (Role.CONSENT, Role.IDENTIFIER)

    def _written(self, name: str, item: Item) -> tuple[tuple[Cell, ...], Integers]:
        """The cells that a column may hold, and the place of each row's."""
        answers, column = self._to_write(name, item)
        places = column.write(answers, self.luck(name, "untidy"), self.luck(name, "which"))
        required = [each for each, stored in self.instrument.stored.items() if stored.required]
        if name in required:
            places = np.where(self._without_required == required.index(name), 0, places)
        return column.cells, places

    def _to_write(self, name: str, item: Item) -> tuple[Integers, Writer]:
        answers = self.answers(name)
        if item.kind not in (Kind.CHOICES, Kind.DATE):
            return answers, self.writers.fixed(name, self._offered(name))
        if item.kind is Kind.DATE:
            answers = np.where(answers < 0, -1, self.seconds // DAY - answers)
        different, places = np.unique(answers[answers >= 0], return_inverse=True)
        answers = answers.copy()
        answers[answers >= 0] = places
        if item.kind is Kind.DATE:
            days = _dates(different)
            return answers, self.writers.changing(name, days, days)
        ticked = [_options(item, bits) for bits in different.tolist()]
        codes = [" ".join(option.code for option in options) for options in ticked]
        # As Google Forms writes several answers in one cell.
        texts = [", ".join(option.label for option in options) for options in ticked]
        return answers, self.writers.changing(name, codes, texts)

    def _offered(self, name: str) -> list[str]:
        """The answers of an item in the order of their places."""
        if name in self.people.outcomes:
            return [plain(value) for value in self.people.now(name)[0].tolist()]
        if name in self.people.baselines:
            return [plain(value) for value in self.people.before(self.people.baselines[name])[0].tolist()]
        return list(self.people.answers(name))

    def _special(self, number: int, name: str, item: Item) -> Question:
        """Questions whose answers are not counted: consent, the respondent's code, words."""
        if item.role is not Role.CONSENT:
            return Question(number, name, item, words=self._words(name, item))
        return Question(number, name, item, consent_cells(item), (self.kinds == RowKind.NO_CONSENT).astype(np.int64))

    def _words(self, name: str, item: Item) -> pl.Series:
        if item.role is Role.IDENTIFIER:
            return self.codes(name)
        if self.plan.dose_words and name == self.plan.dose_words.item:
            return self._dose_words(self.plan.dose_words)
        return self._comments(name)

    def codes(self, name: str) -> pl.Series:
        """A code that no other row of the sample has, but for a second answer, which has that of the row before."""
        rows = self.first_row + np.arange(self.height) - (self.kinds == RowKind.SECOND_ANSWER)
        start = int(sha256(f"{self.people.wave}|{self.seed}|{name}".encode()).hexdigest()[:7], 16)
        scattered = (rows * 662_608_997 + start) % 2**30
        syllables = pl.Series([a + b + c for a in LETTERS for b in LETTERS for c in LETTERS])
        return syllables.gather(scattered >> 15) + "-" + syllables.gather(scattered & 0x7FFF)

    def _comments(self, name: str) -> pl.Series:
        texts = [None, *(self.plan.comments or COMMENTS)]
        place = 1 + (self.luck(name, "which") * (len(texts) - 1)).astype(np.int64)
        return pl.Series(texts).gather(np.where(self.luck(name) < self.plan.mess.comments, place, 0))

    def _dose_words(self, words: DoseWords) -> pl.Series:
        """The dose in words, agreeing with the form, the dose and the number of doses that the same person gave."""
        form, dose, times = (self.answers(name) for name in (self.instrument.form, words.dose, words.times))
        width = [len(self._offered(name)) for name in (words.dose, words.times)]
        key = np.where((dose < 0) | (times < 0) | (form < 0), -1, (form * width[0] + dose) * width[1] + times)
        different, places = np.unique(key, return_inverse=True)
        texts = [None if each < 0 else self._in_words(words, *_unravelled(each, width)) for each in different.tolist()]
        return pl.Series(texts, dtype=pl.String).gather(places)

    def _in_words(self, words: DoseWords, form: int, dose: int, times: int) -> str:
        name = self._compound(words, self.people.forms[form])
        total, n = float(self._offered(words.dose)[dose]), float(self._offered(words.times)[times])
        unit = self.instrument.items[words.dose].unit.split("/")[0]
        if n > 1 and (total / n).is_integer():
            return f"{plain(n)} x {plain(total / n)} {unit} {name}".rstrip()
        return " ".join(f"{plain(total)} {unit} {name} a day".split())

    def _compound(self, words: DoseWords, form: str) -> str:
        """What people call the compound; nothing where the form is none, such as a mix."""
        known = {compound.code: compound.texts[0] for compound in self.instrument.items[words.item].compounds}
        label = label_of(self.instrument.items[self.instrument.form], form).lower()
        return known.get(form, "") if known else label


def _unravelled(key: int, width: Sequence[int]) -> tuple[int, int, int]:
    return key // width[1] // width[0], key // width[1] % width[0], key % width[1]


def _options(item: Item, bits: int) -> list[Option]:
    return [option for place, option in enumerate(item.options) if bits >> place & 1]


def _dates(days: Integers) -> list[str]:
    texts: list[str] = as_times(days * DAY, "%Y-%m-%d").to_list()
    return texts


def opening(wave: str) -> float:
    """When a wave opened, in seconds since 1970, read from its name ('2026-03', '2026-autumn'); else January 2026."""
    year = re.search(r"(?:19|20)\d\d", wave)
    month = re.search(r"(?:19|20)\d\d\D?(0[1-9]|1[0-2])(?!\d)", wave)
    season = next((start for word, start in SEASONS.items() if word in wave.lower()), 1)
    first = int(year.group()) if year else 2026, int(month.group(1)) if month else season
    return datetime(*first, 1, tzinfo=UTC).timestamp()
