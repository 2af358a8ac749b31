"""Layouts: how each survey tool lays out the same answers in its export.

What belongs here: headings, which answers stand in one cell and which in a column an option, codes or labels, and the columns
that a tool adds itself. What does not: the people and their answers (`write`), and bytes (`files`).

A readable answer to a closed question is written as the tool holds it. What no tool could hold, such as words that are no
option, is written as it stands; in columns of one option each it stands in the first, so that a reader meets it there.

The tools' own columns hold nobody's data: addresses are of example.org and of 192.0.2.0/24, both set aside for examples.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import polars as pl

from survey_pipeline.instrument import Instrument, Item, Kind, Option
from survey_pipeline.names import INVENTED_HEADING, option_column
from survey_pipeline.sample.cells import Cell, Untidy, label_of
from survey_pipeline.sample.files import Container, Delimited, Parquet, Statistics, Workbook
from survey_pipeline.sample.sent import INVENTED_TEXT, Column, Question, Sent, invented

Headings = tuple[str | None, ...]
Columns = Iterator[Column]
Meta = tuple[Headings, pl.Series]

ISO: Final = "%Y-%m-%d %H:%M:%S"
ISO_UTC: Final = "%Y-%m-%dT%H:%M:%S.000Z"
AMERICAN: Final = "%m/%d/%Y %I:%M:%S %p"
SECONDS_TAKEN: Final = 9 * 60
LONGEST_END: Final = 4
"""Letters that the number of an option takes behind a variable's name."""
LONGEST_VALUE_LABEL: Final = 120


@dataclass(frozen=True)
class Tool:
    """One tool's way of writing an export: the columns it makes of what was sent, and the file they go into."""

    columns: Callable[[Sent, Instrument], Columns]
    container: Container


@dataclass(frozen=True)
class Style:
    """How a tool heads and fills the columns of questions."""

    heading: Callable[[Question], Headings]
    option_heading: Callable[[Question, Option], Headings] | None = None
    """None: several answers stand in one cell."""
    answer: Callable[[Item, Cell], str | None] = lambda _, cell: cell.text
    joined: str | None = ", "
    """What stands between several answers in one cell; None: they have no such cell."""
    ticked: Callable[[Option], str] = lambda option: option.label
    unticked: str | None = None
    untouched: str | None = None
    """What stands in every option's column where nobody answered, if nothing can be mistaken for it."""

    def columns(self, question: Question) -> Columns:
        """The columns of one question."""
        if question.item.kind is not Kind.CHOICES or question.words is not None:
            yield Column(self.heading(question), question.written(partial(self.answer, question.item)))
            return
        if self.joined is not None:
            yield Column(self.heading(question), question.written(partial(self.answer, question.item)))
        if self.option_heading is not None:
            for option in question.item.options:
                yield Column(self.option_heading(question, option), question.written(self.tick(question.item, option)))

    def tick(self, item: Item, option: Option) -> Callable[[Cell], str | None]:
        """What stands in the column of one option."""
        alone = any(each.exclusive for each in item.options)
        untouched = self.untouched if alone else None
        return partial(_ticked, self, untouched, option, option == item.options[0])


def _ticked(style: Style, untouched: str | None, option: Option, is_first: bool, cell: Cell) -> str | None:
    if cell.answer:
        return style.ticked(option) if option.code in cell.codes else style.unticked
    if cell.text and is_first:
        return cell.text
    return None if cell.untidy is Untidy.NO_ANSWER_TEXT else untouched


# --- Ways of writing an answer ---------------------------------------------------------------------------------------


def _has_codes(item: Item) -> bool:
    return bool(item.options) or item.kind is Kind.YES_NO


def _as_code(between: str, yes: str, no: str, item: Item, cell: Cell) -> str | None:
    """The codes of closed answers, numbers and words as they were typed."""
    if not cell.answer or not _has_codes(item):
        return cell.text
    if item.kind is Kind.YES_NO:
        return yes if cell.answer == "yes" else no
    return between.join(cell.codes)


