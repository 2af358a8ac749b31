"""What is taken for personal data, and what is not. The tables are the specification: both sides of each boundary.

Every person, address and number here is invented; numbers come from the ranges that the library keeps for examples.
"""

import csv
import random
import time
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from survey_pipeline.personal import (
    FEWEST_DATES,
    LONGEST_LOOKED_AT,
    WORDY,
    YEARS_BACK,
    Found,
    Personal,
    contained,
    looks_like_answers,
    mentioned,
    named,
)

SHARED = Path(__file__).parents[2] / "shared"
EXPORTS = SHARED / "exports"
E = Personal


def kind(*texts: str, named_as: Personal | None = None, filled: int | None = None) -> Personal | None:
    found = contained(texts, named_as, filled=filled)
    return found.kind if found else None


# --- By what a column is called ---------------------------------------------------------------------------------------

NAMED: list[tuple[str, Personal]] = [
    # as survey tools write them
    ("IPAddress", E.IP_ADDRESS),
    ("IP Address", E.IP_ADDRESS),
    ("IP-Adresse", E.IP_ADDRESS),
    ("Dirección IP", E.IP_ADDRESS),
    ("Adresse IP", E.IP_ADDRESS),
    ("ipaddr", E.IP_ADDRESS),
    ("ipaddr. IP address", E.IP_ADDRESS),
    ("ip", E.IP_ADDRESS),
    ("RecipientEmail", E.EMAIL),
    ("E-Mail des Empfängers", E.EMAIL),
    ("Email", E.EMAIL),
    ("E-mail", E.EMAIL),
    ("eMail", E.EMAIL),
    ("Email Address", E.EMAIL),
    ("EmailAddress", E.EMAIL),
    ("email_id", E.EMAIL),
    ("Correo electrónico", E.EMAIL),
    ("Adresse e-mail", E.EMAIL),
    ("Courriel", E.EMAIL),
    ("q7. E-Mail-Adresse", E.EMAIL),
    ("RecipientLastName", E.NAME),
    ("RecipientFirstName", E.NAME),
    ("Nachname des Empfängers", E.NAME),
    ("Vorname des Empfängers", E.NAME),
    ("Name", E.NAME),
    ("NAME ", E.NAME),
    ("First Name", E.NAME),
    ("Last Name", E.NAME),
    ("name_first", E.NAME),
    ("name_last", E.NAME),
    ("firstname", E.NAME),
    ("Full name (optional)", E.NAME),
    ("Patient's name", E.NAME),
    ("Nombre", E.NAME),
    ("Nombre y apellidos", E.NAME),
    ("Prénom", E.NAME),
    ("Nom de famille", E.NAME),
    ("next_of_kin_contact_name", E.NAME),
    ("username", E.NAME),
    ("_submitted_by", E.NAME),
    ("Initials", E.NAME),
    ("Emergency contact", E.NAME),
    ("LocationLatitude", E.COORDINATES),
    ("LocationLongitude", E.COORDINATES),
    ("Breitengrad des Standorts", E.COORDINATES),
    ("Längengrad des Standorts", E.COORDINATES),
    ("_geolocation", E.COORDINATES),
    ("_lieu_latitude", E.COORDINATES),
    ("gps", E.COORDINATES),
    ("lat", E.COORDINATES),
    ("Coordenadas GPS", E.COORDINATES),
    ("deviceid", E.DEVICE_NUMBER),
    ("device_id", E.DEVICE_NUMBER),
    ("subscriberid", E.DEVICE_NUMBER),
    ("simserial", E.DEVICE_NUMBER),
    ("IMEI", E.DEVICE_NUMBER),
    ("MAC address", E.DEVICE_NUMBER),
    ("Geräte-ID", E.DEVICE_NUMBER),
    ("phonenumber", E.TELEPHONE),
    ("telephone_1", E.TELEPHONE),
    ("phone", E.TELEPHONE),
    ("Phone Number", E.TELEPHONE),
    ("ec_phone", E.TELEPHONE),
    ("next_of_kin_contact_phone", E.TELEPHONE),
    ("Mobile", E.TELEPHONE),
    ("Handynummer", E.TELEPHONE),
    ("Telefon (privat)", E.TELEPHONE),
    ("Número de teléfono", E.TELEPHONE),
    ("Numéro de téléphone", E.TELEPHONE),
    ("dob", E.BIRTH_DATE),
    ("DOB", E.BIRTH_DATE),
    ("date_of_birth", E.BIRTH_DATE),
    ("Birth date", E.BIRTH_DATE),
    ("Geburtsdatum", E.BIRTH_DATE),
    ("Fecha de nacimiento", E.BIRTH_DATE),
    ("Date de naissance", E.BIRTH_DATE),
    ("postcode", E.POSTCODE),
    ("zip", E.POSTCODE),
    ("ZIP/Postal Code", E.POSTCODE),
    ("PLZ", E.POSTCODE),
    ("Postleitzahl", E.POSTCODE),
    ("Código postal", E.POSTCODE),
    ("Code postal", E.POSTCODE),
    ("address", E.POSTAL_ADDRESS),
    ("Address 2", E.POSTAL_ADDRESS),
    ("Home address", E.POSTAL_ADDRESS),
    ("next_of_kin_contact_address", E.POSTAL_ADDRESS),
    ("Anschrift", E.POSTAL_ADDRESS),
    ("Straße", E.POSTAL_ADDRESS),
    ("ssn", E.IDENTITY_NUMBER),
    ("NHS number", E.IDENTITY_NUMBER),
    ("Medical record number", E.IDENTITY_NUMBER),
    ("Krankenversichertennummer", E.IDENTITY_NUMBER),
    ("comments", E.FREE_TEXT),
    ("study_comments", E.FREE_TEXT),
    ("Kommentar", E.FREE_TEXT),
    ("Q1_3_TEXT", E.FREE_TEXT),
    ("test_reason_1_other", E.FREE_TEXT),
    ("q5[other]", E.FREE_TEXT),
    ("q5[comment]", E.FREE_TEXT),
    ("Which form do you take? - Other (please specify)", E.FREE_TEXT),
    # questions that ask for it
    ("What is your e-mail address?", E.EMAIL),
    ("Would you like to take part again? If so, please enter your e-mail address:", E.EMAIL),
    ("How can we reach you? [Email address]", E.EMAIL),
    ("What is your name?", E.NAME),
    ("Please write your full name here, as in your passport", E.NAME),
    ("Wie lautet Ihre Telefonnummer?", E.TELEPHONE),
    ("What is your date of birth?", E.BIRTH_DATE),
    ("When were you born?", E.BIRTH_DATE),
    ("What is your postcode?", E.POSTCODE),
    ("What is your home address?", E.POSTAL_ADDRESS),
    ("Is there anything else you would like to tell us?", E.FREE_TEXT),
    ("Contact Information - Phone Number", E.TELEPHONE),
]

