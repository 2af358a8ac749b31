"""A made-up release of the magnesium survey, two waves of it: what the texts of the benchmark quote.

What belongs here: the numbers, made by a fixed rule, and how they are written in each language. What does not: the texts.
"""

from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations
from itertools import count

from survey_pipeline import load_instrument, names
from survey_pipeline.instrument import Instrument
from survey_pipeline.language import speaking, wave_in_words, whole
from survey_pipeline.names import Status
from survey_pipeline.release import InstrumentSummary, Policy, PublishedLevel, Release, Row
from survey_pipeline.render.phrases import plain, whole_100
from survey_pipeline.translated import in_language, with_labels

NOW, BEFORE = "2026-03", "2026-02"
FORM, DOSE = "magnesium_form", "elemental_dose_mg_per_day"
MERGED = ("chloride", "taurate", "sulfate", "other", "mix", "stopped", "not_stated")
FORMS = {"citrate": 205, "malate": 125, "glycinate": 180, "oxide": 95, "threonate": 15, "none": 240}
DOSES = {"under_100": 110, "from_100_to_199": 185, "from_200_to_299": 215, "from_300_to_399": 130}
HIDDEN = frozenset({"threonate"})
OUTCOMES = {"pain": 1, "fatigue": 2, "sleep_quality": 3, "stress": 4}
HIDDEN_CELLS = frozenset({("oxide", "stress"), ("malate", "side_effects__upset_stomach")})
SIDE_EFFECTS = ("side_effects__diarrhoea", "side_effects__upset_stomach")
SHARES = {  # of people with pain at least 30 % lower, by form: glycinate and no magnesium stay apart, others do not
    "citrate": 0.3415,
    "malate": 0.288,
    "glycinate": 0.4611,
    "oxide": 0.2737,
    "none": 0.1833,
    "all": 0.3147,
}


@cache
def instrument() -> Instrument:
    """The shipped instrument."""
    return load_instrument("magnesium")


@cache
def release(wave: str = NOW) -> Release:
    """The release of a wave."""
    loaded = instrument()
    labels = {one.code: one.label for one in loaded.items[FORM].options}
    labels |= {band.code: band.label for band in loaded.items[DOSE].bands}
    forms = [PublishedLevel(code=c, label=labels[c], made_of=(labels[c],), members=(c,), merged=False) for c in FORMS]
    made_of = tuple(labels.get(code, "Not stated") for code in MERGED)
    other = "All other forms, a mix, stopped or not stated"
    forms.insert(5, PublishedLevel(code="other_answers", label=other, made_of=made_of, members=MERGED, merged=True))
    doses = [PublishedLevel(code=c, label=labels[c], made_of=(labels[c],), members=(c,), merged=False) for c in DOSES]
    return Release(
        instrument=InstrumentSummary(name=loaded.name, title=loaded.title, version="1", fingerprint="made up"),
        wave=wave,
        release_number=1,
        correction=None,
        provenance=names.INVENTED,
        inputs_sha256=(),
        policy=Policy(),
        stages=(),
        levels={FORM: tuple(forms), DOSE: tuple(doses)},
        rows=tuple(_rows(wave, labels | {"other_answers": other, "all": "all"})),
    )


@cache
def translated(language: str, wave: str = NOW) -> tuple[Release, Instrument]:
    """The release and the instrument as a reader of another language sees them; without translations, as they are."""
    loaded = instrument()
    if language == "en":
        return release(wave), loaded
    shown = in_language(loaded, language, NullTranslations())
    with speaking(language):
        return with_labels(release(wave), loaded, shown), shown


def _rows(wave: str, labels: dict[str, str]) -> list[Row]:
    total = 1015 if wave == NOW else 940
    rows = [_row(wave, names.WHO_ANSWERED, names.RESPONDENTS, "all", names.RESPONDENTS, "count", total, None, total)]
    for table, exposure, levels in (
        ("form_by_outcome", FORM, {"all": 860, **FORMS, "other_answers": 160}),
        ("dose_by_outcome", DOSE, {"all": 860, **DOSES}),
    ):
        for code, n in levels.items():
            for outcome, place in OUTCOMES.items():
                rows += _of_outcome(wave, table, exposure, code, labels[code], outcome, place, n)
    for code, n in {"all": 830, **FORMS, "other_answers": 155}.items():
        rows += [_side_effect(wave, code, labels[code], effect, n) for effect in SIDE_EFFECTS]
    return rows


def _of_outcome(
    wave: str, table: str, exposure: str, code: str, label: str, outcome: str, place: int, n: int
) -> list[Row]:
    """The statistics of an outcome: shares that improved, before, now, change."""
    if wave == BEFORE:
        n -= 10
    n -= 5 * (place - 1) if n > 60 else 0
    share = _share(code, outcome, place, wave)
    before = round(6.9 - 0.2 * place + _spread(code, 3) / 10, 2)
    change = round((-1 if outcome != "sleep_quality" else 1) * (0.9 + 0.1 * place + _spread(code, 5) / 10), 2)
    hide = code in HIDDEN or (code, outcome) in HIDDEN_CELLS
    made = [
        ("responder_30", share, 0.95 / n**0.5),
        ("responder_50", round(share * 0.44, 4), 0.8 / n**0.5),
        ("responder_2_points", round(share * 0.81, 4), 0.9 / n**0.5),
        ("mean_baseline", before, 3.6 / n**0.5),
        ("mean", round(before + change, 2), 3.7 / n**0.5),
        ("mean_change", change, 2.9 / n**0.5),
    ]
    return [
        _row(wave, table, exposure, label, outcome, name, number, half, n, hide=hide) for name, number, half in made
    ]


