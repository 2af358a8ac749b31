"""Page: a draft as the text of an `instrument.toml`, with comments for a volunteer.

What belongs here: the words around the items, and how each item is written down. What does not: deciding anything about one
(`kinds`, `picked`).
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from survey_pipeline.draft import toml
from survey_pipeline.draft.asking import ABOUT_PEOPLE, CONSENT
from survey_pipeline.draft.kinds import FREE_TEXT, NOBODY
from survey_pipeline.draft.numbers import band_tables
from survey_pipeline.draft.picked import Picked, pick
from survey_pipeline.draft.question import Answer, Found, Question, Questions, unused
from survey_pipeline.errors import InputRefused
from survey_pipeline.instrument import Kind, Role
from survey_pipeline.texts import fold

LOOK = "  # <- look here"
MOST_NAMED = 12
YES_TEXTS = ("Yes", "Ja", "S\u00ed", "Oui")
PERHAPS_CLOSED = (FREE_TEXT, NOBODY, "holds free text")
HEADLESS = (
    "The first row may be somebody's answers: it looks like the rows below it. Headings are needed. If it holds none, delete "
    "this draft, and export the answers again with their headings as the first row."
)
THIN = "There are not enough different closed questions: one of them stands in two of the three lines."
EDITED = ("form", "dose", "outcomes")


@dataclass(frozen=True)
class Draft:
    """The text of a drafted instrument, and what is to be said about it."""

    name: str
    text: str
    source: str
    kinds: Mapping[str, int]
    dropped: tuple[tuple[str, str], ...]
    left_out: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...] = ()
    hides_headings: bool = False
    """The headings may be somebody's answers, so none of them is printed."""

    @property
    def lines(self) -> dict[str, int]:
        """The numbers of the three lines to edit."""
        written = self.text.splitlines()
        return {key: next(n for n, line in enumerate(written, 1) if line.startswith(f"{key} = ")) for key in EDITED}

    def as_json(self) -> dict[str, Any]:
        """What was found, for a program."""
        return {
            "made_from": self.source,
            "items": dict(self.kinds),
            "dropped": self._by_heading(self.dropped),
            "left_out": self._by_heading(self.left_out),
            "lines_to_edit": self.lines,
            "warnings": list(self.warnings),
        }

    def _by_heading(self, columns: Sequence[tuple[str, str]]) -> dict[str, str]:
        """Headings and why nothing of them is stored; numbers in their place where none may be printed."""
        return {str(n) if self.hides_headings else heading: why for n, (heading, why) in enumerate(columns, 1)}

    def told(self, place: Path, source: Path) -> Iterator[str]:
        """What was found and what to do next, for a person."""
        kinds = ", ".join(f"{n} {kind}" for kind, n in self.kinds.items())
        yield f"{place}: a draft from {self.source}"
        yield f"  {sum(self.kinds.values())} questions ({kinds})"
        why = Counter(reason for _, reason in (*self.dropped, *self.left_out))
        yield f"  {len(self.dropped) + len(self.left_out)} columns of which nothing is stored"
        yield from (f"    {n}: {reason}" for reason, n in why.most_common())
        yield from (f"  {warning}" for warning in self.warnings)
        yield "Edit three lines of it:"
        yield from (f"  line {n}: {self._shown(key, n)}" for key, n in self.lines.items())
        yield "Before you publish, look at the other lines marked '<- look here' too: title, community, about."
        at = self.name if place == Path("schemas") / self.name / place.name else place
        yield "Then:"
        yield f"  survey-pipeline codebook --instrument {at}"
        export = "EXPORT" if "dictionary" in self.source or "XLSForm" in self.source else source
        yield f"  survey-pipeline check {export} --instrument {at}"
        yield f"  survey-pipeline run {export} --instrument {at} --wave 2026-01"

    def _shown(self, key: str, n: int) -> str:
        """A line to edit. Its codes are made of headings."""
        return key if self.hides_headings else self.text.splitlines()[n - 1].removesuffix(LOOK)


def written(name: str, found: Questions) -> Draft:
    """The draft as text. Raises `InputRefused` if there is no question that could be one."""
    found, picked = _workable(found)
    gone = [question for question in found.asked if question.role is Role.DROP]
    kept = [question for question in found.asked if question.role is not Role.DROP]
    lines = [*_head(name, found, picked), *_questions(kept), *_never_stored(gone), *_left_out(found.left_out)]
    return Draft(
        name,
        "\n".join(lines) + "\n",
        found.source,
        dict(Counter(question.found.kind.value for question in kept).most_common()),
        tuple((question.question, question.found.dropped) for question in gone),
        found.left_out,
        tuple(_warnings(found, picked)),
        found.maybe_headless,
    )


