"""Files as bad as they come: each is refused in one sentence, or read with nothing shifted, merged or lost in silence."""

import gzip
import io
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from hashlib import sha256
from pathlib import Path
from time import monotonic

import polars as pl
import pyreadstat
import pytest
from club import MARKER, ROOT, SHARED
from fuzz import add_up

from survey_pipeline.errors import InputRefused, WrongUsage
from survey_pipeline.exports import ByHand, Export, read_export, typed, unpack
from survey_pipeline.exports.encodings import BY_HAND, CANDIDATES, LETTERS
from survey_pipeline.exports.files import open_sheet
from survey_pipeline.exports.sheet import Sheet

MALFORMED = SHARED / "malformed"
AT_HAND = pytest.mark.skipif(not MALFORMED.exists(), reason="the shared files are not here")
READING = ROOT / "docs" / "reading.md"


def file_of(folder: Path, content: str | bytes, name: str = "export.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder: Path, content: str | bytes, name: str = "export.csv") -> Export:
    export = read_export(file_of(folder, content, name), tool="csv", header_rows=1)
    add_up(export.sheet)
    return export


def cells(export: Export) -> list[list[str]]:
    return [[cell or "" for cell in row] for row in export.frame.rows()]


def refusal(folder: Path, content: str | bytes) -> str:
    with pytest.raises(InputRefused) as stopped:
        read_export(file_of(folder, content))
    assert stopped.value.next_step and MARKER not in str(stopped.value)
    return stopped.value.problem


# --- Encodings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_told_with_and_without_a_mark(tmp_path: Path, encoding: str) -> None:
    export = read(tmp_path, "größe;n\n日本;1\nß;2\n".encode(encoding))
    assert cells(export) == [["日本", "1"], ["ß", "2"]] and export.headings == ("größe", "n")


WORDS = {
    "German": "Größe für schön müde Übelkeit täglich",
    "French": "très fatiguée après déjà Hélène où ça français",
    "Spanish": "señor mañana también años niño cómo está",
    "Polish": "głowy częste żadnych mężczyzna źle śpię płeć",
    "Czech": "příliš žluťoučký kůň Jiří čas",
    "Hungarian": "fájdalom erős fűszer gyümölcs közérzet",
    "Turkish": "çağrı başım ağrıyor değilim güneşte",  # noqa: RUF001 - the letters of the language
    "Russian": "болит голова каждый день плохо сплю очень устаю на работе",
    "Greek": "πονάει το κεφάλι μου κάθε μέρα και δεν κοιμάμαι καλά",
}


@pytest.mark.parametrize("language", WORDS)
def test_words_in_an_old_encoding_are_read_rightly_or_refused(tmp_path: Path, language: str) -> None:
    """In every encoding that can write them, and from one word to all of them: never as another text."""
    words, read_rightly = WORDS[language].split(), 0
    assert language in LETTERS
    for encoding, _, _ in CANDIDATES:
        for n in range(1, len(words) + 1):
            text = "a\n" + "\n".join(words[:n]) + "\n"
            try:
                content = text.encode(encoding)
                found = cells(read(tmp_path, content))
            except (UnicodeEncodeError, InputRefused):
                continue
            assert found == [[word] for word in words[:n]], encoding
            read_rightly += 1
    assert read_rightly


TEA = "name,tea\nKöhler,grün\nRenée,café\n"


@pytest.mark.parametrize("name", sorted(BY_HAND))
def test_every_encoding_set_by_hand_is_read_or_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    plain = "name,tea\nA,green\nB,black\n"
    contents = [
        plain.encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be", "utf-16", "utf-32", "utf-32-le")
    ]
    contents += [TEA.encode(encoding) for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")]
    for content in (*contents, *(content[:-1] for content in contents)):
        try:
            read_export(file_of(tmp_path, content), encoding=name).refuse_unreadable()
        except InputRefused as stopped:
            assert stopped.next_step and "holds headings but no answers" not in stopped.problem
    with suppress(UnicodeEncodeError):
        written = file_of(tmp_path, plain.encode(name))
        assert cells(read_export(written, encoding=name)) == [["A", "green"], ["B", "black"]]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("utf-16", "does not begin with the mark of UTF-16"),
        ("utf-32", "does not begin with the mark of UTF-32"),
        ("utf-16-le", "is not in UTF-16-LE"),
        ("utf-16-be", "is not in UTF-16-BE"),
        ("utf-32-le", "is not in UTF-32-LE"),
    ],
)
def test_a_file_that_is_not_in_the_encoding_set_by_hand_is_refused(tmp_path: Path, name: str, says: str) -> None:
    for text in (TEA, "a,b\n1,2\n", "a;b\r\n1;2\r\n"):
        with pytest.raises(InputRefused, match=says):
            read_export(file_of(tmp_path, text), encoding=name)


