"""Rules: what the policy allows to be published, in plain words, and where it is looser than the default.

What belongs here: sentences about the policy that a release was made under. What does not: the policy itself (`policy`), and
what was merged or hidden in this release (`words`).
"""

from collections.abc import Iterator
from typing import Final

from survey_pipeline.language import later, say, whole
from survey_pipeline.plain import clean
from survey_pipeline.release import Policy
from survey_pipeline.render.phrases import listed, people, quoted, sentence

PRESETS: Final = {
    "opensafely": "OpenSAFELY",
    "nhs": "NHS England",
    "cms": later("CMS (United States)"),
    "ons": later("the Office for National Statistics (ONS)"),
    "ctis": later("CTIS (the Delphi group)"),
}
"""Who publishes under the rules of each preset."""
KEYS: Final = {
    "min_n": later("the fewest people behind a count"),
    "min_n_for_statistics": later("the fewest people behind an average"),
    "rounding_base": later("how counts are rounded"),
    "least_difference": later("by how many people two releases must differ"),
    "require_approval": later("that somebody must approve of a release"),
}
"""What each rule is about, by its key in a policy."""
APPROVED: Final = later("Somebody must approve of each release.")


def in_short(policy: Policy) -> tuple[str, ...]:
    """Which counts and averages are never shown."""
    needed = people(policy.min_n_for_statistics)
    return _counts(policy.min_n), say("An average needs at least {people}.", people=needed)


def in_full(policy: Policy) -> tuple[str, ...]:
    """Every rule, where the rules come from, and which the survey itself made stricter."""
    return tuple(filter(None, (*_held(policy), _based_on(policy), _tightened(policy))))


def looser(policy: Policy) -> str:
    """Where the rules are looser than the default, and why; nothing where they are not."""
    if not policy.loosened:
        return ""
    what = sentence(listed(_loosened(key, *numbers) for key, numbers in policy.loosened.items()))
    reason = (say("The reason: {reason}", reason=clean(policy.looser)),) if policy.looser else ()
    return " ".join((f"{what}.", *reason))


def _counts(min_n: int) -> str:
    if min_n == 1:
        return say("Counts of people are shown however small they are.")
    if min_n == 2:
        return say("A count of 1 person is not shown.")
    return say("No count of people between 1 and {largest} is shown.", largest=whole(min_n - 1))


def _held(policy: Policy) -> Iterator[str]:
    yield say("The policy {name} holds for this release.", name=quoted(policy.name))
    if policy.values_needed > 1:
        yield _could_be(policy)
    fewest = people(policy.people_between)
    yield say("Two releases about the same people differ by nobody, or by at least {people}.", people=fewest)
    if policy.require_approval:
        yield say(APPROVED)


def _could_be(policy: Policy) -> str:
    if policy.protection == "mark":
        return say(
            "Whatever is published, here and earlier, a hidden count could still be anything from 1 to {largest}.",
            largest=whole(policy.min_n - 1),
        )
    return say(
        "Whatever is published, here and earlier, a hidden count could still be any of at least {many} numbers.",
        many=whole(policy.values_needed),
    )


def _based_on(policy: Policy) -> str:
    if policy.based_on is None:
        return ""
    whose = say(PRESETS[policy.based_on]) if policy.based_on in PRESETS else clean(policy.based_on)
    if policy.name != policy.based_on:
        return say("The policy began with the rules of {publisher} and was adapted.", publisher=whose)
    return say(
        "Its thresholds are those of {publisher}; where these say nothing, those of this program.", publisher=whose
    )


def _tightened(policy: Policy) -> str:
    if not policy.tightened:
        return ""
    what = listed(say(KEYS[key]) if key in KEYS else key for key in policy.tightened)
    return say("The survey itself is stricter than the policy in this: {rules}.", rules=what)


def _loosened(key: str, number: int, usual: int) -> str:
    people_now, now, before = people(number), whole(number), whole(usual)
    return {
        "min_n": say("counts from {people} instead of {usual}", people=people_now, usual=before),
        "min_n_for_statistics": say("averages from {people} instead of {usual}", people=people_now, usual=before),
        "rounding_base": say("counts rounded to {number} instead of {usual}", number=now, usual=before),
        "least_difference": say("releases that differ by {people} instead of {usual}", people=people_now, usual=before),
        "protection": say(
            "hidden counts that could be any of only {number} numbers instead of {usual}", number=now, usual=before
        ),
    }[key]