def _warnings(found: Questions, picked: Picked) -> Iterator[str]:
    """What must not be overlooked."""
    if found.maybe_headless:
        yield HEADLESS
    if picked.is_thin:
        yield THIN
    if found.events:
        n = found.rows_of_other_events
        are = "row of another event is" if n == 1 else "rows of other events are"
        yield f'One event is counted, "{found.events[0]}": {n} {are} left out. Another one: see "completeness".'


def _workable(found: Questions) -> tuple[Questions, Picked]:
    """The questions, changed as far as they must be, and what was picked of them."""
    for asked in _ways_out(found.asked):
        if picked := pick(asked):
            return replace(found, asked=asked), picked
    raise InputRefused(
        "No question was found of which an instrument could be made.",
        "Export the answers with their questions, or write the instrument by hand (schemas/README.md).",
    )


def _ways_out(asked: tuple[Question, ...]) -> Iterator[tuple[Question, ...]]:
    """The questions as they are. Where none can be the form or an outcome, one is changed: a question with several answers, a
    number, or words of people's own, which get made-up answers.
    """
    yield asked
    yield _changed(asked, lambda found: found.kind is Kind.CHOICES and not found.dropped, _with_one_level)
    yield _changed(asked, lambda found: found.kind is Kind.NUMBER and not found.dropped, _as_scale)
    yield _changed(asked, lambda found: found.dropped in PERHAPS_CLOSED, _with_a_placeholder)


def _changed(
    asked: Sequence[Question], fits: Callable[[Found], bool], change: Callable[[Found], Found]
) -> tuple[Question, ...]:
    """The questions with the first that fits changed."""
    first = next((place for place, question in enumerate(asked) if fits(question.found)), None)
    if first is None:
        return ()
    made = replace(asked[first], found=change(asked[first].found), theme="questions")
    return (*asked[:first], made, *asked[first + 1 :])


def _with_one_level(found: Found) -> Found:
    """Everybody has one level: the option they ticked, or several."""
    taken = {option.code for option in found.options}
    several = Answer(unused("several", taken, "several"), "Several of these")
    said = 'The form needs one answer a person, so those who ticked several are a level of their own: see "several_as".'
    return replace(
        found,
        kind=Kind.CHOICE,
        options=(*found.options, several),
        several_as=several.code,
        remarks=(*found.remarks, said),
    )


def _as_scale(found: Found) -> Found:
    """A plain number cannot be an outcome; in steps between limits it can."""
    low = min(found.edges[0], 0.0) if found.minimum is None else found.minimum
    high = 2 * max(abs(found.edges[-1]), 1.0) if found.maximum is None else found.maximum
    said = "Only a scale can be an outcome, so this number is one, in small steps: set its limits, or take another question."
    return replace(found, kind=Kind.SCALE, minimum=low, maximum=high, step=0.01, remarks=(*found.remarks, said))


def _with_a_placeholder(found: Found) -> Found:
    options = (Answer("first_answer", "First answer"), Answer("second_answer", "Second answer"))
    said = "No closed question could be told, so these two answers are made up: replace them, or take another question."
    return Found(Kind.CHOICE, options, remarks=(said,))


# --- The head ------------------------------------------------------------------------------------------------------------


HEAD = """\
#
# Edit what is marked "<- look here". Title, community and about are shown to readers. Three lines are what the report is
# about; the names in them are those that stand behind [items. further down:
#   form      what people chose, take or use: an item with options
#   dose      how much of it: an item with bands, or another one with options
#   outcomes  how they fare: scales, or other closed items; all on one line
# Then:
#   survey-pipeline codebook --instrument {name}                 # read it as a page
#   survey-pipeline check EXPORT --instrument {name}             # does an export read?
#   survey-pipeline run EXPORT --instrument {name} --wave 2026-01
#
# What has the role "drop" is never stored. Look through the rest: what nobody needs, drop as well. An answer is
# listed only if several people gave it or the survey offered it. Lines that begin with # are for people only.
# schemas/README.md and docs/new-survey.md say more."""
ABOUT = """
name = {name}
title = {title}{look}
version = "0.1.0"
community = "the people who answered"{look}
about = "A survey."{look}
"""


def _head(name: str, found: Questions, picked: Picked) -> Iterator[str]:
    made = f"A draft made by `survey-pipeline init` from {found.source}. It loads as it is, but it is a guess."
    if found.maybe_headless:
        yield from (*toml.comment(HEADLESS), "#")
    yield from toml.comment(made)
    yield HEAD.format(name=name)
    for remark in found.remarks:
        yield from ("#", *toml.comment(remark))
    yield ABOUT.format(name=toml.text(name), title=toml.text(name.replace("_", " ").capitalize()), look=LOOK)
    if picked.is_thin:
        yield from toml.comment(THIN)
    yield from _line("form", picked.form, picked.other_forms)
    yield from _line("dose", picked.dose, picked.other_doses)
    yield from _line("outcomes", picked.outcomes, picked.other_outcomes)
    yield from _who(found.asked, picked)
    yield from _missing(found.no_answer)
    yield from _events(found)
    yield from _respondents(found.asked)


