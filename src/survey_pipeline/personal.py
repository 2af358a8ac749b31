"""Personal data: how it is told, by what a column is called and by what stands in it, so that it never comes in.

What belongs here: the kinds of personal data, and the named rules that tell each from texts. Pure functions: texts go in, a
kind and a count come out, never a text. What does not: reading a file (`exports`), and what is done about a column that was
found: dropping it, or stopping the run (`ingest`).

Names of people are told by the column's own name, or as free text where most people wrote something different. No list of
names is kept: it would miss most people of the world and take Rose, Ginger and Melissa for persons among the remedies.
"""

import ipaddress
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from statistics import median
from types import MappingProxyType
from typing import NamedTuple

import phonenumbers


class Personal(StrEnum):
    """Kinds of personal data.

    The survey tool's own response numbers are none: outside the tool they lead to nobody, and they tell doubles apart.
    """

    EMAIL = "email"
    IP_ADDRESS = "ip_address"
    TELEPHONE = "telephone"
    COORDINATES = "coordinates"
    DEVICE_NUMBER = "device_number"
    BIRTH_DATE = "birth_date"
    POSTCODE = "postcode"
    IDENTITY_NUMBER = "identity_number"
    """Of a person, given by the state, an insurer or a hospital. Told by name only."""
    POSTAL_ADDRESS = "postal_address"
    NAME = "name"
    FREE_TEXT = "free_text"

    @property
    def phrase(self) -> str:
        """The kind in plain words, as it stands in a sentence: 'the column holds ...'."""
        return _PHRASES[self]


_PHRASES: Mapping[Personal, str] = MappingProxyType(
    {
        Personal.EMAIL: "e-mail addresses",
        Personal.IP_ADDRESS: "IP addresses",
        Personal.TELEPHONE: "telephone numbers",
        Personal.COORDINATES: "coordinates of places",
        Personal.DEVICE_NUMBER: "numbers of devices",
        Personal.BIRTH_DATE: "exact birth dates",
        Personal.POSTCODE: "postcodes",
        Personal.IDENTITY_NUMBER: "identity, insurance or patient numbers",
        Personal.POSTAL_ADDRESS: "postal addresses",
        Personal.NAME: "names of people",
        Personal.FREE_TEXT: "free text",
    }
)


class Found(NamedTuple):
    """What a column holds, and in how many of its different texts it was seen (at least)."""

    kind: Personal
    n_texts: int


LONGEST_LOOKED_AT = 1_000
"""Characters of a text that are looked at. Whoever writes more writes free text, which is found as such."""
MOSTLY = 0.5
"""Share of a column's different texts from which a form that could mean something else is taken for what it looks like."""


# --- By what a column is called ---------------------------------------------------------------------------------------

LONGEST_FIELD_NAME = 5
"""Words. A longer heading is a sentence, in which 'phone' or 'address' alone says little."""
LONGEST_PHRASE = 4
"""Words, such as 'numéro de sécurité sociale'."""
CLAUSES = re.compile(r"[?!¿¡:;\[\]<>\r\n]|\.\s|\s-\s")
CAMEL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
WORD = re.compile(r"[^\W\d_]+")
ASKS = re.compile(
    r"[?¿]|\b(?:select|choose|tick|check all|mark all|wähle|auswähl|ankreuz|zutreffend|seleccion|marque|elija|coch|choisi)",
    re.IGNORECASE,
)
"""A question, or options of one: what stands behind it is an answer to tick, such as how somebody wants to be reached."""
FREE_TEXT_SUFFIX = re.compile(r"_TEXT$|(?<!_)_other$|\[(?:other|comment)\]|\s-\sText$", re.IGNORECASE)
"""How Qualtrics, REDCap and LimeSurvey call the box beside an option."""


@dataclass(frozen=True)
class _Called:
    """Phrases by which a kind is called. Words are compared run together, so 'E-Mail', 'e mail' and 'Email' are one.

    `alone`: if nothing but `AROUND` stands beside it; `short`: within a short field name; `anywhere`: in a sentence too.
    """

    alone: frozenset[str]
    short: frozenset[str]
    anywhere: frozenset[str]
    in_yes_no_questions: bool = False

    def is_in(self, clause: "_Clause") -> bool:
        if clause.phrases & _ABOUT_SOMETHING_ELSE:
            return False
        if clause.phrases & self.anywhere and (self.in_yes_no_questions or not clause.is_yes_no):
            return True
        return clause.is_field_name and (bool(clause.phrases & self.short) or self._stands_alone(clause))

    def _stands_alone(self, clause: "_Clause") -> bool:
        return bool(clause.words & self.alone) and clause.words <= self.alone | _AROUND


