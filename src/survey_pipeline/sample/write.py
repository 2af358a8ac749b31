"""Write a sample: people are drawn chunk by chunk, and handed on to be written as a survey tool would.

What belongs here: the file, and what it cannot be. What does not: what people answer (`chunk`), what is counted of it
(`tallied`), and what an export looks like (`layouts`, `files`).
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from survey_pipeline.errors import WrongUsage
from survey_pipeline.instrument import Instrument
from survey_pipeline.names import Exclusion
from survey_pipeline.sample import diaries
from survey_pipeline.sample.chunk import chunks
from survey_pipeline.sample.files import MOST_EXCEL_ROWS, Container
from survey_pipeline.sample.layouts import LAYOUTS, TOOLS, Tool
from survey_pipeline.sample.plan import SamplePlan
from survey_pipeline.sample.population import Population, unknown
from survey_pipeline.sample.sent import Sent
from survey_pipeline.sample.tallied import SampleSummary, Tallied


def write_sample(
    instrument: Instrument, plan: SamplePlan, wave: str, rows: int, seed: int, out: Path, tool: str = "google_forms"
) -> SampleSummary:
    """Write an invented export with exactly `rows` rows of people to `out`, and say what was planted in it.

    Entries of diaries are further rows below those. The same arguments always give the same bytes. The last column says in
    every row that the answers are invented. Raises `WrongUsage` for a tool that cannot be imitated, a number of rows that is
    negative or too large for the kind of file, a name that does not fit the kind of file, and where `out` is a folder.
    """
    layout = _layout(tool)
    _refuse_wrong_usage(rows, layout.container, out)
    people = Population(instrument, plan, wave)
    n_entries = _n_entries(people, rows, seed)
    _refuse_wrong_usage(rows + n_entries, layout.container, out)
    out.parent.mkdir(parents=True, exist_ok=True)
    tallied = Tallied(Counter({Exclusion.REPEATED_ENTRY.value: n_entries}))
    unfinished = out.with_name(out.name + ".part")
    sent = _sent(people, rows, seed, tallied)
    layout.container.write(unfinished, ((list(layout.columns(part, instrument)), part.order) for part in sent))
    unfinished.replace(out)
    return tallied.summary(out.name, rows + n_entries)


def _n_entries(people: Population, rows: int, seed: int) -> int:
    """How many entries everybody writes."""
    if not diaries.are_kept(people.instrument, people.plan):
        return 0
    return sum(int(diaries.n_entries(chunk).sum()) for chunk in chunks(people, rows, seed))


def _sent(people: Population, rows: int, seed: int, tallied: "Tallied") -> Iterator[Sent]:
    """What everybody sent, then their diaries: people's own rows stand where they would without any."""
    yield from (chunk.sent(tallied) for chunk in chunks(people, rows, seed))
    if diaries.are_kept(people.instrument, people.plan):
        yield from diaries.all_sent(chunks(people, rows, seed), rows)


def _layout(tool: str) -> Tool:
    if tool not in TOOLS:
        raise unknown("tool to imitate called", tool, TOOLS)
    return LAYOUTS[tool]


def _refuse_wrong_usage(rows: int, container: Container, out: Path) -> None:
    if rows < 0:
        raise WrongUsage("A sample cannot have fewer than 0 rows.", "Give a number of rows from 0 up.")
    if rows > container.most_rows:
        raise WrongUsage(
            f"An Excel sheet holds at most {MOST_EXCEL_ROWS:,} rows, the headings included.",
            "Ask for fewer rows, or for another tool's format.",
        )
    if out.is_dir():
        raise WrongUsage(f"'{out.name}' is a folder.", "Name a file for the sample, such as sample.csv.")
    if container.suffix and out.suffix.lower() != container.suffix:
        raise WrongUsage(
            f"'{out.name}' would hold another kind of file than its name says.",
            f"Name the file so that it ends with {container.suffix}.",
        )
