"""What the cleaning log says in plain words: how to fill it in, and what each rule means.

What belongs here: sentences for volunteers, and the words they may write. What does not: anything that computes.
"""

from collections.abc import Mapping
from typing import Final

from survey_pipeline.corrections import Action
from survey_pipeline.names import Rule

ACTIONS: Final[Mapping[str, Action]] = {
    "set to": Action.SET_TO,
    "drop": Action.DROP,
    "keep out": Action.KEEP_OUT,
    "take back": Action.TAKE_BACK,
}
"""What may be written under `what_to_do`."""
WORDS: Final[Mapping[str, str]] = {str(action): word for word, action in ACTIONS.items()}

MEANINGS: Final[Mapping[str, str]] = {
    Rule.UNKNOWN_OPTION.value: "This is none of the answers that the question offers.",
    Rule.SEVERAL_ANSWERS.value: "Several answers were given where only one counts.",
    Rule.CONTRADICTORY_ANSWERS.value: "The answers exclude each other, such as 'none' together with something else.",
    Rule.NOT_A_NUMBER.value: "A number was asked for, and this is not plainly one.",
    Rule.AMBIGUOUS_NUMBER.value: "This number can be read in two ways: 1.234 may be one and a bit, or more than a thousand.",
    Rule.NOT_A_DATE.value: "A date was asked for, and this is not plainly one.",
    Rule.AMBIGUOUS_DATE.value: "This date can be read in two ways: 3/4/2026 may be in March or in April.",
    Rule.NO_AMOUNT.value: "A dose was asked for, and no amount is given.",
    Rule.NO_STRENGTH.value: "Tablets or spoons are given, but not how much is in one.",
    Rule.NO_DAILY_AMOUNT.value: "An amount is given, but not how much that is a day.",
    Rule.SEVERAL_AMOUNTS.value: "Several amounts are given, and nothing says which of them counts.",
    Rule.UNKNOWN_UNIT.value: "The amount is in a unit that is not known here.",
    Rule.OUT_OF_RANGE.value: "The number is lower or higher than an answer can be.",
    Rule.NOT_ON_SCALE.value: "The number lies between two steps of the scale.",
    Rule.REQUIRED_MISSING.value: "This answer is needed, and nothing was given.",
    Rule.OTHER_TEXT.value: "Own words were written beside 'other'. It counts as 'other' unless you set it to something else.",
    Rule.IRREGULAR_RECORD.value: "The cells of this row cannot be told apart. Only the export itself can be mended.",
}

ROW_SET_ASIDE: Final = "the whole row is set aside"
FOR_ANOTHER_REASON: Final = "this answer is left out, and the row is set aside for another answer"
ANSWER_LEFT_OUT: Final = "only this answer is left out"
COUNTED_AS_OTHER: Final = "the answer counts as 'other'"
CORRECTED: Final = "corrected, or taken back, since it was refused"

NOTES: Final = (
    "How to fill in this cleaning log",
    "",
    "This file holds people's own answers. Keep it on this machine, send it to nobody, and delete it when you are done.",
    "",
    "The sheet 'log' has one line for each answer that could not be used. Look at 'value' (what was written) and 'meaning'"
    " (why it could not be used), then choose under 'what_to_do':",
    "    set to      The right answer is certain. Write it under 'new_value', as the survey would have it (see 'allowed').",
    "    drop        The answer is of no use. It counts as not answered; the rest of the row is used.",
    "    keep out    The whole row should not be counted, such as a joke or a test.",
    "    take back   An earlier correction was wrong. The answer counts as it was written, as before.",
    "    (empty)     Leave it as it is.",
    "",
    "Set an answer only where you are sure what the person meant. To guess is to make up data: then drop it, or leave it.",
    "Write under 'why' how you know, if you like. Name nobody there, and nothing by which a person can be known.",
    "",
    "Fill in the last three columns only. 'row' is the row's number in the export: 1 is the first under the headings.",
    "Save the file under its name, then: survey-pipeline quarantine --instrument ... --wave ... --apply this-file",
    "Every line is checked, and nothing is stored unless all are right. The export itself is never changed.",
)
