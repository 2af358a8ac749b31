"""Rules: what the policy allows to be published, in plain words, and where it is looser than the default.

What belongs here: sentences about the policy that a release was made under. What does not: the policy itself (`policy`), and
what was merged or hidden in this release (`words`).
"""

from collections.abc import Iterator
from typing import Final

from survey_pipeline.release import Policy
from survey_pipeline.render.measure import clean
from survey_pipeline.render.phrases import listed, people, sentence

PRESETS: Final = {
    "opensafely": "OpenSAFELY",
    "nhs": "NHS England",
    "cms": "CMS (United States)",
    "ons": "the Office for National Statistics (ONS)",
    "ctis": "CTIS (the Delphi group)",
}
"""Who publishes under the rules of each preset."""
KEYS: Final = {
    "min_n": "the fewest people behind a count",
    "min_n_for_statistics": "the fewest people behind an average",
    "rounding_base": "how counts are rounded",
    "least_difference": "by how many people two releases must differ",
    "require_approval": "that somebody must approve of a release",
}
"""What each rule is about, by its key in a policy."""
APPROVED: Final = "Somebody must approve of each release."


def in_short(policy: Policy) -> tuple[str, ...]:
    """Which counts and averages are never shown."""
    return _counts(policy.min_n), f"An average needs at least {people(policy.min_n_for_statistics)}."


def in_full(policy: Policy) -> tuple[str, ...]:
    """Every rule, where the rules come from, and which the survey itself made stricter."""
    return tuple(filter(None, (*_held(policy), _based_on(policy), _tightened(policy))))


def looser(policy: Policy) -> str:
    """Where the rules are looser than the default, and why; nothing where they are not."""
    if not policy.loosened:
        return ""
    what = listed(_loosened(key, *numbers) for key, numbers in policy.loosened.items())
    return f"{sentence(what)}.{f' The reason: {clean(policy.looser)}' if policy.looser else ''}"


def _counts(min_n: int) -> str:
    if min_n == 1:
        return "Counts of people are shown however small they are."
    if min_n == 2:
        return "A count of 1 person is not shown."
    return f"No count of people between 1 and {min_n - 1} is shown."


def _held(policy: Policy) -> Iterator[str]:
    yield f"The policy “{clean(policy.name)}” holds for this release."
    if policy.values_needed > 1:
        yield f"Whatever is published, here and earlier, a hidden count could still be {_could_be(policy)}."
    yield f"Two releases about the same people differ by nobody, or by at least {people(policy.people_between)}."
    if policy.require_approval:
        yield APPROVED


def _could_be(policy: Policy) -> str:
    if policy.protection == "mark":
        return f"anything from 1 to {policy.min_n - 1}"
    return f"any of at least {policy.values_needed} numbers"


def _based_on(policy: Policy) -> str:
    if policy.based_on is None:
        return ""
    whose = PRESETS.get(policy.based_on, clean(policy.based_on))
    if policy.name != policy.based_on:
        return f"The policy began with the rules of {whose} and was adapted."
    return f"Its thresholds are those of {whose}; where these say nothing, those of this program."


def _tightened(policy: Policy) -> str:
    if not policy.tightened:
        return ""
    return f"The survey itself is stricter than the policy in this: {listed(KEYS.get(key, key) for key in policy.tightened)}."


def _loosened(key: str, number: int, usual: int) -> str:
    return {
        "min_n": f"counts from {people(number)} instead of {usual}",
        "min_n_for_statistics": f"averages from {people(number)} instead of {usual}",
        "rounding_base": f"counts rounded to {number} instead of {usual}",
        "least_difference": f"releases that differ by {people(number)} instead of {usual}",
        "protection": f"hidden counts that could be any of only {number} numbers instead of {usual}",
    }[key]
