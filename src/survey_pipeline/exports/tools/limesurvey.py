"""LimeSurvey: headings as codes, as texts, or as both; a column an option or a row of an array.

What belongs here: LimeSurvey's own columns in the languages we know, and taking its headings apart. What does not: telling
options from the rows of an array by the heading, which nobody can (`clues.parts` looks at the cells).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from survey_pipeline.exports.layout import Column, Layout, Mark, Part
from survey_pipeline.exports.sheet import Sheet
from survey_pipeline.exports.tools.clues import (
    Clue,
    Tool,
    brackets_at_end,
    cells,
    distinct,
    headings,
    names,
    parts,
    place_of,
)
from survey_pipeline.texts import fold

OWN = {
    "id": ("response id", "antwort-id", "antwort id", "id de la réponse", "id de respuesta", "id risposta"),
    "submitdate": (
        *("date submitted", "datum abgeschickt", "abgabedatum", "date de soumission", "fecha de envío"),
        *("data di invio", "datum inzending", "data de envio"),
    ),
    "lastpage": ("last page", "letzte seite", "dernière page", "última página", "ultima pagina", "laatste pagina"),
    "startlanguage": (
        *("start language", "start-sprache", "startsprache", "langue de départ", "lenguaje inicial", "idioma inicial"),
        *("lingua iniziale", "starttaal"),
    ),
    "seed": ("seed", "zufallsstartwert", "tête de série", "semilla"),
    "token": ("token", "access code", "zugangsschlüssel", "zugangscode", "code d'accès", "código de acceso"),
    "startdate": ("date started", "datum gestartet", "date de lancement", "fecha de inicio", "data di inizio"),
    "datestamp": (
        *("date last action", "datum letzte aktivität", "date de la dernière action", "fecha de la última acción"),
        *("data dell'ultima azione",),
    ),
    "ipaddr": ("ip address", "ip-adresse", "adresse ip", "dirección ip", "indirizzo ip"),
    "refurl": ("referrer url", "weiterleitungs-url", "url de référence", "url de referencia"),
}
CERTAIN = frozenset({"submitdate", "lastpage", "startlanguage"})
TIMING = re.compile(r"interviewtime|total time|(group|question)time.*|(group|question) time: .*")
PARTICIPANT = frozenset({"firstname", "lastname", "email"})
CODE = re.compile(r"(?P<code>[A-Za-z][A-Za-z0-9]*(?:_\w+(?=\[))?)(?P<sub>(?:\[[^\[\]]*\])*|(?:_[A-Za-z0-9]+)*)")
"""Q[SQ001], or Q_SQ001 in the style of LimeSurvey's expressions."""
BOTH = re.compile(rf"(?P<head>{CODE.pattern})\. ?(?P<text>.*)", re.DOTALL)
OTHER = frozenset({"other", "sonstiges", "andere", "autre", "otro", "altro", "anders", "outro"})
COMMENT = frozenset({"comment", "kommentar", "commentaire", "comentario", "commento", "commentaar"})
UNDATED = "1980-01-01"
"""Written into `submitdate` by surveys that keep no dates."""


@dataclass(frozen=True)
class Asked:
    """A heading taken apart; what it does not say is empty."""

    code: str = ""
    sub: str = ""
    """The code of an option or of an array's row."""
    question: str = ""
    inside: tuple[str, ...] = ()
    """Texts in brackets behind the question: an option's or a row's, and a column's."""

    @cached_property
    def whole(self) -> tuple[str, str]:
        """What stands for the question among the other headings."""
        return fold(self.code), "" if self.code else fold(self.question)

    @property
    def has_sub(self) -> bool:
        return bool(self.sub or self.inside)


def told(sheet: Sheet) -> Clue | None:
    """LimeSurvey's own columns, or headings that only it writes: 'code[sub]. Question [Option]' or 'code[sub]'."""
    written = [text for text in headings(sheet) if text.strip()]
    own = {_own(text) for text in written} - {""}
    coded = CERTAIN & {fold(text.split(". ")[0]) for text in written}
    if (coded and len(own) > 1) or len(own & CERTAIN) > 1:
        return Clue(1, f"LimeSurvey's own columns are there ('{min(own & CERTAIN)}')")
    both = [text for text in written if BOTH.fullmatch(text)]
    if 2 * len(both) > len(written) and any("[" in text.split(". ")[0] for text in both):
        return Clue(1, "headings are written as 'code[part]. question', as LimeSurvey does")
    bracketed = [text for text in written if text.endswith("]")]
    if len(bracketed) > 1 and all(CODE.fullmatch(text) for text in written):
        return Clue(1, "headings are codes with their parts in brackets, as LimeSurvey writes them")
    return None


def _own(heading: str) -> str:
    """Which of LimeSurvey's own columns a heading is, whatever its style; "" for none."""
    text = fold(heading.replace("_", " "))
    code = fold(heading.split(". ")[0])
    return next((own for own, texts in OWN.items() if text in texts or own in (text, code)), "")


