"""Dictionaries: the questions of a REDCap data dictionary or of an XLSForm, which say themselves what may be answered.

What belongs here: telling and reading both, and what their types and validations mean. What does not: exports of answers
(`columns`).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from survey_pipeline.draft import numbers
from survey_pipeline.draft.question import (
    Found,
    Question,
    Questions,
    clashes,
    dropped,
    item_slug,
    options_of,
    readable,
    shortened,
    slug,
    unused,
)
from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.exports import ByHand
from survey_pipeline.exports.files import open_sheet
from survey_pipeline.exports.sheet import Sheet
from survey_pipeline.exports.tools.clues import without_tags
from survey_pipeline.exports.tools.redcap import DICTIONARIES
from survey_pipeline.instrument import Kind
from survey_pipeline.personal import named
from survey_pipeline.texts import fold

Row = Mapping[str, str]
"""A row of a dictionary: folded heading to text, "" where it is blank."""
BRANCHED = "It was asked of some people only. That is not drafted: see `applies_if` in schemas/README.md."
ANY_NUMBER = "No limits are known, so the bands are made up: set them."
SCALES = {(low, high) for low, high in numbers.STANDARD}
READ_ROWS = 10_000


@dataclass(frozen=True)
class Field:
    """One question as a dictionary has it. `found`: None for what is no question and has no column."""

    name: str
    label: str
    found: Found | None
    theme: str = ""
    required: bool = False
    branched: bool = False
    paths: tuple[str, ...] = ()
    """Further headings under which exports know it."""
    remarks: tuple[str, ...] = ()


def read_dictionary(path: Path, by_hand: ByHand) -> Questions | None:
    """The questions of a data dictionary or XLSForm; None if a file is neither."""
    if _is_workbook(path) and (form := _xlsform(path)):
        return form
    if path.is_file() and _begins_as_dictionary(sheet := open_sheet(path, by_hand)):
        return _redcap(list(_rows(sheet)))
    return None


def _is_workbook(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _begins_as_dictionary(sheet: Sheet) -> bool:
    return bool(sheet.head) and tuple(map(fold, sheet.head[0][:2])) in DICTIONARIES


def _rows(sheet: Sheet) -> Iterator[Row]:
    """The rows below the headings; R writes blanks as NA."""
    headings = [fold(text) for text in sheet.head[0]]
    for batch in sheet.cells.batches(range(len(headings)), 1, READ_ROWS):
        for cells in batch.iter_rows():
            texts = ("" if text is None or text.strip() == "NA" else text.strip() for text in cells)
            yield dict(zip(headings, texts, strict=False))


def _first(row: Row, *keys: str) -> str:
    return next((row[key] for key in keys if row.get(key)), "")


# --- From fields to questions -------------------------------------------------------------------------------------------


def _questions(source: str, fields: Sequence[Field], *remarks: str) -> Questions:
    """Questions under their label where no other has it, and under their name."""
    asked = _apart([field for field in fields if field.found])
    headings = _headings(asked)
    owners = {fold(text): field.name for field in asked for text in (field.name, *field.paths, headings[field.name])}
    taken: set[str] = set()
    drafted = []
    for number, field in enumerate(asked, start=1):
        reserved = {folded for folded, name in owners.items() if name != field.name}
        taken.add(code := unused(_code(field), taken | reserved, f"question_{number}"))
        drafted.append(_question(field, code, headings[field.name]))
    return Questions(source, tuple(drafted), remarks=remarks)


def _apart(fields: Sequence[Field]) -> list[Field]:
    """Fields of one name in several groups are known by their groups and name; of two that still are one, the first stays."""
    often = Counter(fold(field.name) for field in fields)
    apart = (
        replace(field, name=field.paths[0], paths=()) if often[fold(field.name)] > 1 and field.paths else field
        for field in fields
    )
    return list({fold(field.name): field for field in reversed(list(apart))}.values())[::-1]


def _headings(asked: Sequence[Field]) -> dict[str, str]:
    """By name: the label, unless it stands twice or is another field's name."""
    labels = Counter(fold(field.label) for field in asked)
    names = {fold(text): field.name for field in asked for text in (field.name, *field.paths)}

    def is_own(field: Field) -> bool:
        label = fold(field.label)
        return bool(label) and labels[label] == 1 and names.get(label, field.name) == field.name

    return {field.name: field.label if is_own(field) else field.name for field in asked}