NOT_NAMED = [
    "",
    "   ",
    "?",
    "42",
    "age",
    "Age",
    "Age group",
    "Gender",
    "Which brand name do you take?",
    "brand_name",
    "name of the medicine",
    "medicine_name",
    "Product name",
    "redcap_event_name",
    "file name",
    "nom du restaurant",
    "Nombre del medicamento",
    "Can you name a side effect?",
    "Do you feel addressed?",
    "Which problem should we address first?",
    "email newsletter (yes/no)",
    "Email newsletter",
    "email_consent",
    "email_sent",
    "May we e-mail you?",
    "May we use your e-mail address to write to you again?",
    "I agree that my e-mail address is kept",
    "Dürfen wir Ihre E-Mail-Adresse speichern?",
    "Do you have a telephone?",
    "How many hours a day do you use your mobile phone?",
    "phone_usage_hours",
    "Phone model",
    "How did you hear of this survey? [Email]",
    "How do you want to be reached? - Telephone",
    "Please select all that apply - Email",
    "Cell count",
    "White blood cells",
    "zipper",
    "Year of birth",
    "Birth year",
    "given_birth",
    "next_of_kin_confirmed",
    "Mail order",
    "Niño",
    "What is the name of your supplement?",
    "Names of your medicines",
    "Number of births",
    "Geburtsjahr",
    "Country of birth",
    "Location (Census Region)",
    "LocationAccuracy",
    "Country",
    "_lieu_altitude",
    "Device",
    "Do you use a blood pressure device?",
    "Timestamp",
    "record_id",
    "study_id",
    "participant_id",
    "ResponseId",
    "Antwort-ID",
    "RespondentID",
    "_uuid",
    "Tip of the tongue",
    "Insurance",
    "Please specify your gender",
    "Elemental dose (mg per day)",
    "Magnesium form",
    "Which form of magnesium do you take most often?",
    "How would you rate your pain before magnesium? (0-10)",
    "Frequency [Rap]",
    "Fav genre",
    "Sleep notesheet",
    "specify_mood",
]


@pytest.mark.parametrize(("heading", "expected"), NAMED)
def test_a_heading_that_names_personal_data_is_told(heading: str, expected: Personal) -> None:
    assert named([heading]) is expected


@pytest.mark.parametrize("heading", NOT_NAMED)
def test_a_heading_that_names_something_else_is_left_alone(heading: str) -> None:
    assert named([heading]) is None


def test_any_of_a_columns_names_may_tell() -> None:
    assert named(["V6", "IPAddress", '{"ImportId":"ipAddress"}']) is E.IP_ADDRESS
    assert named(["Q3", "What hurts most?"]) is None
    assert named([]) is None


def test_a_long_heading_says_less_than_a_field_name() -> None:
    assert named(["patient home work phone two"]) is E.TELEPHONE
    assert named(["the patient home work phone two"]) is None


@given(st.lists(st.text(max_size=60), max_size=3))
def test_any_heading_can_be_looked_at(headings: list[str]) -> None:
    assert named(headings) in {None, *Personal}
    assert looks_like_answers(headings) in {True, False}


@pytest.mark.parametrize("personal", Personal)
def test_every_kind_has_its_words(personal: Personal) -> None:
    assert f"the column holds {personal.phrase}".isprintable()