def test_utf_16_set_by_hand_needs_no_mark_where_the_zeros_tell(tmp_path: Path) -> None:
    for order in ("utf-16-le", "utf-16-be"):
        export = read_export(file_of(tmp_path, TEA.encode(order)), encoding="utf-16")
        assert cells(export)[1] == ["Renée", "café"] and export.encoding == order


def test_too_little_evidence_is_refused_with_the_place_and_what_can_be_set_by_hand(tmp_path: Path) -> None:
    path = file_of(tmp_path, b"id,name\n1,\xa9\n")
    with pytest.raises(InputRefused, match=r"byte 10, in line 2") as stopped:
        read_export(path)
    assert "--encoding" in stopped.value.next_step and "cp1252" in stopped.value.next_step
    assert cells(read_export(path, encoding="cp1252")) == [["1", "©"]]


def test_two_encodings_in_one_file_are_refused_with_the_place(tmp_path: Path) -> None:
    assert "byte 10, in line 3" in refusal(tmp_path, "a,b\nä,ö\n".encode() + "ü,Größe\n".encode("cp1252"))
    later = ("a,b\n" + "1,2\n" * 200_000).encode() + "schön,Größe\n".encode("cp1252")
    assert cells(read(tmp_path, later))[-1] == ["schön", "Größe"]
    assert "in line 200002" in refusal(tmp_path, later + "Größe,1\n".encode())


def test_utf_16_that_breaks_off_is_told(tmp_path: Path) -> None:
    export = read(tmp_path, "a,b\n1,2\n3,ö".encode("utf-16")[:-1])
    assert cells(export) == [["1", "2"]] and export.irregular[0].reason == "an end that is cut off"


# --- How a text is cut --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("sep=;\r\na;b\r\n1;2,5\r\n", [["1", "2,5"]]),
        ("# made by a tool, on a day\na;b\n1;2\n", [["1", "2"]]),
        ("Survey of 2026\n\nName,Age,City\nx,1,y\nz,2,w\n", [["x", "1", "y"], ["z", "2", "w"]]),
        ("#,name\n1,x\n", [["1", "x"]]),
        ("'a','b'\n'it''s, so','2'\n", [["it's, so", "2"]]),
        ("a,b\nit's,'so'\n", [["it's", "'so'"]]),
        ('a,b\n"say \\"hi\\", you",1\n', [['say "hi", you', "1"]]),
        ('a,b\n"C:\\",1\n"D:\\",2\n', [["C:\\", "1"], ["D:\\", "2"]]),
        ('"a", "b"\n1, "x, y"\n', [["1", "x, y"]]),
        ("a,b\r1,2\r3,4\r", [["1", "2"], ["3", "4"]]),
        ("a,b\r1,2\n3,4\r\n5,6", [["1", "2"], ["3", "4"], ["5", "6"]]),
        ('a,b\n5" nail,7" nail\n', [['5" nail', '7" nail']]),
        ('a,b\n"He said "hi" to me",2\n', [['He said "hi" to me', "2"]]),
        ('a,b\n="0123",[""]\n', [['="0123"', '[""]']]),
        ("a;b;\n1;2;\n3;4;\n", [["1", "2", ""], ["3", "4", ""]]),
        ('"a";"b";""\n"1";"2";""\n', [["1", "2", ""]]),
        ("a;b\n1;2;\n3;4; \n", [["1", "2"], ["3", "4"]]),
        ("a;b;\n1;2\n", [["1", "2", ""]]),
        ("a,b\n,,,\n1,2\n", [["", ""], ["1", "2"]]),
        ("a\n1\n\n2\n\n", [["1"], [""], ["2"]]),
        ("a,b,c", []),
    ],
)
def test_odd_habits_are_understood(tmp_path: Path, content: str, rows: list[list[str]]) -> None:
    export = read(tmp_path, content)
    assert cells(export) == rows and export.irregular == ()


