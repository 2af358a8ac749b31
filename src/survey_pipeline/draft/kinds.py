"""Kinds: what the answers in a column look like, told from how many rows gave each text.

What belongs here: one function a kind, in the order in which they are asked. What does not: numbers (`numbers`), and which
column belongs to which question (`columns`).
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from survey_pipeline.answers import DATE_PARTS, ISO_DATE
from survey_pipeline.draft import numbers
from survey_pipeline.draft.counted import Texts
from survey_pipeline.draft.question import Answer, Found, clashes, dropped, options_of
from survey_pipeline.exports.layout import TICKED, UNTICKED
from survey_pipeline.instrument import Kind
from survey_pipeline.personal import Personal, contained, named
from survey_pipeline.texts import NO, YES, fold

MOST_OPTIONS = 40
LONGEST_OPTION = 150
"""Characters. What is longer is a sentence of somebody's own, even if two people gave it."""
COVERED = 0.6
"""Share of the filled rows whose answer several people gave, from which a question is a closed one."""
FREE_TEXT = "free text is never stored"
NOBODY = "nobody has answered it in this export, so its kind could not be told"
NEARLY_ALL = 0.9
SAY_NOTHING_ELSE = frozenset({Kind.YES_NO, Kind.SCALE})
"""Kinds whose answers cannot be personal data by what they hold."""
SMALL_CODE = 4
SEVERAL = 0.15
"""Share of the filled rows with more than one answer, from which a question takes several."""
SOME = 0.02
JOINTS = (";", ", ")
ORDERS = (
    "never, very rarely, rarely, seldom, occasionally, sometimes, fairly often, often, frequently, very often, "
    "very frequently, always",
    "strongly disagree, disagree, somewhat disagree, neither agree nor disagree, neither agree or disagree, neutral, "
    "somewhat agree, agree, strongly agree",
    "very dissatisfied, dissatisfied, neither satisfied nor dissatisfied, neutral, satisfied, very satisfied",
    "not at all, none, a little, slightly, very mild, mild, somewhat, moderate, moderately, quite a bit, very much, severe, "
    "very severe, extremely",
    "very poor, poor, fair, good, very good, excellent",
    "very low, low, medium, high, very high",
    "much worse, worse, the same, no change, better, much better",
)
"""Answers that have an order of their own."""
BELOW = re.compile(r"\s*(?:<|under\b|below\b|less\b|up to\b|bis\b|unter\b|\u2264)", re.IGNORECASE)
FIRST_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def told(texts: Texts, question: str, names: Sequence[str], labels: Mapping[str, str] | None = None) -> Found:
    """What a column holds. Personal data and free text are dropped, with the reason."""
    found = _answers(texts, question, labels or {})
    kind = named(names)
    if kind and found.kind is not Kind.YES_NO:
        return dropped(f"named as {kind.phrase}")
    if found.kind in SAY_NOTHING_ELSE or not texts.counts:
        return found
    held = _held(texts, kind)
    return dropped(f"holds {held.phrase}") if held else found


def _held(texts: Texts, named_as: Personal | None) -> Personal | None:
    found = contained(texts.counts, named_as, filled=texts.filled)
    return found.kind if found else None


def _answers(texts: Texts, question: str, labels: Mapping[str, str]) -> Found:
    if not texts.counts:
        return dropped(NOBODY)
    tellers: tuple[Callable[[], Found | None], ...] = (
        lambda: _labelled(texts, labels),
        lambda: _yes_no(texts),
        lambda: _codes(texts, question),
        lambda: numbers.told(texts, question),
        lambda: _date(texts),
        lambda: _joined(texts),
        lambda: _choice(texts),
    )
    return next((found for tell in tellers if (found := tell())), dropped(FREE_TEXT))


def _labelled(texts: Texts, labels: Mapping[str, str]) -> Found | None:
    """Codes that the file itself explains. Where it names only the ends, the codes are a scale."""
    if not labels or any(text not in labels for text in texts.counts):
        return None
    if {fold(label) for label in labels.values()} <= YES | NO:
        return Found(Kind.YES_NO)
    given = [(label, (code,)) for code, label in labels.items()]
    options = options_of(given)
    return Found(Kind.CHOICE, options, remarks=clashes(given, options))


