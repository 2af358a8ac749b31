"""Files nobody would think of: refused in a sentence, or read so that the rows add up. `make fuzz` goes on for longer."""

import random
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fuzz import MAKERS, agree_with_the_standard_reader, outcome, try_one, written
from hypothesis import given
from hypothesis import strategies as st

from survey_pipeline.exports import careful, knife, records

EACH = 40
"""Files of every kind: a few seconds in all."""


def judged(content: bytes, **by_hand: str) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_bytes(content)
        return outcome(path, **by_hand)


@pytest.mark.parametrize("name", MAKERS)
def test_files_of_every_kind_are_refused_or_add_up(name: str, tmp_path: Path) -> None:
    seen = Counter(try_one(name, MAKERS[name](random.Random(seed)), tmp_path) for seed in range(EACH))
    assert sum(seen.values()) == EACH


@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_at_all(content: bytes) -> None:
    assert judged(content) in ("read", "refused")


@given(
    st.lists(st.lists(st.text("ab,;\"'\n\r\\ #\0ä", max_size=5), min_size=1, max_size=4), max_size=6),
    st.sampled_from(["utf-8", "utf-16", "utf-16-le", "cp1252"]),
    st.integers(0, 60),
)
def test_tables_that_are_cut_anywhere(rows: list[list[str]], encoding: str, off: int) -> None:
    text = written([["left", "right", "more"], *rows]).encode(encoding)
    judged(text[: max(1, len(text) - off)])
    judged(text[: max(1, len(text) - off)], separator=",", encoding=encoding)


@given(st.text('a,"\n\r ', max_size=60))
def test_what_the_standard_reader_takes_is_read_alike_by_the_careful_reader_too(text: str) -> None:
    """The careful reader is made to read what the quick one would, so both are held against a third."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder) / "export.csv"
        path.write_bytes(b"left,right\n" + text.encode())
        patch.setattr(knife.Dialect, "is_plain", property(lambda _: False))
        patch.setattr(careful, "BLOCK", 20)
        outcome(path, separator=",")
        agree_with_the_standard_reader(path, "left,right\n" + text, ",")


@given(st.text('a,;"\n ', max_size=80), st.integers(1, 30))
def test_the_careful_reader_does_not_mind_in_which_pieces_a_text_comes(text: str, size: int) -> None:
    whole = "a,b\n" + text
    pieces = [whole[place : place + size] for place in range(0, len(whole), size)]
    found = [careful.read_carefully(each, knife.Dialect(",", ""), 2, "x") for each in ([whole], pieces)]
    assert found[0].irregular == found[1].irregular and found[0].records == found[1].records
    assert found[0].head == found[1].head


@given(st.text('a,"\n', max_size=60))
def test_the_quick_look_and_the_careful_reader_agree(text: str) -> None:
    """Where the quick look finds a text plain, it counts and lists what the careful reader does."""
    whole = "a,b\n" + text
    with TemporaryDirectory() as folder:
        path = Path(folder) / "export.csv"
        path.write_text(whole, encoding="utf-8", newline="")
        try:
            quick = records.look_through(path, ",", 2)
        except records.NotPlain:
            return
    aside = careful.read_carefully([whole], knife.Dialect(",", ""), 2, "x")
    assert quick.records + 1 == aside.records
    assert quick.irregular == tuple(aside.irregular)
