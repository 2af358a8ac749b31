"""Plural: a number with its noun.

What belongs here: '1 row', '4 rows'. What does not: sentences.
"""


def n_of(n: int, one: str, many: str = "") -> str:
    """A number of things: '1 row', '4 rows', '2 entries'."""
    return f"{n} {one if n == 1 else many or f'{one}s'}"
