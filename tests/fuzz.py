"""Broken files without end: is each one refused in a sentence, or read so that its rows add up?

What belongs here: making files that are cut, bent, spliced, packed and mislabelled, and judging what becomes of them. The
quick tests (`test_fuzz.py`) use the same makers. What does not: files with a known right answer (`test_malformed.py`).

    python tests/fuzz.py [--seconds N] [--seed N]
"""

import argparse
import csv
import gzip
import io
import random
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from typing import Any

from survey_pipeline.errors import UserError
from survey_pipeline.exports import Export, read_export
from survey_pipeline.exports.files import open_sheet
from survey_pipeline.exports.sheet import ByHand, Sheet

Make = Callable[[random.Random], bytes]

WORDS = (
    "",
    "a",
    "yes",
    "6, 2",
    '5" nail',
    "don't",
    "line\nbreak",
    "x;y",
    "ä",
    "日本",
    "#",
    '="012"',
    "\\",
    '"',
    "  ",
    "1.5",
)
SCRAPS = (
    b",",
    b";",
    b"\t",
    b'"',
    b"'",
    b'""',
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\\",
    b"\xe4",
    b"\xff\xfe",
    b"#",
    b" ",
    b"sep=;",
)
TEXT_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "iso-8859-7", "cp1251", "shift_jis")
ALLOWED = ("look like rows", "second table", "headings once more", "a space before a quotation mark")
"""What may be called irregular in a file that the standard reader takes: it asks no questions."""


UNKNOWN_TO_THE_STANDARD_READER = ("left out", "padding", "apostrophes", "backslash", "as its first line says")


# --- Judging -----------------------------------------------------------------------------------------------------------


def outcome(path: Path, **by_hand: Any) -> str:
    """ "refused" or "read". Raises `AssertionError` if what was read does not add up, and whatever else went wrong."""
    try:
        sheet = open_sheet(path, ByHand(**by_hand))
    except UserError as error:
        assert error.problem and error.next_step, "a refusal says what is wrong and what to do"
        return "refused"
    add_up(sheet)
    return "read"


def add_up(sheet: Sheet) -> None:
    """Every record is there once, and irregular ones are numbered as records."""
    height = sum(batch.height for batch in sheet.cells.batches(range(sheet.width), 0, 1000))
    numbers = [odd.record for odd in sheet.irregular]
    assert height >= sheet.records >= 1 and sheet.width >= 1
    assert numbers == sorted(set(numbers)) and all(1 <= number < sheet.records for number in numbers)
    assert all(len(row) == sheet.width for row in sheet.head)


def rows_of(export: Export) -> dict[int, list[str]]:
    """The rows that were read, by their numbers."""
    found: dict[int, list[str]] = {}
    for numbers, batch in export.batches(range(len(export.headings))):
        found |= {number: [cell or "" for cell in row] for number, row in zip(numbers, batch.rows(), strict=True)}
    assert len(found) + len(export.irregular) == export.records
    return found


def agree_with_the_standard_reader(path: Path, text: str, separator: str | None = None) -> bool:
    """Whether Python's own reader sees a clean table; if so, each row that was read must be the same there."""
    try:
        export = read_export(path, separator=separator, header_rows=1, tool="csv")
        table = standard(text, export.separator, spaced="a space after each separator" in export.detected_because)
    except (UserError, csv.Error):
        return False
    if any(what in export.detected_because for what in UNKNOWN_TO_THE_STANDARD_READER):
        return False
    if not table or not all(cell.strip() for cell in table[0]) or {len(row) for row in table if row} != {len(table[0])}:
        return False
    blank = sum(1 for _ in takewhile(lambda row: len(row) < 2 and not "".join(row).strip(), reversed(table)))
    assert len(table) - 1 - blank <= export.records <= len(table) - 1 or export.irregular
    assert all(any(why in odd.reason for why in ALLOWED) for odd in export.irregular)
    for number, row in rows_of(export).items() if export.records < len(table) else ():
        assert row == table[number] or not "".join(row + table[number]).strip(), f"row {number}"
    return True


def standard(text: str, separator: str, *, spaced: bool) -> list[list[str]]:
    """A text as Python's own reader sees it."""
    lines = io.StringIO(text, newline="")
    return list(csv.reader(lines, delimiter=separator, skipinitialspace=spaced, strict=True))


# --- Making ------------------------------------------------------------------------------------------------------------


def table(pick: random.Random) -> list[list[str]]:
    """A table as people answer: few columns, some blank cells, some words that are hard to read."""
    width = pick.randint(1, 6)
    headings = [f"Question {place}" for place in range(width)]
    return [headings, *([pick.choice(WORDS) for _ in range(width)] for _ in range(pick.randint(0, 12)))]


def written(rows: list[list[str]], separator: str = ",", newline: str = "\n", *, all_quoted: bool = False) -> str:
    """A table as survey tools write it."""
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=separator, lineterminator=newline, quoting=csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL
    )
    writer.writerows(rows)
    return out.getvalue()


