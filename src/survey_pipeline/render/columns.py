"""Columns: what each column of the published tables holds, in words.

What belongs here: a heading, a meaning and what an empty cell means, once for the workbook, the data package and the schema
of `release.json`. What does not: numbers, and the columns' order (`names`, `release`).
"""

from dataclasses import dataclass
from typing import Final

from survey_pipeline import names
from survey_pipeline.language import later
from survey_pipeline.render.estimators import METHOD


@dataclass(frozen=True)
class Column:
    """One column: its heading for readers, what it holds (shape and units), and when it is empty in a row that is shown."""

    heading: str
    about: str
    empty: str = ""


HIDDEN_NUMBERS: Final = later("All numbers of a row are empty where its status is suppressed or not_asked.")
COLUMNS: Final = {
    names.INSTRUMENT: Column(later("Survey"), later("The code of the survey.")),
    names.WAVE: Column(
        later("Wave"), later("When people were asked: a year, month, quarter or week, such as 2026-03.")
    ),
    names.TABLE: Column(later("Table"), later("The code of the table, which is also the name of its file.")),
    names.EXPOSURE: Column(
        later("Grouped by"),
        later("What people are told apart by: a question, two questions crossed, or nothing (everybody, respondents)."),
    ),
    names.LEVEL: Column(
        later("Group"),
        later("The group: an answer, or several put together. In the files “all” is everybody who was asked."),
    ),
    names.COMPARED_WITH: Column(
        later("Compared with"), later("The other group. A difference is the first group's number minus this one's.")
    ),
    names.OUTCOME: Column(later("Outcome"), later("The question that was answered, or one answer to it.")),
    names.STATISTIC: Column(later("Statistic"), later("What was worked out of the answers.")),
    names.ESTIMATE: Column(
        later("Estimate"),
        later(
            "The number itself. A share is a fraction from 0 to 1. An average is in the units of its question. "
            "A change is now minus before, so a fall has a minus."
        ),
    ),
    names.STANDARD_ERROR: Column(
        later("Standard error"),
        later("The standard error of the estimate, in the same units."),
        later("Medians, quartiles, counts, correlations and what might be expected anyway have none."),
    ),
    names.CI_LOWER: Column(
        later("Lower end"),
        later("The lower end of the 95 % confidence interval. Of what might be expected anyway: of that band."),
        later("Counts have none, nor have numbers for which the survey's design gives none."),
    ),
    names.CI_UPPER: Column(
        later("Upper end"),
        later("The upper end of the 95 % confidence interval. Of what might be expected anyway: of that band."),
        later("Counts have none, nor have numbers for which the survey's design gives none."),
    ),
    names.N_RESPONDENTS: Column(
        later("People"),
        later("How many people the number rests on, rounded. Whoever answered twice is one person."),
        later("It is left out of tests under other readings of a dose."),
    ),
    names.N_COMPARED: Column(
        later("People compared with"), later("How many people are in the group compared with, rounded.")
    ),
    names.N_MISSING: Column(
        later("Left out"),
        later("How many people of the group left the question out, rounded."),
        later("Nobody did, or too few to be counted."),
    ),
    "test_statistic": Column(
        later("Test statistic"),
        later("The value of the test statistic."),
        later("It is never published, since answers could be worked out from it."),
    ),
    "degrees_of_freedom": Column(
        later("Degrees of freedom"), later("The degrees of freedom of the test."), later("Not every test has them.")
    ),
    "degrees_of_freedom_2": Column(
        later("Second degrees of freedom"),
        later("The second degrees of freedom of the test."),
        later("They are never published, since answers could be worked out from them."),
    ),
    names.P_VALUE: Column(
        later("p-value"),
        later(
            "How often chance alone would bring groups at least as far apart, if they did not differ: from 0 to 1, "
            "rounded up, so read it as “at most”."
        ),
        later("Where nothing was tested."),
    ),
    "direction": Column(
        later("Direction"),
        later("Where the outcome's number goes with more of a dose: up, down or flat."),
        later("Only tests along a dose have one."),
    ),
    "n_levels": Column(
        later("Groups"),
        later("How many groups were tested together."),
        later("It is left out of tests under other readings of a dose."),
    ),
    "family": Column(
        later("Family of tests"),
        later("The tests that are corrected for each other: primary (declared beforehand) or grid (all others)."),
        later("Where nothing was tested."),
    ),
    "family_size": Column(
        later("Tests in the family"), later("How many tests the family holds."), later("Where nothing was tested.")
    ),
    "p_adjusted": Column(
        later("Adjusted p-value"),
        later("The p-value after allowing for all tests of the family, rounded up."),
        later("Where nothing was tested."),
    ),
    "adjustment": Column(
        later("Adjustment"),
        later("How p-values were adjusted: holm, or benjamini_hochberg."),
        later("Where nothing was tested."),
    ),
    names.STATUS: Column(
        later("Status"), later("What may be said of the row: ok, merged, unreliable, suppressed or not_asked.")
    ),
    names.PROVENANCE: Column(
        later("Data"), later("What the numbers were made from: survey answers, or invented data.")
    ),
    METHOD: Column(
        later("Method"), later("The short name of the method behind the number, in English in every language.")
    ),
}
"""Every column of every published table, by its name in the files."""


def described(name: str) -> str:
    """What a column holds and when it is empty, in English, for what machines read."""
    column = COLUMNS[name]
    return f"{column.about} Empty in a row that is shown: {column.empty}" if column.empty else column.about