# --- E-mail and IP addresses, device numbers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "nutty@mouse.com",
        "Nutty.Mouse+survey@mail.mouse.co.uk",
        "write to nutty@mouse.com, please",
        "<nutty@mouse.com>",
        "mailto:nutty@mouse.com",
        "nutty (at) mouse.com",
        "nutty[at]mouse.com",
        "nütty@mäuse.de",
        "nutty@163.com",
        "nutty\uff20mouse.com",
        "nutty\u200b@\u200bmouse.com",
        "tummy@mouse.comm",
    ],
)
def test_an_email_address_is_found_wherever_it_stands(text: str) -> None:
    assert contained([text, "Citrate", "Oxide", "Malate"]) == Found(E.EMAIL, 1)


@pytest.mark.parametrize(
    "text",
    ["@", "@mouse", "2 @ night", "200mg@8.pm", "nutty@mouse", "a@b", "look at mouse.com", "100 mg @bedtime.", "@@.com"],
)
def test_a_sign_alone_is_no_email_address(text: str) -> None:
    assert kind(text) is None


@given(st.emails(), st.sampled_from(["{}", "  {} ", "me: {}", "{}\n", "({})"]))
@example("0@A.A.A.A.A.A.A.A.A.COM", "{}")
def test_any_email_address_is_found(address: str, frame: str) -> None:
    assert kind(frame.format(address), "Citrate", "Oxide") is E.EMAIL


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("130.92.34.66", True),
        ("from 130.92.34.66 again", True),
        ("2001:db8:85a3::8a2e:370:7334", True),
        ("2001:DB8:0:0:0:0:0:1", True),
        ("1.0.1.0", False),
        ("1.0.1.10", True),
        ("1-0-1-0", False),
        ("130.92.34.256", False),
        ("130.92.34", False),
        ("130.92.34.66.1", False),
        ("10:10:10", False),
        ("::", False),
        ("fe80::1", True),
        ("10::30:00", False),
        ("1:2:3:4:5:6:7:8", False),
        ("12.05.2026", False),
    ],
)
def test_ip_addresses(text: str, *, found: bool) -> None:
    assert (kind(text, "Citrate", "Oxide") is E.IP_ADDRESS) is found


@given(
    st.ip_addresses(v=6).filter(lambda address: max(map(len, str(address).split(":"))) > 2 and len(str(address)) > 5)
    | st.ip_addresses(v=4, network="128.0.0.0/2")
)
def test_any_ip_address_is_found(address: object) -> None:
    assert kind(str(address), "Citrate", "Oxide") is E.IP_ADDRESS


@pytest.mark.parametrize(
    ("texts", "named_as", "found"),
    [
        (["00:1B:44:11:3A:B7"], None, True),
        (["00-1b-44-11-3a-b7", "yes", "no"], None, True),
        (["10-10-10-10-10-10"], None, False),
        (["490154203237518"], None, True),
        (["490154203237519"], None, False),
        (["490154203237513"], None, False),
        (["49-015420-323751-8"], None, True),
        (["490154203237518", "1", "2"], None, False),
        (["collect:Zd3fGh7kLm9pQr2s"], None, True),
        (["ee.example.org:Zd3fGh7kLm9pQr2s"], None, True),
        (["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"], None, False),
        (["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"], E.DEVICE_NUMBER, True),
        (["R_e8z6glNpLL4PkcR"], None, False),
        (["dose: 200 milligrams"], None, False),
    ],
)
def test_device_numbers(texts: list[str], named_as: Personal | None, *, found: bool) -> None:
    assert (kind(*texts, named_as=named_as) is E.DEVICE_NUMBER) is found


# --- Telephone numbers ------------------------------------------------------------------------------------------------

FILL = ["Citrate", "Oxide", "Malate", "Glycinate"]


@pytest.mark.parametrize(
    "text",
    [
        "(405) 321-1111",
        "405-321-1111",
        "405.321.1111",
        "1-405-321-1111",
        "+1 405 321 1111",
        "+14053211111",
        "+49 170 1234567",
        "+49 (0) 170 1234567",
        "(+49) 170 1234567",
        "0049 170 1234567",
        "0170-1234567",
        "0170/1234567",
        "(0170) 1234567",
        "030 / 12345678",
        "0121 234 5678",
        "06.12.34.56.78",
        "0170\u20131234567",
        "call me: 0170-1234567, evenings",
        "Tel:0170-1234567",
        "Tel.0170-1234567",
        "(405)\u00a0321\u20111111",
        "+34 612 345 678",
        "+52 55 1234 5678",
        "(11) 2345-6789",
    ],
)
def test_one_unmistakable_telephone_number_is_enough(text: str) -> None:
    assert contained([text, *FILL]) == Found(E.TELEPHONE, 1)


MISTAKABLE = ["612 345 678", "612 34 56 78", "06 12 34 56 78", "222 123 4567", "910 12 34 56"]


@pytest.mark.parametrize("text", MISTAKABLE)
def test_a_form_that_could_be_an_amount_needs_most_of_the_column(text: str) -> None:
    assert kind(text) is E.TELEPHONE
    assert kind(text, "Citrate", "Oxide") is None