def test_what_was_taken_off_is_said(tmp_path: Path) -> None:
    assert "a blank column at its end is padding" in read(tmp_path, "a;b;\n1;2;\n").detected_because
    assert "1 line above the headings left out" in read(tmp_path, "# x\na;b\n1;2\n").detected_because
    assert "as its first line says" in read(tmp_path, "sep=;\na;b\n").detected_because


def test_a_title_is_not_taken_for_headings_nor_answers_for_a_title(tmp_path: Path) -> None:
    assert read(tmp_path, "id\n1,2,3\n4,5,6\n").headings == ("id",)


TABLE = "Id,Age,City,Dose\n1,33,x,y\n2,44,x,y\n"


@pytest.mark.parametrize(
    "above",
    [
        "Tea survey 2026,,,\n",
        "Tea survey 2026,,,\n,,,\n",
        "Tea survey 2026,,,\nexported,2026-01-31,,\n",
        "Tea survey 2026\nexported,2026-01-31,,\n\n",
        '"Magnesium survey, January"\n\n',
        '"Magnesium survey, January",,,\n',
        "Tea survey, 2026\n",
        "\nTea survey, 2026\n\n",
    ],
)
@pytest.mark.parametrize(("ends", "marks"), [("\n", False), ("\r\n", True), ("\r", False)])
def test_titles_above_the_headings_are_left_out(tmp_path: Path, above: str, ends: str, *, marks: bool) -> None:
    table = re.sub(r"[^,\n]+", r'"\g<0>"', TABLE) if marks else TABLE
    export = read_export(file_of(tmp_path, (above + table).replace("\n", ends)))
    assert export.headings == ("Id", "Age", "City", "Dose") and export.irregular == ()
    assert cells(export) == [["1", "33", "x", "y"], ["2", "44", "x", "y"]]
    lines = above.count("\n")
    assert f"{lines} line{'s' * (lines > 1)} above the headings left out" in export.detected_because


@pytest.mark.parametrize(
    "content",
    [
        "Id,Name,\nx,y,z\nu,v,w\n",  # two cells, and not twice as many below
        "Id,,,\n1,2,3,4\n5,6,7,8\n",  # answers below
        "Id,,,\nyes,no,no,yes\nyes,no,no,no\n",  # they come again
        "Id,Name\nx,y,z,w\nx,y,z,v\n",
        ",Tea survey,,\nId,Age,City,Dose\n1,33,x,y\n",  # not at the beginning
        "Tea,,,\nId,Age,City,Dose,More\n1,33,x,y,z,6\n1,33,x,y,z,6\n",  # narrower than the answers
    ],
)
def test_rows_that_may_be_headings_are_no_titles(tmp_path: Path, content: str) -> None:
    export = read_export(file_of(tmp_path, content))
    assert "above the headings" not in export.detected_because
    assert export.headings[:2] == tuple(content.split("\n")[0].split(",")[:2])


def test_a_title_counts_as_a_row_where_the_rows_of_headings_are_set_by_hand(tmp_path: Path) -> None:
    export = read_export(file_of(tmp_path, "Which?,,,\n" + TABLE), header_rows=2)
    assert export.records == 2 and "above the headings" not in export.detected_because