def layout(sheet: Sheet, clue: Clue) -> Layout:
    """An option's column is known as a whole and by its question and option: the item's kind decides which is meant."""
    written = headings(sheet)
    own = [_own(text) for text in written]
    style, brackets = _style(written), any("]" in text.split(". ")[0] for text in written)
    asked = [_asked(text, style, brackets) for text in written]
    part = _parts(sheet, clue, own, asked)
    with_other = frozenset(each.whole for each, what in zip(asked, part, strict=True) if what is Part.OTHER)
    return Layout(
        TOOL.name,
        clue.header_rows,
        tuple(_column(sheet, place, clue, each, part[place], with_other) for place, each in enumerate(asked)),
        clue.because,
        unfinished=(Mark(own.index("submitdate"), frozenset({""})),) if "submitdate" in own else (),
        submitted=_submitted(sheet, clue, own),
        token=_token(sheet, clue, own),
    )


def _style(written: Sequence[str]) -> re.Pattern[str] | None:
    """How most headings are written: both code and text, codes alone, or (None) texts alone."""
    named = [text for text in written if text.strip()]
    fits = {style: sum(style.fullmatch(text) is not None for text in named) for style in (BOTH, CODE)}
    style = max(fits, key=lambda style: fits[style])
    return style if 2 * fits[style] > len(named) else None


def _asked(heading: str, style: re.Pattern[str] | None, brackets: bool) -> Asked:
    """`brackets`: parts stand in brackets, so that an underscore is a letter like any other."""
    found = style.fullmatch(heading) if style else None
    if found is None:
        return Asked("", "", *brackets_at_end(heading))
    text = brackets_at_end(found["text"]) if style is BOTH else ("", ())
    code, sub = found["code"], found["sub"]
    if brackets and sub.startswith("_"):
        code, sub = code + sub, ""
    return Asked(code, sub.strip("[]_").replace("][", "_"), *text)


def _parts(sheet: Sheet, clue: Clue, own: Sequence[str], asked: Sequence[Asked]) -> list[Part]:
    subs = {place: each for place, each in enumerate(asked) if each.has_sub and not own[place]}
    free = {place: part for place, each in subs.items() if (part := _free_words(each, asked))}
    told = parts(
        sheet,
        clue.header_rows,
        {place: (each.whole, each.inside[-1:]) for place, each in subs.items() if place not in free},
    )
    arrays = {asked[place].whole for place, part in told.items() if part is Part.ANSWER}
    rows = dict.fromkeys(
        (place for place in free if not asked[place].code and asked[place].whole in arrays), Part.ANSWER
    )
    tools = {
        place: Part.TOOL
        for place, text in enumerate(headings(sheet))
        if own[place] or _is_tools(place, text, asked[place])
    }
    found = told | free | rows | tools
    return [found.get(place, Part.ANSWER) for place in range(sheet.width)]


def _is_tools(place: int, heading: str, each: Asked) -> bool:
    """Row numbers before the first question, times, what is known of an invited person, and counts of files."""
    nameless = place == 0 and not heading.strip()
    text = fold(heading)
    return nameless or bool(TIMING.fullmatch(text)) or text in PARTICIPANT or fold(each.sub) == "filecount"


def _free_words(each: Asked, asked: Sequence[Asked]) -> Part | None:
    """Whether a column holds words beside an answer. Codes say so for certain, a text in brackets almost."""
    sub = fold(each.sub) if each.code else fold(each.inside[-1])
    if sub in OTHER if not each.code else sub == "other":
        return Part.OTHER
    if sub in COMMENT:
        return Part.COMMENT
    beside = sub.removesuffix("comment")
    if not each.code or beside == sub:
        return None
    return Part.COMMENT if any(other.code == each.code and fold(other.sub) == beside for other in asked) else None


def _column(
    sheet: Sheet, place: int, clue: Clue, each: Asked, part: Part, with_other: frozenset[tuple[str, str]]
) -> Column:
    """`with_other`: questions with a second column for own words, of which a cell may say so by LimeSurvey's code."""
    heading = headings(sheet)[place]
    known_as = names(sheet, place, clue.header_rows, *_names(each))
    if part is Part.TOOL or not each.has_sub:
        other = part is Part.ANSWER and each.whole in with_other
        return Column(heading, known_as, part, labels={"-oth-": "Other"} if other else {})
    return Column(heading, known_as, part, distinct(each.code, each.question), distinct(each.sub, *each.inside[-1:]))


def _names(each: Asked) -> list[str]:
    """The code in LimeSurvey's two ways of writing it, and the question with its parts; empty brackets say nothing."""
    inside = [text for text in each.inside if text]
    spelt = [each.code] if not each.sub else [f"{each.code}[{each.sub}]", f"{each.code}_{each.sub}"]
    text = each.question + "".join(f" [{text}]" for text in inside)
    return [*(spelt if each.code else []), text]


def _submitted(sheet: Sheet, clue: Clue, own: Sequence[str]) -> int | None:
    """The time of handing in, unless the survey keeps no dates: then all answers would seem to come at once."""
    dated = [
        place
        for name in ("submitdate", "datestamp", "startdate")
        if (place := place_of(own, name)) is not None
        and not any(cell.startswith(UNDATED) for cell in cells(sheet, place, clue.header_rows))
    ]
    return dated[0] if dated else None


def _token(sheet: Sheet, clue: Clue, own: Sequence[str]) -> int | None:
    """Invitations, where there are any. The response id only counts, so that two surveys' ids would meet."""
    place = place_of(own, "token")
    return place if place is not None and cells(sheet, place, clue.header_rows) else None


TOOL = Tool("limesurvey", told, layout)