@dataclass(frozen=True)
class _Clause:
    """A part of a heading: its words, the phrases of neighbouring words run together, and how far it may be trusted."""

    words: frozenset[str]
    phrases: frozenset[str]
    is_field_name: bool
    is_yes_no: bool


def named(texts: Iterable[str]) -> Personal | None:
    """What a column holds by its own names: heading, code, question. None if they do not say so.

    In English, German, Spanish and French, as survey tools write it. Yes-no questions about a thing do not name it.
    """
    texts = [_plain(text) for text in texts]
    clauses = [clause for text in texts for clause in _clauses(text)]
    if kind := next((kind for kind, called in _CALLED.items() if any(map(called.is_in, clauses))), None):
        return kind
    return Personal.FREE_TEXT if any(map(FREE_TEXT_SUFFIX.search, texts)) else None


def _clauses(text: str) -> Iterator[_Clause]:
    asks = ASKS.search(text) is not None
    for part in CLAUSES.split(text):
        words = _words(part)
        if words:
            field_name = not asks and len(words) <= LONGEST_FIELD_NAME
            yield _Clause(frozenset(words), _run_together(words), field_name, words[0] in _OPENS_YES_NO)


def _words(text: str) -> list[str]:
    """Words without case, accents and numbers; 'IPAddress' and 'ip_address' are two."""
    bare = unicodedata.normalize("NFD", CAMEL.sub(" ", text).casefold())
    return WORD.findall("".join(character for character in bare if not unicodedata.combining(character)))


def _run_together(words: Sequence[str]) -> frozenset[str]:
    lengths = range(1, LONGEST_PHRASE + 1)
    return frozenset("".join(words[start : start + n]) for n in lengths for start in range(len(words) - n + 1))


def _phrases(listed: str) -> frozenset[str]:
    """Phrases parted by commas, each with its words run together."""
    return frozenset("".join(_words(phrase)) for phrase in listed.split(",")) - {""}


def _called(alone: str = "", short: str = "", anywhere: str = "", *, in_yes_no_questions: bool = False) -> _Called:
    return _Called(_phrases(alone), _phrases(f"{short},{anywhere}"), _phrases(anywhere), in_yes_no_questions)


_AROUND = _phrases(
    "your, my, the, of, a, s, and, or, to, in, for, line, no, number, id, please, enter, type, write, optional, required, "
    "contact, emergency, next, kin, person, participant, respondent, patient, recipient, user, guardian, parent, mother, "
    "father, mothers, fathers, husband, wife, spouse, partner, child, relative, caregiver, carer, doctor, physician, gp, "
    "home, work, private, personal, postal, mailing, residential, current, permanent, full, first, last, legal, "
    "ihr, ihre, ihren, dein, deine, deinen, der, die, das, des, und, bitte, angeben, kontakt, notfall, teilnehmer, "
    "teilnehmerin, teilnehmers, patientin, patienten, empfänger, empfängers, arzt, arztes, privat, vollständiger, "
    "su, tu, mi, el, la, los, las, del, de, y, e, contacto, persona, participante, paciente, destinatario, médico, completo, "
    "completa, votre, mon, ma, le, les, du, et, personne, participant, destinataire, médecin, complet"
)
"""Words beside which 'name' or 'address' still means a person's own."""
_ABOUT_SOMETHING_ELSE = _phrases(
    "newsletter, newsletters, consent, agree, agreed, opt, opt in, subscribe, subscribed, subscription, permission, sent, "
    "received, reminder, reminders, verified, confirmed, frequency, usage, use, used, using, hours, minutes, times, count, "
    "model, brand, app, apps, calls, interview, consultation, visits, helpline, provider, method, mode, channel, via, yes, "
    "iphone, ipad, einwilligung, einverstanden, zustimmung, erlaubnis, häufigkeit, stunden, nutzung, nutze, nutzen, "
    "erhalten, ja, marke, consentimiento, acepto, boletín, permiso, horas, uso, frecuencia, marca, consentement, accepte, "
    "infolettre, heures, utilisation, fréquence, oui, marque"
)
"""Words beside which nobody's own address or number is meant."""
_OPENS_YES_NO = _phrases(
    "may, do, does, did, are, is, was, were, would, can, could, should, shall, will, have, has, had, dürfen, darf, möchten, "
    "möchtest, haben, hast, hat, sind, bist, ist, können, kannst, würden, würdest, wollen, willst, nehmen, nimmst, "
    "podemos, puede, puedes, desea, deseas, quiere, quieres, tiene, tienes, acepta, aceptas, es, está, ha, "
    "pouvons, pouvez, peux, souhaitez, voulez, avez, acceptez, est, êtes"
)

