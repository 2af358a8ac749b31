"""By hand: what somebody does with a pencil who holds a release and wants to know of a few people.

What belongs here: one function an attack, from a release to what it finds, by adding, subtracting, dividing and counting
digits. None uses the code that hides or proves. What does not: tables on which they would work (`worlds`), and files
(`in_files`).

An attack finds something where a count of a few people is narrower than its mark, "fewer than 10", tells it: from 1 to 9.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import ceil, floor, inf

from scipy import stats

from survey_pipeline.release import Release, Row

FEW = 9
"""The most that "fewer than 10" may mean."""
FEW_FOR_A_MEAN = 20
ALL = "all"
SCALE_WIDTH_TOLD = 0.5
"""A mean of a few people is told where it is known to lie within half of its scale."""
Found = list[str]
Words = tuple[str, str, str, str]
"""Exposure, level, outcome, statistic."""


@dataclass(frozen=True)
class Span:
    """From the least to the most that a number can be."""

    least: float
    most: float

    def __add__(self, other: "Span") -> "Span":
        return Span(self.least + other.least, self.most + other.most)

    def __sub__(self, other: "Span") -> "Span":
        return Span(self.least - other.most, self.most - other.least)

    def __mul__(self, other: "Span") -> "Span":
        """Of two numbers that are not negative."""
        return Span(self.least * other.least, self.most * other.most)

    def __and__(self, other: "Span") -> "Span":
        return Span(max(self.least, other.least), min(self.most, other.most))

    def __str__(self) -> str:
        return f"{self.least:.4g} to {self.most:.4g}"


NOTHING = Span(0, 0)
ANY = Span(0, inf)


def told(whom: str, span: Span) -> Found:
    """What is found of a count of a few people."""
    return [f"{whom}: {span}"] if span.least > 1 or span.most < FEW else []


def total(spans: Iterable[Span]) -> Span:
    return sum(spans, NOTHING)


def digit(number: float) -> int:
    """How many digits stand behind the point."""
    return len(repr(number).partition(".")[2].removesuffix("0"))


@dataclass(frozen=True)
class Paper:
    """A release as it lies before a reader."""

    release: Release

    @cached_property
    def shown(self) -> Mapping[Words, Row]:
        """Rows with numbers. Everybody is looked up under the table's exposure."""
        rows = (row for row in self.release.rows if row.estimate is not None)
        return {(row.exposure, row.level, row.outcome, row.statistic): row for row in rows}

    @cached_property
    def base(self) -> int:
        """To what counts are rounded, as can be seen."""
        counts = [n for row in self.shown.values() for n in (row.n_respondents, row.n_missing) if n]
        return next(base for base in (5, 1) if all(n % base == 0 for n in counts))

    def around(self, count: float) -> Span:
        """What a count can have been before it was rounded."""
        return Span(count - self.base // 2, count + (self.base - 1) - self.base // 2)

    def people(self, row: Row) -> Span:
        return self.around(row.n_respondents or 0)

    def answered(self, row: Row) -> Span:
        """Those who answered. Where it is not told how many did not, the number is that of all who were asked, of whom
        fewer than 10 did not, as the report says.
        """
        people = self.people(row)
        return people if row.n_missing is not None else Span(max(0, people.least - FEW), people.most)

    def events(self, row: Row) -> Span:
        """Those whom a share counts: per cent of how many."""
        assert row.estimate is not None and row.n_respondents is not None
        count = row.estimate if row.statistic == "count" else row.estimate * row.n_respondents
        return self.around(self.base * round(count / self.base))

    def levels(self, exposure: str, outcome: str, statistic: str) -> dict[str, Row]:
        """The shown levels of a statistic, with everybody."""
        return {
            words[1]: row
            for words, row in self.shown.items()
            if words[::2] == (exposure, outcome) and words[3] == statistic
        }

    def all_levels(self, exposure: str) -> set[str]:
        return {row.level for row in self.release.rows if row.exposure == exposure} - {ALL}

    def row(self, exposure: str, level: str, outcome: str, statistic: str) -> Row | None:
        return self.shown.get((exposure, level, outcome, statistic))


# --- Adding and subtracting ---------------------------------------------------------------------------------------------


def totals_minus_shown_cells(
    paper: Paper, exposure: str, victims: str, outcome: str, statistic: str = "share"
) -> Found:
    """Everybody's count, less that of every level but one."""
    shown = paper.levels(exposure, outcome, statistic)
    counts = {level: paper.events(row) for level, row in shown.items()}
    return told(f"{victims}, {outcome}", _left_over(counts, paper.all_levels(exposure), victims))


def _left_over(counts: Mapping[str, Span], levels: Iterable[str], victims: str) -> Span:
    """What everybody leaves to one level; a level that is not shown can be any."""
    if victims in counts:
        return counts[victims]
    others = total(counts.get(level, ANY) for level in levels if level != victims)
    return (counts.get(ALL, ANY) - others) & ANY


def people_of_a_group_minus_part(paper: Paper, whole: Words, part: Words, victims: str) -> Found:
    """People of a group who are not in another one that lies inside: subtract."""
    rows = paper.shown.get(whole), paper.shown.get(part)
    if rows[0] is None or rows[1] is None:
        return []
    return told(victims, (paper.people(rows[0]) - paper.people(rows[1])) & ANY)


def margin_in_another_table(paper: Paper, exposure: str, victims: str, elsewhere: Mapping[str, Words]) -> Found:
    """How many people are in a level: everybody less all others, where a level that this table hides is taken from
    another one (`elsewhere`).
    """
    counts = {level: paper.events(row) for level, row in paper.levels(exposure, "respondents", "share").items()}
    if everybody := paper.row("respondents", ALL, "respondents", "count"):
        counts[ALL] = paper.people(everybody)
    for level, words in elsewhere.items():
        if (row := paper.shown.get(words)) is not None:
            counts.setdefault(level, paper.events(row))
    return told(victims, _left_over(counts, paper.all_levels(exposure), victims))


def group_minus_part(paper: Paper, whole: Words, part: Words, victims: str) -> Found:
    """People of a level who are not among those whom another table counts."""
    rows = paper.shown.get(whole), paper.shown.get(part)
    if rows[0] is None or rows[1] is None:
        return []
    return told(victims, (paper.events(rows[0]) - paper.events(rows[1])) & ANY)


def people_who_left_it_out(paper: Paper, exposure: str, outcome: str, statistic: str) -> Found:
    """The people in a level, as one table tells them, less those who answered a question, as another one does.

    Where the two numbers are the same, the second may be that of all who were asked, as the report says it is.
    """
    found: Found = []
    for level, row in paper.levels(exposure, outcome, statistic).items():
        there = paper.row(exposure, level, "respondents", "share") if level != ALL else None
        if there is not None and row.n_missing is None:
            rest = paper.events(there) - paper.people(row)
            found += (
                told(f"left {outcome} out, {level}", rest & ANY) if rest != paper.around(0) - paper.around(0) else []
            )
    return found


def complements_of_options(paper: Paper, options: Sequence[str], victims: str) -> Found:
    """Everybody chose something: whoever chose none of the others chose this one."""
    rows = {name: row for name in options if (row := paper.row("everybody", ALL, name, "share"))}
    if victims in rows:
        return told(victims, paper.events(rows[victims]))
    if not rows:
        return []
    everybody = paper.answered(next(iter(rows.values())))
    others = total(paper.events(rows[name]) if name in rows else ANY for name in options if name != victims)
    return told(victims, (everybody - others) & ANY)


def the_other_side(paper: Paper, exposure: str, level: str, outcome: str) -> Found:
    """Whoever did not say yes said no."""
    row = paper.row(exposure, level, outcome, "share")
    return told(f"not {outcome}", (paper.answered(row) - paper.events(row)) & ANY) if row else []


def rows_at_a_stage(release: Release, victims: str) -> Found:
    """Rows read, less those used and those left out for every other reason."""
    counts = {stage.stage: stage.n for stage in release.stages}
    spans = {name: Span(n - 2, n + 2) for name, n in counts.items() if n}
    spans |= {name: NOTHING for name, n in counts.items() if n == 0}
    read = spans.pop("rows_read", ANY)
    others = total(spans.get(name, ANY) for name in counts if name not in ("rows_read", victims))
    return told(victims, spans.get(victims, (read - others) & ANY))


# --- Multiplying --------------------------------------------------------------------------------------------------------


def mean_times_n(paper: Paper, words: Words, scale: tuple[float, float], at_most: float) -> Found:
    """How many can have answered so low: each of them takes that much from the sum of all, which is the mean times n."""
    row = paper.shown.get(words)
    if row is None or row.estimate is None:
        return []
    missing = (scale[1] - row.estimate + _half_a_digit([row])) * paper.people(row).most
    return told(f"answered {at_most:g} or less", Span(0, floor(missing / (scale[1] - at_most))))


def means_of_nested_groups(paper: Paper, exposure: str, outcome: str, scale: tuple[float, float]) -> Found:
    """The sum of everybody's answers less those of the shown levels is that of the hidden ones; divided by how many these
    are, it is their mean.
    """
    shown = paper.levels(exposure, outcome, "mean")
    if ALL not in shown or len(shown) < 2 or not paper.all_levels(exposure) - set(shown):
        return []
    n, sums = _hidden_people_and_sum(paper, shown, scale[0])
    if not 0 < n.least <= n.most < FEW_FOR_A_MEAN:
        return []
    width = scale[1] - scale[0]
    mean = Span(max(0.0, sums.least) / n.most, min(width, sums.most / n.least))
    is_told = mean.most - mean.least < SCALE_WIDTH_TOLD * width
    return [f"the mean of {n} people: {mean} above the lowest answer"] if is_told else []


def _hidden_people_and_sum(paper: Paper, shown: Mapping[str, Row], lowest: float) -> tuple[Span, Span]:
    """How many the hidden levels hold together, and the sum of what they answered above the lowest answer."""
    half = _half_a_digit(shown.values())
    people = {level: paper.answered(row) for level, row in shown.items()}
    means = {level: (row.estimate or 0.0) - lowest for level, row in shown.items()}
    sums = {level: people[level] * Span(max(0.0, mean - half), mean + half) for level, mean in means.items()}
    levels = [level for level in shown if level != ALL]
    return people[ALL] - total(people[level] for level in levels), sums[ALL] - total(sums[level] for level in levels)


def _half_a_digit(rows: Iterable[Row]) -> float:
    """By how much a printed number may differ from the true one, judged by the longest of its kind."""
    return 0.5 * 10.0 ** -max(digit(row.estimate or 0.0) for row in rows)


def a_group_of_two(paper: Paper, own_answer: float, scale: tuple[float, float]) -> Found:
    """Somebody who knows their own answer takes it from the sum of a group in which there is only one other."""
    found: Found = []
    for row in paper.shown.values():
        if row.statistic == "mean" and row.n_respondents and paper.people(row).most <= 2 and row.estimate is not None:
            half = _half_a_digit([row])
            other = Span(2 * (row.estimate - half) - own_answer, 2 * (row.estimate + half) - own_answer)
            if other.most - other.least < SCALE_WIDTH_TOLD * (scale[1] - scale[0]):
                found.append(f"the other one in {row.level} answered {other}")
    return found


# --- Counting digits ----------------------------------------------------------------------------------------------------


def digits_of_a_share(paper: Paper) -> Found:
    """A share that no two rounded counts give was made from exact ones: which of them fit all of its digits?"""
    found: Found = []
    for row in paper.shown.values():
        if row.statistic == "share" and row.n_respondents and not _is_of_rounded_counts(row, paper.base):
            fitting = [n for n in _whole(paper.answered(row)) if _is_of(row.estimate or 0.0, n)]
            found += _narrowed(f"{row.level}, {row.outcome}", fitting, paper.answered(row))
    return found


def _is_of_rounded_counts(row: Row, base: int) -> bool:
    assert row.n_respondents is not None
    return any(round(k / row.n_respondents, 4) == row.estimate for k in range(0, row.n_respondents + 1, base))


def _is_of(share: float, n: int) -> bool:
    return round(round(share * n) / n, 4) == share


def _whole(span: Span) -> range:
    return range(max(1, ceil(span.least)), floor(span.most) + 1)


def _narrowed(what: str, fitting: Sequence[int], known: Span) -> Found:
    """Whether only some of the numbers that the rounding allows are left."""
    is_told = 0 < len(fitting) < len(_whole(known))
    return [f"{what}: n is {' or '.join(map(str, fitting))}"] if is_told else []


def digits_of_a_mean(paper: Paper) -> Found:
    """A mean of whole answers is a whole sum divided by n: which n give all of its digits?"""
    found: Found = []
    for row in paper.shown.values():
        if row.statistic == "mean" and row.estimate is not None:
            half = _half_a_digit([row]) * (1 + 1e-9)
            fitting = [
                n for n in _whole(paper.answered(row)) if abs(round(row.estimate * n) / n - row.estimate) <= half
            ]
            found += _narrowed(f"{row.level}, {row.outcome}", fitting, paper.answered(row))
    return found


def counts_to_the_unit(paper: Paper) -> Found:
    """Counts that are rounded to nothing tell whether one came or went."""
    return [] if paper.base >= 5 else ["counts of people are exact"]


def error_of_a_share(paper: Paper) -> Found:
    """The error of a share is the root of p (1 - p) / n: what is n?"""
    found: Found = []
    for row in paper.shown.values():
        if row.statistic == "share" and row.standard_error and row.estimate and row.n_respondents:
            n = row.estimate * (1 - row.estimate) / row.standard_error**2
            slack = 2e-4 / row.standard_error * n + 0.01  # half a digit of the error, and of the share
            if abs(n - row.n_respondents) > slack:
                found.append(f"{row.level}, {row.outcome}: n is {n:.1f}")
    return found


def interval_of_a_mean(paper: Paper) -> Found:
    """Half of an interval divided by its error is Student's t, which tells n; if not that of the rounded n, the true one."""
    found: Found = []
    for row in paper.shown.values():
        is_interval = row.statistic == "mean" and row.ci_upper is not None and row.standard_error
        if is_interval and not _interval_fits(row, row.n_respondents or 0):
            fitting = [n for n in _whole(paper.answered(row)) if _interval_fits(row, n)]
            found += _narrowed(f"{row.level}, {row.outcome}", fitting, paper.answered(row))
    return found


def _interval_fits(row: Row, n: int) -> bool:
    assert row.ci_upper is not None and row.ci_lower is not None and row.standard_error is not None
    reach, half = (row.ci_upper - row.ci_lower) / 2, 0.5 * 10.0 ** -digit(row.ci_upper)
    unit = 10.0 ** (len(str(int(row.standard_error))) - 2)  # of two significant digits
    errors = Span((reach - half) / stats.t.ppf(0.975, n - 1), (reach + half) / stats.t.ppf(0.975, n - 1))
    return errors.least <= row.standard_error + unit / 2 and errors.most >= row.standard_error - unit / 2


# --- Quantiles ----------------------------------------------------------------------------------------------------------

QUANTILES = {"quartile_1": 0.25, "median": 0.5, "quartile_3": 0.75}
EXTREMES = ("min", "max", "lowest", "highest", "range")


def quantiles(paper: Paper, exposure: str, level: str, outcome: str, at_least: float) -> Found:
    """A quantile says how many lie below it: below a threshold, how many can have reached that at the most."""
    rows = {p: row for name, p in QUANTILES.items() if (row := paper.row(exposure, level, outcome, name))}
    below = [(p, row) for p, row in rows.items() if row.estimate is not None and row.estimate < at_least]
    reached = [(p, row) for p, row in rows.items() if row.estimate is not None and row.estimate >= at_least]
    most = min((floor((1 - p) * paper.people(row).most) for p, row in below), default=inf)
    least = max((ceil((1 - p) * paper.answered(row).least) for p, row in reached), default=0)
    is_hidden = paper.row(exposure, level, outcome, "reached") is None
    return told(f"reached {at_least:g}", Span(least, most)) if is_hidden and most < inf else []


def extremes(paper: Paper) -> Found:
    """The least and the greatest answer are each of one person."""
    found = (row for row in paper.shown.values() if any(word in row.statistic for word in EXTREMES))
    return [f"somebody in {row.level} answered {row.estimate:g} to {row.outcome}" for row in found]


# --- One release and another --------------------------------------------------------------------------------------------


def later_minus_earlier(papers: Sequence[Paper]) -> Found:
    """Two releases from different files: by how many answers do they differ?"""
    found: Found = []
    for before, after in pairwise(papers):
        used = [paper.row("respondents", ALL, "respondents", "count") for paper in (before, after)]
        if before.release.inputs_sha256 != after.release.inputs_sha256 and used[0] and used[1]:
            more = after.people(used[1]) - before.people(used[0])
            apart = Span(max(0.0, more.least, -more.most), max(abs(more.least), abs(more.most)))
            found += told("people who came or went", Span(min(1.0, apart.least), apart.most))
    return found


def correction_minus_original(papers: Sequence[Paper], exposure: str) -> Found:
    """Bands of the same people's doses, cut elsewhere: the lowest band of the one release less that of the other."""
    rows = [paper.row(exposure, paper.release.levels[exposure][0].label, "respondents", "share") for paper in papers]
    spans = [paper.events(row) for paper, row in zip(papers, rows, strict=True) if row]
    return told("between the ends of the two bands", (spans[1] - spans[0]) & ANY) if len(spans) == 2 else []