NO_TELEPHONES = [
    "999999999",
    "3364812635",
    "01701234567",
    "4057391111",
    "2026",
    "2010-2015",
    "2019-2020-2021",
    "2 x 200 mg",
    "400 mg (2 x 200 mg)",
    "200-400-600 mg",
    "250-500-1000",
    "250 500 1000",
    "1.0.1.0",
    "2026-01-31",
    "31.01.2026",
    "01/02/2026 - 03/04/2026",
    "08.10.25-13.10.26",
    "(10) 100-200",
    "8/27/22 19:29",
    "2018-03-06 15:52:43",
    "20180306 155243",
    "2018-05-06T10:10:10.000000",
    "2018-05-06T10:10:10.030123-0700",
    "$50,000 - $99,999",
    "50000-99999",
    "1,234,567,890",
    "1 000 000 000",
    "0.30123456",
    "13.42 25.43",
    "3.14159265",
    "0201-1234",
    "0101-0001",
    "0 1 2 3 4 5 6 7 8 9 10",
    "1-2-3-4-5-6-7-8-9",
    "R_2YPOQ602ER1jkf1",
    "ISBN 978-3-16-148410-0",
    "+5",
    "+1000000",
    "-99",
    "0-10",
]


@pytest.mark.parametrize("text", NO_TELEPHONES)
def test_what_is_no_telephone_number(text: str) -> None:
    assert kind(text) is not E.TELEPHONE


@pytest.mark.parametrize("text", [*MISTAKABLE, "SW1A 1AA", "47.3,8.5", "490154203237518"])
def test_some_of_a_columns_texts_are_not_most_of_it(text: str) -> None:
    assert contained([text]) is not None
    assert contained([text], out_of=1) is not None
    assert contained([text], out_of=2) is None
    assert contained(["me@mouse.com"], out_of=1000) == Found(E.EMAIL, 1)


CODES = [f"{n * 7919 % 1000:03}-{n * 104729 % 1000:03}-{n * 7907 % 10_000:04}" for n in range(1, 300)]
"""Participants' numbers of a study with several places; not half of them could be dialled."""


def test_a_column_of_codes_is_no_column_of_telephone_numbers() -> None:
    assert kind(*CODES) is None
    assert kind(*CODES, "0170-1234567") is None, "one among many such codes is not told from them"
    assert kind(*CODES, "+49 170 1234567") is E.TELEPHONE
    assert kind(*CODES, "(405) 321-1111") is E.TELEPHONE
    assert kind(*(f"{code}-{n}" for code in CODES for n in range(10)), "call +49 170 1234567") is E.TELEPHONE


@pytest.mark.parametrize(("n_amounts", "found"), [(0, True), (2, True), (3, False)])
def test_nearly_all_of_mistakable_forms_must_be_numbers(n_amounts: int, *, found: bool) -> None:
    numbers = [f"612 34{n} 678" for n in range(10)]
    amounts = [f"112 34{n} 678" for n in range(n_amounts)]
    assert (kind(*numbers, *amounts) is E.TELEPHONE) is found


@pytest.mark.parametrize(
    ("text", "found"),
    [("3364812635", True), ("12345", False), ("123456", True), ("1" * 16, False), ("3", False), ("2018-03-06", False)],
)
def test_plain_digits_are_telephone_numbers_where_the_name_says_so(text: str, *, found: bool) -> None:
    assert (kind(text, named_as=E.TELEPHONE) is E.TELEPHONE) is found


ASKED_ABOUT = ["US", "GB", "DE", "AT", "CH", "FR"]
MANY_REGIONS = [
    *ASKED_ABOUT,
    "ES",
    "MX",
    "IT",
    "NL",
    "PL",
    "PT",
    "SE",
    "DK",
    "IN",
    "BR",
    "AR",
    "CO",
    "JP",
    "CN",
    "ZA",
    "NG",
    "AU",
    "NZ",
    "IL",
]


def example_number(region: str, kind_of_line: int, form: int) -> str:
    number = phonenumbers.example_number_for_type(region, kind_of_line)
    assert number is not None
    return phonenumbers.format_number(number, form)


LINES = st.sampled_from([phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE])


@given(
    st.sampled_from(MANY_REGIONS),
    LINES,
    st.sampled_from([PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL]),
    st.sampled_from(["{}", "Tel. {}", "{} (evenings)", "my number is {}."]),
)
def test_numbers_with_a_plus_are_found_from_anywhere(region: str, line: int, form: int, frame: str) -> None:
    assert kind(frame.format(example_number(region, line, form)), *FILL) is E.TELEPHONE


@given(st.sampled_from(ASKED_ABOUT), LINES, st.sampled_from(["{}", "Tel. {}"]))
def test_numbers_as_written_at_home_are_found(region: str, line: int, frame: str) -> None:
    assert kind(frame.format(example_number(region, line, PhoneNumberFormat.NATIONAL))) is E.TELEPHONE


# --- Dates, postcodes, coordinates ------------------------------------------------------------------------------------

