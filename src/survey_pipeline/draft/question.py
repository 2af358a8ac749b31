"""Question: what a draft says of one item, before it is written down.

What belongs here: the shapes that telling kinds, reading dictionaries and writing the page share, and codes for
them. What does not: deciding anything about a column (`kinds`, `dictionaries`).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from survey_pipeline import names
from survey_pipeline.instrument import Kind, Role
from survey_pipeline.texts import fold

LONGEST_CODE = 40
LONGEST_LABEL = 70
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
NO_CODE_SIGN = re.compile(r"[^a-z0-9]+")
MARKS = {"<": " under ", ">": " over ", "+": " plus ", "%": " percent ", "&": " and "}
FILLERS = frozenset(
    [
        "what",
        "which",
        "how",
        "do",
        "does",
        "did",
        "is",
        "are",
        "was",
        "were",
        "you",
        "your",
        "the",
        "a",
        "an",
        "of",
        "in",
        "on",
        "to",
        "for",
        "at",
        "by",
        "with",
        "that",
        "this",
        "please",
        "select",
        "have",
    ]
)
"""Words that say little in a code."""
BESIDE = re.compile(r"\([^()]*\)")
TAKEN = frozenset(
    text for name, text in vars(names).items() if name.isupper() and isinstance(text, str) and text.isidentifier()
)
"""Names of our own columns and levels: no item and no option may be called so."""


@dataclass(frozen=True)
class Answer:
    """One option: its code, how it is shown, and other texts by which exports know it."""

    code: str
    label: str
    spellings: tuple[str, ...] = ()
    exclusive: bool = False


@dataclass(frozen=True)
class Found:
    """What the answers to a question look like. `dropped`: why nothing of it is to be stored."""

    kind: Kind
    options: tuple[Answer, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    unit: str = ""
    edges: tuple[float, ...] = ()
    """Where a number's bands end, but for the last."""
    fixes: dict[str, str] = field(default_factory=dict)
    decimal_sign: str = ""
    date_order: str = ""
    several_as: str = ""
    """The code for people who ticked several, where only one level may be theirs."""
    dropped: str = ""
    remarks: tuple[str, ...] = ()
    are_codes: bool = False
    """The options are bare numbers, of which nobody said what they stand for."""

    @property
    def is_numeric(self) -> bool:
        return self.kind in (Kind.SCALE, Kind.NUMBER)

    @property
    def has_levels(self) -> bool:
        return not self.dropped and (self.is_numeric or self.kind in (Kind.CHOICE, Kind.YES_NO))

    @property
    def is_measurable(self) -> bool:
        return not self.dropped and self.kind in (Kind.SCALE, Kind.CHOICE, Kind.CHOICES, Kind.YES_NO)


@dataclass(frozen=True)
class Question:
    """One item of the draft. `question` is its heading, `headings` are others under which it may come."""

    code: str
    question: str
    label: str
    theme: str
    found: Found
    headings: tuple[str, ...] = ()
    required: bool = False
    identifies: bool = False
    """It recognises a person who answers again."""
    remarks: tuple[str, ...] = ()

    @property
    def role(self) -> Role:
        if self.identifies:
            return Role.IDENTIFIER
        return Role.DROP if self.found.dropped else Role.DETAIL