_CALLED: Mapping[Personal, _Called] = MappingProxyType(
    {
        Personal.EMAIL: _called(
            alone="mail, correo",
            short="email, emails, email id, courriel",
            anywhere="email address, emailaddress, your email, email adresse, mailadresse, mail adresse, ihre email, "
            "deine email, correo electrónico, su correo, tu correo, adresse email, adresse mail, adresse électronique, "
            "votre email, votre mail, votre courriel, recipient email",
        ),
        Personal.IP_ADDRESS: _called(
            alone="ip", anywhere="ip address, ip addr, ip adresse, dirección ip, adresse ip, client ip, ip number"
        ),
        Personal.TELEPHONE: _called(
            alone="mobile, mobil, handy, cell, móvil, celular, portable",
            short="phone, telephone, tel, cellphone, fax, telefon, mobiltelefon, teléfono, téléphone",
            anywhere="phone number, phone no, telephone number, mobile number, cell number, cellphone number, your phone, "
            "your telephone, your mobile, whatsapp number, telefonnummer, telefonnr, handynummer, mobilnummer, rufnummer, "
            "ihr telefon, número de teléfono, número de celular, número de móvil, su teléfono, tu teléfono, "
            "numéro de téléphone, votre téléphone",
        ),
        Personal.COORDINATES: _called(
            alone="lat, lon, lng, latlon, latlng",
            short="gps, coordinates, koordinaten, coordenadas, coordonnées, geopoint, geotrace, geoshape",
            anywhere="latitude, longitude, geolocation, breitengrad, längengrad, latitud, longitud, gps coordinates, "
            "gps location, gps position, gps koordinaten, coordenadas gps, coordonnées gps, geographic coordinates",
        ),
        Personal.DEVICE_NUMBER: _called(
            short="udid, idfa",
            anywhere="device id, device number, device identifier, imei, meid, mac address, mac addr, subscriber id, "
            "sim serial, sim id, android id, advertising id, serial number of your, gerätenummer, geräte id, "
            "gerätekennung, mac adresse, id del dispositivo, dirección mac, identifiant de l'appareil, adresse mac",
        ),
        Personal.BIRTH_DATE: _called(
            short="birth day, birthday, geburtstag, cumpleaños",
            anywhere="date of birth, birth date, dob, day of birth, your birthday, when were you born, geburtsdatum, "
            "ihr geburtstag, wann sind sie geboren, wann bist du geboren, fecha de nacimiento, fecha nacimiento, "
            "date de naissance, date naissance",
        ),
        Personal.POSTCODE: _called(
            alone="zip, plz",
            short="zip",
            anywhere="postcode, post code, postal code, zip code, postleitzahl, ihre plz, deine plz, código postal, "
            "code postal",
        ),
        Personal.IDENTITY_NUMBER: _called(
            alone="ssn, dni, nif, curp, mrn",
            anywhere="social security number, social insurance number, national insurance number, insurance number, "
            "policy number, nhs number, national id, identity card number, id card number, passport number, "
            "medical record number, hospital number, patient number, driving licence number, driver's license number, "
            "personalausweisnummer, ausweisnummer, passnummer, versichertennummer, versicherungsnummer, "
            "sozialversicherungsnummer, krankenversichertennummer, ahv nummer, steuernummer, patientennummer, "
            "número de seguridad social, número de pasaporte, numéro de sécurité sociale, numéro de passeport",
        ),
        Personal.POSTAL_ADDRESS: _called(
            alone="address, addresses, adresse, anschrift, street, strasse, calle, domicilio, dirección, wohnort",
            short="street address, address line, strasse und hausnummer, hausnummer",
            anywhere="home address, postal address, mailing address, residential address, your address, ihre adresse, "
            "deine adresse, ihre anschrift, deine anschrift, su dirección, tu dirección, dirección postal, votre adresse, "
            "adresse postale",
        ),
        Personal.NAME: _called(
            alone="name, names, namen, nombre, nombres, nom, noms, initials, initialen, iniciales, initiales, "
            "signature, unterschrift",
            short="first name, name first, last name, name last, middle name, given name, family name, maiden name, "
            "full name, surname, forename, nickname, username, user name, name and surname, next of kin, emergency contact, "
            "submitted by, "
            "vorname, nachname, familienname, geburtsname, rufname, benutzername, nombre y apellidos, apellido, apellidos, "
            "prénom, nom de famille, nom et prénom",
            anywhere="your name, your first name, your last name, your full name, your surname, your initials, "
            "first and last name, ihr name, ihren namen, ihr vorname, ihr nachname, dein name, deinen namen, "
            "vor und nachname, su nombre, tu nombre, sus apellidos, votre nom, votre prénom, nom et prénom",
        ),
        Personal.FREE_TEXT: _called(
            short="comment, comments, remark, remarks, notes, kommentar, kommentare, anmerkung, anmerkungen, bemerkung, "
            "bemerkungen, notizen, comentario, comentarios, observaciones, commentaire, commentaires, remarques, free text, "
            "freitext, open text, texto libre, texte libre",
            anywhere="other please specify, other specify, please describe, please explain, in your own words, open ended, "
            "anything else, any comments, further comments, additional comments, other comments, any other information, "
            "sonstiges bitte angeben, andere bitte angeben, sonstige bitte angeben, bitte beschreiben, bitte erläutern, "
            "weitere anmerkungen, möchten sie uns noch, otro especifique, otra especifique, otro por favor especifique, "
            "describa, comentarios adicionales, autre précisez, autre veuillez préciser, veuillez décrire, "
            "autres commentaires",
            in_yes_no_questions=True,
        ),
    }
)
"""In the order in which they are asked: an e-mail address is no postal one, a telephone's name no person's."""