def _as_labels(between: str, item: Item, cell: Cell) -> str | None:
    """As people see it; several answers joined in the tool's way."""
    if item.kind is not Kind.CHOICES or not cell.answer:
        return cell.text
    return between.join(label_of(item, code) for code in cell.codes)


def _as_list(item: Item, cell: Cell) -> str | None:
    """Several answers with a separator behind each, the last one too."""
    text = _as_labels(";", item, cell)
    return f"{text};" if item.kind is Kind.CHOICES and cell.answer else text


def _as_value(item: Item, cell: Cell) -> str | None:
    """What a data file with types holds: a label of the option, or the number without its unit."""
    return _value_label(item, cell.answer) if cell.answer else cell.text


def _value_label(item: Item, answer: str) -> str:
    """SPSS cuts long labels of values: then the code stands for itself."""
    label = label_of(item, answer)
    return label if len(label.encode()) <= LONGEST_VALUE_LABEL else answer


# --- Ways of heading a column ----------------------------------------------------------------------------------------


def _question(question: Question) -> Headings:
    return (question.item.question,)


def _code(question: Question) -> Headings:
    return (question.name,)


def _question_dash_option(question: Question, option: Option) -> Headings:
    return (f"{question.item.question} - {option.label}",)


def _place_of(option: Option, question: Question) -> int:
    return question.item.options.index(option) + 1


def _with_meta(before: tuple[Meta, ...], style: Style, sent: Sent, after: tuple[Meta, ...], last: Column) -> Columns:
    yield from (Column(*meta) for meta in before)
    for question in sent.questions:
        yield from style.columns(question)
    yield from (Column(*meta) for meta in after)
    yield last


def _address(sent: Sent) -> pl.Series:
    return "192.0.2." + (sent.numbers % 254 + 1).cast(pl.String)


def _mail(sent: Sent) -> pl.Series:
    return "person-" + sent.numbers.cast(pl.String) + "@example.org"


# --- Plain tables and Google Forms -----------------------------------------------------------------------------------


def _google_forms(sent: Sent, _: Instrument) -> Columns:
    times = ((("Timestamp",), sent.times(ISO)),)
    return _with_meta(times, Style(_question), sent, (), invented(sent))


def _plain(sent: Sent, _: Instrument) -> Columns:
    times = ((("Submitted at",), sent.times(ISO)),)
    style = Style(_question, answer=partial(_as_labels, "; "))
    return _with_meta(times, style, sent, (), invented(sent))


# --- LimeSurvey ------------------------------------------------------------------------------------------------------


def _limesurvey(sent: Sent, instrument: Instrument) -> Columns:
    style = Style(
        heading=_code,
        option_heading=lambda question, option: (f"{question.name}[{option.code}]",),
        answer=partial(_as_code, "", "Y", "N"),
        joined=None,
        ticked=lambda _: "Y",
    )
    return _with_meta(_limesurvey_meta(sent, instrument, titled=False), style, sent, (), invented(sent))


def _limesurvey_text(sent: Sent, instrument: Instrument) -> Columns:
    """Headings as LimeSurvey's own codes, which are letters and digits only, and the question."""
    style = Style(
        heading=lambda question: (f"{_letters(question.name)}. {question.item.question}",),
        option_heading=lambda question, option: (
            f"{_letters(question.name)}[SQ{_place_of(option, question):03d}]. {question.item.question} [{option.label}]",
        ),
        joined=None,
        ticked=lambda _: "Yes",
        unticked="No",
    )
    return _with_meta(_limesurvey_meta(sent, instrument, titled=True), style, sent, (), invented(sent))


def _letters(name: str) -> str:
    return name.replace("_", "")