@pytest.mark.parametrize("below", ["Total,77,,", "Average: 38.5,,,", ",summe:,77,", '"Total 1,234",,,', "MEAN,38.5,,"])
@pytest.mark.parametrize("between", ["", "\n", ",,,\n"])
@pytest.mark.parametrize("after", ["", "\n", "\n,,,\n,,,\n", "\nMedian,38,,\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_totals_below_the_answers_are_set_aside(
    tmp_path: Path, below: str, between: str, after: str, *, packed: bool
) -> None:
    content = (TABLE + between + below + after).encode()
    export = read_export(file_of(tmp_path, gzip.compress(content) if packed else content))
    add_up(export.sheet)
    first = 3 + bool(between)
    assert {odd.reason for odd in export.irregular} == {"a total below the answers"}
    assert [odd.record for odd in export.irregular] == [first, *[first + 1] * ("Median" in after)]
    assert cells(export)[:2] == [["1", "33", "x", "y"], ["2", "44", "x", "y"]]
    assert "77" not in str(cells(export)) and len(cells(export)) + len(export.irregular) == export.records


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("between", ["", "\n"])
def test_a_total_of_too_few_cells_is_called_one(tmp_path: Path, between: str, *, packed: bool) -> None:
    content = (TABLE + between + "Total,77\n").encode()
    export = read_export(file_of(tmp_path, gzip.compress(content) if packed else content))
    assert [(odd.fields, odd.reason) for odd in export.irregular] == [(2, "a total below the answers")]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "rows", ["Total,77,,\n3,5,x,y\n", "Total,77,x,\n", "Totally,,,\n", "3,total,,\n", "Max Moe,,,\n"]
)
def test_answers_that_look_like_totals_are_answers(tmp_path: Path, rows: str, *, packed: bool) -> None:
    content = (TABLE + rows).encode()
    export = read_export(file_of(tmp_path, gzip.compress(content) if packed else content))
    assert export.irregular == () and export.records == 2 + rows.count("\n")


@pytest.mark.parametrize("content", ['"a","b"\r"1, 2","3"\r', '"a"\r"1, 2"', '"a;b";"b"\r\r"1, 2";"3"\r'])
def test_cells_in_marks_and_lines_that_end_in_returns_are_read_and_said_rightly(tmp_path: Path, content: str) -> None:
    export = read(tmp_path, content)
    assert cells(export)[-1][0] == "1, 2" and export.sheet.is_quoted
    assert "left open" not in export.detected_because and "a line break of an unusual kind" in export.detected_because


def test_an_open_mark_swallows_no_rows_even_if_another_closes_it(tmp_path: Path) -> None:
    rows = "7,8,9\n" * 30
    export = read(tmp_path, f'a,b,c\n1,2,3\n4,"open,6\n{rows}5,6",7\n1,2,3\n')
    assert export.records == 34 and len(export.irregular) == 32
    assert {odd.reason for odd in export.irregular} == {
        "a quotation mark before lines that look like rows of their own"
    }
    assert cells(export) == [["1", "2", "3"]] * 2


def test_lines_in_an_answer_stay_in_it(tmp_path: Path) -> None:
    answer = "first, this\nand\n\nthen, that\n"
    assert cells(read(tmp_path, f'a,b\n"{answer}",2\n')) == [[answer, "2"]]