def _code(field: Field) -> str:
    code = slug(field.name)
    return code if code and not code[0].isdigit() else item_slug(field.label or field.name)


def _question(field: Field, code: str, heading: str) -> Question:
    found = _private(field) or field.found or dropped("it is no question")
    more = tuple(text for text in dict.fromkeys((field.name, *field.paths)) if fold(text) != fold(heading))
    branched = (BRANCHED,) if field.branched and not found.dropped else ()
    kept = not found.dropped
    return Question(
        code,
        heading,
        shortened(field.label or readable(field.name)),
        field.theme if kept and field.theme else "questions" if kept else "not stored",
        found,
        more,
        field.required and not field.branched and kept,
        remarks=(*(field.remarks if kept else ()), *branched),
    )


def _private(field: Field) -> Found | None:
    """Personal by its name or label, unless people only say yes or no."""
    if field.found is None or field.found.dropped or field.found.kind is Kind.YES_NO:
        return None
    kind = named((field.name, field.label))
    return dropped(f"named as {kind.phrase}") if kind else None


def _closed(options: Sequence[tuple[str, str]], *, several: bool) -> Found:
    """Options by code and label. Two that say yes and no are a yes-no question if its codes are read as such."""
    codes = {fold(code): fold(label) for code, label in options}
    if not several and codes in ({"yes": "yes", "no": "no"}, {"1": "yes", "0": "no"}, {"y": "yes", "n": "no"}):
        return Found(Kind.YES_NO)
    if not options:
        return dropped("its options are not known: add them to keep it")
    given = [(without_tags(label) or code, (code,)) for code, label in options]
    listed = options_of(given, several=several)
    return Found(Kind.CHOICES if several else Kind.CHOICE, listed, remarks=clashes(given, listed))


def _number(low: float | None, high: float | None, unit: str, *, whole: bool, sign: str = "") -> Found:
    """A scale if its limits are those of one; else a number with bands between its limits."""
    if low is not None and high is not None and low < high and whole and (int(low), int(high)) in SCALES and not unit:
        return numbers.scale(low, high)
    if low is not None and high is not None and low >= high:
        low = high = None
    unknown = (ANY_NUMBER,) if low is None or high is None else ()
    edges = numbers.bands_between(low, high)
    return Found(Kind.NUMBER, minimum=low, maximum=high, unit=unit, edges=edges, decimal_sign=sign, remarks=unknown)