# --- By what stands in a column ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """Different texts of a column, out of how many, how many cells hold one (None: not known), and what else is known."""

    texts: Sequence[str]
    out_of: int
    filled: int | None
    named_as: Personal | None
    asked_in: int | None

    def count(self, test: Callable[[str], object]) -> int:
        return sum(1 for text in self.texts if test(text))

    def mostly(self, test: Callable[[str], object]) -> int:
        """How many texts pass, if most of them do; else none."""
        return self.if_mostly(self.count(test))

    def if_mostly(self, n: int) -> int:
        return n if n > MOSTLY * self.out_of else 0


def contained(
    texts: Collection[str],
    named_as: Personal | None = None,
    *,
    out_of: int | None = None,
    filled: int | None = None,
    asked_in: int | None = None,
    apart_from: Collection[Personal] = (),
) -> Found | None:
    """What a column holds by its different texts, in whatever order; None if nothing personal is told.

    `named_as`: what `named` says, under which plain digits are telephone numbers too. `out_of`: how many different texts the
    column has, where these are only some of them, such as the refused ones. `filled`: how many cells hold a text, which tells
    free text from a closed question with long options. `asked_in`: the year of the survey, to tell birth dates
    (without it, the latest date in the column). `apart_from`: kinds that the instrument declares this column to hold.
    """
    plain = [text for text in map(_plain, texts) if text]
    column = _Column(plain, max(out_of or 0, len(plain)), filled, named_as, asked_in)
    rules = ((kind, rule) for kind, rule in _RULES.items() if plain and kind not in apart_from)
    return next((Found(kind, n) for kind, rule in rules if (n := rule(column))), None)


def mentioned(sentence: str) -> Personal | None:
    """What a sentence that is to be printed says of how a person can be reached, if anything."""
    telling = {Personal.EMAIL, Personal.IP_ADDRESS, Personal.TELEPHONE}
    found = contained([sentence], apart_from=set(Personal) - telling)
    return found.kind if found else None


WRITTEN_ALIKE = {
    **dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\ufeff"), ""),
    **dict.fromkeys(map(ord, "\u2010\u2012\u2013\u2014\u2212"), "-"),
    **dict.fromkeys(map(ord, "\u2019\u2032"), "'"),
}
"""Signs without width, which come along when a number or an address is copied, are dropped; dashes and primes made plain."""


def _plain(text: str) -> str:
    """A text's beginning, in ordinary characters: full-width digits, fixed spaces and dashes become plain ones."""
    text = text[:LONGEST_LOOKED_AT].strip()
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(WRITTEN_ALIKE).strip()


