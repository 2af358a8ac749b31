"""The disclosure policy: reading `schemas/disclosure.toml` and the few rules it is made of.

What belongs here: thresholds and rounding, as named functions of counts. What does not: choosing what to merge (`coarsen`)
or to hide (`disclose`).
"""

import tomllib
from pathlib import Path

from pydantic import ValidationError

from survey_pipeline.errors import InputRefused
from survey_pipeline.instrument import explain, shipped_text
from survey_pipeline.release import Policy

DEFAULT = Policy()


def load_policy(path: Path | None = None) -> Policy:
    """The policy from a file; without one, `./schemas/disclosure.toml` or else the shipped one.

    Raises `InputRefused` for a file that cannot be read, and for a policy looser than the default: that needs its own name.
    """
    try:
        policy = Policy.model_validate(tomllib.loads(_text(path)))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
        raise InputRefused("The disclosure policy is not readable TOML.", "Mend schemas/disclosure.toml.") from None
    except ValidationError as error:
        raise InputRefused(explain(error, Policy), "Mend schemas/disclosure.toml.") from None
    return _not_loosened_in_silence(policy)


def _text(path: Path | None) -> str:
    local = path or Path("schemas/disclosure.toml")
    return local.read_text(encoding="utf-8") if path or local.is_file() else shipped_text("disclosure.toml")


def _not_loosened_in_silence(policy: Policy) -> Policy:
    looser = (
        policy.min_n < DEFAULT.min_n
        or policy.min_n_for_statistics < DEFAULT.min_n_for_statistics
        or policy.rounding_base < DEFAULT.rounding_base
    )
    if looser and policy.name == DEFAULT.name:
        raise InputRefused(
            "The disclosure policy is looser than the default but carries its name.",
            "Give it a name of its own; the name is printed in every release.",
        )
    return policy


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
