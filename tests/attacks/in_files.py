"""In files: what somebody finds who looks through everything that is published or said, but the tables themselves.

What belongs here: one function an attack, on rendered files, names of files, messages, pages for the steward and a
repository. What does not: arithmetic (`by_hand`).
"""

import os
import re
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

from attacks.by_hand import Found

Files = Mapping[str, bytes]
DRAWN = ("text", "tspan", "title")
"""Elements of a drawing that are read, or shown as a tooltip."""
SAID = ("desc", "figcaption")
"""Elements that are read aloud instead of a drawing."""
SAID_BY = ("alt", "aria-label", "aria-description")
TOOLTIPS = ("title",)


# --- Charts -------------------------------------------------------------------------------------------------------------


class _Reader(HTMLParser):
    """Takes from a page or a drawing the texts within some elements, and some attributes."""

    def __init__(self, elements: Collection[str], attributes: Collection[str], *, data: bool = False) -> None:
        super().__init__()
        self.elements, self.attributes, self.data = elements, attributes, data
        self.texts: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within += [tag] if tag in self.elements else []
        for name, value in attrs:
            if name in self.attributes or (self.data and name.startswith("data-")):
                self.texts.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._within:
            self._within.remove(tag)

    def handle_data(self, data: str) -> None:
        self.texts += [data] if self._within else []


def chart_data(files: Files, numbers: Sequence[str]) -> Found:
    """Numbers of a hidden row among what a drawing says, in its tooltips, and in data and scripts embedded for it."""
    return list(_found(files, numbers, _Reader((*DRAWN, "script", "metadata"), TOOLTIPS, data=True)))


def alt_text(files: Files, numbers: Sequence[str]) -> Found:
    """Numbers of a hidden row in what is said instead of a drawing."""
    return list(_found(files, numbers, _Reader(SAID, SAID_BY))) + list(_in_images(files, numbers))


def _found(files: Files, numbers: Sequence[str], reader: _Reader) -> Iterator[str]:
    for name, data in files.items():
        if name.endswith((".html", ".svg")):
            reader.texts.clear()
            reader.feed(data.decode())
            yield from (f"{name}: {number}" for number in numbers if _is_in(number, " ".join(reader.texts)))


def _in_images(files: Files, numbers: Sequence[str]) -> Iterator[str]:
    """The texts of images in the newsletter."""
    said = " ".join(re.findall(r"!\[(.*?)\]\(", files["newsletter.md"].decode(), re.DOTALL))
    yield from (f"newsletter.md: {number}" for number in numbers if _is_in(number, said))


def _is_in(number: str, text: str) -> bool:
    return re.search(rf"(?<![\d.]){re.escape(number)}(?![\d])", text) is not None


def downloads(files: Files, numbers: Sequence[str]) -> Found:
    """Numbers of a hidden row in the files for analysts."""
    data = {name: text.decode() for name, text in files.items() if name.endswith((".csv", ".json"))}
    return [f"{name}: {number}" for name, text in data.items() for number in numbers if _is_in(number, text)]


# --- Names, messages, pages ---------------------------------------------------------------------------------------------


def file_names(names: Collection[str], levels: Collection[str], counts: Collection[int]) -> Found:
    """Names of files that say in which group somebody is, or how many there are."""
    words = [*levels, *map(str, counts)]
    return [
        f"{name}: {word}"
        for name in sorted(names)
        for word in words
        if re.search(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])", Path(name).stem, re.IGNORECASE)
    ]


def words_of_a_respondent(texts: Mapping[str, str], marker: str) -> Found:
    """Somebody's own words, in what was said or written for others than the steward."""
    return [where for where, text in texts.items() if marker in text]


# --- Git ----------------------------------------------------------------------------------------------------------------

PRIVATE = (
    "warehouse/responses/_delta_log/00000000000000000000.json",
    "reports/club/2026-01/release.json",
    "exports/club.csv",
    "review/1/rows.csv",
)
"""What a run leaves in the folder of the project, and an export that lies there."""
IGNORED = (Path(__file__).parents[2] / ".gitignore").read_text(encoding="utf-8")


def git_history(folder: Path) -> Found:
    """Put all that lies in the project's folder into a repository, as many do: what would stay in its history for good?"""
    for name in PRIVATE:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("7 of 9", encoding="utf-8")
    (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
    for command in (("init", "-q"), ("-c", "core.excludesFile=", "add", "-A")):
        _git(folder, *command)
    return [name for name in _git(folder, "ls-files").splitlines() if name != ".gitignore"]


def _git(folder: Path, *command: str) -> str:
    # Within a hook, these would lead git to the project's own repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    program = ["git", "-C", str(folder), *command]
    return subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout
