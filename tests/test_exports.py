"""An export as a file: what stands in it is what is read, and what cannot be told for sure is refused, not guessed."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from club import MARKER, MUSIC_EXPORT, SHARED, as_csv, rows, write
from fuzz import agree_with_the_standard_reader, outcome
from hypothesis import example, given
from hypothesis import strategies as st

from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.exports import Export, read_export, records

MALFORMED = SHARED / "malformed"


def file_of(folder: Path, content: str | bytes, name: str = "export.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def cells(export: Export) -> list[list[str]]:
    """Everything under the headings, an empty cell as an empty text."""
    return [[cell or "" for cell in row] for row in export.frame.rows()]


def read_in_batches(export: Export, rows: int = 100) -> list[list[str]]:
    batches = export.batches(range(len(export.headings)), rows)
    return [[cell or "" for cell in row] for _, batch in batches for row in batch.rows()]


# --- What stands in the file is what is read ----------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=8)
CELLS = TEXTS | st.text("a,;\t\"'\r\n ", max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(2, 4))
    headings = [f"{place} {draw(CELLS)}".replace("\r", " ").replace("\n", " ") for place in range(width)]
    return [headings, *draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=8))]


def as_text(table: list[list[str]], separator: str = ",", newline: str = "\n", *, quoted: bool = False) -> str:
    """A file as survey tools write it: what could be misread is quoted, and if asked for everything."""

    def cell(text: str) -> str:
        needed = quoted or set(text) & {separator, '"', "\r", "\n"}
        return '"' + text.replace('"', '""') + '"' if needed else text

    return "".join(separator.join(map(cell, row)) + newline for row in table)


@given(tables(), st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans(), st.booleans())
def test_a_well_formed_file_is_read_cell_by_cell(
    table: list[list[str]], separator: str, newline: str, quoted: bool, bom: bool, final_newline: bool
) -> None:
    content = as_text(table, separator, newline, quoted=quoted)
    content = content if final_newline else content.removesuffix(newline)
    with TemporaryDirectory() as folder:
        path = file_of(Path(folder), content.encode("utf-8-sig" if bom else "utf-8"))
        export = read_export(path, separator=separator)
        assert list(export.headings) == table[0]
        assert cells(export) == table[1:]
        assert read_in_batches(export, rows=2) == table[1:]
        assert export.records == len(table) - 1 and export.irregular == ()
        assert export.sha256 == sha256(path.read_bytes()).hexdigest()


SCRAPS = st.lists(
    st.sampled_from([b"a", b"b", b" ", b",", b",", b'"', b'""', b"\n", b"\n", b"\r\n", b"\r", b"\xe4", "ä".encode()])
).map(b"".join)


@given(SCRAPS)
@example(b'1, "x, y"\n')
@example(b'1,5" x\n6,7 "q"\n')
@example(b'1,"x\n2,3\n')
@example(b"1,2\n\n\n")
@example(b"\n\n1,2\n")
@example(b"\n")
@example(b"1,\r\n\r\n")
@example(b"1,2\n ")
def test_where_the_standard_reader_sees_a_clean_table_the_same_is_read(scraps: bytes) -> None:
    """No file is cut, padded, shifted or ended early in silence, and none stops the program."""
    with TemporaryDirectory() as folder:
        path = file_of(Path(folder), b"left,right\n" + scraps)
        assert outcome(path, separator=",") in ("read", "refused")
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError:
            return
        agree_with_the_standard_reader(path, text, ",")


@given(tables(), st.integers(1, 40))
def test_it_does_not_matter_in_which_pieces_a_file_is_looked_through(table: list[list[str]], chunk: int) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = file_of(Path(folder), as_text(table))
        whole = looked_through(path, len(table[0]))
        patch.setattr(records, "CHUNK", chunk)
        assert looked_through(path, len(table[0])) == whole


def looked_through(path: Path, n_headings: int) -> records.Contents | str:
    try:
        return records.look_through(path, ",", n_headings)
    except records.NotPlain as stopped:
        return str(stopped)


# --- What is detected --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1;2\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("a, or b;c\n1;2\n", ";"),
        ("a;b,c\n1,2\n", ","),
        ("a\n1\n", ","),
        ("a,b,c\n1,2,3\n4,5\n", ","),
        ('a;"x\n;;;y"\n1;2\n', ";"),
        ("a;b\n1,5;2,5\n", ";"),
        ("a|b\n1,5|2\n", "|"),
        ("a;b;c\n1,5;2,5;3\n1;2;3\n1;2\n1,5;2;3\n", ";"),
    ],
)
def test_the_separator_is_told_from_the_first_rows(tmp_path: Path, content: str, separator: str) -> None:
    assert read_export(file_of(tmp_path, content)).separator == separator


def test_what_was_detected_comes_with_its_reason(tmp_path: Path) -> None:
    export = read_export(write(tmp_path / "answers.csv", rows(3)))
    assert (export.tool, export.encoding, export.separator, export.header_rows) == ("google_forms", "utf-8", ",", 1)
    assert "'Timestamp', as Google Forms writes it" in export.detected_because
    assert "10 headings separated by commas" in export.detected_because
    other = read_export(file_of(tmp_path, "a;b\n1;2\n"))
    assert other.tool == "csv" and "2 headings separated by semicolons" in other.detected_because


def test_the_separator_can_be_set_by_hand(tmp_path: Path) -> None:
    export = read_export(file_of(tmp_path, "a:b\n1:2\n"), separator=":")
    assert cells(export) == [["1", "2"]] and "set by hand" in export.detected_because
    assert cells(read_export(file_of(tmp_path, "a\tb\n1\t2\n"), separator="tab")) == [["1", "2"]]
    for wrong in ("", ", ", '"', "\n", "§"):
        with pytest.raises(WrongUsage, match="one character"):
            read_export(file_of(tmp_path, "a|b\n"), separator=wrong)
    with pytest.raises(WrongUsage, match="Did you mean 'semicolon'"):
        read_export(file_of(tmp_path, "a|b\n"), separator="semicolons")


def test_the_encoding_can_be_set_by_hand(tmp_path: Path) -> None:
    path = file_of(tmp_path, "a,b\n1,\xa9\n".encode("latin-1"))
    export = read_export(path, encoding="Latin_1")
    assert cells(export) == [["1", "\xa9"]] and "iso8859-1 was set by hand" in export.detected_because
    with pytest.raises(WrongUsage, match="Did you mean 'latin-1'"):
        read_export(path, encoding="latin-l")
    for no_text in ("base64", "rot13", "idna", "undefined", "", "utf-8\0"):
        with pytest.raises(WrongUsage, match="no encoding that is known"):
            read_export(path, encoding=no_text)
    with pytest.raises(InputRefused, match="is not UTF-8 text throughout: see byte 6, in line 2"):
        read_export(path, encoding="utf-8")
    with pytest.raises(InputRefused, match="begins with the mark of UTF-8"):
        read_export(file_of(tmp_path, "a,b\n".encode("utf-8-sig")), encoding="cp1252")


def test_repeated_and_empty_headings_are_told_apart_by_their_column(tmp_path: Path) -> None:
    export = read_export(file_of(tmp_path, "id,id,,name,id\n1,2,3,4,5\n"))
    assert export.frame.columns == ["id", "id [2]", "[3]", "name", "id [5]"]
    assert export.frame.rows() == [("1", "2", "3", "4", "5")]


def test_a_heading_that_looks_like_a_number_given_to_a_repeated_one_stays_apart(tmp_path: Path) -> None:
    export = read_export(file_of(tmp_path, "id [2],id,id,id [3]\n1,2,3,4\n"))
    assert len(set(export.frame.columns)) == 4 and export.frame.rows() == [("1", "2", "3", "4")]


def test_an_empty_cell_is_null_whether_it_is_quoted_or_not(tmp_path: Path) -> None:
    assert read_export(file_of(tmp_path, 'a,b\n"",\n ,x\n')).frame.rows() == [(None, None), (" ", "x")]


def test_empty_lines_count_as_rows_between_others_and_not_at_the_end(tmp_path: Path) -> None:
    export = read_export(file_of(tmp_path, "a,b\r\n1,2\r\n\r\n  \r\n3,4\r\n\r\n \r\n"))
    assert cells(export) == [["1", "2"], ["", ""], ["  ", ""], ["3", "4"]] == read_in_batches(export)


def test_records_that_do_not_fit_are_listed_and_the_others_read(tmp_path: Path) -> None:
    export = read_export(file_of(tmp_path, "a,b,c\n1,2\n3,4,5\n6,7,8,9\n"))
    assert [(odd.record, odd.fields) for odd in export.irregular] == [(1, 2), (3, 4)]
    assert [odd.reason.split()[0] for odd in export.irregular] == ["fewer", "more"]
    assert cells(export) == [["3", "4", "5"]]


# --- What cannot be read for certain -----------------------------------------------------------------------------------

GOOD = as_csv(rows(40))
LAST = GOOD.splitlines()[-1]
QUOTED = LAST.replace("2025-11-30", '"2025-11-30')
assert QUOTED != LAST


@pytest.mark.parametrize(
    ("content", "odd"),
    [
        (f"{GOOD}{LAST},{MARKER}\n", {41: "more cells"}),
        (f"{GOOD}{MARKER},1\n{GOOD}", {41: "fewer cells", 42: "headings once more"}),
        (f"{GOOD}{MARKER},1\n{MARKER},2\n", {41: "fewer cells", 42: "fewer cells"}),
        (f"{GOOD}{QUOTED}\n{LAST}\n", {41: "a quotation mark that is left open"}),
        (f"{GOOD}{QUOTED}\n{LAST}\n{LAST}\n", {41: "a quotation mark that is left open"}),
        (f'{GOOD}{LAST}\n"{MARKER}', {42: "a quotation mark that is left open"}),
        (GOOD.replace("Citrate", '"Ci"trate', 1), {1: "stands inside a cell"}),
        (GOOD.replace("Citrate", ' "Ci,trate"', 1), {1: "a space before a quotation mark"}),
        (f"{GOOD}{LAST[:20]}\r{LAST[20:]}\n{LAST}\n", {41: "fewer", 42: "fewer"}),
        (f"{GOOD}{LAST.replace(', you', '').replace(',', ';')}\n{LAST}\n", {41: "semicolons between its cells"}),
        (f"{GOOD}# {MARKER}\n{LAST}\n", {41: "a comment"}),
        (f"{GOOD}{LAST}\0\n{LAST}\n", {41: "a zero byte"}),
        (f"{GOOD}{LAST}\n{LAST[:30]}", {42: "left open"}),
        (f"{GOOD}{LAST}\n{LAST[:60]}", {42: "fewer cells"}),
        (f"{GOOD}{LAST}\n\na,b\n1,{MARKER}\n3,4\n", {43: "second table", 44: "second table", 45: "second table"}),
        (f"{GOOD}{LAST}\n\n{GOOD}", dict.fromkeys(range(43, 84), "second table")),
    ],
)
def test_a_record_that_is_not_certain_is_set_aside_with_its_reason(
    tmp_path: Path, content: str, odd: dict[int, str]
) -> None:
    export = read_export(file_of(tmp_path, content))
    assert {odd.record for odd in export.irregular} == set(odd)
    assert all(reason in found.reason for found, reason in zip(export.irregular, odd.values(), strict=True))
    assert len(cells(export)) + len(odd) == export.records
    assert MARKER not in str(export.irregular)


def test_a_cut_last_letter_makes_its_record_irregular(tmp_path: Path) -> None:
    export = read_export(file_of(tmp_path, f"{GOOD}{LAST}\xe4".encode()[:-1]))
    assert [(odd.record, odd.reason) for odd in export.irregular] == [(41, "an end that is cut off")]


@pytest.mark.parametrize("bent", ['Ci"trate', ' "Citrate"', '5" nail'])
def test_a_stray_mark_is_text_where_the_cell_ends_at_the_same_place_all_the_same(tmp_path: Path, bent: str) -> None:
    export = read_export(file_of(tmp_path, GOOD.replace("Citrate", bent, 1)))
    assert export.irregular == () and export.records == 40
    assert bent in export.frame.row(0)


def test_a_file_of_which_more_than_a_fifth_is_irregular_is_refused_by_a_run(tmp_path: Path) -> None:
    some = read_export(file_of(tmp_path, "a,b,c\n" + "1,2,3\n" * 4 + "1,2\n"))
    some.refuse_unreadable()
    more = read_export(file_of(tmp_path, "a,b,c\n" + "1,2,3\n" * 3 + "1,2\n"))
    with pytest.raises(InputRefused, match=r"1 of 4 rows .* cannot be read for certain: row 4"):
        more.refuse_unreadable()


# --- What is refused ---------------------------------------------------------------------------------------------------


def refusal(path: Path) -> InputRefused:
    with pytest.raises(InputRefused) as stopped:
        read_in_batches(read_export(path))
    assert stopped.value.next_step and stopped.value.exit_code == 3
    assert MARKER not in str(stopped.value)
    return stopped.value


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        ("\n\n", "holds no headings"),
        (" , ,\n1,2,3\n", "holds no headings"),
        (GOOD.encode() + f"caf\xe9 {MARKER}, na\xc3\xafve\n".encode("latin-1"), "partly in UTF-8 and partly not"),
        (GOOD.encode() + f"{MARKER} \xa9,".encode("latin-1"), "which encoding was meant cannot be told"),
        (b"\x81\x8d\x8f," + GOOD.encode(), "which encoding was meant cannot be told"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\xff\xfe,\n", "damaged zip file"),
        ('"a,b\n1,2\n', "row of headings has a quotation mark"),
        ("a\0,b\n1,2\n", "The row of headings of 'export.csv' has a zero byte"),
    ],
)
def test_a_file_that_cannot_be_read_for_sure_is_refused_with_its_place(
    tmp_path: Path, content: str | bytes, says: str
) -> None:
    assert says in refusal(file_of(tmp_path, content)).problem


def test_a_missing_file_a_folder_and_one_that_may_not_be_read_are_refused(tmp_path: Path) -> None:
    missing = refusal(tmp_path / "absent.csv").problem
    assert "There is no file" in missing and "absent.csv" in missing
    assert "is a folder" in refusal(tmp_path).problem


def test_a_quotation_mark_left_open_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "CHUNK", 1 << 10)
    monkeypatch.setattr(records, "LONGEST_RECORD", 1 << 12)
    shown: list[int] = []
    original = records._Look.at

    def watched(self: records._Look, buffer: bytes) -> bytes:
        shown.append(len(buffer))
        return original(self, buffer)

    monkeypatch.setattr(records._Look, "at", watched)
    path = file_of(tmp_path, f"{GOOD}{QUOTED}\n" + f"{LAST}\n" * 2_000)
    assert [odd.record for odd in read_export(path).irregular] == [41]
    assert max(shown) <= (1 << 12) + (1 << 10) < path.stat().st_size / 20


def test_a_file_of_which_most_rows_do_not_fit_is_refused_without_a_list(tmp_path: Path) -> None:
    path = file_of(tmp_path, "a,b,c\n" + "1,2\n" * (records.MOST_IRREGULAR + 1))
    assert f"More than {records.MOST_IRREGULAR} rows" in refusal(path).problem


# --- Real and broken files, where they are at hand ---------------------------------------------------------------------

AT_HAND = pytest.mark.skipif(not MALFORMED.exists(), reason="the shared files are not here")


@AT_HAND
@pytest.mark.parametrize(
    ("name", "n_rows", "n_columns"),
    [
        ("google_forms/music_and_mental_health.csv", 736, 33),
        ("limesurvey/rse2017_uk_public_data.csv", 253, 245),
        ("surveymonkey/thanksgiving-2015-poll-data.csv", 1058, 65),
        ("kobo/test_csv_quote_escaping.csv", 5, 2),
        ("redcap/clinical-trial-1/data.csv", 500, 13),
        ("redcap/longitudinal/data.csv", 18, 125),
        ("redcap/repeating-instruments-sparse/data.csv", 9, 15),
    ],
)
def test_real_exports_with_one_row_of_headings(name: str, n_rows: int, n_columns: int) -> None:
    export = read_export(SHARED / "exports" / name)
    assert export.frame.shape == (n_rows, n_columns) == (export.records, len(export.headings))


@AT_HAND
@pytest.mark.parametrize(
    ("name", "columns", "n_rows"),
    [
        ("fr__bom.csv", ["id", "name"], 2),
        ("fr__blank-headers.csv", ["id", "[2]", "age"], 2),
        ("fr__blank-cells.csv", ["id", "name"], 5),
        ("fr__duplicate-headers.csv", ["id", "name", "id [3]", "age", "id [5]"], 2),
        ("fr__duplicate-rows.csv", None, 3),
        ("fr__leading-zeros.csv", None, 3),
        ("fr__skip-blank-at-the-end.csv", None, None),
        ("fr__accent.csv", None, 2),
        ("fr__issue-1138.csv", None, 7),
        ("fr__issue-1232.csv", None, 5),
        ("fr__doublequote.csv", None, 5),
        ("cs__comma_in_quotes.csv", ["first", "last", "address", "city", "zip"], 1),
        ("cs__escaped_quotes.csv", ["a", "b"], 2),
        ("cs__newlines_crlf.csv", ["a", "b", "c"], 3),
        ("cs__quotes_and_newlines.csv", ["a", "b"], 2),
        ("cs__json.csv", ["key", "val"], 1),
        ("cs__empty_crlf.csv", ["a", "b", "c"], 2),
    ],
)
def test_odd_files_that_can_be_read(name: str, columns: Sequence[str] | None, n_rows: int | None) -> None:
    export = read_export(MALFORMED / name)
    assert columns is None or export.frame.columns == columns
    assert n_rows is None or export.frame.height + len(export.irregular) == n_rows


@AT_HAND
@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("fr__defective-rows.csv", [(1, 2), (2, 4)]),
        ("fr__structure-errors.csv", [(4, 6)]),
        ("fr__capital-invalid.csv", [(9, 2), (11, 4)]),
    ],
)
def test_irregular_records_are_named(name: str, places: list[tuple[int, int]]) -> None:
    assert [(odd.record, odd.fields) for odd in read_export(MALFORMED / name).irregular] == places


@AT_HAND
@pytest.mark.parametrize("name", ["fr__latin1.csv", "fr__table-infer-iso-8859-7.csv", "fr__empty.csv"])
def test_broken_files_are_refused(name: str) -> None:
    refusal(MALFORMED / name)


@AT_HAND
def test_a_cell_keeps_its_quotes_and_newlines() -> None:
    assert read_export(MALFORMED / "cs__escaped_quotes.csv").frame["b"].to_list()[0] == 'ha "ha" ha'


@pytest.mark.skipif(not MUSIC_EXPORT.exists(), reason="the shared files are not here")
def test_values_of_a_real_export_are_left_as_they_are() -> None:
    frame = read_export(MUSIC_EXPORT).frame
    assert "999999999" in frame["BPM"].to_list() and frame["Insomnia"].to_list().count("3.5") == 1


@pytest.mark.parametrize(
    ("content", "tool"),
    [
        ('"a";"b"\n"1";"2"\n', "kobo"),
        ('"a";"b"\n1;2\n', "kobo"),
        ('"a";b\n"1";"2"\n', "csv"),
        ('"a","b"\n"1","2"\n', "csv"),
        ("a;b\n1;2\n", "csv"),
        ('"Timestamp";"b"\n"1";"2"\n', "google_forms"),
    ],
)
def test_semicolons_and_quotation_marks_alone_tell_a_tool_last(tmp_path: Path, content: str, tool: str) -> None:
    assert read_export(file_of(tmp_path, content)).tool == tool


def test_an_irregular_row_of_headings_is_refused(tmp_path: Path) -> None:
    ids, texts = "StartDate,Status,Q1,Q2", 'Start Date,Response Type,"One",Two,three'
    imports = ",".join(f'"{{""ImportId"":""{name}""}}"' for name in ("startDate", "status", "QID1", "QID2"))
    export = read_export(file_of(tmp_path, f"{ids}\n{texts}\n{imports}\n2026-01-01,0,1,2\n"))
    with pytest.raises(InputRefused, match="rows of headings"):
        export.refuse_unreadable()
