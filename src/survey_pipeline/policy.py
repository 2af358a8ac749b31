"""The disclosure policy: reading `schemas/disclosure.toml`, its presets, and the few rules it is made of.

What belongs here: which policy is in force, the explicit word that a looser one needs, what a survey may tighten, and
thresholds and rounding as named functions of counts. What does not: choosing what to merge (`coarsen`) or to hide
(`disclose`), and the model itself (`release`).
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from survey_pipeline.errors import InputRefused, did_you_mean
from survey_pipeline.instrument import Instrument, explain, shipped_text
from survey_pipeline.personal import mentioned
from survey_pipeline.release import Policy, Rules

DEFAULT = Policy()
PRESETS = ("opensafely", "nhs", "cms", "ons", "ctis")
"""Named sets of rules that others publish under: `schemas/policies/`, where each has its source."""
LETTERS_OF_A_REASON = 10
"""Fewer say nothing: "ok" and "because" are no reasons. Our own choice."""
MEND = "Mend schemas/disclosure.toml; schemas/README.md says what may stand in it."


class PolicyFile(Rules):
    """A policy file: the rules, and the preset that says what the file does not."""

    preset: str | None = None


def load_policy(path: Path | None = None) -> Policy:
    """The policy from a file; without one, `./schemas/disclosure.toml` or else the shipped one.

    Raises `InputRefused` for a file that cannot be read, for rules that cannot be meant, and for a policy looser than the
    default that has no name of its own or does not say why.
    """
    try:
        given = tomllib.loads(_text(path))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
        raise InputRefused("The disclosure policy is not readable TOML.", "Mend schemas/disclosure.toml.") from None
    policy = _policy(given)
    _refuse_borrowed_name(policy)
    _refuse_loosening_in_silence(policy)
    _refuse_personal(policy)
    return policy


def policy_in_force(instrument: Instrument) -> Policy:
    """The policy that a survey is published under: that of the folder, or the shipped one, as far as the survey's own file
    does not tighten it. Raises as `load_policy` and `policy_for` do.
    """
    return policy_for(instrument, load_policy())


def policy_for(instrument: Instrument, policy: Policy) -> Policy:
    """The stricter of a policy and what the instrument's `[disclosure]` asks for, rule by rule.

    Raises `InputRefused` where the instrument asks for less than the policy does.
    """
    asked = instrument.disclosure.model_dump(exclude_none=True) if instrument.disclosure else {}
    in_force = {**policy.numbers, "require_approval": policy.require_approval}
    for key, wanted in asked.items():
        if wanted < in_force[key]:
            raise InputRefused(
                f"In [disclosure] of the instrument '{instrument.name}', {key} is looser than the policy: an instrument may "
                "only tighten.",
                f"Take {key} out, or ask for more than the policy '{policy.name}' does ({_written(in_force[key])}).",
            )
    stricter = {key: wanted for key, wanted in asked.items() if wanted > in_force[key]}
    return _tightened(policy, stricter) if stricter else policy


def _tightened(policy: Policy, stricter: Mapping[str, Any]) -> Policy:
    """The policy with stricter rules. An average still needs as many people as a count, and a width that was as wide as the
    mark stays so; what is no longer looser than the default needs no reason.
    """
    made = {**policy.model_dump(), **stricter}
    made["min_n_for_statistics"] = max(made["min_n"], made["min_n_for_statistics"])
    if policy.protection != "mark" and policy.values_needed >= policy.min_n - 1:
        made["protection"] = max(policy.protection, made["min_n"] - 1)
    found = Policy(**{**made, "tightened": tuple(stricter)})
    return found if found.loosened else found.model_copy(update={"looser": None})


def _text(path: Path | None) -> str:
    local = path or Path("schemas/disclosure.toml")
    return local.read_text(encoding="utf-8-sig") if path or local.is_file() else shipped_text("disclosure.toml")


def _policy(given: Mapping[str, Any]) -> Policy:
    """The policy of a file. One that changes a preset and gives itself no name is named after it, as changed."""
    chosen = given.get("preset")
    preset = _preset(chosen) if chosen is not None else {}
    file = _checked({**preset, **given})
    if preset and "name" not in given and _rules(file) != _rules(_checked(preset)):
        file = file.model_copy(update={"name": f"{chosen}, changed"})
    return Policy(**file.model_dump(exclude={"preset"}), based_on=file.preset)


def _preset(name: Any) -> dict[str, Any]:
    if name not in PRESETS:
        raise InputRefused(
            f"There is no preset {name!r} for a disclosure policy.{did_you_mean(str(name), PRESETS)}",
            f"Take one of: {', '.join(PRESETS)}.",
        )
    return tomllib.loads(shipped_text("policies", f"{name}.toml"))


def _checked(given: Mapping[str, Any]) -> PolicyFile:
    try:
        return PolicyFile.model_validate(given)
    except ValidationError as error:
        raise InputRefused(f"The disclosure policy cannot be used. {explain(error, PolicyFile)}", MEND) from None


def _rules(policy: Rules) -> dict[str, Any]:
    """What a policy asks for, apart from what it is called and why."""
    return policy.model_dump(include=set(Rules.model_fields) - {"name", "looser"})


def _refuse_borrowed_name(policy: Policy) -> None:
    """A release that says "nhs" must have been made under what that preset says."""
    if policy.name in PRESETS and _rules(policy) != _rules(_checked(_preset(policy.name))):
        raise InputRefused(
            f"The disclosure policy carries the name of the preset '{policy.name}' but other rules.",
            "Give it a name of its own; the name is printed in every release.",
        )


def _refuse_loosening_in_silence(policy: Policy) -> None:
    if not policy.loosened:
        return _refuse_needless_reason(policy)
    rules = " and ".join(_looser_rule(policy, key) for key in policy.loosened)
    if policy.name == DEFAULT.name:
        raise InputRefused(
            f"The disclosure policy is looser than the default but carries its name: {rules}.",
            "Give it a name of its own; the name is printed in every release.",
        )
    if sum(map(str.isalpha, policy.looser or "")) < LETTERS_OF_A_REASON:
        raise InputRefused(
            f"The disclosure policy '{policy.name}' is looser than the default: {rules}.",
            'If that is meant, put looser = "why" into it, a whole sentence: it is printed in the release and the report.',
        )
    return None


def _refuse_needless_reason(policy: Policy) -> None:
    if policy.looser is not None:
        raise InputRefused(
            f"The disclosure policy '{policy.name}' says why it is looser than the default, but it is not.",
            "Take the line with looser out: it would be printed in the release and the report.",
        )


def _looser_rule(policy: Policy, key: str) -> str:
    asked, usual = policy.loosened[key]
    if key == "protection":
        return f"protection = {asked}, where its mark says one of {usual} values"
    follows = " (it follows min_n)" if key == "least_difference" and policy.least_difference is None else ""
    return f"{key} = {asked}{follows}, where the default is {usual}"


def _refuse_personal(policy: Policy) -> None:
    for what, text in (("name", policy.name), ("reason", policy.looser)):
        if text and (told := mentioned(text)):
            raise InputRefused(
                f"The {what} of the disclosure policy holds {told.phrase}, and it is printed in the release and the report.",
                "Say it without naming anybody.",
            )


def _written(value: int) -> str:
    """A value as it would stand in a policy file."""
    return str(value).lower()


def round_count(count: int, policy: Policy) -> int:
    """A count to the nearest multiple of the rounding base, halves up."""
    base = policy.rounding_base
    return (count + base // 2) // base * base


def rounding_range(published: int, policy: Policy) -> tuple[int, int]:
    """The least and greatest true count behind a published one; 0 is published only where it is 0."""
    if published == 0:
        return 0, 0
    below = policy.rounding_base // 2
    return max(policy.min_n, published - below), published + policy.rounding_base - 1 - below
