"""Numbers: whether each number of a text is a released one, of what its sentence is about.

What belongs here: telling what a number is about, and what is said when it is not the released one. What does not: reading
numbers (`claims`) and finding rows (`facts`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from survey_pipeline import names
from survey_pipeline.language import say, wave_in_words
from survey_pipeline.lint.claims import Claim, Kind, Part
from survey_pipeline.lint.facts import About, Facts, people_of
from survey_pipeline.lint.findings import Found, Rule
from survey_pipeline.lint.marking import Marked
from survey_pipeline.lint.passages import Desk, Passage
from survey_pipeline.lint.references import in_words
from survey_pipeline.lint.things import Thing
from survey_pipeline.lint.vocabulary import ALL, BEFORE, GROUP, LEVEL, NOW, OTHER_WAVE, OUTCOME
from survey_pipeline.names import Status
from survey_pipeline.release import Row
from survey_pipeline.render.measure import Measure
from survey_pipeline.render.phrases import level_label, people, quoted
from survey_pipeline.render.view import is_shown

_EVERYBODY: Final = (("", names.ALL_LEVELS),)
Matches = list[tuple[Row, Measure]]
_SENTENCES_BACK = 2
_TITLE = 6
"""A sentence of so few words without a number, such as "Fatigue last wave.", is a title of what follows."""


@dataclass
class Context:
    """What the sentences before were about."""

    levels: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    per_cent: tuple[float, ...] = ()
    points: tuple[float, ...] = ()
    matched: Matches = field(default_factory=list)
    is_before: bool = False


@dataclass(frozen=True)
class Told:
    """A number that was found to be right: where, which row, and whether it needs a number of people beside it."""

    passage: Passage
    claim: Claim
    rows: tuple[Row, ...]
    needs_people: bool


class Numbers:
    """Checks the numbers of a text, sentence by sentence."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.heading, self.context = Context(), Context()
        self.block = -1
        self.told: list[Told] = []

    def check(self, passage: Passage) -> Iterator[Found]:
        """What is wrong with the numbers of one sentence."""
        self._enter(passage)
        if not passage.is_trial and not passage.is_own:
            points = self._points(passage)
            yield from self._check_points(passage, points)
            yield from self._check_others(passage, points)
            yield from self._check_quantities(passage)
        self._remember(passage)

    # --- What sentences are about ----------------------------------------------------------------------------------------

    def _enter(self, passage: Passage) -> None:
        if passage.sentence.block != self.block:
            self.block = passage.sentence.block
            self.context = replace(self.heading, matched=[])

    def _remember(self, passage: Passage) -> None:
        """What a sentence names holds for those that follow it."""
        levels, unknown = levels_of(passage.marked)
        if levels or unknown:
            self.context.levels, self.context.unknown = levels, unknown
        if outcomes := outcomes_of(passage.marked):
            self.context.outcomes = outcomes
        per_cent, points = _thresholds(passage.claims)
        if per_cent or points:
            self.context.per_cent, self.context.points = per_cent, points
        signs = {one.sign for _, one in passage.marked.waves()}
        if not passage.claims and len(passage.sentence.text.split()) <= _TITLE:
            self.context.is_before = signs == {BEFORE}
        if passage.sentence.is_heading:
            self.heading = replace(self.context, matched=[])

    def _about(self, passage: Passage, claim: Claim, place: int = 0, of: int = 1) -> About:
        """What a claim is about: the things its sentence names, by their order where there are as many as numbers, and
        otherwise what the sentences before were about.
        """
        words, text = self.desk.words, passage.sentence.text
        levels, unknown = levels_of(passage.marked, place, of)
        outcomes = outcomes_of(passage.marked, place, of) or self.context.outcomes
        per_cent, points = _thresholds(passage.claims)
        if not (per_cent or points) and not outcomes_of(passage.marked):
            per_cent, points = self.context.per_cent, self.context.points
        if not levels and not unknown:
            levels = self._levels_before()
        return About(
            levels,
            unknown,
            outcomes,
            per_cent,
            points,
            text,
            words.has("claims", "not", text),
            words.has("claims", "anyway", text),
            words.has("claims", "left_out", text),
        )

    def _levels_before(self) -> tuple[tuple[str, str], ...]:
        return tuple(dict.fromkeys((*self.context.levels, *_EVERYBODY)))

    def _facts(self, passage: Passage, claim: Claim, points: Sequence[Claim]) -> Facts | None:
        """The release that a number is of: the one before only where that is said; None where that is not at hand."""
        is_before = self._is_before(passage, claim, points)
        return self.desk.before if is_before else self.desk.facts

    def _is_before(self, passage: Passage, claim: Claim, points: Sequence[Claim]) -> bool:
        waves = [(place, one.sign) for place, one in passage.marked.waves() if one.sign in (NOW, BEFORE)]
        past = [place for place, sign in waves if sign == BEFORE]
        if not past:
            return self.context.is_before and not waves
        anchor = _anchor(claim, points)
        mine = [one.index for one in points] or [claim.index]
        if len(waves) == len(mine) > 1 and anchor in mine:
            return waves[mine.index(anchor)][1] == BEFORE
        if len(waves) == len(past) and len(mine) > 1:
            return anchor == min(mine, key=lambda index: abs(index - past[0]))
        if len(waves) > len(past) and len(mine) == 1:
            return abs(anchor - past[0]) < min(abs(anchor - place) for place, sign in waves if sign == NOW)
        return True

    # --- Points: shares, averages, changes -------------------------------------------------------------------------------

    def _points(self, passage: Passage) -> list[Claim]:
        kinds = (Kind.SHARE, Kind.EVENTS, Kind.POINTS, Kind.VALUE)
        return [claim for claim in passage.claims if claim.kind in kinds and claim.part is Part.POINT]

    def _check_points(self, passage: Passage, points: list[Claim]) -> Iterator[Found]:
        self.matches: dict[int, Matches] = {}
        for place, claim in enumerate(points):
            about = self._about(passage, claim, place, len(points))
            facts = self._facts(passage, claim, points)
            if facts is None:
                yield _of_a_wave_not_at_hand(claim)
                continue
            matched = self._match(claim, about, facts)
            self.matches[claim.index] = matched
            if matched and not about.unknown:
                yield from self._right(passage, claim, about, matched, facts)
            else:
                yield self._wrong(claim, about, facts)
        if points and (found := self.matches.get(points[-1].index)):
            self.context.matched = found

    def _match(self, claim: Claim, about: About, facts: Facts) -> Matches:
        """The rows that a claim says; one that names nothing itself may go on with the rows of the sentence before."""
        return facts.matching(claim, about, facts.meant(claim, about)) or self._going_on(claim, about, facts)

    def _going_on(self, claim: Claim, about: About, facts: Facts) -> Matches:
        if facts is not self.desk.facts or _names_levels(about, self.context):
            return []
        alike = [pair for pair in self.context.matched if not about.outcomes or pair[0].outcome in about.outcomes]
        return facts.matching(claim, about, alike)

    def _right(self, passage: Passage, claim: Claim, about: About, matched: Matches, facts: Facts) -> Iterator[Found]:
        needs = facts is self.desk.facts and not about.is_anyway and not (about.is_negated and self.context.matched)
        self.told.append(Told(passage, claim, tuple(row for row, _ in matched), needs))
        uncertain = all(row.status is Status.UNRELIABLE for row, _ in matched)
        if uncertain and not self.desk.words.has("claims", "uncertain", passage.sentence.text):
            yield Found(
                Rule.UNCERTAIN,
                claim.start,
                claim.end,
                say("The release marks this number as uncertain."),
                say("Say that it is uncertain: it rests on too few people, or its range is too wide."),
            )

    def _wrong(self, claim: Claim, about: About, facts: Facts) -> Found:
        unknown = about.unknown or (self.context.unknown if about.levels[:1] == _EVERYBODY else ())
        if unknown or facts.hidden(claim, about):
            return hidden_group(claim.start, claim.end, unknown)
        return Found(
            Rule.NUMBER, claim.start, claim.end, self._why(claim, about, facts), self._better(about, claim, facts)
        )

    def _why(self, claim: Claim, about: About, facts: Facts) -> str:
        before = self.desk.before
        if facts is self.desk.facts and before and before.matching(claim, about, before.meant(claim, about)):
            return say("That is the number of the wave before.")
        if facts is not self.desk.facts and self.desk.facts.matching(claim, about, self.desk.facts.meant(claim, about)):
            return say("That is the number of this wave, not of the wave before.")
        if row := facts.elsewhere(claim, about):
            return say("That is the number of another group: {group}.", group=quoted(level_label(row.level)))
        if not facts.meant(claim, about):
            return say("The release has no such number.")
        return say("The release has another number here.")

    def _better(self, about: About, claim: Claim, facts: Facts) -> str:
        """The released number in words, where it is clear which one is meant."""
        known = [pair for pair in facts.meant(claim, about) if is_shown(pair[0])]
        alike = {(row.level, row.outcome, row.statistic) for row, _ in known}
        if not known or len(alike) > 1:
            return say("Write the number as a reference, and it is filled in.")
        row, measure = known[0]
        return say("Write: {number}.", number=in_words(row, measure))

    # --- Numbers of people and ranges ------------------------------------------------------------------------------------

    def _check_others(self, passage: Passage, points: list[Claim]) -> Iterator[Found]:
        for claim in passage.claims:
            if claim.kind is Kind.THRESHOLD:
                yield from self._check_threshold(passage, claim)
            elif claim.kind is Kind.PEOPLE and claim.part is Part.POINT:
                yield from self._check_people(passage, claim, points)
            elif claim.part is not Part.POINT:
                yield from self._check_range(passage, claim, points)

    def _of_point(self, claim: Claim, points: Sequence[Claim]) -> Matches:
        """The rows of the number that a number of people or a range belongs to."""
        if not points:
            return []
        return self.matches.get(_anchor(claim, points), [])

    def _place(self, claim: Claim, passage: Passage, points: Sequence[Claim]) -> tuple[int, int]:
        """Which of several things a number of people or a range belongs to, by its order."""
        if points:
            anchor = _anchor(claim, points)
            return next(place for place, one in enumerate(points) if one.index == anchor), len(points)
        alike = [one for one in passage.claims if one.kind is claim.kind and one.part is claim.part]
        return alike.index(claim), len(alike)

    def _check_people(self, passage: Passage, claim: Claim, points: Sequence[Claim]) -> Iterator[Found]:
        policy = self.desk.facts.view.release.policy
        if self.desk.words.has("claims", "own_team", passage.sentence.text):
            return
        if self._is_a_rule(passage, claim):
            return
        if 0 < claim.value < policy.min_n:
            yield too_few(claim, policy.min_n)
            return
        facts = self._facts(passage, claim, points)
        about = self._about(passage, claim, *self._place(claim, passage, points))
        if facts is None:
            yield _of_a_wave_not_at_hand(claim)
        elif about.unknown:
            yield hidden_group(claim.start, claim.end, about.unknown)
        elif not self._is_a_number_of_people(passage, claim, about, facts, points):
            yield self._wrong_people(claim, about, facts, self._of_point(claim, points))

    def _is_a_rule(self, passage: Passage, claim: Claim) -> bool:
        """Whether it says from how many people on something is shown: in a sentence about nothing else."""
        policy = self.desk.facts.view.release.policy
        about = levels_of(passage.marked) != ((), ()) or outcomes_of(passage.marked) or self._points(passage)
        return not about and claim.value in (policy.min_n, policy.min_n_for_statistics)

    def _is_a_number_of_people(
        self, passage: Passage, claim: Claim, about: About, facts: Facts, points: Sequence[Claim]
    ) -> bool:
        of_point = self._of_point(claim, points)
        if of_point:
            return self._fits_people(claim, about, of_point) or self._is_of_all(passage, claim, facts)
        own_levels, own_outcomes = levels_of(passage.marked)[0], outcomes_of(passage.marked)
        if not points and not own_levels and not own_outcomes and self._fits_people(claim, about, self.context.matched):
            return True
        if not points and self.context.matched and not own_levels and not own_outcomes and not self._says_all(passage):
            # Right behind a number, "based on about 85 people" can mean that number only.
            return self._is_of_all(passage, claim, facts) and self.desk.words.has(
                "claims", "reporting", passage.sentence.text
            )
        if self._fits_people(claim, about, facts.meant(claim, about)):
            return True
        return self._is_of_all(passage, claim, facts)

    def _fits_people(self, claim: Claim, about: About, rows: Matches) -> bool:
        return any(claim.fits(n) for row, one in rows if is_shown(row) for n in people_of(row, one, about))

    def _says_all(self, passage: Passage) -> bool:
        return any(one.sign == ALL for one in passage.marked.marks)

    def _is_of_all(self, passage: Passage, claim: Claim, facts: Facts) -> bool:
        """Whether it is how many answered at all, in a sentence that names no group."""
        levels, _ = levels_of(passage.marked)
        groups = [one for one in levels if one[1] != names.ALL_LEVELS]
        points = self._points(passage)
        return not groups and (not points or self._says_all(passage)) and any(claim.fits(n) for n in facts.counts)

    def _wrong_people(self, claim: Claim, about: About, facts: Facts, of_point: Matches) -> Found:
        rows = of_point or facts.meant(claim, about)
        known = sorted({row.n_respondents for row, _ in rows if is_shown(row) and row.n_respondents is not None})
        why = say("The release has another number of people here.") if known else say("The release has no such number.")
        better = say("Write: based on about {people}.", people=people(known[0])) if len(known) == 1 else ""
        return Found(Rule.PEOPLE, claim.start, claim.end, why, better)

    def _check_range(self, passage: Passage, claim: Claim, points: Sequence[Claim]) -> Iterator[Found]:
        facts = self._facts(passage, claim, points)
        about = self._about(passage, claim, *self._place(claim, passage, points))
        if facts is None:
            yield _of_a_wave_not_at_hand(claim)
        elif about.unknown:
            yield hidden_group(claim.start, claim.end, about.unknown)
        elif not facts.matching(claim, about, self._rows_of_range(claim, about, facts, points, passage)):
            yield self._wrong(claim, about, facts)

    def _rows_of_range(
        self, claim: Claim, about: About, facts: Facts, points: Sequence[Claim], passage: Passage
    ) -> Matches:
        of_point = self._of_point(claim, points)
        if about.is_anyway:
            return [pair for pair in facts.meant(claim, about) if pair[1].is_band]
        if of_point:
            return of_point
        own = levels_of(passage.marked)[0] or outcomes_of(passage.marked)
        return facts.meant(claim, about) if own or not self.context.matched else self.context.matched

    def _check_threshold(self, passage: Passage, claim: Claim) -> Iterator[Found]:
        """By how much at least people improved must be a definition that the release has."""
        about = self._about(passage, claim)
        per_cent, points = self.desk.facts.thresholds(about)
        known = per_cent if claim.base > 1 else points
        value = claim.value * claim.base if claim.base > 1 else claim.value
        if not any(abs(value - one) < 0.05 for one in known):
            why = say("The release counts nobody by this amount of change.")
            yield Found(Rule.NUMBER, claim.start, claim.end, why, _known_thresholds(per_cent, points))

    # --- "Most", "the other five" ----------------------------------------------------------------------------------------

    def _check_quantities(self, passage: Passage) -> Iterator[Found]:
        for found in self.desk.words.pattern("hidden", "arithmetic").finditer(passage.marked.text):
            start, end = passage.marked.span(found.start(), found.end())
            if not self.desk.words.has("claims", "own_team", passage.sentence.text):
                why = say("What is left over can be worked out to a number that is not released.")
                yield Found(Rule.HIDDEN, start, end, why, say("Leave it out."))
        for found in self.desk.words.pattern("claims", "most").finditer(passage.marked.text):
            yield from self._check_most(passage, *passage.marked.span(found.start(), found.end()))

    def _check_most(self, passage: Passage, start: int, end: int) -> Iterator[Found]:
        """More than half: of a group that is shown, some released share must be so large."""
        levels, unknown = levels_of(passage.marked)
        outcomes = outcomes_of(passage.marked)
        if unknown:
            yield hidden_group(start, end, unknown)
            return
        if not levels or not (outcomes or self.desk.words.has("claims", "better", passage.sentence.text)):
            return
        about = self._about(passage, Claim(Kind.SHARE, 0.5, 0.0, 0, start, end, bound=1))
        rows = [row for row, _ in self.desk.facts.meant(Claim(Kind.SHARE, 0.5, 0.0, 0, start, end), about)]
        if rows and all(row.status is Status.SUPPRESSED for row in rows):
            yield hidden_group(start, end, ())
        elif rows and not any((row.estimate or 0) > 0.5 or about.is_negated for row in rows if is_shown(row)):
            yield Found(Rule.NUMBER, start, end, say("The release has no share of more than half here."))

    # --- Numbers of people beside claims ---------------------------------------------------------------------------------

    def without_people(self, passages: Sequence[Passage]) -> Iterator[tuple[Passage, Found]]:
        """Claims without a number of people near them, nor told with it earlier."""
        known: set[tuple[str, str, str]] = set()
        for told in self.told:
            keys = {(row.level, row.outcome, row.statistic) for row in told.rows}
            has = any(passages[place].has_people for place in _near(told.passage, passages))
            if has:
                known |= keys
            elif told.needs_people and not keys & known and not self._is_beside_the_wave_before(told, passages):
                yield told.passage, _needs_people(told)

    def _is_beside_the_wave_before(self, told: Told, passages: Sequence[Passage]) -> bool:
        """Whether it is a number of everybody beside that of the wave before, in a text that says how many answered."""
        of_all = any(row.level == names.ALL_LEVELS for row in told.rows)
        names_before = any(one.sign == BEFORE for _, one in told.passage.marked.waves())
        answered = self.desk.facts.view.answers_used
        said = any(one.kind is Kind.PEOPLE and one.value == answered for each in passages for one in each.claims)
        return of_all and names_before and said


