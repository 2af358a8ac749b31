"""A run in which nothing changed leaves its reports alone; whatever a report depends on has it made again."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from club import CLUB, call, contents, rows, write

from survey_pipeline import RunRequest, made_from, render, run_wave
from survey_pipeline.made_from import NOTES, Note, digest_of
from survey_pipeline.reports import write_files

FILES = {"index.html": b"page", "charts/a.svg": b"chart"}
MADE_FROM = "made from this"

# --- A note -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_files(tmp_path / "reports" / "wave", FILES)
    return tmp_path / "reports" / "wave"


@pytest.fixture
def note(folder: Path, tmp_path: Path) -> Note:
    found = Note.about(folder, tmp_path)
    found.write(MADE_FROM, FILES)
    return found


def test_a_note_holds_for_what_it_was_written_of(note: Note, folder: Path, tmp_path: Path) -> None:
    assert note.holds(MADE_FROM) and Note.about(folder, tmp_path).holds(MADE_FROM)
    assert not note.holds("made from that")
    assert not Note.about(folder.parent, tmp_path).holds(MADE_FROM)


def test_a_note_moves_with_what_it_is_about(note: Note, folder: Path, tmp_path: Path) -> None:
    note.write(MADE_FROM, FILES)
    moved = tmp_path.with_name("moved")
    shutil.copytree(tmp_path, moved)
    assert Note.about(moved / folder.relative_to(tmp_path), moved).holds(MADE_FROM)


CHANGES: dict[str, Callable[[Path], object]] = {
    "another content": lambda folder: (folder / "index.html").write_bytes(b"pagf"),
    "a file less": lambda folder: (folder / "charts" / "a.svg").unlink(),
    "a file under another name": lambda folder: (folder / "charts" / "a.svg").rename(folder / "charts" / "b.svg"),
    "no folder": lambda folder: shutil.rmtree(folder),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("shared", [True, False])
def test_a_note_does_not_hold_after(
    change: Callable[[Path], object], shared: bool, note: Note, folder: Path, tmp_path: Path
) -> None:
    assert Note.about(folder, tmp_path, shared=shared).holds(MADE_FROM)
    change(folder)
    assert not Note.about(folder, tmp_path, shared=shared).holds(MADE_FROM)


def test_a_file_more_matters_unless_the_folder_is_shared(note: Note, folder: Path, tmp_path: Path) -> None:
    (folder / "charts" / ".b.svg.half").write_bytes(b"what a killed run left")
    assert not note.holds(MADE_FROM)
    assert Note.about(folder, tmp_path, shared=True).holds(MADE_FROM)


@pytest.mark.parametrize(
    "broken",
    ["", "{", "[]", "null", "{}", '{"made_from": "made from this"}', '{"made_from": "made from this", "files": 1}'],
)
def test_a_note_that_cannot_be_read_does_not_hold(broken: str, note: Note) -> None:
    note.file.write_text(broken, encoding="utf-8")
    assert not note.holds(MADE_FROM)
    note.write(MADE_FROM, FILES)
    assert note.holds(MADE_FROM)


def test_a_note_that_cannot_be_written_is_none(folder: Path, tmp_path: Path) -> None:
    (tmp_path / NOTES).write_text("a file where a folder would be", encoding="utf-8")
    note = Note.about(folder, tmp_path)
    note.write(MADE_FROM, FILES)
    assert not note.holds(MADE_FROM)


@pytest.mark.parametrize("other", [("a", "bc"), ("abc",), ("ab", "c", ""), ("", "ab", "c"), ("c", "ab"), ()])
def test_texts_that_are_cut_otherwise_are_others(other: tuple[str, ...]) -> None:
    assert digest_of("ab", "c") == digest_of("ab", "c") != digest_of(*other)


def test_other_code_is_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made_from, "PACKAGE", tmp_path)
    digest = made_from.code_digest.__wrapped__
    found = [digest()]
    for file, content in (("a.py", "1"), ("a.py", "2"), ("page.css", ""), ("templates/a.jinja", "")):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(content, encoding="utf-8")
        found.append(digest())
    assert len(set(found)) == len(found)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"compiled")
    assert digest() == found[-1]


# --- Reports ----------------------------------------------------------------------------------------------------------


@dataclass
class Drawn:
    """How often a report and a list of waves was made."""

    waves: int = 0
    lists: int = 0

    def since(self) -> tuple[int, int]:
        found = (self.waves, self.lists)
        self.waves = self.lists = 0
        return found


@dataclass
class Club:
    """A survey with two waves, published in a home."""

    home: Path
    instrument: Path
    exports: dict[str, Path]

    def run(self, wave: str, **more: object) -> None:
        asked = {"exports": (self.exports[wave],), "instrument": str(self.instrument), "wave": wave, "home": self.home}
        run_wave(RunRequest.checked(**asked | more))

    @property
    def notes(self) -> Path:
        return self.home / "reports" / NOTES

    @property
    def report(self) -> Path:
        return self.home / "reports" / "club" / "2026-01"


def club_in(folder: Path) -> Club:
    people = {"2026-01": 40, "2026-02": 60}
    exports = {wave: write(folder / f"{wave}.csv", rows(number)) for wave, number in people.items()}
    (folder / "club.toml").write_text(CLUB, encoding="utf-8")
    return Club(folder / "home", folder / "club.toml", exports)


@pytest.fixture(scope="module")
def shared_club(tmp_path_factory: pytest.TempPathFactory) -> Club:
    return club_in(tmp_path_factory.mktemp("club"))


@pytest.fixture
def twice(shared_club: Club) -> Club:
    """As it is after each wave was run once with the usual look and language, whatever the test before did to it."""
    for name in ("theme.toml", "de.po", "home/reports/club/mine.txt"):
        (shared_club.instrument.parent / name).unlink(missing_ok=True)
    for wave in shared_club.exports:
        shared_club.run(wave)
    return shared_club


@pytest.fixture
def drawn(twice: Club, monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """Counts what is made from now on; it is made all the same."""
    counted, wave, index = Drawn(), render.render, render.render_index

    def one_more_wave(*given: object) -> dict[str, bytes]:
        counted.waves += 1
        return wave(*given)  # type: ignore[arg-type]

    def one_more_list(*given: object) -> dict[str, bytes]:
        counted.lists += 1
        return index(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(render, "render", one_more_wave)
    monkeypatch.setattr(render, "render_index", one_more_list)
    return counted


def test_nothing_is_drawn_again_where_nothing_changed(twice: Club, drawn: Drawn) -> None:
    before = contents(twice.home)
    for wave in twice.exports:
        twice.run(wave)
    assert drawn.since() == (0, 0) and contents(twice.home) == before


def test_a_wave_is_drawn_when_it_is_new_and_when_the_one_before_was_corrected(drawn: Drawn, tmp_path: Path) -> None:
    club = club_in(tmp_path)
    for wave in club.exports:
        club.run(wave)
        assert drawn.since() == (1, 1)
    club.exports["2026-01"] = write(tmp_path / "more.csv", rows(80))
    club.run("2026-01", correction="late answers")
    assert drawn.since() == (2, 1)


SPOILT: dict[str, tuple[Callable[[Club], object], tuple[int, int]]] = {
    "a page that somebody changed": (lambda club: (club.report / "index.html").write_text("mine"), (1, 0)),
    "a table that somebody removed": (lambda club: next((club.report / "tables").glob("*.csv")).unlink(), (1, 0)),
    "a file of somebody's own": (lambda club: (club.report / "mine.txt").write_text("mine"), (1, 0)),
    "a report that somebody removed": (lambda club: shutil.rmtree(club.report), (1, 0)),
    "a list that somebody changed": (lambda club: (club.report.parent / "index.html").write_text("mine"), (0, 1)),
    "something else beside the list": (lambda club: (club.report.parent / "mine.txt").write_text("mine"), (0, 0)),
    "no notes": (lambda club: shutil.rmtree(club.notes), (2, 1)),
}


@pytest.mark.parametrize(("spoil", "expected"), SPOILT.values(), ids=SPOILT.keys())
def test_what_does_not_lie_there_as_it_was_made_is_made_again(
    spoil: Callable[[Club], object], expected: tuple[int, int], twice: Club, drawn: Drawn
) -> None:
    before = contents(twice.home)
    spoil(twice)
    twice.run("2026-01")
    kept = {name: content for name, content in contents(twice.home).items() if name != "reports/club/mine.txt"}
    assert drawn.since() == expected and kept == before


def test_another_look_or_language_or_code_draws_everything_again(
    twice: Club, drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    (twice.instrument.parent / "theme.toml").write_text('[light]\nmark = "#3f5f00"\n', encoding="utf-8")
    twice.run("2026-01")
    assert drawn.since() == (2, 1)
    twice.run("2026-01", language="de")
    assert drawn.since() == (2, 1)
    monkeypatch.setattr(made_from, "code_digest", lambda: "newer")
    twice.run("2026-01", language="de")
    assert drawn.since() == (2, 1)
    twice.run("2026-01", language="de")
    assert drawn.since() == (0, 0)


def test_other_translations_draw_everything_again(twice: Club, drawn: Drawn) -> None:
    for pain in ("Schmerz", "Schmerzen"):
        words = f'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "Pain"\nmsgstr "{pain}"\n'
        (twice.instrument.parent / "de.po").write_text(words, encoding="utf-8")
        twice.run("2026-01", language="de")
        assert drawn.since() == (2, 1)
        assert pain in (twice.report / "index.html").read_text(encoding="utf-8")
    twice.run("2026-01", language="de")
    assert drawn.since() == (0, 0)


def test_whoever_asks_for_reports_again_gets_them_drawn(twice: Club, drawn: Drawn) -> None:
    before = contents(twice.home)
    assert call("report", "-i", twice.instrument, "--home", twice.home).code == 0
    assert drawn.since() == (2, 1) and contents(twice.home) == before


def test_two_places_for_reports_have_notes_of_their_own(twice: Club, drawn: Drawn, tmp_path: Path) -> None:
    for place, expected in (("one", (2, 1)), ("two", (2, 1)), ("one", (0, 0))):
        twice.run("2026-01", reports=tmp_path / place)
        assert drawn.since() == expected
    assert contents(tmp_path / "one") == contents(tmp_path / "two") == contents(twice.home / "reports")


def test_reports_that_are_moved_with_their_notes_are_not_drawn_again(twice: Club, drawn: Drawn, tmp_path: Path) -> None:
    shutil.copytree(twice.home / "reports", tmp_path / "moved")
    twice.run("2026-01", reports=tmp_path / "moved")
    assert drawn.since() == (0, 0)


def test_a_note_holds_nothing_but_names_and_hashes(twice: Club) -> None:
    notes = [json.loads(file.read_text(encoding="utf-8")) for file in twice.notes.rglob("*.json")]
    assert len(notes) == 3
    for note in notes:
        assert set(note) == {"made_from", "files"}
        assert all(len(value) == 64 and set(value) <= set("0123456789abcdef") for value in note["files"].values())
