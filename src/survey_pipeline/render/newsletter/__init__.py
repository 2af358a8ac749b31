"""The newsletter of a wave: Markdown, HTML for e-mail and plain text, in three lengths, and one message to send on.

What belongs here: which files there are, and how much of a survey's own words fits into them. What does not: what they say
(`letter`), and how a format writes it (`as_markdown`, `as_html`, `as_text`, `as_message`).
"""

from collections.abc import Mapping
from typing import Final

from survey_pipeline.render.charts import Drawn
from survey_pipeline.render.newsletter import as_html, as_markdown, as_message, as_text
from survey_pipeline.render.newsletter.letter import Length, Letter, Picture, chosen, letters, path_of
from survey_pipeline.render.room import ROOMS
from survey_pipeline.render.view import View

__all__ = ["STEMS", "attachments", "files", "markdown", "path_of"]

STEMS: Final = {
    Length.PAGE: "newsletter",
    Length.BLOCK: "newsletter-block",
    Length.PARAGRAPH: "newsletter-paragraph",
}
"""The names of the files of each length, without their suffix."""


def files(view: View, previous: View | None, drawn: Mapping[str, Drawn]) -> dict[str, bytes]:
    """Every file of a wave's newsletter by its name: nine that lie beside the folder of charts, and a message that holds its
    pictures. `previous`: the wave before; `drawn`: the wave's charts by name.
    """
    found = _letters(view, previous, drawn)
    made: dict[str, bytes] = {}
    for length, letter in found.items():
        made |= {f"{STEMS[length]}.{suffix}": text.encode() for suffix, text in _formats(letter).items()}
    return made | {"newsletter.eml": as_message.write(found[Length.PAGE])}


def markdown(view: View, previous: View | None, drawn: Mapping[str, Drawn]) -> bytes:
    """The newsletter of one wave as Markdown, at its full length."""
    return as_markdown.write(_letters(view, previous, drawn)[Length.PAGE]).encode()


def attachments(view: View, drawn: Mapping[str, Drawn]) -> dict[str, bytes]:
    """The pictures that the newsletter shows, by their paths: what goes along where its files are taken elsewhere."""
    return {path_of(name): drawn[name].small.png for name in chosen(view, drawn)}


def _letters(view: View, previous: View | None, drawn: Mapping[str, Drawn]) -> dict[Length, Letter]:
    """The letters with as much of the survey's own words as an e-mail can hold."""
    for room in ROOMS:
        found = letters(view, previous, drawn, room)
        if len(as_html.write(found[Length.PAGE], _path).encode()) < as_html.LARGEST:
            break
    return found


def _formats(letter: Letter) -> dict[str, str]:
    return {
        "md": as_markdown.write(letter),
        "html": as_html.write(letter, _path),
        "txt": as_text.write(letter),
    }


def _path(picture: Picture) -> str:
    return picture.path
