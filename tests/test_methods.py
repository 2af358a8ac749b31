"""The document of methods is true: examples give what it says, named code is there, no statistic of a release is missing."""

import doctest
import importlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from builders import community, item, options, percent, scale, survey

from survey_pipeline import names
from survey_pipeline.count import tally
from survey_pipeline.estimate import COMPARISONS_SCHEMA, LADDER, TESTS_SCHEMA, compare, estimate, lines
from survey_pipeline.instrument import Instrument
from survey_pipeline.person_weeks import PERSON_WEEK_MEAN, PERSON_WEEKS

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "methods.md"
FORMS = ("citrate", "oxide", "none")
SHARED_EXAMPLES = "What all numbers have in common"
"""The section whose examples define what all later ones use."""
TOLD = ("Formula", "Denominator", "Assumptions", "At the edges", "Source")
LEFT_UNTOLD: dict[str, list[str]] = {
    "The curve of improvements": ["At the edges"],  # with the assumptions, in one line
    "Isotonic line": ["Denominator"],  # of drawings
    "What is published": ["Formula", "Denominator", "Assumptions", "At the edges"],  # rules, in a table
}
"""What each section of a formula tells, and which sections have their reason not to."""


@dataclass(frozen=True)
class Section:
    """A part of the document from one heading to the next of any level."""

    title: str
    line: int
    text: str

    @property
    def examples(self) -> str:
        """The lines of the section's Python blocks; all others are empty, so that line numbers are the document's."""
        inside, kept = False, []
        for line in self.text.splitlines():
            if line.startswith("```"):
                inside = line == "```python"
                kept.append("")
            else:
                kept.append(line if inside else "")
        return "\n".join(kept) + "\n"


def sections(text: str) -> list[Section]:
    """Every section of a document; headings inside blocks are no headings."""
    found: list[tuple[str, int, list[str]]] = [("", 0, [])]
    inside = False
    for number, line in enumerate(text.splitlines()):
        inside ^= line.lstrip().startswith("```")
        if not inside and re.match(r"#{1,6} ", line):
            found.append((line.lstrip("# "), number, []))
        found[-1][2].append(line)
    return [Section(title, line, "\n".join(lines)) for title, line, lines in found if title]


@cache
def document() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def with_examples(text: str) -> list[Section]:
    return [section for section in sections(text) if ">>>" in section.examples]


# --- Examples -----------------------------------------------------------------------------------------------------------


def failures(section: Section, namespace: dict[str, Any]) -> tuple[str, int]:
    """What doctest says of a section's examples that do not give what is written, and how many examples there are.

    The names that the examples define stay in `namespace`.
    """
    test = doctest.DocTestParser().get_doctest(section.examples, namespace, section.title, str(DOCUMENT), section.line)
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False)
    namespace.update(test.globs)
    return "".join(said), result.attempted


def run_all(text: str) -> dict[str, tuple[str, int]]:
    """Failures and number of examples by section, in the order of reading: later sections use the names of earlier ones."""
    namespace: dict[str, Any] = {}
    return {section.title: failures(section, namespace) for section in with_examples(text)}


@cache
def outcome() -> dict[str, tuple[str, int]]:
    return run_all(document())


@pytest.mark.parametrize("title", [section.title for section in with_examples(document())])
def test_every_example_gives_what_is_written(title: str) -> None:
    said, n_examples = outcome()[title]
    assert not said, said
    assert n_examples


def test_a_wrong_example_is_found() -> None:
    shared = next(section.text for section in sections(document()) if section.title == SHARED_EXAMPLES)
    right = "\n\n## Shares\n\n```python\n>>> statistics.share(3, 10).estimate\n0.3\n\n```\n"
    assert not run_all(shared + right)["Shares"][0]
    assert "Expected:" in run_all(shared + right.replace("\n0.3\n", "\n0.31\n"))["Shares"][0]
    assert "NameError" in run_all(right)["Shares"][0]


def test_no_example_stands_where_it_is_not_run() -> None:
    written = sum(line.lstrip().startswith(">>> ") for line in document().splitlines())
    assert written == sum(n_examples for _, n_examples in outcome().values())
    assert written > 60


# --- Sections -----------------------------------------------------------------------------------------------------------


def of_formulas() -> list[Section]:
    """The sections that tell how something is worked out."""
    return [section for section in sections(document()) if "**In the files:**" in section.text]