@dataclass(frozen=True)
class Questions:
    """Everything that a file tells of a survey."""

    source: str
    """What the draft was made from, without the file's name."""
    asked: tuple[Question, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    """Columns that are no items, and why."""
    no_answer: tuple[str, ...] = ()
    """Texts that mean "no answer" in any question."""
    events: tuple[str, ...] = ()
    """At which events people answered, where one person has a row for each; the most frequent first."""
    remarks: tuple[str, ...] = ()


def dropped(why: str, *remarks: str, kind: Kind = Kind.TEXT) -> Found:
    """A column of which nothing is stored."""
    return Found(kind, dropped=why, remarks=remarks)


# --- Codes and labels --------------------------------------------------------------------------------------------------


def slug(text: str, longest: int = LONGEST_CODE) -> str:
    """Lower-case letters, digits and underscores, cut between words; "" if nothing is left."""
    words = _words(text)
    kept = words[:1]
    for word in words[1:]:
        if len("_".join((*kept, word))) > longest:
            break
        kept.append(word)
    return "_".join(kept)[:longest].strip("_")


def _words(text: str) -> list[str]:
    for mark, said in MARKS.items():
        text = text.replace(mark, said)
    bare = unicodedata.normalize("NFKD", CAMEL.sub("_", text).replace("'", "").replace("\u2019", "").casefold())
    plain = "".join(sign for sign in bare if not unicodedata.combining(sign))
    return [word for word in NO_CODE_SIGN.sub(" ", plain).split() if word]


def item_slug(text: str) -> str:
    """A code for a question: without the words that every question has, and with a letter first."""
    bare = BESIDE.sub(" ", text) if BESIDE.sub("", text).strip() else text
    said = [word for word in _words(bare) if word not in FILLERS] or _words(bare)
    code = slug(" ".join(said))
    return f"q_{code}" if code[:1].isdigit() else code


def unused(code: str, taken: Collection[str], otherwise: str) -> str:
    """The code, or with a number behind it if another has it; `otherwise` where the text gave none."""
    code = code or otherwise
    code = f"{code}_asked" if code in TAKEN else code
    number = 2
    stem = code
    while code in taken or code in TAKEN:
        code, number = f"{stem}_{number}", number + 1
    return code


def shortened(text: str, longest: int = LONGEST_LABEL) -> str:
    """A label: one line, cut between words."""
    plain = " ".join(text.split())
    if len(plain) <= longest:
        return plain
    return plain[: longest - 3].rsplit(" ", 1)[0].rstrip(" ,;:-") + " ..."


OTHER_BEGINS = ("other", "sonstige", "andere", "autre", "otro", "otra", "altro")
NONE = frozenset(
    {"none", "none of these", "none of the above", "nothing", "no answer applies", "keine", "keines davon", "nichts"}
    | {"ninguno", "ninguna", "aucun", "aucune", "nessuno"}
)
"""Options that cannot be ticked together with others."""


def options_of(given: Iterable[tuple[str, Sequence[str]]], *, several: bool = False) -> tuple[Answer, ...]:
    """Options with codes of their own, from labels and further texts. No text may stand for two of them."""
    made: list[Answer] = []
    known: set[str] = set()
    for place, (label, more) in enumerate(given, start=1):
        answer = _answer(label, more, {option.code for option in made}, place, several)
        answer = _apart(answer, known, place)
        known |= {fold(text) for text in (answer.code, answer.label, *answer.spellings)}
        made.append(answer)
    return tuple(made)


def _answer(label: str, more: Sequence[str], taken: set[str], place: int, several: bool) -> Answer:
    other = fold(label).startswith(OTHER_BEGINS) and names.OTHER not in taken
    code = names.OTHER if other else unused(_not_reserved(slug(label)), taken - {names.OTHER}, f"option_{place}")
    label = " ".join(label.split()) or code
    spellings = tuple(dict.fromkeys(text for text in more if fold(text) not in {fold(label), fold(code), ""}))
    return Answer(code, label, spellings, several and fold(label) in NONE)


def _not_reserved(code: str) -> str:
    return f"{code}_said" if code == names.OTHER else code


def _apart(answer: Answer, known: set[str], place: int) -> Answer:
    """What another option is already known by is left to it."""
    spellings = tuple(text for text in answer.spellings if fold(text) not in known)
    code = answer.code if fold(answer.code) not in known else unused(f"option_{place}", known, "")
    label = answer.label if fold(answer.label) not in known else f"{answer.label} ({place})"
    return replace(answer, code=code, label=label, spellings=spellings)