def _limit(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


# --- REDCap -------------------------------------------------------------------------------------------------------------

LABEL = ("field label", "field_label")
CHOICES = ("choices, calculations, or slider labels", "select_choices_or_calculations")
VALIDATION = ("text validation type or show slider number", "text_validation_type_or_show_slider_number")
LOWEST = ("text validation min", "text_validation_min")
HIGHEST = ("text validation max", "text_validation_max")
IDENTIFIER = ("identifier?", "identifier")
REQUIRED = ("required field?", "required_field")
BRANCHING = ("branching logic (show field only if...)", "branching_logic")
FORM = ("form name", "form_name")
NAME = ("variable / field name", "field_name")
TYPE = ("field type", "field_type")
EVENTS = (
    'If the project has events, say which one counts: completeness = { event = "..." }. Repeated entries are left out.'
)
NOT_ALL = "Required in REDCap, on a form that not all may have opened. To refuse rows without it: required = true"


def _redcap(rows: Sequence[Row]) -> Questions:
    """The first field is the record's id, which the pipeline tells by itself."""
    forms = {_first(row, *FORM) for row in rows} - {""}
    fields = [_redcap_field(row, place == 0, len(forms) > 1) for place, row in enumerate(rows) if _first(row, *NAME)]
    remarks = []
    if len(forms) > 1:
        remarks.append(EVENTS)
    return _questions(f"a REDCap data dictionary with {len(fields)} fields", fields, *remarks)


def _redcap_field(row: Row, is_id: bool, several_forms: bool) -> Field:
    name, label = _first(row, *NAME), without_tags(_first(row, *LABEL))
    required = fold(_first(row, *REQUIRED)) == "y"
    found = dropped("the record's id") if is_id else _redcap_found(row, label)
    if found and fold(_first(row, *IDENTIFIER)) == "y":
        found = dropped("marked as an identifier in the data dictionary")
    return Field(
        name,
        label,
        found,
        _first(row, *FORM).replace("_", " "),
        required and not several_forms,
        bool(_first(row, *BRANCHING)),
        remarks=(NOT_ALL,) if required and several_forms else (),
    )


def _redcap_found(row: Row, label: str) -> Found | None:
    kind = fold(_first(row, *TYPE))
    tellers: Mapping[str, Callable[[], Found | None]] = {
        "radio": lambda: _closed(_listed(row), several=False),
        "dropdown": lambda: _closed(_listed(row), several=False),
        "checkbox": lambda: _closed(_listed(row), several=True),
        "yesno": lambda: Found(Kind.YES_NO),
        "truefalse": lambda: Found(Kind.YES_NO),
        "slider": lambda: _slider(row),
        "calc": lambda: _calculated(label),
        "text": lambda: _redcap_text(row, label),
        "notes": lambda: dropped("free text is never stored"),
        "descriptive": lambda: None,
    }
    return tellers.get(kind, lambda: dropped(f"a field of the type {kind or 'unknown'}"))()


def _calculated(label: str) -> Found:
    return replace(
        _number(None, None, numbers.unit_of(label), whole=False), remarks=("REDCap calculates it.", ANY_NUMBER)
    )


def _listed(row: Row) -> list[tuple[str, str]]:
    """'1, Yes | 0, No' as codes and labels."""
    cut = (entry.partition(",") for entry in _first(row, *CHOICES).split("|"))
    return [(code.strip(), label.strip() or code.strip()) for code, _, label in cut if code.strip()]


def _slider(row: Row) -> Found:
    """From 0 to 100 unless the dictionary says otherwise."""
    low, high = _limit(_first(row, *LOWEST)), _limit(_first(row, *HIGHEST))
    low, high = 0 if low is None else low, 100 if high is None else high
    return numbers.scale(low, high) if low < high else numbers.scale(0, 100)


def _redcap_text(row: Row, label: str) -> Found:
    """By its validation. Without one it is free text, unless its label names a unit."""
    checked, unit = fold(_first(row, *VALIDATION)), numbers.unit_of(label)
    limits = _limit(_first(row, *LOWEST)), _limit(_first(row, *HIGHEST))
    if checked.startswith(("integer", "number")):
        sign = "comma" if "comma" in checked else "point" if checked != "integer" else ""
        return _number(*limits, unit, whole=checked == "integer", sign=sign)
    if checked.startswith("date"):
        return dropped("a date can point to a person, and no table shows one", kind=Kind.DATE)
    if checked in ("email", "phone", "zipcode", "ssn", "mrn_10d", "mrn_generic") or checked.startswith(
        ("phone", "postalcode")
    ):
        return dropped(f"holds what the dictionary validates as {checked}")
    if not checked and unit:
        said = "The dictionary does not say that it is a number, but its label names a unit."
        return replace(_number(*limits, unit, whole=False), remarks=(said, ANY_NUMBER))
    return dropped("free text is never stored")


# --- XLSForm ------------------------------------------------------------------------------------------------------------

LIMIT = re.compile(r"\.\s*(>=|>|<=|<)\s*(-?\d+(?:\.\d+)?)")
PARAMETER = re.compile(r"\b(start|end|step)\s*=\s*(-?\d+(?:\.\d+)?)")
TRUE = frozenset({"yes", "true", "true()", "1", "y"})
OWN = frozenset(
    {"start", "end", "today", "deviceid", "subscriberid", "simserial", "phonenumber", "username", "email", "audit"}
    | {"start-geopoint", "background-audio", "xml-external", "csv-external"}
)
NO_QUESTION = frozenset({"note", ""})
NUMBERS = frozenset({"integer", "int", "decimal"})


def _xlsform(path: Path) -> Questions | None:
    """The questions of a workbook with the sheets `survey` and `choices`."""
    survey = _sheet(path, "survey")
    if survey is None or not survey.head or not {"type", "name"} <= set(map(fold, survey.head[0])):
        return None
    choices = _sheet(path, "choices")
    lists = _lists(list(_rows(choices)) if choices else [])
    fields = list(_xlsform_fields(list(_rows(survey)), lists))
    return _questions(f"an XLSForm with {len(fields)} questions", fields)


def _sheet(path: Path, name: str) -> Sheet | None:
    try:
        return open_sheet(path, ByHand(sheet=name))
    except (InputRefused, WrongUsage):
        return None


def _label(row: Row) -> str:
    """The first label, whatever language it is in, without marks."""
    label = _first(row, "label") or next((text for key, text in row.items() if key.startswith("label:") and text), "")
    return without_tags(label).replace("**", "").strip("_# ")


def _lists(rows: Sequence[Row]) -> dict[str, list[tuple[str, str]]]:
    lists: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        if code := _first(row, "name", "value"):
            lists.setdefault(_first(row, "list_name", "list name"), []).append((code, _label(row) or code))
    return lists


def _xlsform_fields(rows: Sequence[Row], lists: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[Field]:
    """Questions behind their groups. A repeated group's answers lie in a sheet of their own, so they are no items."""
    groups: list[tuple[str, str, bool, bool]] = []
    for row in rows:
        kind = fold(_first(row, "type")).replace("_", " ")
        if kind.startswith("begin "):
            groups.append((_first(row, "name"), _label(row), kind == "begin repeat", bool(_first(row, "relevant"))))
        elif kind.startswith("end "):
            groups = groups[:-1]
        elif not any(repeats for _, _, repeats, _ in groups) and (field := _xlsform_field(row, lists, groups)):
            yield field


def _xlsform_field(
    row: Row, lists: Mapping[str, Sequence[tuple[str, str]]], groups: Sequence[tuple[str, str, bool, bool]]
) -> Field | None:
    name, label = _first(row, "name"), _label(row)
    found = _xlsform_found(row, lists, label)
    if not name or found is None:
        return None
    inside = [group for group, *_ in groups if group]
    return Field(
        name,
        label,
        found,
        next((text for _, text, *_ in reversed(groups) if text), ""),
        fold(_first(row, "required")) in TRUE,
        bool(_first(row, "relevant")) or any(branched for *_, branched in groups),
        ("/".join((*inside, name)),) if inside else (),
    )


def _xlsform_found(row: Row, lists: Mapping[str, Sequence[tuple[str, str]]], label: str) -> Found | None:
    kind, _, rest = _first(row, "type").strip().partition(" ")
    kind = kind.casefold()
    if kind in NO_QUESTION:
        return None
    if kind in OWN:
        return dropped("the survey tool's own")
    if kind in ("select_one", "select_multiple", "select1", "select"):
        return _select(kind, rest.split(), lists)
    if kind in NUMBERS or kind == "range":
        low, high, whole = _xlsform_limits(row, kind)
        return _number(low, high, numbers.unit_of(label), whole=whole)
    if kind in ("date", "datetime", "time"):
        return dropped("a date can point to a person, and no table shows one", kind=Kind.DATE)
    if kind in ("acknowledge", "trigger"):
        return Found(Kind.CHOICE, options_of([("OK", ("ok",))]))
    if kind == "calculate":
        return dropped("calculated by the form")
    return dropped("free text is never stored" if kind in ("text", "string") else f"a question of the type {kind}")


def _select(kind: str, rest: Sequence[str], lists: Mapping[str, Sequence[tuple[str, str]]]) -> Found:
    options = list(lists.get(rest[0], [])) if rest else []
    if options and "or_other" in rest:
        options.append(("other", "Other"))
    return _closed(options, several=kind in ("select_multiple", "select"))


def _xlsform_limits(row: Row, kind: str) -> tuple[float | None, float | None, bool]:
    """The limits of a constraint such as '. >= 0 and . <= 10', or of a range's parameters."""
    if kind == "range":
        given = {name: float(number) for name, number in PARAMETER.findall(_first(row, "parameters"))}
        return given.get("start", 1.0), given.get("end", 10.0), given.get("step", 1.0) == 1.0
    whole = kind != "decimal"
    low: float | None = None
    high: float | None = None
    for sign, number in LIMIT.findall(_first(row, "constraint")):
        limit = float(number)
        if sign.startswith(">"):
            low = limit + 1 if sign == ">" and whole else limit
        else:
            high = limit - 1 if sign == "<" and whole else limit
    return low, high, whole