FORMS = [
    "{y:04}-{m:02}-{d:02}",
    "{d:02}.{m:02}.{y:04}",
    "{m}/{d}/{y:04}",
    "{d}-{m}-{y:04}",
    "{d} May {y}",
    "May {d}, {y}",
    "{d}. Mai {y}",
]
FORMS_OF_TODAY = [*FORMS[:3], "{y:04}/{m:02}/{d:02}"]


def dates(form: str, year: int, n: int = FEWEST_DATES) -> list[str]:
    return [form.format(y=year, m=5, d=day) for day in range(1, n + 1)]


@pytest.mark.parametrize("form", FORMS)
def test_dates_mostly_more_than_ten_years_back_are_birth_dates(form: str) -> None:
    assert contained(dates(form, 2026 - YEARS_BACK - 1), asked_in=2026) == Found(E.BIRTH_DATE, FEWEST_DATES)
    assert contained(dates(form, 2026 - YEARS_BACK), asked_in=2026) is None
    assert contained(dates(form, 1970, FEWEST_DATES - 1), asked_in=2026) is None


def test_without_a_year_the_latest_date_is_what_is_compared_with() -> None:
    assert kind(*dates(FORMS[0], 1970), "2026-01-01") is E.BIRTH_DATE
    assert kind(*dates(FORMS[0], 2024), "2026-01-01") is None


def test_most_of_the_texts_must_be_dates() -> None:
    old = dates(FORMS[0], 1970)
    assert contained([*old, "unknown", "forgotten"], asked_in=2026) == Found(E.BIRTH_DATE, 3)
    assert contained([*old, "unknown", "forgotten", "never"], asked_in=2026) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2020-05-13", True),
        ("13.05.91", True),
        ("19910513", True),
        ("1991-05-13 00:00:00", True),
        ("1991", False),
        ("05/1991", False),
        ("1991-05-13 10:31", False),
        ("1991-13-32", False),
        ("35", False),
    ],
)
def test_days_under_a_name_that_says_birth_date(text: str, *, found: bool) -> None:
    assert (kind(text, named_as=E.BIRTH_DATE) is E.BIRTH_DATE) is found


def test_plain_numbers_and_moments_are_no_birth_dates() -> None:
    assert contained(["19910513", "19700101", "19650203"], asked_in=2026) is None
    assert contained(["19910513", "19700101", "19650203"], E.NAME, asked_in=2026) is None
    assert contained(["1991-05-13 10:31", "1991-05-14 10:31", "1991-05-15 10:31"], asked_in=2026) is None
    assert contained(["1991", "1970", "1965"], asked_in=2026) is None


def test_what_a_column_is_declared_to_hold_is_not_told_again() -> None:
    old = dates(FORMS[0], 1970)
    assert contained(old, asked_in=2026, apart_from={E.BIRTH_DATE}) is None
    assert contained([*old, "me@mouse.com"], asked_in=2026, apart_from={E.BIRTH_DATE}) == Found(E.EMAIL, 1)


@pytest.mark.parametrize(
    ("text", "named_as", "found"),
    [
        ("SW1A 1AA", None, True),
        ("EC1A1BB", None, True),
        ("K1A 0B1", None, True),
        ("B12 5mg", None, False),
        ("B12 5MG", None, False),
        ("sw1a 1aa", None, False),
        ("sw1a 1aa", E.POSTCODE, True),
        ("10115", None, False),
        ("10115", E.POSTCODE, True),
        ("D-10115", E.POSTCODE, True),
        ("73402-1234", E.POSTCODE, True),
        ("1011 AB", E.POSTCODE, True),
        ("101", E.POSTCODE, False),
        ("yes", E.POSTCODE, False),
    ],
)
def test_postcodes(text: str, named_as: Personal | None, *, found: bool) -> None:
    assert (kind(text, named_as=named_as) is E.POSTCODE) is found


@pytest.mark.parametrize(
    ("texts", "named_as", "found"),
    [
        (["13.42 -25.43"], None, True),
        (["13.42 -25.43 0 0"], None, True),
        (["47.3,8.5"], None, True),
        (["47.3; 8.5"], None, True),
        (["47.3,8.5", "Citrate", "Oxide"], None, False),
        (["47.1150,7.2315", "Citrate", "Oxide"], None, True),
        (["47.115,7.231", "Citrate", "Oxide"], None, False),
        (["47°06'54\"N 7°13'53\"E", "Citrate", "Oxide"], None, True),
        (["it was 30° and 20° in the north"], None, False),
        (["90.1,8.5"], None, False),
        (["47.3,180.5"], None, False),
        (["47.1150"], None, False),
        (["47.1150"], E.COORDINATES, True),
        (["47.115"], E.COORDINATES, False),
        (["247.1150"], E.COORDINATES, False),
        (["3, 4"], None, False),
        (["1,5"], None, False),
        (["120/80"], None, False),
    ],
)
def test_coordinates(texts: list[str], named_as: Personal | None, *, found: bool) -> None:
    assert (kind(*texts, named_as=named_as) is E.COORDINATES) is found


# --- Free text --------------------------------------------------------------------------------------------------------

SYLLABLES = ["ka", "mo", "ri", "te", "lu", "sa", "ne", "vo", "pi", "du", "ge", "ba"]
COMMON = ["the", "pain", "is", "better", "when", "sleep", "more", "and", "not", "tired", "after", "magnesium"]


