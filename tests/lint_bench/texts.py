"""Clean texts: what editors might write about the made-up release, by hand and from templates.

What belongs here: reading the texts and putting the numbers in. What does not: mistakes (`mutations`).
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lint_bench.made_up import BEFORE, NOW, Quoted, quoted, wave_words

HERE = Path(__file__).parent
LANGUAGES = ("en", "de", "es")
_SLOT = re.compile(r"\{(?P<level>-?\w+) (?P<outcome>\w+) (?P<what>[\w:]+)\}|\{(?P<wave>wave|before)\}")
KNOWN = "known"
ORIGINS = (KNOWN, "held out", "fresh")
"""When words were written: with the vocabulary, before looking at what the linter says, after it was finished."""

FORM_NAMES = {
    "en": {"c": "citrate", "m": "malate", "g": "glycinate", "o": "oxide"},
    "de": {"c": "Citrat", "m": "Malat", "g": "Glycinat", "o": "Oxid"},
    "es": {"c": "citrato", "m": "malato", "g": "glicinato", "o": "óxido"},
}
LESS = {
    "en": {
        "pain": "pain at least 30 % lower",
        "fatigue": "fatigue at least 30 % lower",
        "sleep": "sleep quality at least 30 % higher",
        "stress": "stress at least 30 % lower",
    },
    "de": {
        "pain": "mindestens 30 % weniger Schmerz",
        "fatigue": "mindestens 30 % weniger Erschöpfung",
        "sleep": "mindestens 30 % bessere Schlafqualität",
        "stress": "mindestens 30 % weniger Stress",
    },
    "es": {
        "pain": "al menos un 30 % menos de dolor",
        "fatigue": "al menos un 30 % menos de fatiga",
        "sleep": "una calidad del sueño al menos un 30 % mejor",
        "stress": "al menos un 30 % menos de estrés",
    },
}
TEMPLATES = {
    "en": (
        "About {F O r30} in 100 people who took FORM reported LESS (based on about {F O n} people).",
        "In {wave}, {F O r30:ten} FORM users said LESS. That is based on about {F O n} people.",
        "Of about {F O n} people who took FORM, {F O r30} % reported LESS.",
        "For FORM it was {F O r30} in 100 who reported LESS, and from {F O lo} to {F O hi} in 100 fit ({F O n} answers).",
    ),
    "de": (
        "Etwa {F O r30} von 100 Menschen, die FORM nahmen, berichteten von LESS (beruht auf etwa {F O n} Personen).",
        "Im {wave} nannten {F O r30:ten} Personen mit FORM LESS. Das beruht auf etwa {F O n} Personen.",
        "Mit FORM berichteten {F O r30} % von LESS (etwa {F O n} Befragte).",
    ),
    "es": (
        "Unas {F O r30} de cada 100 personas que tomaron FORM contaron LESS (según unas {F O n} personas).",
        "En {wave}, {F O r30:ten} personas con FORM contaron LESS. Se basa en unas {F O n} personas.",
        "Con FORM, el {F O r30} % contó LESS (unas {F O n} respuestas).",
    ),
}
OPENINGS = {
    "en": ("Here is what members told us this time.", "Thank you for your answers.", "A look at the numbers."),
    "de": ("Das haben uns Mitglieder berichtet.", "Danke für alle Antworten.", "Ein Blick auf die Zahlen."),
    "es": ("Esto nos contaron los miembros.", "Gracias por todas las respuestas.", "Una mirada a los números."),
}
CLOSINGS = {
    "en": (
        "This shows what people reported. It cannot show what caused it.",
        "People chose their own form, so groups may differ in other ways too.",
        "Questions? Ask a pharmacist or doctor.",
    ),
    "de": (
        "Das zeigt, was berichtet wurde. Es kann nicht zeigen, woran es lag.",
        "Alle haben ihre Form selbst gewählt, die Gruppen können sich also auch sonst unterscheiden.",
        "Fragen? Sprechen Sie in der Apotheke oder Arztpraxis darüber.",
    ),
    "es": (
        "Esto muestra lo que se contó. No puede mostrar qué lo causó.",
        "Cada cual eligió su forma, así que los grupos pueden diferir también en otras cosas.",
        "¿Preguntas? Consulte en la farmacia o a su médico.",
    ),
}


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: plain words, a number that is quoted, or a wave that is named."""

    text: str
    number: Quoted | None = None
    wave: str | None = None


@dataclass(frozen=True)
class Text:
    """A clean text in pieces. `origin`: when it was written, see `ORIGINS`."""

    name: str
    language: str
    pieces: tuple[Piece, ...]
    origin: str
    by_hand: bool

    def __str__(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(str(self).split())


def pieces(text: str, language: str) -> tuple[Piece, ...]:
    """A text in pieces, its slots filled from the made-up release."""
    return tuple(_pieces(text, language))


def _pieces(text: str, language: str) -> Iterator[Piece]:
    position = 0
    for slot in _SLOT.finditer(text):
        yield Piece(text[position : slot.start()])
        position = slot.end()
        if slot["wave"]:
            wave = NOW if slot["wave"] == "wave" else BEFORE
            yield Piece(wave_words(language, wave), wave=wave)
        else:
            number = quoted(slot["level"], slot["outcome"], slot["what"], language)
            yield Piece(number.text, number=number if not slot["level"].startswith("-") else None)
    yield Piece(text[position:])


def by_hand() -> Iterator[Text]:
    """Every paragraph that was written by hand."""
    for language in LANGUAGES:
        parts = re.split(r"^== (.*)\n", (HERE / "clean" / f"{language}.txt").read_text(encoding="utf-8"), flags=re.M)
        for place, (head, text) in enumerate(zip(parts[1::2], parts[2::2], strict=True), 1):
            yield Text(f"{language} {place}", language, pieces(text.strip(), language), head, True)


def from_templates(seed: int, each: int = 30) -> Iterator[Text]:
    """Texts from templates, so many in each language."""
    chance = random.Random(seed)
    for language in LANGUAGES:
        for place in range(each):
            yield Text(f"{language} template {place}", language, _from_template(chance, language), KNOWN, False)


def _from_template(chance: random.Random, language: str) -> tuple[Piece, ...]:
    sentences = [chance.choice(OPENINGS[language])]
    for template in chance.sample(TEMPLATES[language], 2):
        form, outcome = chance.choice(["c", "m", "g", "o"]), chance.choice(["pain", "fatigue", "sleep"])
        text = template.replace("{F O ", f"{{{form} {outcome} ")
        sentences.append(text.replace("FORM", FORM_NAMES[language][form]).replace("LESS", LESS[language][outcome]))
    sentences.append(chance.choice(CLOSINGS[language]))
    return pieces(" ".join(sentences), language)
