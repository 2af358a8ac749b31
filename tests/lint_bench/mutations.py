"""Mutations: one mistake put into a clean text, by chance from a seed.

What belongs here: the seven kinds of mistakes. What does not: whether they are found.
"""

import random
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace

from lint_bench.made_up import BEFORE, NOW, Quoted, found, in_text, wave_words
from lint_bench.texts import FORM_NAMES, HERE, ORIGINS, Piece, Text
from survey_pipeline.language import speaking

PHRASES = tomllib.loads((HERE / "phrases.toml").read_text(encoding="utf-8"))
KINDS = ("changed number", "wrong denominator", "old wave", "causal verb", "advice", "hidden number", "comparison")
POINTS = ("r30", "r50", "not", "share", "chg", "before", "now")
HIDDEN_FORMS = {"en": "threonate", "de": "Threonat", "es": "treonato"}
OUTCOME_NAMES = {
    "en": ("pain", "fatigue", "stress"),
    "de": ("Schmerzen", "Erschöpfung", "Stress"),
    "es": ("dolor", "fatiga", "estrés"),
}
ARTICLES = {"dolor": "el dolor", "fatiga": "la fatiga", "estrés": "el estrés"}
LAST_WAVE = {"this wave": "last wave", "diese Welle": "letzte Welle", "esta ola": "la ola pasada"}
MONTHS = {
    "en": ("January", "February", "2025"),
    "de": ("Januar", "Februar", "2025"),
    "es": ("enero", "febrero", "2025"),
}


@dataclass(frozen=True)
class Mutant:
    """A text with one mistake: of which kind, what was put in, and when those words were written."""

    kind: str
    text: str
    language: str
    put_in: str
    origin: str


def mutate(text: Text, kind: str, chance: random.Random) -> Mutant | None:
    """A text with one mistake of a kind; None where it has nothing to put it on."""
    made = _MAKERS[kind](text, chance)
    if made is None:
        return None
    changed, put_in, origin = made
    return Mutant(kind, changed, text.language, put_in, origin or text.origin)


Made = tuple[str, str, str]
"""The changed text, what was put in, and the origin of those words where they are not the text's own."""


def _exchange(text: Text, place: int, words: str) -> str:
    changed = replace(text.pieces[place], text=words)
    return "".join(piece.text for piece in (*text.pieces[:place], changed, *text.pieces[place + 1 :]))


def _numbers(text: Text, *kinds: str) -> list[tuple[int, Quoted]]:
    return [(place, one.number) for place, one in enumerate(text.pieces) if one.number and one.number.kind in kinds]


# --- Numbers -----------------------------------------------------------------------------------------------------------


def _changed_number(text: Text, chance: random.Random) -> Made | None:
    """Another number, or the number of another group."""
    points = _numbers(text, *POINTS)
    if not points:
        return None
    place, quoted = chance.choice(points)
    with speaking(text.language):
        written = _other_group(quoted, chance, text) or _other_number(quoted, chance, text)
    return _exchange(text, place, written), f"{quoted.text} -> {written}", ""


def _other_group(quoted: Quoted, chance: random.Random, text: Text) -> str:
    """The number of another group, in one of three cases; empty where it would be written alike."""
    others = [level for level in ("c", "m", "g", "o") if level != quoted.level]
    if chance.random() > 1 / 3 or quoted.kind not in ("r30", "chg", "share"):
        return ""
    names = {"r30": "responder_30", "chg": "mean_change", "share": "share"}
    for level in chance.sample(others, len(others)):
        row = found(level, quoted.outcome, names[quoted.kind])
        written = "" if row.estimate is None else in_text(quoted.kind, row.estimate, quoted.form, text.language)
        if row.estimate is not None and written != quoted.text:
            return written
    return ""


