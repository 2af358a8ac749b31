"""Microsoft Forms: a workbook with an id, two times, an address and a name before the questions.

What belongs here: the words that Microsoft Forms writes itself, in the languages we know. What does not: answers joined by
semicolons (`answers`), and Excel's way of writing times (`files`).
"""

from itertools import takewhile

from survey_pipeline.exports.layout import Layout, Part
from survey_pipeline.exports.sheet import Sheet
from survey_pipeline.exports.tools.clues import Clue, Tool, folded, plain_column
from survey_pipeline.texts import fold

IDS = frozenset({"id", "identyfikator", "azonosító", "идентификатор", "ид"})
STARTS = frozenset(
    {
        *(
            "start time",
            "startzeit",
            "heure de début",
            "hora de inicio",
            "ora di inizio",
            "hora de início",
            "begintijd",
        ),
        *("starttid", "starttidspunkt", "aloitusaika", "godzina rozpoczęcia", "čas zahájení", "čas spuštění"),
        *("kezdés időpontja", "başlangıç saati", "время начала", "час початку", "開始時刻", "开始时间"),  # noqa: RUF001 - a Turkish letter
    }
)
"""The time at which an answer was begun."""
ENDS = frozenset(
    {
        *("completion time", "fertigstellungszeit", "endzeit", "abschlusszeit", "heure de fin", "hora de finalización"),
        *(
            "hora de fin",
            "ora di completamento",
            "hora de conclusão",
            "tijd van voltooien",
            "voltooiingstijd",
            "sluttid",
        ),
        *("slutförandetid", "fullføringstidspunkt", "afslutningstidspunkt", "valmistumisaika", "godzina ukończenia"),
        *("čas dokončení", "befejezés időpontja", "tamamlanma saati", "время выполнения", "час завершення"),
        *("完了時刻", "完成时间"),
    }
)
"""The time at which it was handed in."""
ABOUT_THE_PERSON = frozenset(
    map(
        fold,
        (
            *("Email", "Name", "Last modified time", "Language", "Total points", "Quiz feedback", "Grade posted time"),
            *("E-Mail", "Letzte Änderung", "Uhrzeit der letzten Änderung", "Zeitpunkt der letzten Änderung", "Sprache"),
            *("E-Mail-Adresse", "Gesamtpunktzahl", "Quizfeedback"),
            *("Adresse de messagerie", "E-mail", "Nom", "Heure de la dernière modification", "Langue"),
            *("Correo electrónico", "Nombre", "Hora de la última modificación", "Idioma"),
            *("Posta elettronica", "Indirizzo di posta elettronica", "Nome", "Ora dell'ultima modifica", "Lingua"),
            *("Hora da última modificação", "Naam", "Tijdstip van laatste wijziging", "Taal"),
            *("E-post", "Namn", "Navn", "Senast ändrad", "Sähköposti", "Nimi", "Adres e-mail", "Nazwa", "Język"),
        ),
    )
)
OWN = IDS | STARTS | ENDS | ABOUT_THE_PERSON
QUIZ = ("points - ", "feedback - ", "punkte - ")
"""What a quiz writes before each question."""


def told(sheet: Sheet) -> Clue | None:
    """An id, a start time and a completion time, in this order and at the beginning."""
    texts = folded(sheet)
    if sheet.width < 3 or texts[0] not in IDS or texts[1] not in STARTS or texts[2] not in ENDS:
        return None
    return Clue(1, "the first headings are an id, a start time and a completion time, as Microsoft Forms writes them")


def layout(sheet: Sheet, clue: Clue) -> Layout:
    """The tool's own columns stand at the beginning: a later question may be called 'Name' too."""
    texts = folded(sheet)
    own = len(list(takewhile(lambda text: text in OWN, texts)))
    part = [Part.TOOL if place < own or text.startswith(QUIZ) else Part.ANSWER for place, text in enumerate(texts)]
    columns = tuple(plain_column(sheet, place, clue.header_rows, part[place]) for place in range(sheet.width))
    ended = next((place for place, text in enumerate(texts[:own]) if text in ENDS), None)
    return Layout(TOOL.name, clue.header_rows, columns, clue.because, submitted=ended)


TOOL = Tool("microsoft_forms", told, layout)