def test_rows_after_an_open_mark_are_read_again_only_on_proof(tmp_path: Path) -> None:
    export = read(tmp_path, 'a,b,c\n1,2,3\n4,"open,6\n' + "7,8,9\n" * 10)
    assert [odd.record for odd in export.irregular] == [2] and len(cells(export)) == 11
    export = read(tmp_path, 'a\n1\n"open\n2\n3\n')
    assert [odd.record for odd in export.irregular] == [2, 3, 4] and cells(export) == [["1"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_long_cells_and_many_columns_stay_within_bounds(tmp_path: Path, encoding: str) -> None:
    started = monotonic()
    long = "x, " * 1_000_000
    assert cells(read(tmp_path, f'a,b\n"{long}",2\n3,4\n'.encode(encoding))) == [[long, "2"], ["3", "4"]]
    wide = ",".join(f"q{place}" for place in range(3_000)) + "\n" + "," * 2_999 + "\n"
    assert read(tmp_path, wide.encode(encoding)).frame.shape == (1, 3_000)
    assert "has 20001 columns" in refusal(tmp_path, ("a," * 20_000 + "b\n").encode(encoding))
    assert monotonic() - started < 20


# --- Other kinds of files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html>\n<html><body>Please log in</body></html>", "a web page"),
        (b'<?xml version="1.0"?>\n<a/>', "XML"),
        (b'[{"a": 1}, {"a": 2}]', "JSON"),
        (b'{"a": 1}\n{"a": 2}\n', "JSON"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an Excel 97 workbook or a workbook locked with a password"),
        (b"\x89PNG\r\n\x1a\n" + bytes(90), "a picture"),
        (b"SQLite format 3\x00" + bytes(90), "a database"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(90), "packed in a way that is not read here"),
        (bytes(range(128)) * 20, "no text"),
    ],
)
def test_what_is_no_table_is_refused_by_its_name(tmp_path: Path, content: bytes, what: str) -> None:
    assert f"is {what}" in refusal(tmp_path, content)


def packed(content: bytes) -> bytes:
    """The same bytes at any time, so that tests are called the same wherever they are collected."""
    return gzip.compress(content, mtime=0)


def zipped(*members: tuple[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


GOOD = "a,b\n1,2\n3,ö\n"


def test_a_packed_export_is_read(tmp_path: Path) -> None:
    for content in (
        gzip.compress(GOOD.encode()),
        zipped(("x/a.csv", GOOD), ("__MACOSX/._a.csv", "x"), ("x/.DS_Store", "x")),
    ):
        export = read(tmp_path, content)
        assert cells(export) == [["1", "2"], ["3", "ö"]]
        assert re.search("packed with (gzip|zip)", export.detected_because)


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("kind", ["xlsx", "parquet", "sav", "zsav", "dta", "xpt"])
def test_a_packed_typed_file_is_unpacked_without_a_name_or_where_only_this_user_may_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, *, listed: bool
) -> None:
    """Without a name, nothing of it is left even if the process is killed."""
    (tmp_path / "private").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "private"))
    if not listed:
        monkeypatch.setattr(unpack, "OPEN_FILES", tmp_path / "nowhere")
    elif not unpack.OPEN_FILES.exists():
        pytest.skip("open files have no paths here")
    seen: list[list[int]] = []
    original = typed.read_typed

    def watched(path: Path, kind: str, sha256: str, by_hand: ByHand) -> Sheet:
        modes = [each.stat().st_mode & 0o777 for each in (tmp_path / "private").rglob("*")]
        seen.append(modes)
        assert path.name.startswith("answers.") and path.name.endswith(".gz")
        return original(path, kind, sha256, by_hand)

    monkeypatch.setattr(typed, "read_typed", watched)
    content = typed_content(tmp_path / f"a.{kind}")
    for packed in (gzip.compress(content), zipped((f"a.{kind}", content))):
        path = file_of(tmp_path, packed, f"answers.{kind}.gz")
        export = read_export(path)
        assert cells(export) == [["1", "2"], ["3", "ö"]] and export.sheet.kind in (kind, "spss", "stata", "sas")
        assert export.sha256 == sha256(packed).hexdigest()
    assert seen == ([[]] * 2 if listed else [[0o700, 0o600]] * 2) and not list((tmp_path / "private").iterdir())


def typed_content(path: Path) -> bytes:
    table = pl.DataFrame({"a": ["1", "3"], "b": ["2", "ö"]})
    writers: dict[str, Callable[..., object]] = {
        ".xlsx": table.write_excel,
        ".parquet": table.write_parquet,
        ".sav": partial(pyreadstat.write_sav, table),
        ".zsav": partial(pyreadstat.write_sav, table, compress=True),
        ".dta": partial(pyreadstat.write_dta, table),
        ".xpt": partial(pyreadstat.write_xport, table),
    }
    writers[path.suffix](path)
    return path.read_bytes()


