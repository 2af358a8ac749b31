"""Layout: what the columns of an export mean to the tool that wrote it, in words that are the same for every tool.

What belongs here: the vocabulary in which `tools` describe an export and `ingest` reads it. What does not: any one tool's
habits (`tools`), and how bytes become cells (`files`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from survey_pipeline.texts import NO, YES

TICKED = YES | {"checked", "selected", "ticked", "x"}
UNTICKED = NO | {"unchecked", "not selected", "not ticked"}
"""Folded texts of an option's own column. A blank says nothing; the option's own text says ticked."""


class Part(StrEnum):
    """What a column holds."""

    ANSWER = "answer"
    """A whole answer to a question."""
    OPTION = "option"
    """Whether one option of a question was ticked."""
    OTHER = "other"
    """Free words beside an option such as "Other": never stored."""
    COMMENT = "comment"
    """Free words beside an answer: never stored."""
    TOOL = "tool"
    """The tool's own: response ids, times, addresses, states."""


@dataclass(frozen=True)
class Mark:
    """Rows in which the cell of one column is one of some texts (folded; "" is a blank cell); if `turned`, none of them."""

    place: int
    texts: frozenset[str]
    turned: bool = False


@dataclass(frozen=True)
class Column:
    """One column of an export.

    `heading` is shown to people and differs from all others of the export. `names` are all texts by which an instrument may
    know the column as a whole: its code, its question, both joined, an import id. A column of one option also says which
    question and which option it belongs to, each by all its texts (code and label).
    """

    heading: str
    names: tuple[str, ...]
    part: Part = Part.ANSWER
    question: tuple[str, ...] = ()
    option: tuple[str, ...] = ()
    seen: Mark | None = None
    """Where an unticked option was surely seen. None: a written "0" says so itself."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Codes and what they stand for, where the file itself says so (SPSS, Stata)."""
    missing: frozenset[str] = frozenset()
    """Texts that mean "no answer" in this column: user-missing values, -99 ..."""


@dataclass(frozen=True)
class Layout:
    """How one export is laid out, and why it is thought to be so."""

    tool: str
    header_rows: int
    columns: tuple[Column, ...]
    because: str
    """One clause, such as "the first heading is 'Timestamp', as Google Forms writes it"."""
    unfinished: tuple[Mark, ...] = ()
    """Rows that were begun and not handed in: any of these marks."""
    preview: tuple[Mark, ...] = ()
    """Trial answers of the survey's makers."""
    repeated: tuple[Mark, ...] = ()
    """Rows that are repeated entries of a person and not a person: any of these marks."""
    event: int | None = None
    """The place of the column that says at which event of a longitudinal survey a row was answered."""
    submitted: int | None = None
    """The place of the time at which a row was handed in."""
    token: int | None = None
    """The place of the tool's own mark of a response or an invitation."""
    missing: frozenset[str] = frozenset()
    """Texts that the tool writes for "no answer" in any column."""