def _yes_no(texts: Texts) -> Found | None:
    folded = {fold(text) for text in texts.counts}
    if not folded <= YES | NO or folded in ({"0"}, {"1"}):
        return None
    return Found(Kind.YES_NO)


def _codes(texts: Texts, question: str) -> Found | None:
    """Few small whole numbers: a tool's codes for options. Codes that nobody used are listed too, so that a file of few rows
    does not show what each person said.
    """
    if not all(re.fullmatch(r"\d(?:\.0)?", text) for text in texts.counts) or numbers.COUNTS.search(question):
        return None
    values = {int(float(text)) for text in texts.counts}
    if max(values) > SMALL_CODE or numbers.is_named_scale(question, values) or (0 in values and max(values) > 2):
        return None
    every = range(min(1, min(values)), max(SMALL_CODE - 1, *values) + 1)
    options = tuple(Answer(f"answer_{code}", f"Answer {code}", (str(code), f"{code}.0")) for code in every)
    said = "The export holds bare codes: write what each stands for into its label."
    return Found(Kind.CHOICE, options, remarks=(said,), are_codes=True)


def _date(texts: Texts) -> Found | None:
    """A date is stored for nobody: no table shows it."""
    parts = {text: match for text in texts.counts if (match := DATE_PARTS.fullmatch(text))}
    plain = [text for text in texts.counts if ISO_DATE.fullmatch(text)]
    if texts.rows([*parts, *plain]) < NEARLY_ALL * texts.filled:
        return None
    why = "a date can point to a person, and no table shows one"
    found = dropped(why, 'To keep it all the same, make its role "detail".', kind=Kind.DATE)
    return replace(found, date_order=_order([(int(match[1]), int(match[3])) for match in parts.values()]))


def _order(days: Sequence[tuple[int, int]]) -> str:
    if any(first > 12 for first, _ in days):
        return "" if any(second > 12 for _, second in days) else "day_first"
    return "month_first" if any(second > 12 for _, second in days) else ""


def as_in_grid(found: Found, texts: Texts, grid: Texts, question: str, names: Sequence[str]) -> Found:
    """What a row of a grid holds, if all rows together say so: they offer the same answers."""
    if found.dropped not in ("", FREE_TEXT, NOBODY) or found.kind not in (Kind.TEXT, Kind.CHOICE, Kind.SCALE):
        return found
    whole = told(grid, question, names)
    if whole.dropped or whole.kind not in (Kind.SCALE, Kind.CHOICE):
        return found
    known = {fold(text) for option in whole.options for text in (option.code, option.label, *option.spellings)}
    fitting = texts.rows([text for text in texts.counts if fold(text) in known])
    return found if whole.options and fitting < NEARLY_ALL * texts.filled else whole


# --- Options -----------------------------------------------------------------------------------------------------------


def _choice(texts: Texts) -> Found | None:
    """Few different texts, most of them given by several people."""
    often = [text for text in texts.by_several if len(text) <= LONGEST_OPTION]
    if not often or len(often) > MOST_OPTIONS or texts.rows(often) < COVERED * texts.filled:
        return None
    options = options_of((text, ()) for text in in_order(often))
    return Found(Kind.CHOICE, options, remarks=_left_out(len(texts.counts) - len(often)))


def _left_out(n: int) -> tuple[str, ...]:
    if not n:
        return ()
    what = (
        "1 further answer, given by one person, is" if n == 1 else f"{n} further answers, each given by one person, are"
    )
    return (
        f"{what} not listed: if they are options, add them.",
        'Or take people\'s own words as "other", with this option: { code = "other", label = "Other", free_text = true }',
    )


def _joined(texts: Texts) -> Found | None:
    """Several answers in one cell, which share their parts."""
    for joint in JOINTS:
        cut = {text: _parts(text, joint) for text in texts.counts}
        if _are_several(cut, texts):
            found = _choices(texts, _with_commas(cut, texts, joint))
            if found:
                return found
    return None


