"""Texts: when two texts that are typed differently are meant alike.

What belongs here: folding answers, options and headings before they are compared. What does not: what a text means.
"""

import unicodedata

YES = frozenset({"1", "1.0", "yes", "y", "true", "ja", "j", "sí", "si", "oui"})
NO = frozenset({"0", "0.0", "no", "n", "false", "nein", "non"})
"""Folded texts that mean yes and no in any survey tool and in the languages that people use here."""
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad"))
"""Zero-width spaces, a byte order mark, a soft hyphen: they come along when a text is copied."""


def fold(text: str) -> str:
    """What is typed differently but meant alike becomes alike: case, spaces of any kind, a final full stop, and the two
    ways in which Unicode writes an accent.
    """
    folded = unicodedata.normalize("NFC", " ".join(text.translate(INVISIBLE).split()).casefold())
    return folded.removesuffix(".").rstrip() or folded