def _other_number(quoted: Quoted, chance: random.Random, text: Text) -> str:
    if quoted.kind in ("chg", "before", "now"):
        others = [one / 10 for one in range(2, 99) if one % 10 and abs(one / 10 - abs(quoted.number)) >= 0.2]
        near = [one for one in others if abs(one - abs(quoted.number)) < 1.2]
        return in_text(quoted.kind, chance.choice(near), "", text.language)
    if quoted.form:
        tenth = round(quoted.number * 10)
        other = chance.choice([one for one in range(1, 10) if abs(one - tenth) >= 1])
        return in_text(quoted.kind, other / 10, quoted.form, text.language)
    hundredth = round(quoted.number * 100)
    return str(chance.choice([one for one in range(2, 98) if abs(one - hundredth) >= 2]))


def _wrong_denominator(text: Text, chance: random.Random) -> Made | None:
    """Another number of people, or another base than 100."""
    people = _numbers(text, "n")
    shares = [(place, one) for place, one in _numbers(text, "r30", "share") if not one.form]
    shares = [(place, one) for place, one in shares if _has_base(text, place)]
    if shares and (not people or chance.random() < 1 / 4):
        place, one = chance.choice(shares)
        base = chance.choice(["50", "200", "1000"])
        after = text.pieces[place + 1].text.replace("100", base, 1)
        pieces = [*text.pieces[: place + 1], Piece(after), *text.pieces[place + 2 :]]
        return "".join(piece.text for piece in pieces), f"{one.text} of 100 -> of {base}", ""
    if not people:
        return None
    place, one = chance.choice(people)
    other = round(one.number) + 5 * chance.choice([step for step in range(-12, 40) if step])
    other = other if other >= 20 and other != round(one.number) else round(one.number) * 2
    return _exchange(text, place, str(other)), f"{one.text} -> {other}", ""


def _has_base(text: Text, place: int) -> bool:
    return "100" in text.pieces[place + 1].text[:12] if place + 1 < len(text.pieces) else False


# --- Waves -------------------------------------------------------------------------------------------------------------


def _old_wave(text: Text, chance: random.Random) -> Made | None:
    named = [place for place, piece in enumerate(text.pieces) if piece.wave == NOW]
    whole = str(text)
    told = [words for words in LAST_WAVE if words in whole]
    if told and not named:
        return whole.replace(told[0], LAST_WAVE[told[0]], 1), LAST_WAVE[told[0]], ""
    if not named:
        return None
    place = chance.choice(named)
    other = chance.choice(["2026-01", BEFORE, "2025-03", "2025-12"])
    words = chance.choice([wave_words(text.language, other), wave_words(text.language, other), other])
    return _exchange(text, place, words), words, ""


# --- Phrases -----------------------------------------------------------------------------------------------------------


def _inserted(section: str) -> Callable[[Text, random.Random], Made | None]:
    def insert(text: Text, chance: random.Random) -> Made | None:
        origin = chance.choice(ORIGINS)
        phrase = chance.choice(PHRASES[text.language][section][origin.replace(" ", "_")])
        words = _filled(phrase, text.language, chance)
        ends = [
            place for place, mark in enumerate(str(text)) if mark == "." and str(text)[place : place + 2] in (". ", ".")
        ]
        ends = [place for place in ends if str(text)[place - 1].isalpha() or str(text)[place - 1] == ")"] or [
            len(str(text)) - 1
        ]
        place = chance.choice(ends) + 1
        return f"{str(text)[:place]} {words}{str(text)[place:]}", words, origin

    return insert


def _filled(phrase: str, language: str, chance: random.Random) -> str:
    """A phrase about two groups that the release does not show to differ."""
    level, other = chance.sample(["c", "m", "o"], 2)
    names = FORM_NAMES[language]
    outcome = chance.choice(OUTCOME_NAMES[language])
    if language == "es" and "menos {outcome}" not in phrase:
        outcome = ARTICLES[outcome]
    words = phrase.replace("{level}", names[level]).replace("{other}", names[other]).replace("{outcome}", outcome)
    words = words.replace("{hidden}", HIDDEN_FORMS[language])
    return words[:1].upper() + words[1:]


_MAKERS: dict[str, Callable[[Text, random.Random], Made | None]] = {
    "changed number": _changed_number,
    "wrong denominator": _wrong_denominator,
    "old wave": _old_wave,
    "causal verb": _inserted("causal"),
    "advice": _inserted("advice"),
    "hidden number": _inserted("hidden"),
    "comparison": _inserted("comparison"),
}
