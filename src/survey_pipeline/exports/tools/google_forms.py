"""Google Forms: one row of questions, the time of handing in first.

What belongs here: the words that Google Forms and its sheets write themselves, in the languages we know. What does not:
joined answers, which stay in their cell (`answers`), and dates that a sheet has rewritten.
"""

from collections.abc import Sequence
from itertools import takewhile

from survey_pipeline.exports.layout import Layout, Part
from survey_pipeline.exports.sheet import Sheet
from survey_pipeline.exports.tools.clues import Clue, Tool, brackets_at_end, folded, headings, plain_column
from survey_pipeline.texts import fold

TIMESTAMPS = (
    "Timestamp",
    "Zeitstempel",
    "Marca temporal",
    "Marca de tiempo",
    "Horodateur",
    "Informazioni cronologiche",
    "Carimbo de data/hora",
    "Carimbo de hora",
    "Tijdstempel",
    "Tidsstempel",
    "Tidstämpel",
    "Aikaleima",
    "Sygnatura czasowa",
    "Časové razítko",
    "Časová pečiatka",
    "Časová značka",
    "Časovni žig",
    "Vremenska oznaka",
    "Időbélyeg",
    "Marcaj de timp",
    "Marcă temporală",
    "Marca de temps",
    "Zaman damgası",  # noqa: RUF001 - a Turkish letter
    "Χρονική σήμανση",
    "Отметка времени",
    "Позначка часу",
    "Времево клеймо",
    "Клеймо за време",
    "חותמת זמן",
    "طابع زمني",
    "タイムスタンプ",
    "타임스탬프",
    "时间戳记",
    "時間戳記",
    "Dấu thời gian",
    "Stempel waktu",
    "Cap Waktu",
)
ADDRESSES = frozenset(
    {
        *("username", "email address", "email", "nutzername", "benutzername", "e-mail-adresse", "nombre de usuario"),
        *("dirección de correo electrónico", "nom d'utilisateur", "adresse e-mail", "nome utente", "indirizzo email"),
        *("nome de usuário", "nome de utilizador", "endereço de e-mail", "gebruikersnaam", "e-mailadres"),
        *("nazwa użytkownika", "adres e-mail"),
    }
)
"""Who answered, where the form collects it. The column comes last if that was switched on later."""
SCORES = frozenset(
    {"score", "total score", "punktzahl", "gesamtpunktzahl", "puntuación", "punteggio", "pontuação", "punktacja"}
)
"""What a quiz writes beside the time."""
QUIZ = frozenset({"score", "feedback", "punktzahl"})
"""What it adds in brackets behind each question."""


def told(sheet: Sheet) -> Clue | None:
    """The first of several headings is the time, written exactly as Google writes it."""
    first = headings(sheet)[0].strip()
    if sheet.width < 2 or first not in TIMESTAMPS:
        return None
    return Clue(1, f"the first heading is '{first}', as Google Forms writes it")


def layout(sheet: Sheet, clue: Clue) -> Layout:
    """A cell of a grid is an answer: 'Question [Row]' is its question's whole name."""
    dated = headings(sheet)[0].strip() in TIMESTAMPS
    own = _own(headings(sheet), folded(sheet), dated)
    part = [Part.TOOL if place in own else Part.ANSWER for place in range(sheet.width)]
    columns = tuple(plain_column(sheet, place, clue.header_rows, part[place]) for place in range(sheet.width))
    return Layout(TOOL.name, clue.header_rows, columns, clue.because, submitted=0 if dated else None)


def _own(written: Sequence[str], texts: Sequence[str], dated: bool) -> frozenset[int]:
    """The places of what Google adds to the questions: the time, who answered, and the marks of a quiz."""
    beginning = list(takewhile(lambda place: texts[place] in ADDRESSES | SCORES, range(int(dated), len(texts))))
    others = [place for place, text in enumerate(written) if texts[place] in ADDRESSES or _of_a_quiz(text, texts)]
    return frozenset([*range(int(dated)), *beginning, *others])


def _of_a_quiz(heading: str, texts: Sequence[str]) -> bool:
    question, inside = brackets_at_end(heading)
    return len(inside) == 1 and fold(inside[0]) in QUIZ and fold(question) in texts


TOOL = Tool("google_forms", told, layout)