def test_a_packed_export_that_is_cut_off_is_to_be_downloaded_again(tmp_path: Path) -> None:
    packed = gzip.compress("".join(f"{place},{place * 7919 % 1000}\n" for place in range(9999)).encode())
    with pytest.raises(InputRefused, match="damaged or cut off") as stopped:
        read_export(file_of(tmp_path, packed[:-2000], "export.csv.gz"))
    assert stopped.value.next_step.startswith("Download it again")


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("csv", {"sheet": "Form1"}),
        ("xlsx", {"encoding": "cp1252"}),
        ("xlsx", {"separator": ";"}),
        ("parquet", {"encoding": "utf-8"}),
        ("sav", {"separator": ","}),
        ("sav", {"sheet": "Form1"}),
    ],
)
def test_what_a_kind_of_file_does_not_have_cannot_be_set_by_hand(
    tmp_path: Path, kind: str, wrong: dict[str, str]
) -> None:
    content = b"a,b\n1,2\n" if kind == "csv" else typed_content(tmp_path / f"a.{kind}")
    with pytest.raises(WrongUsage, match=f"no {next(iter(wrong))} can be set"):
        read_export(file_of(tmp_path, content, f"export.{kind}"), **wrong)


def locked(content: bytes) -> bytes:
    """An archive whose list of contents says that it is encrypted."""
    place = content.index(b"PK\x01\x02")
    return content[: place + 8] + b"\x01" + content[place + 9 :]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped(("a.csv", GOOD), ("b.csv", GOOD)), "holds 2 files"),
        (zipped(), "holds no files"),
        (zipped(("a.csv", "")), "packed and empty"),
        (zipped(("a.zip", zipped(("a.csv", GOOD)))), "lies another packed file"),
        (packed(packed(GOOD.encode())), "lies another packed file"),
        (zipped(("a.csv.gz", packed(GOOD.encode()))), "lies another packed file"),
        (packed(zipped(("[Content_Types].xml", "x"), ("a.csv", GOOD))), "is a text document"),
        (locked(zipped(("a.csv", GOOD))), "is encrypted"),
        (packed(GOOD.encode() * 1000)[:-9], "damaged or cut off"),
        (zipped(("a.csv", GOOD * 1000))[:-30], "damaged zip file"),
        (zipped(("[Content_Types].xml", "x"), ("word/document.xml", "x")), "text document"),
        (zipped(("mimetype", "x"), ("content.xml", "x")), "an OpenDocument file"),
        (zipped(("[Content_Types].xml", "x"), ("xl/workbook.bin", "x")), "a binary Excel workbook"),
        (zipped(("a.pdf", b"%PDF-1.7")), "a PDF document"),
    ],
)
def test_other_archives_are_refused(tmp_path: Path, content: bytes, says: str) -> None:
    assert says in refusal(tmp_path, content)


def understated(content: bytes) -> bytes:
    """An archive whose list of contents says that its last member is of one byte."""
    place = content.rindex(b"PK\x01\x02")
    return content[: place + 24] + (1).to_bytes(4, "little") + content[place + 28 :]