def _limesurvey_meta(sent: Sent, instrument: Instrument, *, titled: bool) -> tuple[Meta, ...]:
    found = {
        ("id", "Response ID"): sent.numbers.cast(pl.String),
        ("submitdate", "Date submitted"): sent.times(ISO, SECONDS_TAKEN),
        ("lastpage", "Last page"): sent.always("1"),
        ("startlanguage", "Start language"): sent.always(instrument.language),
        ("seed", "Seed"): (sent.numbers * 7919).cast(pl.String),
        ("startdate", "Date started"): sent.times(ISO),
        ("datestamp", "Date last action"): sent.times(ISO, SECONDS_TAKEN),
    }
    return tuple(((f"{code}. {title}" if titled else code,), cells) for (code, title), cells in found.items())


# --- REDCap ----------------------------------------------------------------------------------------------------------


def _redcap(sent: Sent, _: Instrument) -> Columns:
    style = Style(
        heading=_code,
        option_heading=lambda question, option: (f"{question.name}___{option.code}",),
        answer=partial(_as_code, "", "1", "0"),
        joined=None,
        ticked=lambda _: "1",
        unticked="0",
        untouched="0",
    )
    first = (("record_id",), ("redcap_survey_identifier",), ("survey_timestamp",))
    complete = (("survey_complete",), sent.always("2"))
    return _with_meta(_redcap_meta(sent, first), style, sent, (complete,), invented(sent))


def _redcap_labels(sent: Sent, _: Instrument) -> Columns:
    style = Style(
        heading=_question,
        option_heading=lambda question, option: (f"{question.item.question} (choice={option.label})",),
        joined=None,
        ticked=lambda _: "Checked",
        unticked="Unchecked",
        untouched="Unchecked",
    )
    first = (("Record ID",), ("Survey Identifier",), ("Survey Timestamp",))
    complete = (("Complete?",), sent.always("Complete"))
    return _with_meta(_redcap_meta(sent, first), style, sent, (complete,), invented(sent))


def _redcap_meta(sent: Sent, headings: tuple[Headings, ...]) -> tuple[Meta, ...]:
    cells = (sent.numbers.cast(pl.String), sent.always(None), sent.times(ISO))
    return tuple(zip(headings, cells, strict=True))


# --- KoboToolbox and ODK ---------------------------------------------------------------------------------------------


def _group(question: Question) -> str:
    return re.sub(r"[^a-z0-9]+", "_", question.item.theme.lower()).strip("_") or "survey"


def _kobo(sent: Sent, _: Instrument) -> Columns:
    style = Style(
        heading=lambda question: (f"{_group(question)}/{question.name}",),
        option_heading=lambda question, option: (f"{_group(question)}/{question.name}/{option.code}",),
        answer=partial(_as_code, " ", "yes", "no"),
        joined=" ",
        ticked=lambda _: "1",
        unticked="0",
    )
    before = {
        "start": sent.times("%Y-%m-%dT%H:%M:%S.000+00:00"),
        "end": sent.times("%Y-%m-%dT%H:%M:%S.000+00:00", SECONDS_TAKEN),
    }
    after = {
        "_id": (sent.numbers + 410_000_000).cast(pl.String),
        "_uuid": _uuid(sent),
        "_submission_time": sent.times("%Y-%m-%dT%H:%M:%S", SECONDS_TAKEN + 5),
        "_validation_status": sent.always(None),
        "_notes": sent.always(None),
        "_status": sent.always("submitted_via_web"),
        "_submitted_by": sent.always(None),
        "__version__": sent.always("v1"),
        "_tags": sent.always(None),
        "_index": sent.numbers.cast(pl.String),
    }
    return _with_meta(_named(before), style, sent, _named(after), invented(sent))


