"""Asking: what a question asks for, told from its words: consent, who somebody is, or people and places by name.

What belongs here: the words, in the languages that people use here. What does not: what was answered (`kinds`).
"""

import re
from collections.abc import Iterable

ABOUT_PEOPLE = re.compile(
    r"^age\b|\byour age\b|\bage (?:group|band|range)\b|\bold are you\b|\bgender\b|\bsex\b|\bincome\b|\beducation\b|"
    r"\bqualification\b|\bregion\b|\blocation\b|^country\b|\b(?:which|your) country\b|\bethnicity\b|^race\b|\byour race\b|"
    r"\bmarital\b|\boccupation\b|\bemployment\b|^alter\b|\bgeschlecht\b|\bedad\b|\bsexo\b|\bsexe\b",
    re.IGNORECASE,
)
"""A question about who somebody is."""
CONSENT = re.compile(
    r"\bconsent|\bagree (?:to|that)\b|\bpermission|\bi agree\b|\bmay we\b|\bprivacy (?:policy|notice|statement)\b|"
    r"\bdata protection\b|\bterms (?:and|of)\b|\bwilling to (?:take part|participate)\b|\beinwillig|\beinverstanden\b|"
    r"\bdatenschutz|\bzustimm|\bconsentimiento\b|\bconsiente\b|\bacepta(?:s)? (?:participar|que|los|la)\b|\bautoriza",
    re.IGNORECASE,
)
"""A question that may ask for consent."""

EN_NOUNS = (
    "doctors?|dr|physicians?|gp|general practitioner|therapists?|psychiatrist|psychologist|counsell?or|dentist|"
    "nurse|midwife|pharmacist|surgeon|specialist|consultant|practitioner|provider|clinics?|hospitals?|practice|pharmacy|"
    "surgery|health cent(?:re|er)|employer|company|workplace|school|university|college|church|town|city|village|street|"
    "address|neighbou?rhood|borough|district|suburb|teacher|boss|manager|coach|husband|wife|partner|child|children|friend"
)
DE_NOUNS = (
    r"\w*arzt|\w*ärztin|\w*ärzte|\w*praxis|\w*klinik|\w*kliniken|\w*krankenhaus|\w*apotheke|\w*therapeut(?:in)?|psychiater(?:in)?|"
    r"heilpraktiker(?:in)?|hebamme|psycholog(?:e|in)|arbeitgeber|firma|schule|universität|stadt|(?:wohn|geburts|arbeits|heimat)?ort|dorf|stra(?:ß|ss)e|"
    r"stadtteil|partner(?:in)?|kind|kinder"
)
ES_NOUNS = (
    r"m[eé]dic[oa]s?|doctor(?:a|es)?|cl[ií]nicas?|hospital(?:es)?|farmacia|terapeuta|psiquiatra|psic[oó]log[oa]|enfermer[oa]|"
    r"dentista|centro de salud|consultorio|ciudad|pueblo|municipio|localidad|calle|barrio|domicilio|empresa|escuela|"
    r"universidad|pareja|hij[oa]s?"
)
BETWEEN = r"\s+(?:[^\W\d_]+\s+){0,2}?"
NAMED_BY = re.compile(
    rf"\b(?:which|what|your|my|name of){BETWEEN}(?:{EN_NOUNS})\b"
    rf"|\b(?:welche[rsmn]?|ihre?[nrms]?|deine?[nrms]?|meine?[nrms]?|name){BETWEEN}(?:{DE_NOUNS})\b"
    rf"|\b(?:qu[eé]|cu[aá]l(?:es)?|su|tu|mi|nombre){BETWEEN}(?:{ES_NOUNS})\b"
    rf"|^(?:(?:the|name|family|der|die|das|el|la)\s+)*(?:{EN_NOUNS}|{DE_NOUNS}|{ES_NOUNS})(?:\s+(?:name|names))?$"
    r"|\bwohnort\b|\blugar de residencia\b|\bplace of (?:residence|birth|work)\b",
    re.IGNORECASE,
)
"""Words for somebody or some place of one's own."""
CLAUSE = r"(?:^|[.:;?!\u00bf,(\]/]\s*)(?:and |und |y |if so,? |wenn ja,? )?"
OPENED = re.compile(
    rf"{CLAUSE}(?:who|whom|whose|wer|wem|wen|qui[eé]n(?:es)?)\b"
    r"|\b(?:by|with|from|to) whom\b|\b(?:bei|von|zu|mit) wem\b|\b(?:con|de|por|a) qui[eé]n(?:es)?\b"
    rf"|{CLAUSE}(?:(?:from|in|de|en) )?(?:where|wo|woher|wohin|ad[oó]nde|d[oó]nde)\b"
    r"(?!.*(?:\bhurt|\bpain|\bache|\bfe(?:el|lt)\b|\bbody\b|\btut\b|schmerz|\bduele|\bdolor|\bsient))",
    re.IGNORECASE,
)
"""Who and where, at the beginning of a clause. Where it hurts is no place on a map."""
NOUN = re.compile(rf"\b(?:{EN_NOUNS}|{DE_NOUNS}|{ES_NOUNS})\b", re.IGNORECASE)
ASKS_HOW = re.compile(
    r"\W*(?:how|do|does|did|have|has|had|is|are|was|were|would|will|can|could|should|when|why|wie|haben|hat|hast|sind|ist|"
    r"war|waren|wissen|weiß|wann|warum|k[oö]nnen|c[oó]mo|cu[aá]nt[oa]s?|ha|han|tiene|tienes|es|est[aá]|cu[aá]ndo|"
    r"con qu[eé] frecuencia)\b",
    re.IGNORECASE,
)
ASKS_WHICH = re.compile(
    r"\b(?:which|what|who|whom|where|name|welche[rsmn]?|wer|wem|wo|cu[aá]l(?:es)?|qui[eé]n(?:es)?|d[oó]nde|nombre)\b",
    re.IGNORECASE,
)


def may_name_people_or_places(texts: Iterable[str]) -> bool:
    """Whether a question, by any of its texts, asks for people or places, so that an answer could name one."""
    return any(map(_asks_for_names, map(_plain, texts)))


def _plain(text: str) -> str:
    """A code's words apart; of a path, the last part."""
    if " " not in text.strip():
        text = re.sub(r"(?<=[a-z])(?=[A-Z])|[_.\-]+", " ", text.rsplit("/", 1)[-1])
    return " ".join(text.split()).rstrip(" ?:.*!")


def _asks_for_names(text: str) -> bool:
    """'How often do you see your doctor?' does not; 'Do you see a doctor, and which one?' does."""
    if OPENED.search(text):
        return True
    how = ASKS_HOW.match(text)
    if how:
        return ASKS_WHICH.search(text, how.end()) is not None and NOUN.search(text) is not None
    return NAMED_BY.search(text) is not None