BOUND = 1 << 22
"""Bytes that may always be unpacked, in this test: bombs need not be large to show that they are stopped."""
BOMB = bytes(BOUND * 8)
BOMBS: dict[str, Callable[[], bytes]] = {
    "gzip": lambda: gzip.compress(BOMB),
    "gzip of rows": lambda: gzip.compress(b"a,b\n" + b"1,2\n" * (BOUND * 2)),
    "zip": lambda: zipped(("a.csv", BOMB)),
    "zip that lies": lambda: understated(zipped(("a.csv", BOMB))),
    "workbook": lambda: zipped(("[Content_Types].xml", "x"), ("xl/sharedStrings.xml", BOMB)),
    "workbook that lies": lambda: understated(zipped(("[Content_Types].xml", "x"), ("xl/sharedStrings.xml", BOMB))),
    "packed workbook": lambda: gzip.compress(zipped(("[Content_Types].xml", "x"), ("xl/sharedStrings.xml", BOMB))),
}
IN_BOUNDS = """
import sys
from pathlib import Path
from survey_pipeline.errors import InputRefused
from survey_pipeline.exports import unpack
from survey_pipeline.exports.files import open_sheet
unpack.ALWAYS_UNPACKED = int(sys.argv[1])
for name in sys.argv[2:]:
    try:
        open_sheet(Path(name))
    except InputRefused as refused:
        print(refused.problem)
# Of this program alone: what the system counts for a process includes the one that started it.
(used,) = (line.split() for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
assert int(used[1]) < 700_000, used
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the system does not say what a program used")
def test_bombs_are_refused_within_bounds_of_time_and_memory(tmp_path: Path) -> None:
    paths = [file_of(tmp_path, make(), f"{place}.csv") for place, make in enumerate(BOMBS.values())]
    done = subprocess.run(
        [sys.executable, "-c", IN_BOUNDS, str(BOUND), *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert len(said) == len(BOMBS)
    for name, sentence in zip(BOMBS, said, strict=True):
        assert "unpacks to far more" in sentence or "line of" in sentence, name


# --- The shared collection, as it is promised to stewards ---------------------------------------------------------------


def outcome(path: Path) -> str:
    """What becomes of a file, in the words of the table in `docs/reading.md`."""
    try:
        export = read_export(path)
    except InputRefused as refused:
        return f"refused: {refused.problem}"
    add_up(export.sheet)
    frame, odd = export.frame, export.irregular
    assert frame.height + len(odd) == export.records
    empty = frame.height - frame.filter(~_blank(export)).height
    said = [
        f"{frame.height} row{'' if frame.height == 1 else 's'} read" + (f", {empty} of them empty" if empty else "")
    ]
    said += [f"row {each.record} not read: it has {each.reason}" for each in odd]
    try:
        export.refuse_unreadable()
    except InputRefused:
        said.append("so a run refuses the file")
    return "; ".join(said)


def _blank(export: Export) -> pl.Expr:
    return pl.all_horizontal(pl.all().fill_null("").str.strip_chars() == "")


def promised() -> dict[str, str]:
    lines = READING.read_text(encoding="utf-8").splitlines()
    rows = (re.fullmatch(r"\| `([^`]+)` \| [^|]+ \| (.+) \|", line) for line in lines)
    return {row[1]: row[2] for row in rows if row}


@AT_HAND
def test_every_file_of_the_collection_ends_as_the_table_says() -> None:
    names = [entry["file"] for entry in json.loads((MALFORMED / "MANIFEST.json").read_text(encoding="utf-8"))]
    assert len(names) == 38
    assert {name: outcome(MALFORMED / name) for name in names} == promised()


@AT_HAND
def test_values_of_the_collection_are_left_as_they_are() -> None:
    def column(name: str, place: int) -> list[str | None]:
        return read_export(MALFORMED / name).frame.to_series(place).to_list()

    assert column("fr__ascii-notvalid.csv", 1) == ["ssµ"]
    assert column("fr__leading-zeros.csv", 0) == ["01", "002", "00003"]
    assert column("fr__issue-833.csv", 1) == ['["a"]', None, '["b"]']
    assert column("cs__escaped_quotes.csv", 1)[0] == 'ha "ha" ha'
    assert column("fr__issue-1109.csv", 2) == ["string"] * 3
    assert read_export(MALFORMED / "fr__issue-1109.csv").headings == ("int", "number", "string")
    assert open_sheet(MALFORMED / "fr__issue-1138.csv").width == 4
    assert open_sheet(MALFORMED / "fr__issue-844.csv").head[0] == ("nome", "età")