def _are_several(cut: Mapping[str, tuple[str, ...]], texts: Texts) -> bool:
    """Whether many people gave several answers, or some did whose parts others gave alone."""
    several = [text for text in texts.counts if len(cut[text]) > 1]
    alone = {parts[0] for parts in cut.values() if len(parts) == 1}
    n = texts.rows(several)
    return n >= max(2, SEVERAL * texts.filled) or (
        n >= max(2, SOME * texts.filled) and all(alone >= set(cut[text]) for text in several)
    )


def _parts(text: str, joint: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(joint) if part.strip())


def _with_commas(cut: Mapping[str, tuple[str, ...]], texts: Texts, joint: str) -> dict[str, tuple[str, ...]]:
    """Parts of which each only ever stands beside the other are one option that holds a comma."""
    joined = dict(cut)
    if joint != ", ":
        return joined
    while pair := _inseparable(joined, texts):
        joined = {text: _merged(parts, pair) for text, parts in joined.items()}
    return joined


def _inseparable(cut: Mapping[str, tuple[str, ...]], texts: Texts) -> tuple[str, str] | None:
    single: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for text, parts in cut.items():
        for part in parts:
            single[part] += texts.counts[text]
        for pair in pairwise(parts):
            pairs[pair] += texts.counts[text]
    both = [pair for pair, n in pairs.items() if n > 1 and n == single[pair[0]] == single[pair[1]]]
    return min(both, default=None)


def _merged(parts: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    for place in range(len(parts) - 1):
        if parts[place : place + 2] == pair:
            return (*parts[:place], ", ".join(pair), *_merged(parts[place + 2 :], pair))
    return parts


def _choices(texts: Texts, cut: Mapping[str, tuple[str, ...]]) -> Found | None:
    """Parts that several people gave and that stand in several different answers."""
    counts: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    for text, parts in cut.items():
        answers.update(set(parts))
        for part in set(parts):
            counts[part] += texts.counts[text]
    often = sorted(
        (part for part, n in counts.items() if n > 1 and len(part) <= LONGEST_OPTION), key=lambda p: (-counts[p], p)
    )
    covered = sum(counts[part] for part in often) >= 0.8 * counts.total()
    shared = sum(answers[part] > 1 for part in often) >= 2 / 3 * len(often)
    if not 2 <= len(often) <= MOST_OPTIONS or not covered or not shared or not _are_several(cut, texts):
        return None
    options = options_of(((part, ()) for part in in_order(often)), several=True)
    return Found(Kind.CHOICES, options, remarks=_left_out(len(counts) - len(often)))


def ticked(options: Sequence[tuple[str, Sequence[str]]], cells: Sequence[Texts]) -> Found:
    """A question with a column an option: its options stand in the headings, and the cells say whether they were ticked."""
    found = Found(Kind.CHOICES, options_of(options, several=True))
    known = [TICKED | UNTICKED | {fold(text) for text in (label, *more)} for label, more in options]
    odd = any(fold(text) not in ticks for texts, ticks in zip(cells, known, strict=True) for text in texts.counts)
    said = "Some cells hold neither a tick nor the option's own text: they will be refused."
    return replace(found, remarks=(said,)) if odd else found


def are_own_words(found: Found) -> bool:
    """Whether options are what people wrote or picked, and no order of words, so that one could be a name."""
    words = [fold(option.label) for option in found.options]
    ordered = any(set(words) <= set(listed.split(", ")) for listed in ORDERS)
    return found.kind in (Kind.CHOICE, Kind.CHOICES) and not (found.dropped or found.are_codes or ordered)


def in_order(options: Sequence[str]) -> list[str]:
    """Options in an order of their own, if they have one: of words, or of the numbers in them."""
    folded = [fold(text) for text in options]
    for listed in ORDERS:
        order = listed.split(", ")
        if all(text in order for text in folded):
            return sorted(options, key=lambda text: order.index(fold(text)))
    if len(options) > 1 and sum(FIRST_NUMBER.search(text) is not None for text in options) >= 0.8 * len(options):
        return sorted(options, key=_by_number)
    return list(options)


def _by_number(text: str) -> tuple[float, bool]:
    found = FIRST_NUMBER.search(text)
    number = float(found.group().replace(",", "")) if found else float("inf")
    return number, not BELOW.match(text)
