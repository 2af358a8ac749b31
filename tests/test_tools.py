"""What each survey tool writes, and what is therefore meant: one small table a layout, and its near misses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl
import pytest
from club import SHARED

from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.exports import read_export
from survey_pipeline.exports.layout import Column, Layout, Mark, Part
from survey_pipeline.exports.sheet import DETECT, ByHand, Meta, Sheet
from survey_pipeline.exports.tools import SURVEY_TOOLS, TOOLS, recognise

EXPORTS = SHARED / "exports"
MARKER = "MARKER4711"


class NoCells:
    """Cells that nobody may look at: a tool is told from the head alone."""

    def batches(self, columns: Sequence[int], skip: int, rows: int) -> Iterator[pl.DataFrame]:
        raise AssertionError("a tool looked at the cells")


def sheet(*rows: Sequence[str], kind: str = "csv", separator: str = ",", meta: tuple[Meta, ...] = ()) -> Sheet:
    head = tuple(tuple(row) for row in rows)
    return Sheet("", kind, "utf-8", separator, head, max(map(len, head)), len(head), (), NoCells(), (), meta)


def told(*rows: Sequence[str], by_hand: ByHand = DETECT, separator: str = ",") -> Layout:
    return recognise(sheet(*rows, separator=separator), by_hand)


def tool_of(*rows: Sequence[str]) -> str:
    return told(*rows).tool


def column(layout: Layout, heading: str) -> Column:
    return next(column for column in layout.columns if heading in (column.heading, *column.names))


def split(column: Column) -> tuple[Part, tuple[str, ...], tuple[str, ...]]:
    return column.part, column.question, column.option


def parts(layout: Layout) -> list[str]:
    return [column.part.value for column in layout.columns]


# --- Real files --------------------------------------------------------------------------------------------------------

REAL = [
    ("google_forms/music_and_mental_health.csv", "google_forms", 1, 736, 33),
    ("surveymonkey/steak-risk-survey.csv", "surveymonkey", 2, 550, 15),
    ("surveymonkey/thanksgiving-2015-poll-data.csv", "surveymonkey", 1, 1058, 65),
    ("limesurvey/rse2017_uk_public_data.csv", "limesurvey", 1, 253, 245),
    ("qualtrics/qualtRics_sample.csv", "qualtrics", 3, 1, 20),
    ("qualtrics/qualtRics_sample_legacy.csv", "qualtrics", 2, 1, 16),
    ("qualtrics/QT_many_types_insights.csv", "qualtrics", 3, 5, 190),
    ("qualtrics/QT_many_types_legacy.csv", "qualtrics", 2, 5, 190),
    ("qualtrics/QT_ma_matrix_insights.csv", "qualtrics", 3, 5, 75),
    ("redcap/simple/data.csv", "redcap", 1, 5, 24),
    ("redcap/survey/data.csv", "redcap", 1, 2, 33),
    ("redcap/longitudinal/data.csv", "redcap", 1, 18, 125),
    ("redcap/repeating-instruments-sparse/data.csv", "redcap", 1, 9, 15),
    ("redcap/clinical-trial-1/data.csv", "redcap", 1, 500, 13),
    ("redcap/russian/data.csv", "redcap", 1, 3, 402),
    ("redcap/decimal-comma-and-dot/data.csv", "redcap", 1, 4, 9),
    ("redcap/longitudinal/event.csv", "csv", 1, 12, 5),
    ("kobo/test_csv_1.csv", "kobo", 1, 2, 6),
    ("kobo/test_csv_2.csv", "kobo", 1, 2, 6),
    ("kobo/test_csv_3.csv", "kobo", 1, 2, 6),
    ("kobo/test_csv_4.csv", "kobo", 1, 2, 7),
    ("kobo/test_csv_quote_escaping.csv", "kobo", 1, 5, 2),
    ("spss/sample.csv", "csv", 1, 5, 7),
    ("spss/sample.sav", "spss", 1, 5, 7),
    ("spss/sample.zsav", "spss", 1, 5, 7),
    ("spss/sample.por", "spss", 1, 5, 7),
    ("spss/sample.dta", "stata", 1, 5, 7),
    ("spss/sample.xpt", "sas", 1, 5, 7),
    ("spss/sample_missing.sav", "spss", 1, 7, 7),
]
WITHOUT_HEADING = {
    "limesurvey/rse2017_uk_public_data.csv": 1,
    "qualtrics/qualtRics_sample_legacy.csv": 1,
    "qualtrics/QT_many_types_legacy.csv": 1,
    "redcap/russian/data.csv": 1,
}
"""Row numbers at the beginning, and an empty last column, which a reader of files may leave out."""


@pytest.mark.parametrize(("name", "tool", "header_rows", "rows", "columns"), REAL)
def test_a_real_export_is_told(name: str, tool: str, header_rows: int, rows: int, columns: int) -> None:
    if not (EXPORTS / name).exists():
        pytest.skip("the public exports are not here")
    export = read_export(EXPORTS / name)
    assert (export.tool, export.header_rows, export.records) == (tool, header_rows, rows)
    assert sum(bool(each.names) for each in export.layout.columns) == columns - WITHOUT_HEADING.get(name, 0)


def real(name: str) -> Layout:
    if not (EXPORTS / name).exists():
        pytest.skip("the public exports are not here")
    return read_export(EXPORTS / name).layout


def test_real_limesurvey_headings_are_taken_apart() -> None:
    layout = real("limesurvey/rse2017_uk_public_data.csv")
    assert layout.columns[0].part is Part.TOOL and layout.token is layout.submitted is None and layout.unfinished == ()
    assert {"currentEmp12", "Do you work full time or part time?"} <= set(column(layout, "currentEmp12").names)
    question = "What programming languages do you use at work? (Select as many as apply)"
    assert split(column(layout, "tool4can[SQ003]")) == (Part.OPTION, ("tool4can", question), ("SQ003", "C#"))
    assert column(layout, "likertagree1[affSat3]").part is Part.ANSWER
    assert column(layout, "prevEmp2[1]").part is Part.ANSWER


def test_real_qualtrics_columns_are_known_by_all_their_names() -> None:
    layout = real("qualtrics/QT_many_types_insights.csv")
    assert column(layout, "fruits").names[0] == "fruits" and "QID1" in column(layout, "fruits").names
    assert column(layout, "Q18").part is Part.ANSWER
    part, question, option = split(column(layout, "Q2_2"))
    assert (part, question[:2], option) == (Part.OPTION, ("Q2", "QID2"), ("2", "Blueberries"))
    assert split(column(layout, "Q3_1"))[::2] == (Part.ANSWER, ("1", "Oranges"))
    assert split(column(layout, "Q11#2_1_4"))[::2] == (Part.OPTION, ("4", "Gummy bears"))
    assert column(layout, "Q11#1_1_1_TEXT").part is Part.ANSWER
    assert column(real("qualtrics/QT_ma_matrix_insights.csv"), "QID4-2-TEXT").part is Part.OTHER


def test_a_real_other_of_surveymonkey_stands_twice_ticked_and_in_words() -> None:
    layout = real("surveymonkey/thanksgiving-2015-poll-data.csv")
    pies = [each for each in layout.columns if each.heading.startswith("Which type of pie")]
    assert [each.part for each in pies] == [Part.OPTION] * 12 + [Part.OTHER]
    assert {each.question for each in pies} == {(pies[0].question[0],)}
    assert column(layout, "What is typically the main dish at your Thanksgiving dinner?").part is Part.ANSWER
    parade = next(each for each in layout.columns if "Parade" in each.heading)
    assert parade.part is Part.OPTION and parade.option == ("Macy's Parade",)


@pytest.mark.parametrize("name", ["simple/dictionary.csv", "simple/metadata.csv", "longitudinal/dictionary.csv"])
def test_a_real_data_dictionary_is_no_export(name: str) -> None:
    if not (EXPORTS / "redcap" / name).exists():
        pytest.skip("the public exports are not here")
    with pytest.raises(InputRefused, match="data dictionary"):
        read_export(EXPORTS / "redcap" / name)


# --- The registry ------------------------------------------------------------------------------------------------------


def test_every_tool_has_a_name_of_its_own() -> None:
    assert len(TOOLS) == len(SURVEY_TOOLS) + 6
    assert all(name == tool.name for name, tool in TOOLS.items())


@pytest.mark.parametrize("rows", [[], [["", " ", "\u00a0"], ["a", "b", "c"]]])
def test_without_headings_nothing_is_told(rows: list[list[str]]) -> None:
    empty = sheet(["", ""]) if not rows else sheet(*rows)
    with pytest.raises(InputRefused, match="The first row holds no headings"):
        recognise(empty)


def test_an_unknown_tool_is_wrong_usage_with_a_suggestion() -> None:
    with pytest.raises(WrongUsage, match=r"Did you mean 'qualtrics'\?"):
        told(["a", "b"], by_hand=ByHand(tool="qualtrix"))


def test_a_tool_set_by_hand_is_taken_at_its_word() -> None:
    table = ["Timestamp", "How are you?"], ["1", "2"]
    assert told(*table).tool == "google_forms"
    plainly = told(*table, by_hand=ByHand(tool="csv"))
    assert plainly.tool == "csv" and plainly.submitted is None
    trusted = told(["When", "How are you?"], ["1", "2"], by_hand=ByHand(tool="google_forms"))
    assert trusted.tool == "google_forms" and trusted.submitted is None and "set by hand" in trusted.because


def test_a_tool_set_by_hand_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputRefused, match="not written as qualtrics writes them"):
        told(["a", "b"], ["1", "2"], by_hand=ByHand(tool="qualtrics"))
    with pytest.raises(InputRefused, match="no spss file: it was read as csv"):
        told(["a", "b"], ["1", "2"], by_hand=ByHand(tool="spss"))
    with pytest.raises(InputRefused, match="data dictionary"):
        told(["field_name", "form_name"], ["a", "b"], by_hand=ByHand(tool="redcap"))


def test_header_rows_set_by_hand_win() -> None:
    rows = ["a", "b"], ["How are you?", "And you?"], ["1", "2"]
    layout = told(*rows, by_hand=ByHand(header_rows=2))
    assert layout.header_rows == 2 and layout.columns[0].names == ("a", "How are you?")
    assert "header rows was set by hand" in layout.because
    asked = told(*rows, by_hand=ByHand(tool="qualtrics", header_rows=2))
    assert asked.columns[0].names == ("a", "How are you?", "a. How are you?")
    for wrong in (0, -1, 4):
        with pytest.raises(WrongUsage, match=f"cannot be {wrong} rows of headings in the 3 rows"):
            told(*rows, by_hand=ByHand(header_rows=wrong))


def test_rows_shorter_and_longer_than_the_sheet_are_no_fault() -> None:
    layout = told(["Timestamp", "How are you?", "Why?"], ["1"], ["1", "2", "3", "4"])
    assert [each.heading for each in layout.columns] == ["Timestamp", "How are you?", "Why?", ""]
    assert layout.columns[3].names == ()


@dataclass(frozen=True)
class Example:
    """A table of every tool, so that what must hold for all is asked of all."""

    tool: str
    rows: tuple[Sequence[str], ...]
    header_rows: int = 1
    by_hand: ByHand = field(default_factory=ByHand)


QUALTRICS = (
    ["StartDate", "EndDate", "Status", "Progress", "Finished", "RecordedDate", "ResponseId", "Q1", "Q2_1", "Q2_2"],
    [
        *("Start Date", "End Date", "Response Type", "Progress", "Finished", "Recorded Date", "Response ID"),
        *("Age?", "Which? - Citrate", "Which? - Oxide"),
    ],
    [
        f'{{"ImportId":"{name}"}}'
        for name in (
            *("startDate", "endDate", "status", "progress", "finished", "recordedDate", "_recordId"),
            *("QID1", "QID2_1", "QID2_2"),
        )
    ],
    ["2026-01-02", "2026-01-02", "0", "100", "1", "2026-01-02", "R_1", "40", "1", ""],
)
EXAMPLES = [
    Example("google_forms", (["Timestamp", f"Q {MARKER}"], ["1", MARKER])),
    Example("limesurvey", (["id", "submitdate", "lastpage", "Q1"], ["1", "", "1", MARKER])),
    Example("redcap", (["record_id", "age", "form_complete"], ["1", MARKER, "2"])),
    Example("kobo", (["start", f"Q {MARKER}", "_uuid", "_submission_time"], ["1", MARKER, "u", "2"])),
    Example("qualtrics", QUALTRICS, 3),
    Example("surveymonkey", (["Respondent ID", f"Q {MARKER}"], ["1", MARKER])),
    Example("surveymonkey", (["Respondent ID", f"Q {MARKER}"], ["", "Response"], ["1", MARKER]), 2),
    Example("microsoft_forms", (["ID", "Start time", "Completion time", f"Q {MARKER}"], ["1", "2", "3", MARKER])),
    Example("csv", ([f"Q {MARKER}"], [MARKER])),
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.tool)
def test_every_tool_is_told_with_a_reason_that_quotes_nobody(example: Example) -> None:
    layout = told(*example.rows)
    assert (layout.tool, layout.header_rows) == (example.tool, example.header_rows)
    assert layout.because and MARKER not in layout.because
    assert len(layout.columns) == len(example.rows[0])


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.tool)
def test_typed_kinds_are_never_taken_for_a_survey_tool(example: Example) -> None:
    assert recognise(sheet(*example.rows, kind="parquet")).tool == "parquet"
    assert recognise(sheet(*example.rows, kind="xlsx")).tool == example.tool.replace("csv", "xlsx")


# --- Google Forms ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "time", ["Timestamp", "Zeitstempel", "Marca temporal", "Horodateur", "Informazioni cronologiche", "タイムスタンプ"]
)
def test_google_forms_is_told_by_its_time_in_several_languages(time: str) -> None:
    layout = told([time, "How are you?"], ["2026/01/02 10:00:00", "well"])
    assert (layout.tool, layout.submitted, parts(layout)) == ("google_forms", 0, ["tool", "answer"])
    assert f"'{time}'" in layout.because


@pytest.mark.parametrize(
    "headings",
    [["Timestamp"], ["How are you?", "Timestamp"], ["timestamp", "How are you?"], ["Timestamp of visit", "Age"]],
)
def test_a_table_with_a_timestamp_is_not_therefore_google_forms(headings: list[str]) -> None:
    assert tool_of(headings, ["1"] * len(headings)) == "csv"


def test_a_grid_of_google_forms_is_known_by_its_whole_heading() -> None:
    layout = told(["Timestamp", "Frequency [Rock]", "Frequency [Pop]"], ["1", "Never", "Often"])
    assert layout.columns[1] == Column("Frequency [Rock]", ("Frequency [Rock]",))


def test_who_answered_and_the_marks_of_a_quiz_are_google_s_own() -> None:
    layout = told(
        [
            "Timestamp",
            "Username",
            "Total score",
            "Age",
            "Age [Score]",
            "Age [Feedback]",
            "Mood [Score]",
            "Email Address",
        ],
        ["1", "a", "1 / 1", "3", "1", "", "4", "b"],
    )
    assert parts(layout) == ["tool", "tool", "tool", "answer", "tool", "tool", "answer", "tool"]
    later = told(["Timestamp", "Age", "Score"], ["1", "2", "3"])
    assert parts(later) == ["tool", "answer", "answer"]


# --- LimeSurvey --------------------------------------------------------------------------------------------------------

LIME_CODES = ["id", "submitdate", "lastpage", "startlanguage", "seed", "token"]


def test_limesurvey_by_codes() -> None:
    layout = told(
        [*LIME_CODES, "Q1", "Q1[other]", "Q2[SQ001]", "Q2[SQ002]", "Q2[other]", "Q3[SQ001]", "Q3[SQ001comment]"],
        ["1", "", "1", "de", "7", "abc", "-oth-", "x", "Y", "", "", "4", "x"],
        ["2", "2026-01-02 10:00:00", "3", "de", "8", "", "A1", "", "", "Y", "words", "2", ""],
    )
    assert (layout.tool, layout.submitted, layout.token) == ("limesurvey", 1, 5)
    assert layout.unfinished == (Mark(1, frozenset({""})),)
    assert parts(layout)[6:] == ["answer", "other", "option", "option", "other", "answer", "comment"]
    assert column(layout, "Q1").labels == {"-oth-": "Other"} and column(layout, "Q2[SQ001]").labels == {}
    assert column(layout, "Q2[SQ001]").names == ("Q2[SQ001]", "Q2_SQ001")
    assert split(column(layout, "Q2[SQ001]"))[1:] == (("Q2",), ("SQ001",))
    assert split(column(layout, "Q3[SQ001]"))[1:] == (("Q3",), ("SQ001",))


def test_limesurvey_by_codes_as_in_expressions() -> None:
    layout = told([*LIME_CODES, "Q1", "Q2_SQ001", "Q2_SQ002"], ["1", "", "1", "de", "7", "", "3", "Y", ""])
    assert split(column(layout, "Q2[SQ001]")) == (Part.OPTION, ("Q2",), ("SQ001",))
    assert layout.token is None


def test_an_underscore_is_a_letter_where_parts_stand_in_brackets() -> None:
    layout = told([*LIME_CODES, "the_form", "how_taken[tablet]", "how_taken[bath]"], ["1"] * 7 + ["Y", ""])
    assert column(layout, "the_form").question == ()
    assert split(column(layout, "how_taken[tablet]")) == (Part.OPTION, ("how_taken",), ("tablet",))


@pytest.mark.parametrize(
    ("own", "other"),
    [
        (["Response ID", "Date submitted", "Last page", "Start language"], "Other"),
        (["Antwort-ID", "Datum Abgeschickt", "Letzte Seite", "Start-Sprache"], "Sonstiges"),
        (["ID de la réponse", "Date de soumission", "Dernière page", "Langue de départ"], "Autre"),
    ],
)
def test_limesurvey_by_texts(own: list[str], other: str) -> None:
    layout = told(
        [*own, "Which?[Mg [citrate]]", "Which? [Oxide]", f"Which? [{other}]", "Rate each [A]", "Rate each [B]"],
        ["1", "", "1", "en", "Y", "", "words", "agree", "disagree"],
    )
    assert layout.tool == "limesurvey" and layout.unfinished == (Mark(1, frozenset({""})),)
    assert split(layout.columns[4]) == (Part.OPTION, ("Which?",), ("Mg [citrate]",))
    assert parts(layout)[4:] == ["option", "option", "other", "answer", "answer"]


def test_a_row_of_an_array_called_other_is_an_answer() -> None:
    own = ["Response ID", "Date submitted", "Last page"]
    layout = told([*own, "Rate [A]", "Rate [B]", "Rate [Other]"], ["1", "", "1", "good", "bad", "good"])
    assert parts(layout)[3:] == ["answer", "answer", "answer"]


def test_limesurvey_by_both_code_and_text() -> None:
    layout = told(
        ["id. Response ID", "submitdate. Date submitted", "Q1. How are you? [1-5]. Say", "Q2[SQ001]. Which? [Citrate]"],
        ["1", "2026-01-01", "3", "Yes"],
    )
    assert layout.tool == "limesurvey" and parts(layout)[:2] == ["tool", "tool"]
    assert "How are you? [1-5]. Say" in column(layout, "Q1").names
    assert split(column(layout, "Q2[SQ001]")) == (Part.OPTION, ("Q2", "Which?"), ("SQ001", "Citrate"))


def test_limesurvey_times_of_undated_surveys_say_nothing() -> None:
    undated = ["1", "1980-01-01 00:00:00", "3", "4"]
    layout = told(["id", "submitdate", "lastpage", "Q1"], undated)
    assert layout.submitted is None and layout.unfinished == (Mark(1, frozenset({""})),)
    dated = told(["id", "submitdate", "lastpage", "datestamp"], [*undated[:3], "2026-01-01 10:00:00"])
    assert dated.submitted == 3


def test_what_limesurvey_measures_and_knows_of_the_invited_is_its_own() -> None:
    layout = told(
        [*LIME_CODES, "firstname", "email", "Q1", "Q4[filecount]", "interviewtime", "groupTime12", "questionTime9"],
        ["1"] * 13,
    )
    assert parts(layout)[6:] == ["tool", "tool", "answer", "tool", "tool", "tool", "tool"]


@pytest.mark.parametrize(
    "headings",
    [
        ["ID", "Date submitted", "Age"],
        ["Q1. How are you?", "Q2. And you?"],
        ["Frequency [Rock]", "Frequency [Pop]"],
        ["seed", "token", "id"],
    ],
)
def test_a_table_that_looks_a_little_like_limesurvey(headings: list[str]) -> None:
    assert tool_of(headings, ["1"] * len(headings)) == "csv"


# --- REDCap ------------------------------------------------------------------------------------------------------------

OPENED = frozenset({"1", "2", "unverified", "complete"})


def test_redcap_raw() -> None:
    layout = told(
        [
            "record_id",
            "age",
            "form___1",
            "form____1",
            "form___ab",
            "first_complete",
            "pain",
            "why___1",
            "second_complete",
        ],
        ["1", "40", "1", "0", "0", "2", "3", "0", "0"],
    )
    assert layout.tool == "redcap" and layout.unfinished == layout.repeated == () and layout.submitted is None
    assert split(column(layout, "form___1")) == (Part.OPTION, ("form",), ("1",))
    assert split(column(layout, "form____1")) == (Part.OPTION, ("form",), ("_1", "-1"))
    assert column(layout, "form___ab").option == ("ab",)
    assert column(layout, "form___1").seen == Mark(5, OPENED) and column(layout, "why___1").seen == Mark(8, OPENED)
    assert parts(layout) == ["tool", "answer", *["option"] * 3, "tool", "answer", "option", "tool"]


def test_redcap_labels() -> None:
    layout = told(
        [
            "Record ID",
            "Event Name",
            "Repeat Instrument",
            "Repeat Instance",
            "Which? (choice=Citrate (pure))",
            "Complete?",
        ],
        ["1", "First visit", "", "", "Unchecked", "Incomplete"],
    )
    assert (layout.tool, layout.event) == ("redcap", 1)
    assert split(layout.columns[4]) == (Part.OPTION, ("Which?",), ("Citrate (pure)",))
    assert layout.columns[4].seen == Mark(5, OPENED)
    quoted = told(["Record ID", "Which? (choice='Oxide')"], ["1", "Checked"])
    assert (
        quoted.tool == "redcap"
        and quoted.columns[1].option == ("Oxide",)
        and quoted.columns[1].seen == Mark(1, frozenset())
    )


def test_redcap_surveys_tell_who_did_not_hand_in() -> None:
    layout = told(
        ["record_id", "redcap_survey_identifier", "a_timestamp", "x", "a_complete", "b_timestamp", "y", "b_complete"],
        ["1", "", "[not completed]", "1", "0", "", "", "0"],
    )
    assert layout.unfinished == (Mark(2, frozenset({"[not completed]"})),) and layout.submitted == 2
    assert parts(layout) == ["tool", "tool", "tool", "answer", "tool", "tool", "answer", "tool"]
    own = told(["record_id", "visit_timestamp", "a_complete"], ["1", "2026-01-01", "2"])
    assert own.submitted is None and own.columns[1].part is Part.ANSWER


def test_redcap_repeated_entries_are_no_people() -> None:
    layout = told(
        ["record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance", "bp", "bp_complete"],
        ["1", "visit_1_arm_1", "bp", "1", "120", "2"],
    )
    assert layout.event == 1
    assert layout.repeated == (
        Mark(2, frozenset({""}), turned=True),
        Mark(3, frozenset({"", "1"}), turned=True),
    )


def test_row_numbers_before_the_record_id_are_no_answers() -> None:
    layout = told(["", "record_id", "age", "a_complete"], ["1", "7", "40", "0"])
    assert layout.tool == "redcap" and parts(layout) == ["tool", "tool", "answer", "tool"]


@pytest.mark.parametrize(
    ("headings", "cells"),
    [
        (["user_id", "score", "task_complete"], ["1", "2", "1"]),
        (["record_id", "score", "task_complete"], ["1", "2", "yes"]),
        (["record_id", "The score", "task_complete"], ["1", "2", "1"]),
        (["Age", "Complete?"], ["40", "Yes"]),
        (["Age", "Is the list complete?"], ["40", "Complete"]),
    ],
)
def test_a_table_that_looks_a_little_like_redcap(headings: list[str], cells: list[str]) -> None:
    assert tool_of(headings, cells) == "csv"


def test_a_data_dictionary_says_what_reads_it() -> None:
    with pytest.raises(InputRefused, match=r"survey-pipeline init NAME --from FILE"):
        told(["Variable / Field Name", "Form Name", "Section Header"], ["a", "b", ""])
    assert tool_of(["Form Name", "Variable / Field Name"], ["a", "b"]) == "csv"


# --- KoboToolbox and ODK -----------------------------------------------------------------------------------------------


def test_kobo_with_both_ways_of_writing_several_answers() -> None:
    layout = told(
        [
            "start",
            "end",
            "g/age",
            "g/form",
            "g/form/citrate",
            "g/form/other",
            "g/note",
            "_id",
            "_uuid",
            "_submission_time",
        ],
        ["1", "2", "40", "citrate other", "1", "my own", "x", "7", "u", "2026-01-01T10:00:00"],
        separator=";",
    )
    assert (layout.tool, layout.submitted, layout.token) == ("kobo", 9, 8)
    assert column(layout, "form").names == ("g/form", "form") and column(layout, "form").part is Part.ANSWER
    assert split(column(layout, "g/form/citrate")) == (Part.OPTION, ("g/form", "form"), ("citrate",))
    assert split(column(layout, "g/form/other")) == (Part.OTHER, ("g/form", "form"), ("other",))
    assert column(layout, "g/age").names == ("g/age", "age")


def test_kobo_with_columns_of_options_only() -> None:
    layout = told(
        ["g/a", "g/b", "g/form/x", "g/form/y", "g/form/z", "_uuid", "_index"],
        ["1", "no", "1", "0", "own words", "u", "1"],
    )
    assert parts(layout)[:5] == ["answer", "answer", "option", "option", "option"]
    assert column(layout, "g/form/x").question == ("g/form", "form")
    assert column(layout, "g/a").question == ()


def test_a_question_s_name_that_two_groups_share_is_not_its_own() -> None:
    layout = told(["g1/note", "g2/note", "g1/age", "_uuid", "_index"], ["a", "b", "40", "u", "1"])
    assert layout.columns[0].names == ("g1/note",) and layout.columns[2].names == ("g1/age", "age")


def test_odk_joins_groups_by_a_hyphen_and_options_by_a_slash() -> None:
    layout = told(
        ["SubmissionDate", "g-age", "g-form/citrate", "g-form/oxide", "meta-instanceID", "KEY"],
        ["2026-01-01T10:00:00Z", "40", "1", "words", "uuid:1", "uuid:1"],
    )
    assert (layout.tool, layout.submitted, layout.token) == ("kobo", 0, 4)
    assert layout.columns[1].names == ("g-age", "age")
    assert split(layout.columns[2]) == (Part.OPTION, ("g-form", "form"), ("citrate",))


def test_labels_with_hyphens_are_left_whole() -> None:
    layout = told(["A follow-up", "meta-instanceID", "KEY"], ["1", "2", "3"])
    assert layout.tool == "kobo" and layout.columns[0].names == ("A follow-up",)


def test_rows_of_a_repeated_group_are_no_people() -> None:
    layout = told(["dose", "_index", "_parent_index", "_submission__id"], ["1", "1", "1", "7"])
    assert layout.tool == "kobo" and layout.repeated == (Mark(2, frozenset({""}), turned=True),)


@pytest.mark.parametrize(
    ("headings", "separator"),
    [
        (["_id", "start", "end"], ","),
        (["SubmissionDate", "Status", "Email"], ","),
        (["km/h", "mg/day"], ";"),
        (["g/age", "g/form"], ","),
        (["g/age at start", "g/form"], ";"),
    ],
)
def test_a_table_that_looks_a_little_like_kobo(headings: list[str], separator: str) -> None:
    assert told(headings, ["1"] * len(headings), separator=separator).tool == "csv"


# --- Qualtrics ---------------------------------------------------------------------------------------------------------


def test_qualtrics_with_three_rows() -> None:
    layout = told(*QUALTRICS)
    assert (layout.header_rows, layout.submitted, layout.token, layout.missing) == (3, 5, 6, frozenset({"-99"}))
    assert layout.because == "the third row holds Qualtrics' import ids"
    assert column(layout, "Q1").names == ("Q1", "Age?", "QID1", "Q1. Age?")
    assert split(column(layout, "Q2_2")) == (Part.OPTION, ("Q2", "QID2", "Which?"), ("2", "Oxide"))
    assert [(mark.place, "1" in mark.texts, "0" in mark.texts) for mark in layout.preview] == [(2, True, False)]
    assert [(mark.place, "1" in mark.texts, "false" in mark.texts) for mark in layout.unfinished] == [(4, False, True)]
    assert parts(layout)[:7] == ["tool"] * 7


def test_import_ids_in_single_quotes_and_cut_off_are_still_told() -> None:
    rows = [QUALTRICS[0], QUALTRICS[1], [text.replace('"', "'")[:-1] for text in QUALTRICS[2]], QUALTRICS[3]]
    assert told(*rows).header_rows == 3 and "QID2_1" in column(told(*rows), "Q2_1").names


@pytest.mark.parametrize(("kept", "header_rows"), [([0, 1, 3], 2), ([0, 3], 1), ([0, 2, 3], 2)])
def test_qualtrics_where_somebody_took_rows_out(kept: list[int], header_rows: int) -> None:
    layout = told(*(QUALTRICS[row] for row in kept))
    assert (layout.tool, layout.header_rows) == ("qualtrics", header_rows)
    assert column(layout, "Q2_1").question[0] == "Q2"


def test_qualtrics_in_german_is_told_apart_from_its_answers() -> None:
    german = ["Anfangsdatum", "Enddatum", "Antworttyp", "Stand", "Beendet", "Erfasst", "Antwort-ID", "Alter?", "a", "b"]
    assert told(QUALTRICS[0], german, QUALTRICS[3]).header_rows == 2


def test_older_qualtrics_exports_name_their_columns_in_the_second_row() -> None:
    layout = told(
        ["V1", "V2", "V3", "V4", "Q1", ""],
        ["ResponseID", "Status", "EndDate", "Finished", "Age?", ""],
        ["R_1", "0", "2026-01-01", "1", "40", ""],
    )
    assert (layout.tool, layout.header_rows, layout.token, layout.submitted) == ("qualtrics", 2, 0, 2)
    assert [each.heading for each in layout.columns] == ["ResponseID", "Status", "EndDate", "Finished", "Q1", ""]
    assert tool_of(["V1", "V2"], ["1", "2"]) == "csv"


def qualtrics(*columns: tuple[str, str, str], answers: Sequence[str] = ()) -> list[Column]:
    """The layout of some questions behind a response id."""
    found = [("ResponseId", "Response ID", "_recordId"), *columns]
    rows = [[name for name, _, _ in found], [text for _, text, _ in found]]
    ids = [f'{{"ImportId":"{import_id}"}}' for _, _, import_id in found]
    return list(told(*rows, ids, ["R_1", *answers]).columns[1:])


def test_words_beside_a_choice_are_no_question_but_a_question_in_words_is() -> None:
    choice, words, free = qualtrics(
        ("Q1", "Which? - Selected Choice", "QID1"),
        ("Q1_5_TEXT", "Which? - Other - Text", "QID1_5_TEXT"),
        ("Q2", "Why?", "QID2_TEXT"),
    )
    assert (choice.part, words.part, free.part) == (Part.ANSWER, Part.OTHER, Part.ANSWER)
    assert "Which?" in choice.names
    assert (words.question[:2], words.option[:1]) == (("Q1", "QID1"), ("5",))


def test_selected_choice_is_no_part_of_a_question() -> None:
    first, second = qualtrics(
        ("Q2_1", "Which? - Selected Choice - Citrate", "QID2_1"), ("Q2_4", "Which? - Selected Choice - Other", "QID2_4")
    )
    assert first.question == ("Q2", "QID2", "Which? - Selected Choice", "Which?") and first.option == ("1", "Citrate")
    assert second.option == ("4", "Other")


def test_seen_but_not_ticked_is_still_an_option() -> None:
    columns = qualtrics(("Q2_1", "Which? - A", "QID2_1"), ("Q2_2", "Which? - B", "QID2_2"), answers=["-99", "1"])
    assert [each.part for each in columns] == [Part.OPTION, Part.OPTION]
    rated = qualtrics(("Q2_1", "Rate - A", "QID2_1"), ("Q2_2", "Rate - B", "QID2_2"), answers=["7", "3"])
    assert [each.part for each in rated] == [Part.ANSWER, Part.ANSWER]


def test_a_question_named_as_one_of_qualtrics_own_columns_is_a_question() -> None:
    status, group = qualtrics(("Status", "What is your status?", "QID7"), ("group", "group", "group"))
    assert status.part is group.part is Part.ANSWER


@pytest.mark.parametrize(
    "headings", [["Status", "How are you?"], ["StartDate", "EndDate", "Status"], ["Progress", "Finished"]]
)
def test_a_survey_that_asks_for_a_status_is_not_therefore_qualtrics(headings: list[str]) -> None:
    assert tool_of(headings, ["1"] * len(headings)) == "csv"


# --- SurveyMonkey ------------------------------------------------------------------------------------------------------


def test_surveymonkey_carries_a_question_over_its_options() -> None:
    layout = told(
        [
            *("Respondent ID", "End Date", "Email Address"),
            *("How <b>are</b> you?", "Which?", "", "", "Rate each", "", "Age?"),
        ],
        ["", "", "", "Response", "Citrate", "Oxide", "Other (please specify)", "A", "B", "Open-Ended Response"],
        ["1", "01/02/2026 10:00:00 AM", "x", "well", "Citrate", "", "own", "good", "bad", "40"],
    )
    assert (layout.tool, layout.header_rows, layout.submitted, layout.token) == ("surveymonkey", 2, 1, 0)
    assert column(layout, "How are you?").names == ("How <b>are</b> you?", "How are you?")
    assert split(column(layout, "Which? - Oxide")) == (Part.OPTION, ("Which?",), ("Oxide",))
    assert parts(layout)[3:] == ["answer", "option", "option", "other", "answer", "answer", "answer"]
    assert column(layout, "Age?").heading == "Age?"


def test_a_choice_of_surveymonkey_with_own_words_beside_it() -> None:
    layout = told(["Respondent ID", "Which?", ""], ["", "Response", "Other (please specify)"], ["1", "Oxide", ""])
    assert parts(layout) == ["tool", "answer", "other"]
    assert layout.columns[2].question == ("Which?",)


def test_surveymonkey_in_one_row_tells_options_from_questions_with_a_dash() -> None:
    layout = told(
        [
            *("Respondent ID", "Which? - Citrate", "Which? - Oxide - cheap", "Which? - Oxide - dear"),
            *("Alone - really", "Ticked - once", "How? ", "How? - Other (please specify)"),
        ],
        ["1", "Citrate", "", "", "yes", "once", "by mouth", ""],
    )
    assert parts(layout) == ["tool", "option", "option", "option", "answer", "option", "answer", "other"]
    assert layout.columns[4].question == () and layout.columns[5].option == ("once",)
    assert layout.columns[1].question == ("Which?",) and layout.columns[1].option == ("Citrate",)
    assert layout.columns[2].question == ("Which?", "Which? - Oxide")
    assert layout.columns[2].option == ("Oxide - cheap", "cheap")


@pytest.mark.parametrize(
    ("cell", "option", "part"),
    [
        ("", "Other", Part.OPTION),
        ("Other", "Other", Part.OPTION),
        ("my own", "Other", Part.OTHER),
        ("", "Other (please specify)", Part.OTHER),
        ("Other (please specify)", "Other (please specify)", Part.OPTION),
    ],
)
def test_other_is_ticked_or_written_out(cell: str, option: str, part: Part) -> None:
    layout = told(["Respondent ID", "Which?", ""], ["", "Oxide", option], ["1", "", cell])
    assert layout.columns[2].part is part


def test_surveymonkey_s_own_columns_stand_at_the_beginning() -> None:
    layout = told(["", "RespondentID", "Language", "Age?", "Language"], ["1", "12", "de", "40", "German"])
    assert layout.tool == "surveymonkey" and parts(layout) == ["tool", "tool", "tool", "answer", "answer"]


def test_a_second_row_of_answers_is_no_row_of_headings() -> None:
    assert told(["RespondentID", "Age?"], ["12", "Response"]).header_rows == 1
    assert told(["RespondentID", "Age?"], ["", ""]).header_rows == 1
    assert tool_of(["Respondent", "Age?"], ["", "Response"]) == "csv"
    assert tool_of(["", "Age?", "Why?"], ["", "Response", "Open-Ended Response"]) == "surveymonkey"


# --- Microsoft Forms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "own",
    [
        ["ID", "Start time", "Completion time", "Email", "Name", "Last modified time"],
        ["Id", "Start\u00a0time", "Completion\u00a0time", "Email", "Name"],
        ["ID", "Startzeit", "Fertigstellungszeit", "E-Mail", "Name", "Uhrzeit der letzten Änderung"],
        ["ID", "Heure de début", "Heure de fin", "Adresse de messagerie", "Nom"],
        ["ID", "Hora de inicio", "Hora de finalización", "Correo electrónico", "Nombre"],
    ],
)
def test_microsoft_forms_in_several_languages(own: list[str]) -> None:
    layout = told([*own, "How\u00a0are you?", "Name"], ["1"] * (len(own) + 2))
    assert (layout.tool, layout.submitted, layout.token) == ("microsoft_forms", 2, None)
    assert parts(layout) == ["tool"] * len(own) + ["answer", "answer"]


def test_marks_of_a_quiz_are_microsoft_s_own() -> None:
    layout = told(
        ["ID", "Start time", "Completion time", "Total points", "Age?", "Points - Age?", "Feedback - Age?"], ["1"] * 7
    )
    assert parts(layout) == ["tool", "tool", "tool", "tool", "answer", "tool", "tool"]


@pytest.mark.parametrize("headings", [["ID", "Start time", "Name"], ["Start time", "Completion time", "ID"], ["ID"]])
def test_a_table_with_times_is_not_therefore_microsoft_forms(headings: list[str]) -> None:
    assert tool_of(headings, ["1"] * len(headings)) == "csv"


# --- Plain -------------------------------------------------------------------------------------------------------------


def test_a_plain_table_is_known_by_its_headings_as_they_stand() -> None:
    layout = told(["Age ", "Age", "", "Why?"], ["1", "2", "3", "4"])
    assert layout.tool == "csv" and [each.heading for each in layout.columns] == ["Age ", "Age", "", "Why?"]
    assert layout.columns[0].names == ("Age ",) and layout.columns[2].names == ()


@pytest.mark.parametrize("kind", ["spss", "stata", "sas", "parquet"])
def test_a_typed_file_names_its_columns_itself(kind: str) -> None:
    meta = (Meta("Age?", {"-9": "refused"}, frozenset({"-9"})), Meta())
    layout = recognise(sheet(["age", "sex"], ["40", "1"], kind=kind, meta=meta))
    assert (layout.tool, layout.header_rows) == (kind, 1)
    assert layout.columns[0] == Column("age", ("age", "Age?"), labels={"-9": "refused"}, missing=frozenset({"-9"}))
    assert layout.columns[1] == Column("sex", ("sex",))


@pytest.mark.parametrize("joint", [" - ", ": "])
def test_variables_of_one_question_are_its_options(joint: str) -> None:
    labels = [f"Which?{joint}Citrate", f"Which?{joint}Oxide", "Why? - really", "Which not?"]
    names = ["form__amino_acid", "form__oxide", "why_1", "form_3"]
    layout = recognise(
        sheet(names, ["1", "0", "x", "1"], kind="spss", meta=tuple(Meta(label) for label in labels)),
    )
    assert split(layout.columns[0]) == (Part.OPTION, ("form", "Which?"), ("amino_acid", "Citrate"))
    assert parts(layout) == ["option", "option", "answer", "answer"]
    assert layout.columns[2].question == layout.columns[3].question == ()


def test_numbered_scales_of_one_question_are_answers() -> None:
    meta = Meta("Rate: pain"), Meta("Rate: sleep")
    layout = recognise(sheet(["q1_1", "q1_2"], ["7", "3"], kind="spss", meta=meta))
    assert split(layout.columns[0]) == (Part.ANSWER, ("q1", "Rate"), ("1", "pain"))