def invented_word(chance: random.Random) -> str:
    return "".join(chance.choices(SYLLABLES, k=chance.randint(2, 5)))


def comments(n: int, words: int, seed: int = 1) -> list[str]:
    """Every third word is a rare one, as people write."""
    chance = random.Random(seed)
    return [
        " ".join(invented_word(chance) if place % 3 == 0 else chance.choice(COMMON) for place in range(words))
        for _ in range(n)
    ]


@pytest.mark.parametrize("wordy", WORDY)
def test_free_text_begins_with_so_many_different_texts(wordy: object) -> None:
    words, fewest, unknown, share = (
        getattr(wordy, name) for name in ("words", "fewest", "fewest_of_unknown", "share_of_filled")
    )
    texts = comments(unknown, words)
    assert kind(*texts) is E.FREE_TEXT
    assert kind(*texts[:-1]) is None
    assert kind(*texts[:fewest], filled=fewest) is E.FREE_TEXT
    assert kind(*texts[: fewest - 1], filled=fewest) is None
    if share:
        assert kind(*texts[:fewest], filled=round(fewest / share)) is E.FREE_TEXT
        assert kind(*texts[:fewest], filled=round(fewest / share) + 1) is None


def joined(options: Sequence[str], n: int, mark: str) -> set[str]:
    chance = random.Random(3)
    return {mark.join(option for option in options if chance.random() < 0.4) for _ in range(n)} - {""}


LABELS = [f"{' '.join(comments(1, 4, seed))}" for seed in range(20, 44)]


@pytest.mark.parametrize("mark", [", ", ";", " "])
@pytest.mark.parametrize("n", [60, 300, 3000])
def test_ticked_options_in_one_cell_are_no_free_text(mark: str, n: int) -> None:
    texts = joined([label.replace(" ", "_") if mark == " " else label for label in LABELS], n, mark)
    assert contained(texts, filled=n) is None


@pytest.mark.parametrize(
    "texts",
    [
        [f"{n}" for n in range(1000)],
        [f"{n / 7:.3f}" for n in range(1000)],
        [f"{n} mg" for n in range(500)],
        [f"{n} mg in the evening" for n in range(500)],
        [f"R_{n * 7919:x}aQzK" for n in range(500)],
        [f"2026-01-01 10:{n:02}:00" for n in range(60)],
        [f"P-{n:04}" for n in range(500)],
    ],
)
def test_numbers_doses_codes_and_moments_are_no_free_text(texts: list[str]) -> None:
    assert contained(texts, filled=len(texts), asked_in=2026) is None


def test_names_of_very_many_people_are_told_though_each_of_them_is_borne_by_several() -> None:
    chance = random.Random(7)
    known = [invented_word(chance) for _ in range(1000)]
    people = {f"{chance.choice(known)} {chance.choice(known)}" for _ in range(5000)}
    assert contained(people, filled=5000) == Found(E.FREE_TEXT, len(people))


# --- Everything together ----------------------------------------------------------------------------------------------

HARMLESS = st.one_of(
    st.integers(-99, 5000).map(str),
    st.decimals(0, 5000, places=2).map(str),
    st.builds("{} x {} mg".format, st.integers(1, 9), st.integers(1, 1000)),
    st.builds("{} mg".format, st.integers(1, 5000)),
    st.builds("{}-{} mg".format, st.integers(1, 1000), st.integers(1, 1000)),
    st.builds("{}/{}".format, st.integers(60, 220), st.integers(40, 140)),
    st.dates(min_value=date(2020, 1, 1), max_value=date(2026, 12, 31)).map(str),
    st.datetimes(min_value=datetime(2020, 1, 1)).map(str),
    st.integers(10**8, 10**11).map(str),
    st.sampled_from([f"{n} - {word}" for n, word in enumerate(["none", "mild", "severe"])]),
    st.sampled_from(
        ["Yes", "No", "Citrate", "Citrate, Oxide", "Rarely", "Very frequently", "> 60", "18 - 29", "$0 to $9,999"]
    ),
    st.from_regex(r"[A-Z]{1,2}[0-9]{1,4}", fullmatch=True),
)


@given(st.lists(HARMLESS, min_size=1, max_size=9, unique=True))
def test_doses_dates_scales_years_and_codes_are_no_personal_data(texts: list[str]) -> None:
    assert contained(texts, asked_in=2026) is None


@given(
    st.lists(st.text(max_size=80) | st.text("0123456789 +-./()@:°", max_size=60), max_size=8),
    st.none() | st.sampled_from(list(Personal)),
    st.none() | st.integers(0, 20),
)
def test_any_text_can_be_looked_at(texts: list[str], named_as: Personal | None, filled: int | None) -> None:
    found = contained(texts, named_as, filled=filled)
    assert found is None or 0 < found.n_texts <= len(texts)


@given(
    st.lists(HARMLESS | st.emails() | st.sampled_from(MISTAKABLE), min_size=1, max_size=12, unique=True), st.randoms()
)
def test_the_order_of_the_texts_does_not_matter(texts: list[str], chance: random.Random) -> None:
    before = contained(texts)
    chance.shuffle(texts)
    assert contained(texts) == before