def _evenly(texts: Iterable[str], most: int) -> list[str]:
    """At most so many texts, evenly spread, and the same ones in whatever order they come."""
    ordered = sorted(texts)
    return ordered[:: -(-len(ordered) // most)] if len(ordered) > most else ordered


EMAIL = re.compile(
    r"(?<=[^\s@,;:<>()\[\]\\\"])(?:@|\s?[(\[{]\s?at\s?[)\]}]\s?)"
    r"(?!\d{1,2}\.)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,126}(?:xn--[\w-]{2,59}|[^\W\d_]{2,63})",
    re.IGNORECASE,
)
"""The sign, with something before it and a domain behind it. '200mg@8.pm' is none."""
AT_SIGNS = "@([{"
"""What every e-mail address has one of, also if somebody wrote 'me (at) here.org'."""


def _emails(column: _Column) -> int:
    return column.count(_has_email)


def _has_email(text: str) -> bool:
    return any(sign in text for sign in AT_SIGNS) and EMAIL.search(text) is not None


IP_V4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")
IP_V6 = re.compile(r"(?<![\w:.])[0-9a-f:]{6,39}(?![\w:])", re.IGNORECASE)
LONGEST_OF_A_CLOCK = 2
"""Digits between the colons of a time of day; an IPv6 address has a longer part."""


def _ip_addresses(column: _Column) -> int:
    return column.count(_has_ip_address)


def _has_ip_address(text: str) -> bool:
    if text.count(".") < 3 and text.count(":") < 2:
        return False
    return any(map(_is_ip_v4, IP_V4.findall(text))) or any(map(_is_ip_v6, IP_V6.findall(text)))


def _is_ip_v4(text: str) -> bool:
    """Four numbers of one digit, '1.0.1.0', are how often a day something is taken, or a version."""
    return len(text) > len("1.0.1.0") and _is_address(text)


def _is_ip_v6(text: str) -> bool:
    return any(len(part) > LONGEST_OF_A_CLOCK for part in text.split(":")) and _is_address(text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


RUN_OF_DIGITS = re.compile(r"(?<![\w+@#$£€])(?<!\d[.,:])(?:\(?\+|\()?\d(?:[ ./()-]{0,3}\d){6,14}(?![\w:@%]|[.,/-]\d)")
ONLY_DIGITS = re.compile(r"\d+")
MOST_RUNS = 10
"""Runs of digits looked at in one text."""
A_DATE_INSIDE = re.compile(
    r"(?<!\d)(?:\d{4}([./-])\d{1,2}\1\d{1,2}|\d{1,2}([./-])\d{1,2}\2(?:19|20)\d\d|\d{1,2}([./])\d{1,2}\3\d\d ?-.*)(?!\d)"
)


class Form(NamedTuple):
    """How a telephone number is written, and the regions whose numbers the library is asked to tell it by."""

    pattern: re.Pattern[str]
    regions: tuple[str, ...]


TRUNK_ZERO_REGIONS = ("DE", "GB", "FR", "AT", "CH", "NL", "BE", "IE", "AU")
UNMISTAKABLE = (
    Form(re.compile(r"\(?\+.*"), ("DE",)),  # a country's code: then the region does not matter
    Form(re.compile(r"(?=(?:\D*\d){9})(?:1[ .-])?\(\d{2,5}\).*"), ("US", "MX", "BR", *TRUNK_ZERO_REGIONS)),
)
"""One of these is enough."""
AT_HOME = (
    Form(re.compile(r"00[ ./-]{0,2}[1-9].*"), ("DE",)),
    Form(re.compile(r"(?=(?:\D*\d){9})(?!0\d(?: \d\d)+$)0[1-9].*"), TRUNK_ZERO_REGIONS),
    Form(re.compile(r"(?:1[.-])?[2-9]\d\d([.-])[2-9]\d\d\1\d{4}"), ("US",)),
)
"""One of these is enough too, unless a column is full of such digits and most are no valid numbers: then they are codes."""
MISTAKABLE = (
    Form(re.compile(r"0\d(?: \d\d){4}"), ("FR",)),
    Form(re.compile(r"\d{3}([ .-])\d{3}\1\d{3}|\d{3}(?: \d\d){3}|\d\d \d{3} (?:\d\d \d\d|\d{4})"), ("ES", "PT")),
    Form(re.compile(r"\d{3} \d{3} \d{4}|\d\d \d{4} \d{4}"), ("US", "MX", "IT")),
)
"""These could be amounts or codes of options, so nearly the whole column must be valid numbers."""
NEARLY_ALL = 0.8
MOST_PARSED = 400
"""Texts of a column that the library is asked about, evenly spread: the rest of a column looks like them."""
NAMED_TELEPHONE = range(6, 16)
"""Digits of a telephone number, where the column's name says that it holds such."""


def _telephones(column: _Column) -> int:
    if column.named_as is Personal.TELEPHONE and (n := column.mostly(_has_digits_of_a_telephone)):
        return n
    runs = {text: found for text in column.texts if (found := _runs_of_digits(text))}
    marked = [text for text in runs if any(run[0] in "+(" for run in runs[text])]
    if n := _n_written([runs[text] for text in _evenly(marked, MOST_PARSED)], UNMISTAKABLE):
        return n
    return _telephones_at_home([runs[text] for text in _evenly(runs, MOST_PARSED)], column.if_mostly(len(runs)) > 0)


def _telephones_at_home(looked_at: Sequence[Sequence[str]], is_full: bool) -> int:
    """Numbers without a country's code; `is_full`: most texts of the column are such digits, whatever they are."""
    n = _n_written(looked_at, AT_HOME)
    if n > (MOSTLY * len(looked_at) if is_full else 0):
        return n
    n = _n_written(looked_at, (*AT_HOME, *MISTAKABLE)) if is_full else 0
    return n if n > NEARLY_ALL * len(looked_at) else 0


def _has_digits_of_a_telephone(text: str) -> bool:
    return sum(map(str.isdigit, text)) in NAMED_TELEPHONE and _date(text) is None


def _runs_of_digits(text: str) -> list[str]:
    """What could be a telephone number: seven digits or more with marks between, but no date and no amounts."""
    if len(text) < 7 or ONLY_DIGITS.fullmatch(text):
        return []
    found = (match.group() for match in islice(RUN_OF_DIGITS.finditer(text), MOST_RUNS))
    return [run for run in found if not _is_something_else(run)]


def _is_something_else(run: str) -> bool:
    return bool(ONLY_DIGITS.fullmatch(run) or A_DATE_INSIDE.search(run)) or _are_amounts(run)


def _are_amounts(run: str) -> bool:
    """Such as '250-500-1000': multiples of five, one and all."""
    return run[0] not in "(+0" and all(group.endswith(("0", "5")) for group in ONLY_DIGITS.findall(run))


def _n_written(looked_at: Iterable[Sequence[str]], forms: Sequence[Form]) -> int:
    return sum(any(_is_telephone(run, forms) for run in runs) for runs in looked_at)


def _is_telephone(run: str, forms: Sequence[Form]) -> bool:
    return any(form.pattern.fullmatch(run) and any(_is_valid(run, region) for region in form.regions) for form in forms)


def _is_valid(run: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(run, region))
    except phonenumbers.NumberParseException:
        return False


PAIR = re.compile(r"([+-]?\d{1,2}\.\d+)\s*[ ,;]\s*([+-]?\d{1,3}\.\d+)(?:\s+-?\d+(?:\.\d+)?){0,2}")
"""Two decimals, as KoboToolbox and ODK write a place, with altitude and accuracy behind them."""
WITH_DEGREES = re.compile(r"\d{1,3}(?:\.\d+)?\s?°[\s\d.'\"]*[NSEWO]\b", re.IGNORECASE)
EXACT_DECIMAL = re.compile(r"[+-]?\d{1,3}\.\d{4,}")
FEWEST_PLACES = 4
"""Decimals of a degree: 0.0001 is about ten metres."""


def _coordinates(column: _Column) -> int:
    if n := column.count(_is_exact_place):
        return n
    if column.named_as is Personal.COORDINATES and (n := column.mostly(_is_exact_degree)):
        return n
    return column.mostly(_is_pair)


def _is_exact_place(text: str) -> bool:
    if "°" in text:
        return len(WITH_DEGREES.findall(text)) >= 2
    found = PAIR.fullmatch(text)
    return found is not None and _is_pair(text) and all(_n_places(part) >= FEWEST_PLACES for part in found.groups())


def _is_pair(text: str) -> bool:
    found = PAIR.fullmatch(text)
    return found is not None and abs(float(found[1])) <= 90 and abs(float(found[2])) <= 180


def _is_exact_degree(text: str) -> bool:
    return EXACT_DECIMAL.fullmatch(text) is not None and abs(float(text)) <= 180


def _n_places(decimal: str) -> int:
    return len(decimal.partition(".")[2])


MAC = re.compile(r"(?<![\w:-])[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![\w:-])", re.IGNORECASE)
COLLECTED_BY = re.compile(r"(?:collect|imei|android_id|serial|simserial|[\w-]+(?:\.[\w-]+)+):\w{12,64}", re.IGNORECASE)
"""How ODK and KoboToolbox write a device: 'collect:' or the server, and what it is called there."""
IMEI = re.compile(r"\d{15}|\d{2}-\d{6}-\d{6}-\d")
UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}|[0-9a-f]{16}", re.IGNORECASE)


def _device_numbers(column: _Column) -> int:
    """A UUID names a submission as well as a device, so the column's name must say which."""
    if n := column.count(_has_mac) or column.count(COLLECTED_BY.fullmatch):
        return n
    if column.named_as is Personal.DEVICE_NUMBER and (n := column.mostly(UUID.fullmatch)):
        return n
    return column.mostly(_is_imei)


def _has_mac(text: str) -> bool:
    """With a letter: six pairs of digits alone can be a date and a time."""
    if text.count(":") < 5 and text.count("-") < 5:
        return False
    return any(any(map(str.isalpha, match.group())) for match in MAC.finditer(text))


def _is_imei(text: str) -> bool:
    return IMEI.fullmatch(text) is not None and _passes_luhn(text.replace("-", ""))


def _passes_luhn(digits: str) -> bool:
    """The check digit of IMEI numbers: every second digit doubled, and the digits of it all add up to a full ten."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(n // 10 + n % 10 for n in doubled) % 10 == 0


YEARS_BACK = 10
"""Dates mostly longer ago than this are birth dates: what is asked about in a survey is nearer."""
FEWEST_DATES = 3
"""Different dates from which that is told; one or two old ones can be anything."""
CLOCK = r"(?P<clock>[T ]+\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\s?(?:[AP]M|Z|UTC|[+-]\d\d:?\d\d)?)?"
DATE_FORMS = tuple(
    re.compile(form + CLOCK, re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})(?P<mark>[./-])(?P<a>\d{1,2})(?P=mark)(?P<b>\d{1,2})",
        r"(?P<a>\d{1,2})(?P<mark>[./-]\s?)(?P<b>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)",
        r"(?P<a>\d{1,2})(?:\.|st|nd|rd|th)?[\s-]{1,3}(?:de )?(?P<month>[^\W\d_]{3,10})[.,\s-]{1,4}(?:de )?(?P<year>\d{4})",
        r"(?P<month>[^\W\d_]{3,10})\.?\s+(?P<a>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})",
    )
)
RUN_TOGETHER = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<a>\d\d)(?P<b>\d\d)")
MONTHS = _phrases(
    "jan, ene, feb, fév, mar, mär, mrz, apr, abr, avr, may, mai, jun, jui, jul, aug, ago, aoû, sep, set, oct, okt, nov, dec, "
    "dez, dic, déc"
)
"""The first three letters of a month's name, in four languages."""
FIRST_YEAR, LAST_YEAR, FIRST_OF_TWO_DIGITS = 1850, 2100, 30
"""A year of two digits from 30 on is of the last century."""


class _Date(NamedTuple):
    year: int
    has_clock: bool


def _birth_dates(column: _Column) -> int:
    years = [year for text in column.texts if (year := _day_in(text, column.named_as)) is not None]
    if column.named_as is Personal.BIRTH_DATE:
        return column.if_mostly(len(years))
    asked_in = column.asked_in or max(years, default=0)
    n = sum(asked_in - year > YEARS_BACK for year in years)
    return column.if_mostly(n) if n >= FEWEST_DATES else 0


def _day_in(text: str, named_as: Personal | None) -> int | None:
    """The year of a text that is a day and nothing else; a time of day makes it the moment of something."""
    together = RUN_TOGETHER.fullmatch(text) if named_as is Personal.BIRTH_DATE else None
    found = _read_date(together) if together else _date(text)
    return None if found is None or found.has_clock else found.year


def _date(text: str) -> _Date | None:
    """A text that is a date, with or without a time of day, and nothing else."""
    if not 6 <= len(text) <= 40:
        return None
    forms = (match for form in DATE_FORMS if (match := form.fullmatch(text)))
    return next((found for match in forms if (found := _read_date(match))), None)


def _read_date(match: re.Match[str]) -> _Date | None:
    parts = match.groupdict()
    year = int(parts["year"])
    if year < 100:
        year += 1900 if year >= FIRST_OF_TWO_DIGITS else 2000
    sound = FIRST_YEAR <= year <= LAST_YEAR and _is_day_and_month(int(parts["a"]), parts)
    midnight = re.fullmatch(r"[T ]+0?0:00(?::00(?:\.0+)?)?\s?Z?", parts.get("clock") or "")
    return _Date(year, bool(parts.get("clock")) and not midnight) if sound else None


def _is_day_and_month(a: int, parts: Mapping[str, str | None]) -> bool:
    """Day and month in either order, or a day and a month's name."""
    if month := parts.get("month"):
        return 1 <= a <= 31 and "".join(_words(month))[:3] in MONTHS
    b = int(parts["b"] or 0)
    return 1 <= min(a, b) <= 12 and max(a, b) <= 31


BRITISH = re.compile(r"(?:GIR 0AA|(?:[BEGLMNSW]|[A-PR-UWYZ][A-HK-Y])\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2})")
CANADIAN = re.compile(r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z][ -]?\d[ABCEGHJ-NPRSTV-Z]\d")
NAMED_POSTCODE = re.compile(r"(?:[A-Z]{1,2}-)?\d{4,5}(?:-\d{3,4})?|\d{6}|\d{3} \d{2}|\d{4} ?[A-Z]{2}", re.IGNORECASE)


def _postcodes(column: _Column) -> int:
    """Plain digits only under a name that says so; letters as well as digits only in the two forms nothing else has."""
    if column.named_as is Personal.POSTCODE and (n := column.mostly(_is_named_postcode)):
        return n
    return column.mostly(_is_postcode)


def _is_named_postcode(text: str) -> bool:
    return NAMED_POSTCODE.fullmatch(text) is not None or _is_postcode(text.upper())


def _is_postcode(text: str) -> bool:
    return (BRITISH.fullmatch(text) or CANADIAN.fullmatch(text)) is not None


@dataclass(frozen=True)
class Wordy:
    """When texts of a length are free text: from so many different ones on, and from such a share of the filled cells."""

    words: int
    fewest: int
    fewest_of_unknown: int
    share_of_filled: float


WORDY = (
    Wordy(words=20, fewest=5, fewest_of_unknown=5, share_of_filled=0.0),  # no option's label is a paragraph
    Wordy(
        words=5, fewest=10, fewest_of_unknown=30, share_of_filled=0.2
    ),  # sentences: few questions have ten such options
    Wordy(words=1, fewest=40, fewest_of_unknown=250, share_of_filled=0.5),  # names and such: there are 200 countries
)
MOST_COMPARED = 200
"""Texts whose words are compared: among these, nearly everybody who writes freely uses a word that nobody else does."""
A_WORD = re.compile(r"(?<![\w-])(?:[^\W\d_][^\W\d_A-Z]+|[A-Z]{2,})(?![\w-])")
"""Letters only, not in mixed case: units of measurement count little, codes and numbers not at all."""


def _free_texts(column: _Column) -> int:
    """Many different texts, in most of which stands a word that no other text has.

    Ticked options that one cell joins are many different texts too, but made of the same words.
    """
    if len(column.texts) < min(wordy.fewest for wordy in WORDY):
        return 0
    written = [A_WORD.findall(text) for text in _evenly(column.texts, MOST_COMPARED)]
    typical = median(map(len, written))
    found = any(typical >= wordy.words and _is_varied(column, wordy) for wordy in WORDY)
    return len(column.texts) if found and _share_with_own_word(written) >= MOSTLY else 0


def _is_varied(column: _Column, wordy: Wordy) -> bool:
    different = len(column.texts)
    if column.filled is None:
        return different >= wordy.fewest_of_unknown
    return different >= wordy.fewest and different >= wordy.share_of_filled * column.filled


def _share_with_own_word(written: Sequence[Sequence[str]]) -> float:
    folded = [{word.casefold() for word in words} for words in written]
    n_texts = Counter(word for words in folded for word in words)
    return sum(any(n_texts[word] == 1 for word in words) for words in folded) / len(folded)


_RULES: Mapping[Personal, Callable[[_Column], int]] = MappingProxyType(
    {
        Personal.EMAIL: _emails,
        Personal.IP_ADDRESS: _ip_addresses,
        Personal.TELEPHONE: _telephones,
        Personal.COORDINATES: _coordinates,
        Personal.DEVICE_NUMBER: _device_numbers,
        Personal.BIRTH_DATE: _birth_dates,
        Personal.POSTCODE: _postcodes,
        Personal.FREE_TEXT: _free_texts,
    }
)
"""How many of a column's texts hold each kind, 0 for 'not told', in the order in which they are asked."""


# --- Headings that are somebody's answers -----------------------------------------------------------------------------

LONGEST_ANSWER = 8
"""Words. A question may name the project's own address; a short cell that holds one is an answer."""
LONG_NUMBER = re.compile(r"\d{6,}")
"""A response's number, or a telephone's; a heading may be '2026'."""
NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*\s?%?")
TICKED = frozenset(
    {"yes", "no", "true", "false", "checked", "unchecked", "ja", "nein", "sí", "si", "oui", "non", "n/a"}
)


def looks_like_answers(headings: Iterable[str]) -> bool:
    """Whether a file's first row is somebody's answers: then none of it may be printed as 'headings'.

    It is if a short cell holds an e-mail or IP address, a telephone number, a date or a long number, or if at least half of
    the cells that are not blank are numbers or a plain yes or no.
    """
    cells = [text for text in map(_plain, headings) if text]
    n_values = sum(NUMBER.fullmatch(cell) is not None or cell.casefold() in TICKED for cell in cells)
    return any(map(_is_an_answer, cells)) or 0 < len(cells) <= n_values / MOSTLY


def _is_an_answer(cell: str) -> bool:
    if len(cell.split()) > LONGEST_ANSWER:
        return False
    if LONG_NUMBER.fullmatch(cell) or _date(cell) is not None:
        return True
    return (
        _has_email(cell)
        or _has_ip_address(cell)
        or bool(_n_written([_runs_of_digits(cell)], (*UNMISTAKABLE, *AT_HOME)))
    )