def _near(passage: Passage, passages: Sequence[Passage]) -> Iterator[int]:
    """A sentence, the next one, and those just before it in the same paragraph: a number, its range, then its other side."""
    yield passage.number
    if passage.number + 1 < len(passages):
        yield passage.number + 1
    earlier = range(max(0, passage.number - _SENTENCES_BACK), passage.number)
    yield from (place for place in earlier if passages[place].sentence.block == passage.sentence.block)


def _needs_people(told: Told) -> Found:
    n = next((row.n_respondents for row in told.rows if row.n_respondents is not None), None)
    better = say("Add: (based on about {people}).", people=people(n)) if n is not None else ""
    why = say("A number needs to say how many people it is based on, in the same sentence or the next.")
    return Found(Rule.NO_PEOPLE, told.claim.start, told.claim.end, why, better)


def _anchor(claim: Claim, points: Sequence[Claim]) -> int:
    """The number that something belongs to: itself, else the last one before it, else the first."""
    if not points or any(one.index == claim.index for one in points):
        return claim.index
    before = [one.index for one in points if one.start < claim.start]
    return before[-1] if before else points[0].index


def levels_of(marked: Marked, place: int = 0, of: int = 1) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The levels that a sentence names, and those that the release does not show by themselves. Where it names as many as it
    has numbers, the one in the number's place.
    """
    found = [thing for _, thing in marked.things(LEVEL, GROUP, ALL)]
    mine = _one_of(tuple(dict.fromkeys(found)), place, of)
    shown = tuple((thing.exposure, thing.level) for thing in mine if thing.level)
    return shown, tuple(thing.called for thing in mine if not thing.level)


def outcomes_of(marked: Marked, place: int = 0, of: int = 1) -> tuple[str, ...]:
    """The outcomes that a sentence names; where it names as many as it has numbers, the one in the number's place."""
    things = {thing.name: thing for _, thing in marked.things(OUTCOME)}
    mine = _one_of(tuple(things.values()), place, of)
    return tuple(name for thing in mine for name in (thing.name, *thing.may_be))