def _odk(sent: Sent, _: Instrument) -> Columns:
    style = Style(
        heading=lambda question: (f"{_group(question)}-{question.name}",),
        option_heading=lambda question, option: (f"{_group(question)}-{question.name}/{option.code}",),
        answer=partial(_as_code, " ", "yes", "no"),
        joined=None,
        ticked=lambda _: "1",
        unticked="0",
    )
    after = {
        "meta-instanceID": "uuid:" + _uuid(sent),
        "KEY": "uuid:" + _uuid(sent),
        "SubmitterID": sent.always(None),
        "SubmitterName": sent.always(None),
        "AttachmentsPresent": sent.always("0"),
        "AttachmentsExpected": sent.always("0"),
        "Status": sent.always(None),
        "ReviewState": sent.always(None),
        "DeviceID": sent.always(None),
        "Edits": sent.always("0"),
        "FormVersion": sent.always("1"),
    }
    before = {"SubmissionDate": sent.times(ISO_UTC, SECONDS_TAKEN)}
    return _with_meta(_named(before), style, sent, _named(after), invented(sent))


def _named(columns: dict[str, pl.Series]) -> tuple[Meta, ...]:
    return tuple(((name,), cells) for name, cells in columns.items())


def _uuid(sent: Sent) -> pl.Series:
    return "00000000-0000-4000-8000-" + sent.numbers.cast(pl.String).str.zfill(12)


# --- Qualtrics -------------------------------------------------------------------------------------------------------


def _import_id(text: str) -> str:
    return f'{{"ImportId":"{text}"}}'


QUALTRICS: Final = Style(
    heading=lambda question: (
        f"Q{question.number}",
        question.item.question,
        _import_id(f"QID{question.number}{'_TEXT' if question.words is not None else ''}"),
    ),
    option_heading=lambda question, option: (
        f"Q{question.number}_{_place_of(option, question)}",
        f"{question.item.question} - {option.label}",
        _import_id(f"QID{question.number}_{_place_of(option, question)}"),
    ),
    joined=None,
)


def _qualtrics(sent: Sent, instrument: Instrument) -> Columns:
    found = {
        ("StartDate", "Start Date", "startDate"): sent.times(ISO),
        ("EndDate", "End Date", "endDate"): sent.times(ISO, SECONDS_TAKEN),
        ("Status", "Response Type", "status"): sent.always("IP Address"),
        ("IPAddress", "IP Address", "ipAddress"): _address(sent),
        ("Progress", "Progress", "progress"): sent.always("100"),
        ("Duration (in seconds)", "Duration (in seconds)", "duration"): sent.always(str(SECONDS_TAKEN)),
        ("Finished", "Finished", "finished"): sent.always("True"),
        ("RecordedDate", "Recorded Date", "recordedDate"): sent.times(ISO, SECONDS_TAKEN + 1),
        ("ResponseId", "Response ID", "_recordId"): _response_id(sent),
        ("RecipientLastName", "Recipient Last Name", "recipientLastName"): sent.always(None),
        ("RecipientFirstName", "Recipient First Name", "recipientFirstName"): sent.always(None),
        ("RecipientEmail", "Recipient Email", "recipientEmail"): _mail(sent),
        ("ExternalReference", "External Data Reference", "externalDataReference"): sent.always(None),
        ("LocationLatitude", "Location Latitude", "locationLatitude"): sent.always(None),
        ("LocationLongitude", "Location Longitude", "locationLongitude"): sent.always(None),
        ("DistributionChannel", "Distribution Channel", "distributionChannel"): sent.always("anonymous"),
        ("UserLanguage", "User Language", "userLanguage"): sent.always(instrument.language.upper()),
    }
    before = tuple(((name, text, _import_id(code)), cells) for (name, text, code), cells in found.items())
    return _with_meta(before, QUALTRICS, sent, (), invented(sent, INVENTED_HEADING, _import_id("invented")))


def _qualtrics_legacy(sent: Sent, _: Instrument) -> Columns:
    found = {
        "ResponseID": _response_id(sent),
        "ResponseSet": sent.always("Default Response Set"),
        "Name": sent.always("Anonymous"),
        "ExternalDataReference": sent.always(None),
        "EmailAddress": _mail(sent),
        "IPAddress": _address(sent),
        "Status": sent.always("0"),
        "StartDate": sent.times(ISO),
        "EndDate": sent.times(ISO, SECONDS_TAKEN),
        "Finished": sent.always("1"),
    }
    before = tuple(((f"V{n}", text), cells) for n, (text, cells) in enumerate(found.items(), start=1))
    for column in _with_meta(before, QUALTRICS, sent, (), invented(sent, INVENTED_HEADING)):
        yield Column(column.headings[:2], column.cells)
    yield Column((None, None), sent.always(None))