def valid(pick: random.Random) -> bytes:
    text = written(table(pick), pick.choice(",;\t|"), pick.choice(["\n", "\r\n", "\r"]), all_quoted=pick.random() < 0.3)
    return text.encode(pick.choice(TEXT_ENCODINGS), "replace")


def noise(pick: random.Random) -> bytes:
    return bytes(pick.choices(range(256), k=pick.randint(1, 400)))


def scraps(pick: random.Random) -> bytes:
    return b"left,right\n" + b"".join(pick.choices((*SCRAPS, b"a", b"1", b"b"), k=pick.randint(1, 60)))


def cut(pick: random.Random) -> bytes:
    whole = valid(pick)
    return whole[: pick.randint(1, len(whole))]


def bent(pick: random.Random) -> bytes:
    """A valid file with some bytes put in, taken out or changed."""
    content = bytearray(valid(pick))
    for _ in range(pick.randint(1, 4)):
        place = pick.randrange(len(content) + 1)
        content[place : place + pick.choice((0, 0, 1, 3))] = pick.choice(SCRAPS)
    return bytes(content) or b"x"


def spliced(pick: random.Random) -> bytes:
    """Two files in one: other encodings, other separators, headings twice."""
    first = valid(pick)
    return first + pick.choice((b"", b"\n", b"\r\n\r\n")) + pick.choice((first, valid(pick), noise(pick)))


def crowned(pick: random.Random) -> bytes:
    above = pick.choice(
        (b"sep=;\r\n", b"# a comment\n", b"A title\n\n", b"\n\n", b"\xef\xbb\xbf\xef\xbb\xbf", b"#a,b\n")
    )
    return above + valid(pick)


def long_cell(pick: random.Random) -> bytes:
    filling = pick.choice(("x", '""', "a,b\n", "\n", "ä"))
    return f'a,b\n1,"{filling * pick.randint(1, 20_000)}{pick.choice(("", chr(34)))}\n2,3\n'.encode()


def many_columns(pick: random.Random) -> bytes:
    n = pick.choice((300, 3_000, 30_000))
    return (",".join(f"q{place}" for place in range(n)) + "\n" + "," * (n - pick.choice((1, 1, 2))) + "\n").encode()


def packed(pick: random.Random) -> bytes:
    inner = pick.choice((valid, bent, noise, nested))(pick)
    if pick.random() < 0.5:
        return _damaged(gzip.compress(inner), pick)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for place in range(pick.choice((0, 1, 1, 1, 2))):
            archive.writestr(f"answers{place}.csv", inner)
    return _damaged(out.getvalue(), pick)


def nested(pick: random.Random) -> bytes:
    return gzip.compress(valid(pick))


def _damaged(content: bytes, pick: random.Random) -> bytes:
    return content[: pick.randint(20, len(content))] if pick.random() < 0.2 else content


def marked(pick: random.Random) -> bytes:
    """The first bytes of another kind of file, before anything."""
    marks = (
        b"PAR1",
        b"$FL2",
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"%PDF-1.7",
        b"<html>",
        b'{"a": 1}',
        b"\x1f\x8b",
    )
    return pick.choice(marks) + noise(pick)


MAKERS: dict[str, Make] = {
    make.__name__: make
    for make in (valid, noise, scraps, cut, bent, spliced, crowned, long_cell, many_columns, packed, marked)
}


COMPARED = ("valid", "scraps", "cut", "bent", "spliced", "long_cell")
"""Kinds of files that the standard reader can be held against: it knows no packing, and nothing above the headings."""


def try_one(name: str, content: bytes, folder: Path) -> str:
    """What becomes of one file. What is text in UTF-8 is held against the standard reader too."""
    path = folder / f"{name}.csv"
    path.write_bytes(content)
    found = outcome(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return found
    if name in COMPARED and "\0" not in text and agree_with_the_standard_reader(path, text):
        return f"{found}, and as the standard reader does"
    return found


def main() -> None:
    """Try files for some seconds, and print how many of which kind came to what."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    seen: Counter[tuple[str, str]] = Counter()
    end, number = time.monotonic() + options.seconds, 0
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            name = list(MAKERS)[number % len(MAKERS)]
            content = MAKERS[name](random.Random(options.seed * 10**9 + number))
            try:
                seen[name, try_one(name, content, Path(folder))] += 1
            except Exception:
                kept = Path(tempfile.gettempdir()) / f"fuzz-{name}-{options.seed}-{number}.csv"
                kept.write_bytes(content)
                print(f"Number {number} of seed {options.seed} ({name}) failed; the file is {kept}")  # noqa: T201
                raise
            number += 1
    for (name, found), times in sorted(seen.items()):
        print(f"{times:>8}  {name}: {found}")  # noqa: T201
    print(f"{number:>8}  files tried, none failed")  # noqa: T201


if __name__ == "__main__":
    main()