def _one_of(found: tuple[Thing, ...], place: int, of: int) -> tuple[Thing, ...]:
    return (found[place],) if len(found) == of > 1 else found


def _names_levels(about: About, context: Context) -> bool:
    """Whether a sentence names other levels than those before it."""
    own = {level for level in about.levels if level[1] != names.ALL_LEVELS}
    return bool(own - {*context.levels}) or bool(about.unknown)


def _thresholds(claims: Sequence[Claim]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    found = [claim for claim in claims if claim.kind is Kind.THRESHOLD]
    per_cent = tuple(round(claim.value * claim.base, 6) for claim in found if claim.base > 1)
    return per_cent, tuple(claim.value for claim in found if claim.base == 1)


def _known_thresholds(per_cent: set[float], points: set[float]) -> str:
    known = [*(f"{one:g} %" for one in sorted(per_cent)), *(f"{one:g}" for one in sorted(points))]
    return say("Amounts of change that are counted: {amounts}.", amounts=", ".join(known)) if known else ""


def _of_a_wave_not_at_hand(claim: Claim) -> Found:
    why = say("The release of the wave before is not at hand, so its number cannot be checked.")
    return Found(Rule.WAVE, claim.start, claim.end, why, say("Tell the numbers of this wave alone."))


def hidden_group(start: int, end: int, unknown: Sequence[str]) -> Found:
    """A number of what the release does not show."""
    if unknown:
        why = say("The release shows no numbers of this group by itself: {group}.", group=quoted(unknown[0]))
    else:
        why = say("This number is hidden, to protect people.")
    better = say("Leave it out, or say that it is hidden because too few people answered.")
    return Found(Rule.HIDDEN, start, end, why, better)


def too_few(claim: Claim, min_n: int) -> Found:
    """A number of people so small that it may point to somebody."""
    why = say("Fewer than {min_n} people could be recognised, so such a number is never told.", min_n=min_n)
    return Found(Rule.HIDDEN, claim.start, claim.end, why, say("Leave it out."))


# --- Waves -------------------------------------------------------------------------------------------------------------


def check_waves(passage: Passage, desk: Desk) -> Iterator[Found]:
    """Every wave that is named in what is told of the survey must be this one, or the one before and told as such."""
    words, text = desk.words, passage.sentence.text
    tells = bool(passage.claims) or words.has("claims", "reporting", text)
    if not tells or passage.is_trial or passage.is_own or words.has("waves", "next", text):
        return
    marks = [one for _, one in passage.marked.waves()]
    names_now = any(one.sign == NOW for one in marks)
    for one in marks:
        bare = one.wave is not None and one.wave.is_bare and not passage.claims
        as_before = one.sign == BEFORE and desk.before and (names_now or words.has("waves", "as_before", text))
        if one.sign in (BEFORE, OTHER_WAVE) and not bare and not as_before:
            yield _old_wave(one.start, one.end, desk, is_before=one.sign == BEFORE)


def _old_wave(start: int, end: int, desk: Desk, *, is_before: bool) -> Found:
    now = wave_in_words(desk.calendar.now)
    if is_before and desk.before:
        why = say("This is the wave before, and it is not told as such.")
    elif is_before:
        why = say("The release of the wave before is not at hand, so nothing of it can be checked.")
    else:
        why = say("The text is about another wave: {wave}.", wave=now)
    return Found(Rule.WAVE, start, end, why, say("Write “{wave}”, or say “the wave before”.", wave=now))


__all__ = ["Numbers", "check_waves", "hidden_group", "levels_of", "outcomes_of"]
