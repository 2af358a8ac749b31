"""The words of the project, spelt once: columns, statuses, statistics and rules.

What belongs here: names that more than one room uses, or that stand in a published file. What does not: anything that
computes, and words that only one module needs.
"""

from enum import StrEnum
from typing import Final

INSTRUMENT: Final = "instrument"
WAVE: Final = "wave"
TABLE: Final = "table"
EXPOSURE: Final = "exposure"
LEVEL: Final = "level"
OUTCOME: Final = "outcome"
STATISTIC: Final = "statistic"
ESTIMATE: Final = "estimate"
STANDARD_ERROR: Final = "standard_error"
CI_LOWER: Final = "ci_lower"
CI_UPPER: Final = "ci_upper"
N_RESPONDENTS: Final = "n_respondents"
N_MISSING: Final = "n_missing"
STATUS: Final = "status"
PROVENANCE: Final = "provenance"

TIDY_COLUMNS: Final = (
    INSTRUMENT,
    WAVE,
    TABLE,
    EXPOSURE,
    LEVEL,
    OUTCOME,
    STATISTIC,
    ESTIMATE,
    STANDARD_ERROR,
    CI_LOWER,
    CI_UPPER,
    N_RESPONDENTS,
    N_MISSING,
    STATUS,
)
"""The columns of every published table, in order; `provenance` and `method` follow them in files."""

NUMBERS: Final = (ESTIMATE, STANDARD_ERROR, CI_LOWER, CI_UPPER, N_RESPONDENTS, N_MISSING)
"""What is empty in a suppressed row."""

N_ASIDE: Final = "n_aside"
"""How many answered and could not be counted, as they began at 0; exact tables only, never published."""
N_MISSING_BEFORE: Final = "n_missing_before"
N_MISSING_NOW: Final = "n_missing_now"
"""Of an outcome asked before and now, how many left either out; exact tables only, never published."""
BASELINE_VALUE: Final = "baseline_value"
FOLLOW_UP_VALUE: Final = "follow_up_value"
N_EVENTS: Final = "n_events"
"""How many of the respondents a share counts; exact tables only, never published."""

RECORD: Final = "record"
"""A row's number in its export, from 1, headings not counted."""
EXPORT: Final = "export"
ITEM: Final = "item"
RULE: Final = "rule"
VALUE: Final = "value"
WHOLE_ROW: Final = "whole_row"
WHOLE_RECORD: Final = "(row)"
"""Stands where an item would, for a row whose cells cannot be told apart."""

ALL_LEVELS: Final = "all"
"""The level that stands for everybody asked, in every table."""
NOT_STATED: Final = "not_stated"
NOT_APPLICABLE: Final = "not_applicable"
NOTHING_TICKED: Final = "(nothing ticked)"
"""Of a question with a column an option: seen, and none of them ticked. Not the same as not answered."""
NOT_A_TICK: Final = "(not a tick)"
"""Stands before what an option's own column holds if it says neither yes nor no: such an answer is refused."""
OTHER: Final = "other"
"""The code of the option that stands for what people wrote in their own words."""
RESPONDENT: Final = "respondent"
"""The column of responses by which rows of one person are known: a keyed hash of their code, null where they gave none."""
RESPONDENTS: Final = "respondents"
"""The outcome of the table of who answered: simply being there."""
WHO_ANSWERED: Final = "who_answered"
EVERYBODY: Final = "everybody"
"""The exposure of tables that are not cut into levels."""
WEIGHT: Final = "weight of the answer"
"""How much an answer counts, in surveys with weights: a column of batches. With spaces, as no item can be called."""
SUM_OF_WEIGHTS: Final = "sum_of_weights"
SUM_OF_SQUARED_WEIGHTS: Final = "sum_of_squared_weights"
READING_LABEL_ELEMENTAL: Final = "label_elemental"
READING_COMPOUND: Final = "compound"
READING_WORST_CASE: Final = "worst_case"
CROSSED: Final = "__x__"
"""Between two codes: people who are in both of these levels, each of its own exposure."""
COMPARED_WITH: Final = "compared_with"
N_COMPARED: Final = "n_compared"
P_VALUE: Final = "p_value"
ITEM_NONRESPONSE: Final = "item_nonresponse"
"""The table of how many left each question out."""


class Status(StrEnum):
    """What may be said of a row, the strongest word first."""

    SUPPRESSED = "suppressed"
    NOT_ASKED = "not_asked"
    UNRELIABLE = "unreliable"
    MERGED = "merged"
    OK = "ok"


class Rule(StrEnum):
    """Why a value or a row was refused. The steward reads these words; so does the quality page."""

    UNKNOWN_OPTION = "unknown_option"
    SEVERAL_ANSWERS = "several_answers"
    CONTRADICTORY_ANSWERS = "contradictory_answers"
    NOT_A_NUMBER = "not_a_number"
    AMBIGUOUS_NUMBER = "ambiguous_number"
    """Such as 23.824: twenty-three and a bit, or twenty-three thousand."""
    NOT_A_DATE = "not_a_date"
    AMBIGUOUS_DATE = "ambiguous_date"
    NO_AMOUNT = "no_amount"
    """A dose in words without any amount."""
    NO_STRENGTH = "no_strength"
    """Tablets or spoons, and nothing says how much is in one."""
    NO_DAILY_AMOUNT = "no_daily_amount"
    """An amount, but not how much that is a day."""
    SEVERAL_AMOUNTS = "several_amounts"
    UNKNOWN_UNIT = "unknown_unit"
    OUT_OF_RANGE = "out_of_range"
    NOT_ON_SCALE = "not_on_scale"
    REQUIRED_MISSING = "required_missing"
    OTHER_TEXT = "other_text"
    """Own words beside "other": the answer counts as "other", and the words are for the steward only."""
    IRREGULAR_RECORD = "irregular_record"
    """A row of the file whose cells cannot be told apart for certain."""


class Exclusion(StrEnum):
    """Why a sound row is left out: the rule is declared in the instrument."""

    NO_CONSENT = "no_consent"
    IDENTICAL_ROW = "identical_row"
    SAME_RESPONDENT = "same_respondent"
    EMPTY_ROW = "empty_row"
    UNFINISHED = "unfinished"
    PREVIEW = "preview"
    """A trial answer of the people who made the survey."""
    SAME_TOKEN = "same_token"
    SAME_ANSWERS_SOON = "same_answers_soon"
    REPEATED_ENTRY = "repeated_entry"
    """A repeated entry of a person, such as a diary's: not a person of its own."""
    OTHER_EVENT = "other_event"
    KEPT_OUT = "kept_out"
    """By the steward, in the cleaning log."""
    WITHDRAWN = "withdrawn"
    """The person has taken their answers back."""


WAVE_PATTERN: Final = r"^[0-9]{4}(-(0[1-9]|1[0-2])|-Q[1-4]|-W(0[1-9]|[1-4][0-9]|5[0-3]))?$"
"""A year, a month, a quarter or a week."""

INVENTED_HEADING: Final = "INVENTED DATA (made by survey-pipeline sample)"
"""The column by which a generated export says what it is; whatever is made from it says so too."""
INVENTED: Final = "invented data"
REAL: Final = "survey answers"


def option_column(item: str, option: str) -> str:
    """The column (and outcome) that says whether one option of an item was chosen."""
    return f"{item}__{option}"