def _response_id(sent: Sent) -> pl.Series:
    return "R_" + (sent.numbers * 662_608_997 % 2**30).cast(pl.String).str.zfill(15)


# --- SurveyMonkey and Microsoft Forms --------------------------------------------------------------------------------


def _surveymonkey(sent: Sent, _: Instrument) -> Columns:
    style = Style(
        heading=lambda question: (
            question.item.question,
            "Open-Ended Response" if question.words is not None else "Response",
        ),
        option_heading=lambda question, option: (
            question.item.question if option == question.item.options[0] else None,
            option.label,
        ),
        joined=None,
    )
    before = tuple(((name, None), cells) for name, cells in _surveymonkey_meta(sent).items())
    return _with_meta(before, style, sent, (), invented(sent, "Response"))


def _surveymonkey_one_row(sent: Sent, _: Instrument) -> Columns:
    style = Style(_question, _question_dash_option, joined=None)
    return _with_meta(_named(_surveymonkey_meta(sent)), style, sent, (), invented(sent))


def _surveymonkey_meta(sent: Sent) -> dict[str, pl.Series]:
    return {
        "Respondent ID": (sent.numbers + 11_400_000_000).cast(pl.String),
        "Collector ID": sent.always("400000001"),
        "Start Date": sent.times(AMERICAN),
        "End Date": sent.times(AMERICAN, SECONDS_TAKEN),
        "IP Address": _address(sent),
        "Email Address": _mail(sent),
        "First Name": sent.always(None),
        "Last Name": sent.always(None),
        "Custom Data 1": sent.always(None),
    }


def _microsoft_forms(sent: Sent, _: Instrument) -> Columns:
    style = Style(
        heading=lambda question: (question.item.question.replace(" ", "\u00a0", 2),),
        answer=_as_list,
    )
    before = {
        "ID": sent.numbers.cast(pl.String),
        "Start time": sent.times(ISO),
        "Completion time": sent.times(ISO, SECONDS_TAKEN),
        "Email": _mail(sent),
        "Name": sent.always("anonymous"),
    }
    return _with_meta(_named(before), style, sent, (), invented(sent))


# --- SPSS and Stata --------------------------------------------------------------------------------------------------
# Lengths of names and labels: 64 and 255 in SPSS, 32 and 80 in Stata, where four letters of a name are left for the number
# that the name of its value labels ends with.


def _statistics(longest_name: int, longest_label: int, sent: Sent, instrument: Instrument) -> Columns:
    """Variables named by code and labelled by question; a variable an option; numbers with labels for what was chosen."""
    yield Column((_unlike("sent_at", instrument), "Time of the answer"), sent.times(ISO))
    for question in sent.questions:
        yield from _variables(question, instrument, longest_name, longest_label)
    yield Column((_unlike("invented_data", instrument), INVENTED_HEADING), sent.always(INVENTED_TEXT))


def _unlike(name: str, instrument: Instrument) -> str:
    """A name that no item has."""
    return name if name not in instrument.items else _unlike(f"{name}_", instrument)


def _variables(question: Question, instrument: Instrument, longest_name: int, longest_label: int) -> Columns:
    item, name = question.item, question.name
    no_answer = tuple(text for text in (*instrument.missing, *item.missing) if text.strip())
    if item.kind is not Kind.CHOICES or question.words is not None:
        cells = question.written(partial(_as_value, item))
        label = _fitting(longest_label, item.question, *item.headings, name)
        first, values = _values(item)
        yield Column((_short(name, longest_name, question.number), label), cells, values, first, no_answer)
        return
    ticks = Style(_code, ticked=lambda _: "Selected", unticked="Not selected")
    names, labels = _option_names(question, longest_name), _option_labels(question, longest_label)
    for option, variable, label in zip(item.options, names, labels, strict=True):
        cells = question.written(ticks.tick(item, option))
        yield Column((variable, label), cells, ("Not selected", "Selected"), 0, no_answer)