def test_blank_texts_and_no_texts_hold_nothing() -> None:
    assert contained([]) is None
    assert contained(["", "  ", "\u200b"]) is None


def test_only_the_beginning_of_a_text_is_looked_at() -> None:
    assert kind("a " * (LONGEST_LOOKED_AT // 2 - 10) + "me@mouse.com") is E.EMAIL
    assert kind("a " * (LONGEST_LOOKED_AT // 2) + "me@mouse.com") is None


MANY = 10_000
COLUMNS: dict[str, list[str]] = {
    "numbers": [str(n) for n in range(MANY)],
    "moments": [f"{n % 12 + 1}/{n % 28 + 1}/22 {n % 24}:{n % 60:02}:{n % 59}.{n}" for n in range(MANY)],
    "dates": [f"{1900 + n % 120}-{n % 12 + 1:02}-{n // 120 % 28 + 1:02} x" for n in range(MANY)],
    "almost telephones": [f"0{n:04}-{n * 7:05}-{n % 97:02}" for n in range(MANY)],
    "almost abroad": [f"+999 {n:04} {n * 7:05}" for n in range(MANY)],
    "almost addresses": [f"{'a.' * 200}@{'b-' * 31}{n}" for n in range(MANY)],
    "colons": [f"{'1:' * 300}{n}" for n in range(MANY)],
    "points": [f"{'1.' * 300}{n}" for n in range(MANY)],
    "digits": [f"{'1 ' * 300}{n}" for n in range(MANY)],
    "signs": [f"{'(-' * 300}{n}" for n in range(MANY)],
    "comments": comments(MANY, 40),
    "ticked": sorted(joined(LABELS, MANY, ", ")),
}


@pytest.mark.slow
@pytest.mark.parametrize("column", COLUMNS)
def test_ten_thousand_different_texts_take_no_time(column: str) -> None:
    start = time.process_time()
    contained(COLUMNS[column])
    assert time.process_time() - start < 2, "half a second with the processor to itself, four times that without"


# --- Headings that are answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "answers"),
    [
        (["Timestamp", "Age", "Pain (0-10)"], False),
        (["record_id", "2026", "bp_1"], False),
        (["ResponseId", "RecipientEmail", "IPAddress", "dob"], False),
        (["1", "2", "Which form do you take?"], True),
        (["1", "Age", "Which form do you take?"], False),
        (["Name", "nutty@mouse.com"], True),
        (["Name", "Where can we reach you? For questions write to study@mouse.com at any time"], False),
        (["Name", "(405) 321-1111", "Age"], True),
        (["Name", "130.92.34.66", "Age"], True),
        (["Latin", "8/27/22 19:29", "Rarely", "Never"], True),
        (["Visit 1", "2026-01-31"], True),
        (["3237565956", "Lottery B", "", ""], True),
        (["Citrate", "Yes", "No"], True),
        (["Yes", "Citrate", "Age"], False),
        (["", " "], False),
        ([], False),
    ],
)
def test_a_first_row_that_is_somebodys_answers(cells: list[str], *, answers: bool) -> None:
    assert looks_like_answers(cells) is answers


# --- Real exports -----------------------------------------------------------------------------------------------------

real_files = pytest.mark.skipif(not EXPORTS.is_dir(), reason="the real exports are not at hand")


class Column:
    """A column of a real export: its names, and what the two ways of telling say."""

    def __init__(self, names: Sequence[str], cells: Sequence[str]) -> None:
        self.names, self.filled = names, [cell for cell in cells if cell.strip() and cell != "NA"]
        self.called = named(names)
        self.found = contained(set(self.filled), self.called, filled=len(self.filled), asked_in=2022)

    @property
    def told(self) -> Personal | None:
        return self.called or (self.found.kind if self.found else None)


def records(name: str, separator: str = ",") -> list[list[str]]:
    with (EXPORTS / name).open(encoding="utf-8-sig", newline="") as file:
        return [record for record in csv.reader(file, delimiter=separator) if record]


def columns(name: str, header_rows: int = 1, separator: str = ",") -> Iterator[Column]:
    read = records(name, separator)
    for place, names in enumerate(zip(*read[:header_rows], strict=True)):
        yield Column(names, [record[place] for record in read[header_rows:] if len(record) > place])


def told(name: str, header_rows: int = 1, separator: str = ",") -> dict[str, Personal]:
    return {column.names[0]: column.told for column in columns(name, header_rows, separator) if column.told}


@real_files
def test_every_personal_column_of_a_small_project_is_told() -> None:
    assert told("redcap/simple/data.csv") == {
        "name_first": E.NAME,
        "name_last": E.NAME,
        "address": E.POSTAL_ADDRESS,
        "telephone": E.TELEPHONE,
        "email": E.EMAIL,
        "dob": E.BIRTH_DATE,
        "comments": E.FREE_TEXT,
    }


@real_files
def test_every_personal_column_of_a_trial_is_told_without_its_name_too() -> None:
    assert told("redcap/clinical-trial-1/data.csv") == {
        "name_last": E.NAME,
        "name_first": E.NAME,
        "address": E.POSTAL_ADDRESS,
        "phone": E.TELEPHONE,
        "email": E.EMAIL,
        "dob": E.BIRTH_DATE,
    }
    by_content = {
        column.names[0]: contained(set(column.filled), filled=len(column.filled), asked_in=2022)
        for column in columns("redcap/clinical-trial-1/data.csv")
    }
    assert {name: found.kind for name, found in by_content.items() if found} == {
        "name_last": E.FREE_TEXT,
        "name_first": E.FREE_TEXT,
        "address": E.FREE_TEXT,
        "email": E.EMAIL,
        "dob": E.BIRTH_DATE,
    }, "all but the telephone numbers, which are plain digits"


@real_files
def test_every_personal_column_of_a_longitudinal_project_is_told() -> None:
    assert told("redcap/longitudinal/data.csv") == {
        "first_name": E.NAME,
        "last_name": E.NAME,
        "telephone_1": E.TELEPHONE,
        "email": E.EMAIL,
        "dob": E.BIRTH_DATE,
        "comments": E.FREE_TEXT,
        "ec_phone": E.TELEPHONE,
        "next_of_kin_contact_name": E.NAME,
        "next_of_kin_contact_address": E.POSTAL_ADDRESS,
        "next_of_kin_contact_phone": E.TELEPHONE,
        "vob7": E.FREE_TEXT,
        "vob14": E.FREE_TEXT,
        "study_comments": E.FREE_TEXT,
    }


QUALTRICS = {
    "qualtrics/qualtRics_sample.csv": 3,
    "qualtrics/qualtRics_sample_legacy.csv": 2,
    "qualtrics/QT_ma_matrix_insights.csv": 3,
    "qualtrics/QT_many_types_insights.csv": 3,
    "qualtrics/QT_many_types_legacy.csv": 2,
}


@real_files
@pytest.mark.parametrize("name", QUALTRICS)
def test_what_the_tool_adds_about_a_person_is_told(name: str) -> None:
    found = [
        column.told
        for column in columns(name, QUALTRICS[name])
        if column.told and not any(text.endswith("_TEXT") for text in column.names)
    ]
    assert {E.IP_ADDRESS, E.NAME, E.EMAIL, E.COORDINATES} == set(found)
    assert found.count(E.COORDINATES) == 2


@real_files
def test_places_are_told() -> None:
    assert told("kobo/test_csv_4.csv", separator=";") == {
        "lieu": E.COORDINATES,
        "_lieu_latitude": E.COORDINATES,
        "_lieu_longitude": E.COORDINATES,
    }


@real_files
@pytest.mark.parametrize(
    ("name", "header_rows"),
    [("google_forms/music_and_mental_health.csv", 1), ("surveymonkey/steak-risk-survey.csv", 2)],
)
def test_closed_and_numeric_questions_give_no_false_alarm(name: str, header_rows: int) -> None:
    assert told(name, header_rows) == {}


@real_files
def test_in_a_large_survey_only_open_questions_are_told() -> None:
    found = {heading.split(".")[0]: kind for heading, kind in told("limesurvey/rse2017_uk_public_data.csv").items()}
    assert found == dict.fromkeys(
        ["conf2can", "train3", "skill2[SQ001]", "skill2[SQ2]", "skill2[SQ3]", "ukrse3"], E.FREE_TEXT
    )


@real_files
def test_in_a_poll_only_the_open_boxes_are_told() -> None:
    """The ticks 'Other (please specify)' are called like the boxes beside them: told by name, and no loss."""
    found = [column for column in columns("surveymonkey/thanksgiving-2015-poll-data.csv") if column.told]
    assert {column.told for column in found} == {E.FREE_TEXT}
    assert all("Other (please specify)" in column.names[0] for column in found)
    assert len([column for column in found if len(set(column.filled)) == 1]) == 3


@real_files
@pytest.mark.parametrize(
    ("name", "header_rows"),
    [
        ("google_forms/music_and_mental_health.csv", 1),
        ("limesurvey/rse2017_uk_public_data.csv", 1),
        ("surveymonkey/steak-risk-survey.csv", 2),
        ("surveymonkey/thanksgiving-2015-poll-data.csv", 1),
        ("redcap/simple/data.csv", 1),
        ("redcap/clinical-trial-1/data.csv", 1),
        ("redcap/longitudinal/data.csv", 1),
        ("qualtrics/QT_many_types_insights.csv", 3),
    ],
)
def test_headings_are_told_from_answers(name: str, header_rows: int) -> None:
    read = records(name)
    assert not looks_like_answers(read[0])
    assert all(looks_like_answers(record) for record in read[header_rows : header_rows + 5])


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("late answers", None),
        ("12 late answers came in on 2026-02-03", None),
        ("ask jane@example.org", Personal.EMAIL),
        ("called from +49 30 901820", Personal.TELEPHONE),
        ("sent from 192.0.2.17", Personal.IP_ADDRESS),
    ],
)
def test_a_sentence_that_is_to_be_printed_names_nobody(reason: str, kind: Personal | None) -> None:
    assert mentioned(reason) is kind