@pytest.mark.parametrize("section", of_formulas(), ids=lambda section: section.title)
def test_every_formula_has_a_worked_example_and_its_conditions(section: Section) -> None:
    assert ">>>" in section.examples
    assert "- **Code:** `survey_pipeline." in section.text
    assert [part for part in TOLD if f"- **{part}" not in section.text] == LEFT_UNTOLD.get(section.title, [])


@pytest.mark.parametrize("section", sections(document())[1:], ids=lambda section: section.title)
def test_every_section_begins_in_plain_words(section: Section) -> None:
    begins = section.text.splitlines()[2].startswith("**In plain words.** ")
    assert begins or section.title in {"Where to find what", "Sources"}


def test_there_are_sections_of_formulas() -> None:
    assert len(of_formulas()) >= 24
    assert set(LEFT_UNTOLD) <= {section.title for section in of_formulas()}


# --- Names of code ------------------------------------------------------------------------------------------------------


def code_names(text: str) -> list[str]:
    return sorted(set(re.findall(r"`(survey_pipeline(?:\.\w+)+)`", text)))


def resolve(dotted: str) -> Any:
    """What a dotted name stands for: the longest part of it that is a module, and attributes of it."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for name in parts[end:]:
            found = getattr(found, name)
        return found
    raise ModuleNotFoundError(dotted)


@pytest.mark.parametrize("name", code_names(document()))
def test_named_code_exists(name: str) -> None:
    assert callable(resolve(name)), name


def test_code_that_does_not_exist_is_found() -> None:
    assert code_names("see `survey_pipeline.statistics.sharre`, and `share`") == ["survey_pipeline.statistics.sharre"]
    with pytest.raises(AttributeError):
        resolve("survey_pipeline.statistics.sharre")
    with pytest.raises(ImportError):
        resolve("survey_pipelines.share")


# --- Where intervals fall short -------------------------------------------------------------------------------------------


def shortfalls(page: str) -> dict[str, tuple[float, int]]:
    """By statistic: the lowest coverage in per cent, and the greatest number of people with any too low."""
    found: dict[str, list[tuple[float, int]]] = {}
    for name, n, coverage in re.findall(r"^- (\w+), .*?, ([\d,]+) people: ([\d.]+) % \(", page, flags=re.MULTILINE):
        found.setdefault(name, []).append((float(coverage), int(n.replace(",", ""))))
    return {name: (min(c for c, _ in seen), max(n for _, n in seen)) for name, seen in found.items()}


def test_every_shortfall_of_the_simulations_is_stated() -> None:
    simulated = shortfalls((ROOT / "docs" / "simulations.md").read_text(encoding="utf-8"))
    section = next(each.text for each in sections(document()) if each.title == "Where intervals fall short")
    stated = re.findall(r"^\| `(\w+)` \| ([\d.]+) % \| (\d+) \|$", section, flags=re.MULTILINE)
    assert simulated
    assert {name: (float(coverage), int(n)) for name, coverage, n in stated} == simulated


# --- Links --------------------------------------------------------------------------------------------------------------


def anchors(text: str) -> Iterator[str]:
    """How GitHub names the headings."""
    for section in sections(text):
        yield re.sub(r"[^\w\- ]", "", section.title.lower()).replace(" ", "-")


def test_links_lead_somewhere() -> None:
    links = set(re.findall(r"\]\(([^)\s]+)\)", document()))
    inside = {link.removeprefix("#") for link in links if link.startswith("#")}
    assert len(inside) > 15
    assert inside <= set(anchors(document()))
    assert len(set(anchors(document()))) == len(sections(document()))
    files = {link for link in links if not link.startswith(("#", "http"))}
    assert {"agreement.md", "simulations.md", "weights.md", "diary.md", "doses.md"} <= files
    assert not [link for link in files if not there(link)]
    assert not there("proof.md#no-such-heading") and not there("no-such-page.md")


def there(link: str) -> bool:
    """Whether a page beside this one exists, and has the heading if the link names one."""
    name, _, heading = link.partition("#")
    page = DOCUMENT.parent / name
    return page.exists() and (not heading or heading in anchors(page.read_text("utf-8")))


# --- Names of statistics ------------------------------------------------------------------------------------------------


def survey_with_everything() -> Instrument:
    """A small survey that has every kind of outcome, a comparison level, limits, a band, and a table of counts."""
    two_points = {"name": "two_points", "label": "2 points better", "source": "test", "points": 2}
    limit = {"code": "high", "label": "Over 250", "above": 250, "source": "test"}
    oxide = {"code": "oxide", "texts": ["oxide"], "elemental_percent": [60.3]}
    found = survey(
        form=item("Form", "choice", "exposure", options=options(*FORMS), comparison="none"),
        dose=survey().items["dose"].model_dump() | {"limits": [limit], "readings": "dose_in_words"},
        dose_in_words=item("Dose in words", "dose", "detail", compounds=[oxide]),
        pain=scale(
            "Pain",
            baseline="pain_before",
            better="lower",
            primary=True,
            thresholds=[percent("responder_30", 30, primary=True), two_points],
            responder_curve=[10, 20, 30],
            retest={"lowest": 0.4, "highest": 0.8, "source": "test"},
        ),
    )
    counts = {"name": "counted", "title": "Counted", "exposure": "form", "outcomes": ["stopped"], "shows": "counts"}
    tables = [*(table.model_dump() for table in found.tables), counts]
    return Instrument.model_validate(found.model_dump() | {"tables": tables})


def with_words(answers: pl.DataFrame) -> pl.DataFrame:
    """The answers with doses in words beside them, which do not say which weight is meant."""
    dose = pl.col("dose")
    parts = {
        "low_mg_per_day": 0.603 * dose,
        "high_mg_per_day": dose,
        "written_low_mg_per_day": dose,
        "written_high_mg_per_day": dose,
        "basis": pl.when(dose.is_not_null()).then(pl.lit("unknown")),
        "rule": pl.when(dose.is_not_null()).then(pl.lit("plain_amount")),
        "compound": pl.when(dose.is_not_null()).then(pl.lit("oxide")),
    }
    return answers.with_columns(part.alias(f"dose_in_words__{name}") for name, part in parts.items())


@cache
def released() -> frozenset[str]:
    """Every statistic that a release of the survey can hold."""
    instrument = survey_with_everything()
    forms = np.random.default_rng(7).choice(FORMS, 600)
    counted = tally(with_words(community(600, seed=7)).with_columns(form=pl.Series(forms)), instrument)
    rows = estimate(counted, instrument)
    frames = (rows, compare(rows, instrument, {}), lines.tested_lines(counted, rows, instrument, {}))
    return frozenset({PERSON_WEEK_MEAN, PERSON_WEEKS}.union(*(frame[names.STATISTIC] for frame in frames)))


def documented(text: str) -> set[str]:
    """The names that sections say to be in the files; parts in angle brackets stand for something."""
    lists = re.findall(r"- \*\*In the files:\*\* ((?:`[^`]+`(?:,\s+)?)+)", text)
    return {name for each in lists for name in re.findall(r"`([^`]+)`", each)}


def undocumented(statistics: Iterable[str], text: str, instrument: Instrument) -> set[str]:
    """Statistics that no section describes."""
    thresholds = "|".join(t.name for item in instrument.items.values() for t in item.thresholds)
    rules = "|".join(
        re.escape(name).replace("<threshold>", f"(?:{thresholds})").replace("<percent>", r"\d+")
        for name in documented(text)
    )
    return {statistic for statistic in statistics if not re.fullmatch(rules, statistic)}


def test_every_statistic_of_a_release_is_described() -> None:
    assert len(released()) >= 18
    assert undocumented(released(), document(), survey_with_everything()) == set()


def test_a_statistic_that_is_not_described_is_found() -> None:
    instrument = survey_with_everything()
    without = document().replace("- **In the files:** `median`, ", "- **In the files:** ")
    assert undocumented(released(), without, instrument) == {"median"}
    assert undocumented({"responder_99", "improved_ten", "mean"}, document(), instrument) == {
        "responder_99",
        "improved_ten",
    }


def test_every_described_statistic_is_in_some_release() -> None:
    whole = {name for name in documented(document()) if "<" not in name}
    assert whole - released() == set()


def test_the_columns_of_comparisons_and_tests_are_described() -> None:
    words = {*COMPARISONS_SCHEMA, *TESTS_SCHEMA} - set(names.TIDY_COLUMNS) - {"n_levels", "test_statistic", "p_value"}
    assert len(words) == 9
    assert [word for word in sorted(words) if f"`{word}`" not in document()] == []


def test_the_ladder_is_the_one_that_is_written() -> None:
    *most, last = (f"{step:g}" for step in LADDER)
    assert f"{', '.join(most)} or {last}" in document()


def test_the_table_of_questions_names_every_statistic() -> None:
    table = next(section for section in sections(document()) if section.title == "Where to find what").text
    for name in documented(document()):
        example = name.replace("<threshold>", "responder_30").replace("<percent>", "10")
        assert f"`{example}`" in table or name in {"difference_mean", "difference_<threshold>"}, name