def _option_names(question: Question, longest: int) -> list[str]:
    """By codes; by numbers where one of them would be too long, as all options of a question are named alike."""
    names = [option_column(question.name, code) for code in question.item.codes]
    if max(map(len, names)) <= longest:
        return names
    whole = _short(question.name, longest - LONGEST_END, question.number)
    return [option_column(whole, str(place)) for place in range(1, len(names) + 1)]


def _option_labels(question: Question, longest: int) -> list[str]:
    """All options of a question begin alike: with the question if that leaves room, else with its code."""
    item, name = question.item, question.name
    versions = (
        [f"{item.question} - {option.label}" for option in item.options],
        [f"{name} - {option.label}" for option in item.options],
    )
    codes = [f"{name} - {code}"[:longest] for code in item.codes]
    return next((labels for labels in versions if max(len(text.encode()) for text in labels) <= longest), codes)


def _values(item: Item) -> tuple[int, tuple[str, ...]]:
    """The first number and the texts that stand for the answers of a closed question."""
    if item.kind is Kind.YES_NO:
        return 0, ("No", "Yes")
    return 1, tuple(_value_label(item, code) for code in item.codes)


def _short(name: str, longest: int, number: int) -> str:
    """A variable's name, cut and numbered where it is too long for the program."""
    return name if len(name) <= longest else f"{name[: longest - len(str(number)) - 1].rstrip('_')}_{number}"


def _fitting(longest: int, *labels: str) -> str:
    """The first label that the program does not cut off."""
    return next((label for label in labels if len(label.encode()) <= longest), labels[-1][:longest])


# --- All tools -------------------------------------------------------------------------------------------------------

LAYOUTS: Final[dict[str, Tool]] = {
    "google_forms": Tool(_google_forms, Delimited()),
    "limesurvey": Tool(_limesurvey, Delimited(with_mark=True, quotes_everything=True)),
    "limesurvey_text": Tool(
        _limesurvey_text, Delimited(separator=";", with_mark=True, quotes_everything=True, ends_with_empty_line=True)
    ),
    "redcap": Tool(_redcap, Delimited(line_end="\n")),
    "redcap_labels": Tool(_redcap_labels, Delimited(line_end="\n")),
    "kobo": Tool(_kobo, Delimited(separator=";", quotes_everything=True)),
    "odk": Tool(_odk, Delimited(line_end="\n")),
    "qualtrics": Tool(_qualtrics, Delimited(header_rows=3, with_mark=True, line_end="\n")),
    "qualtrics_legacy": Tool(_qualtrics_legacy, Delimited(header_rows=2, with_mark=True, line_end="\n")),
    "qualtrics_tsv": Tool(
        _qualtrics, Delimited(header_rows=3, separator="\t", encoding="utf-16-le", with_mark=True, line_end="\n")
    ),
    "surveymonkey": Tool(_surveymonkey, Delimited(header_rows=2, line_end="\n")),
    "surveymonkey_one_row": Tool(_surveymonkey_one_row, Delimited(line_end="\n")),
    "microsoft_forms": Tool(_microsoft_forms, Workbook()),
    "csv": Tool(_plain, Delimited(line_end="\n")),
    "xlsx": Tool(_plain, Workbook()),
    "parquet": Tool(_plain, Parquet()),
    "spss": Tool(partial(_statistics, 64, 255), Statistics(".sav")),
    "stata": Tool(partial(_statistics, 28, 80), Statistics(".dta")),
}

TOOLS: Final = tuple(LAYOUTS)
"""The formats that can be imitated."""
