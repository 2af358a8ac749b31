"""TOML: values and comments as they stand in a drafted instrument.

What belongs here: writing texts, numbers, lists and inline tables so that a TOML reader gives back the same. What does not:
what the draft says (`page`).
"""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence

Value = str | bool | float | Sequence["Value"] | Mapping[str, "Value"]
WIDTH = 118
SIGNLESS = dict.fromkeys((*range(32), 127))
"""Characters that may not stand in a comment."""


def value(given: Value) -> str:
    """A value on one line."""
    if isinstance(given, str):
        return text(given)
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, float | int):
        return number(given)
    if isinstance(given, Mapping):
        return "{ " + ", ".join(f"{key(name)} = {value(inner)}" for name, inner in given.items()) + " }"
    return "[" + ", ".join(map(value, given)) + "]"


def text(given: str) -> str:
    """A basic string: JSON's escapes are TOML's too, but for DEL. Half of a surrogate pair is no character."""
    whole = given.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def number(given: float) -> str:
    """Whole numbers without decimals."""
    return str(int(given)) if given == int(given) else repr(float(given))


def key(name: str) -> str:
    """A key, in quotation marks where it needs them."""
    return name if name and all(sign.isascii() and (sign.isalnum() or sign in "_-") for sign in name) else text(name)


def lines_of(name: str, given: Sequence[Value]) -> Iterator[str]:
    """A list with each entry on a line of its own."""
    yield f"{name} = ["
    yield from (f"    {value(entry)}," for entry in given)
    yield "]"


def comment(given: str) -> list[str]:
    """Words for people, wrapped; line breaks and control characters become spaces."""
    plain = " ".join(given.translate(dict.fromkeys(SIGNLESS, " ")).split())
    whole = plain.encode("utf-8", "replace").decode("utf-8")
    return [f"# {line}" for line in textwrap.wrap(whole, WIDTH, break_long_words=False, break_on_hyphens=False)]