def _line(key: str, picked: toml.Value, others: Sequence[str]) -> Iterator[str]:
    if others:
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        yield from toml.comment(f"Could also be: {', '.join(others[:MOST_NAMED])}{more}")
    yield f"{key} = {toml.value(picked)}{LOOK}"


def _who(asked: Sequence[Question], picked: Picked) -> Iterator[str]:
    about = [question.code for question in asked if _tells_who(question, picked)]
    if about:
        yield from ("", "# Counts who answered, so that readers see whom the numbers are about.")
        yield f"# who_answered = {toml.value(about[:4])}"


def _tells_who(question: Question, picked: Picked) -> bool:
    found = question.found
    is_free = question.code not in (picked.form, picked.dose) and found.has_levels and len(found.options) != 1
    return is_free and ABOUT_PEOPLE.search(question.label) is not None


def _respondents(asked: Sequence[Question]) -> Iterator[str]:
    if any(question.identifies for question in asked):
        yield from (
            "",
            "# Double answers are counted, unless you take the # away: then each respondent's first counts.",
        )
        yield "# duplicates = { same_respondent = true }"


def _missing(texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield from ("", '# Texts that mean "no answer" in every question. Take out what is an answer in one of them.')
        yield f"missing = {toml.value(texts)}"


def _events(found: Questions) -> Iterator[str]:
    if events := found.events:
        others = f" The others: {', '.join(events[1 : MOST_NAMED + 1])}." if events[1:] else ""
        yield from ("", *toml.comment(f"One person has a row for each event, so one event is counted.{others}"))
        yield f"completeness = {toml.value({'event': events[0]})}{LOOK}"


# --- The items ------------------------------------------------------------------------------------------------------------


def _questions(asked: Sequence[Question]) -> Iterator[str]:
    yield from ("", f"# --- Questions {'-' * 104}")
    for question in asked:
        yield from ("", *_item(question))


def _never_stored(asked: Sequence[Question]) -> Iterator[str]:
    if asked:
        yield from ("", f"# --- Never stored {'-' * 101}")
    for question in asked:
        yield from ("", *toml.comment(f"Dropped: {question.found.dropped}."), *_item(question))


def _left_out(columns: Sequence[tuple[str, str]]) -> Iterator[str]:
    if columns:
        yield from ("", f"# --- Not listed {'-' * 103}", "# Nothing of these columns is read:")
    for heading, why in columns:
        yield from toml.comment(f"{heading}: {why}")


def _item(question: Question) -> Iterator[str]:
    found = question.found
    for remark in (*question.remarks, *found.remarks):
        yield from toml.comment(remark[:1].upper() + remark[1:])
    yield f"[items.{question.code}]"
    yield f"label = {toml.text(question.label or question.code)}"
    yield f"question = {toml.text(question.question)}"
    if question.headings:
        yield f"headings = {toml.value(question.headings)}"
    yield f"theme = {toml.text(question.theme)}"
    yield f'kind = "{found.kind.value}"'
    yield f'role = "{question.role.value}"'
    if question.required:
        yield "required = true"
    yield from _answers(found)
    if question.role is Role.DETAIL and CONSENT.search(f"{question.label} {question.code}"):
        yield from _consent(found)


def _answers(found: Found) -> Iterator[str]:
    """What an item of its kind says of its answers. What is dropped needs none, but a closed kind its options."""
    for key in ("unit", "minimum", "maximum", "step", "decimal_sign", "date_order"):
        if (given := getattr(found, key)) not in (None, ""):
            yield f"{key} = {toml.value(given)}"
    if found.fixes:
        yield f"fixes = {toml.value(found.fixes)}"
    if found.kind is Kind.SCALE:
        yield '# better = "lower"  # or "higher": which is better for the person'
    if found.is_numeric:
        yield from toml.lines_of("bands", band_tables(found.edges, found.unit))
    if found.several_as:
        yield f"several_as = {toml.text(found.several_as)}"
    if found.options:
        yield from toml.lines_of("options", [_option(option) for option in found.options])


def _option(option: Answer) -> dict[str, toml.Value]:
    given: dict[str, toml.Value] = {"code": option.code, "label": option.label}
    if option.spellings:
        given["spellings"] = option.spellings
    return {**given, "exclusive": True} if option.exclusive else given


def _consent(found: Found) -> Iterator[str]:
    """A suggestion only: with it, a row without consent is left out."""
    yes = next((option.label for option in found.options if _is_yes(option.label, len(found.options))), YES_TEXTS[0])
    yield "# If this asks for consent, put these two lines in place of the role above. Rows without it are then left out."
    yield '# role = "consent"'
    yield f"# consent_answer = {toml.text(yes)}"


def _is_yes(label: str, n_options: int) -> bool:
    return n_options == 1 or fold(label).startswith(tuple(map(fold, YES_TEXTS))) or fold(label).startswith("i agree")