def _share(code: str, outcome: str, place: int, wave: str) -> float:
    base = SHARES.get(code, 0.26 + _spread(code, 11) / 100)
    if outcome != "pain":
        base = base * 0.75 + 0.03 * place + _spread(code + outcome, 7) / 150
    return round(base - (0.0213 if wave == BEFORE else 0), 4)


def _spread(text: str, size: int) -> int:
    """A number from 0 to size - 1 that a text always has."""
    return sum(ord(mark) * weight for mark, weight in zip(text, count(1), strict=False)) % size


def _side_effect(wave: str, code: str, label: str, effect: str, n: int) -> Row:
    share = round(0.08 + _spread(code + effect, 17) / 100, 4)
    hide = code in HIDDEN or (code, effect) in HIDDEN_CELLS
    return _row(wave, "form_by_side_effect", FORM, label, effect, "share", share, 0.7 / n**0.5, n, hide=hide)


def _row(
    wave: str,
    table: str,
    exposure: str,
    level: str,
    outcome: str,
    statistic: str,
    estimate: float,
    half: float | None,
    n: int,
    hide: bool = False,
) -> Row:
    shown = None if hide else estimate
    ends = (None, None) if hide or half is None else (round(max(estimate - half, -9), 4), round(estimate + half, 4))
    return Row(
        instrument="magnesium",
        wave=wave,
        table=table,
        exposure=exposure,
        level=level,
        outcome=outcome,
        statistic=statistic,
        estimate=shown,
        standard_error=None,
        ci_lower=ends[0],
        ci_upper=ends[1],
        n_respondents=None if hide else n,
        n_missing=None,
        status=Status.SUPPRESSED if hide else Status.OK,
    )


# --- Numbers as texts quote them ---------------------------------------------------------------------------------------

LEVELS = {"c": "citrate", "m": "malate", "g": "glycinate", "o": "oxide", "none": "none", "all": "all"}
ASKED = {
    "pain": "pain",
    "fatigue": "fatigue",
    "sleep": "sleep_quality",
    "stress": "stress",
    "dia": "side_effects__diarrhoea",
    "stomach": "side_effects__upset_stomach",
}
WORDS = {
    "en": ("in ten", ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]),
    "de": ("von zehn", ["einer", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"]),
    "es": ("de cada diez", ["una", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez"]),
}
TENS = {"en": "in 10", "de": "von 10", "es": "de cada 10"}


@dataclass(frozen=True)
class Quoted:
    """A number as a text quotes it: what kind it is, its row, and how it is written."""

    kind: str
    level: str
    outcome: str
    form: str
    text: str
    number: float


def found(level: str, outcome: str, statistic: str, wave: str = NOW) -> Row:
    """A row of the release by short names."""
    label = _label(level)
    for row in release(wave).rows:
        if (row.level, row.outcome, row.statistic) == (label, ASKED[outcome], statistic):
            return row
    raise KeyError((level, outcome, statistic))


def _label(level: str) -> str:
    code = LEVELS[level]
    if code == "all":
        return "all"
    return next(one.label for one in release().levels[FORM] if one.code == code)


def quoted(level: str, outcome: str, what: str, language: str) -> Quoted:
    """A number of the release, such as ("c", "pain", "r30"); a level that begins with a minus is of the wave before."""
    wave = BEFORE if level.startswith("-") else NOW
    name, _, form = what.partition(":")
    row = found(level.lstrip("-"), outcome, _statistic(name, outcome), wave)
    number = _number(row, name)
    with speaking(language):
        return Quoted(name, level.lstrip("-"), outcome, form, in_text(name, number, form, language), number)


def _statistic(name: str, outcome: str) -> str:
    if outcome in ("dia", "stomach"):
        return "share"
    return {"r50": "responder_50", "chg": "mean_change", "before": "mean_baseline", "now": "mean"}.get(
        name, "responder_30"
    )


def _number(row: Row, name: str) -> float:
    if name == "n":
        return row.n_respondents or 0
    if name in ("lo", "hi"):
        return (row.ci_lower if name == "lo" else row.ci_upper) or 0.0
    return 1 - (row.estimate or 0) if name == "not" else row.estimate or 0.0


def in_text(name: str, number: float, form: str, language: str) -> str:
    """How a number is written: people grouped, shares in 100, in 10 or in words, changes with one decimal."""
    if name == "n":
        return whole(round(number))
    if name in ("chg", "before", "now"):
        return plain(abs(number), 2)
    if form == "ten":
        return f"{round(number * 10)} {TENS[language]}"
    if form == "words":
        return f"{WORDS[language][1][round(number * 10) - 1]} {WORDS[language][0]}"
    return str(whole_100(number))


def wave_words(language: str, wave: str = NOW) -> str:
    """A wave as a text names it."""
    with speaking(language):
        return wave_in_words(wave)


__all__ = ["Quoted", "found", "in_text", "instrument", "quoted", "release", "translated", "wave_words"]
