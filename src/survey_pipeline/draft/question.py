"""Question: what a draft says of one item, before it is written down.

What belongs here: the shapes that telling kinds, reading dictionaries and writing the page share, and codes for
them. What does not: deciding anything about a column (`kinds`, `dictionaries`).
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
    rows_of_other_events: int = 0
    remarks: tuple[str, ...] = ()
    maybe_headless: bool = False
    """The first row may be somebody's answers."""


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


def readable(text: str) -> str:
    """A code or path as a label: its last part, in words."""
    if " " in text.strip():
        return text
    words = text.rstrip("/").rsplit("/", 1)[-1].replace("_", " ").split()
    return " ".join(words)[:1].upper() + " ".join(words)[1:] if words else text


OTHER_BEGINS = ("other", "sonstige", "andere", "autre", "otro", "otra", "altro")
NONE = frozenset(
    {"none", "none of these", "none of the above", "nothing", "no answer applies", "keine", "keines davon", "nichts"}
    | {"ninguno", "ninguna", "aucun", "aucune", "nessuno"}
)
"""Options that cannot be ticked together with others."""


NOBODYS = -1
Given = tuple[str, Sequence[str]]
"""An option as a file has it: its label, and further texts by which exports know it (its raw code first)."""


def options_of(given: Iterable[Given], *, several: bool = False) -> tuple[Answer, ...]:
    """Options with codes of their own, from labels and further texts. No text may stand for two of them: what a raw export
    writes comes first, then labels, then codes, which are ours to choose.
    """
    listed = [(" ".join(label.split()), more) for label, more in given]
    owners = _owners(listed)
    labels = [_label(place, label, more, owners) for place, (label, more) in enumerate(listed)]
    other = _other(labels, owners)
    codes = _codes(labels, owners, other)
    return tuple(
        _answer(codes[place], labels[place], _own(place, more, owners), several)
        for place, (_, more) in enumerate(listed)
    )


def _owners(listed: Sequence[Given]) -> dict[str, int]:
    """Which option each folded text stands for; nobody's is what several are written by."""
    owners = _claimed([more for _, more in listed])
    return _claimed([(label,) for label, _ in listed]) | owners


def _claimed(texts: Sequence[Sequence[str]]) -> dict[str, int]:
    claimed: dict[str, int] = {}
    for place, own in enumerate(texts):
        for text in map(fold, own):
            claimed[text] = place if claimed.get(text, place) == place else NOBODYS
    return claimed


def _own(place: int, more: Sequence[str], owners: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(text for text in more if fold(text) and owners[fold(text)] == place)


def _label(place: int, label: str, more: Sequence[str], owners: dict[str, int]) -> str:
    """The label, made distinct where its text already stands for another option."""
    made = label = label or f"Option {place + 1}"
    beside = f"code {more[0]}" if _own(place, more[:1], owners) else str(place + 1)
    while owners.setdefault(fold(made), place) != place:
        made = f"{made} ({beside})"
    return made


def _other(labels: Sequence[str], owners: Mapping[str, int]) -> int | None:
    """The option that stands for people's own words."""
    first = next((place for place, label in enumerate(labels) if fold(label).startswith(OTHER_BEGINS)), None)
    return owners.get(names.OTHER, first)


def _codes(labels: Sequence[str], owners: Mapping[str, int], other: int | None) -> list[str]:
    """A code an option, with a letter first, that is no text of another."""
    codes: list[str] = []
    for place, label in enumerate(labels):
        others = {text for text, owner in owners.items() if owner != place}
        code = slug(label)
        code = f"option_{code}" if code[:1].isdigit() else f"{code}_said" if code == names.OTHER else code
        made = unused(code, {*others, *codes, names.OTHER}, f"option_{place + 1}")
        codes.append(names.OTHER if place == other else made)
    return codes


def _answer(code: str, label: str, more: Sequence[str], several: bool) -> Answer:
    spellings = tuple(dict.fromkeys(text for text in more if fold(text) not in (fold(label), fold(code))))
    return Answer(code, label, spellings, several and fold(label) in NONE)


def clashes(given: Sequence[Given], options: Sequence[Answer]) -> tuple[str, ...]:
    """What is to be said where a label as it is exported would stand for another option."""
    if all(fold(label) in ("", fold(option.label)) for (label, _), option in zip(given, options, strict=True)):
        return ()
    return (
        "Some of its labels are other options' codes or labels, so they were made distinct: an export with codes can be "
        "read with them, an export with labels cannot.",
    )
