"""As a message: a letter as one file that a mail program opens, with its pictures inside.

What belongs here: putting text, HTML and pictures into one message (RFC 5322, RFC 2387). What does not: what they say
(`letter`). The message is a draft: it has no sender, receiver, date or number of its own, which whoever sends it gives it.
The same letter makes the same bytes.
"""

from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from typing import Final

from survey_pipeline.render.newsletter import as_html, as_text
from survey_pipeline.render.newsletter.letter import Letter, Picture

_AS_WRITTEN: Final = "quoted-printable"
_UNFOLDED: Final = SMTP.clone(max_line_length=998)
"""Lines of a header as long as they may be (RFC 5322, 2.1.1): a subject that is folded before its first word looks empty."""


def write(letter: Letter) -> bytes:
    """A letter as a message: its text, or else its HTML with the pictures that it shows."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = letter.subject
    message["X-Unsent"] = "1"  # Outlook opens it to be sent on, not as a message that came.
    message.set_content(as_text.write(letter), cte=_AS_WRITTEN)
    message.add_alternative(as_html.write(letter, _address, travels=True), subtype="html", cte=_AS_WRITTEN)
    *_, page = _parts(message)
    for picture in letter.pictures:
        page.add_related(
            picture.png,
            maintype="image",
            subtype="png",
            cid=f"<{_identifier(picture)}>",
            filename=f"{picture.name}.png",
            disposition="inline",
        )
    _set_boundaries(message)
    return message.as_bytes(policy=_UNFOLDED if letter.subject.isascii() else SMTP)


def _parts(message: EmailMessage) -> list[EmailMessage]:
    return [part for part in message.iter_parts() if isinstance(part, EmailMessage)]


def _address(picture: Picture) -> str:
    return f"cid:{_identifier(picture)}"


def _identifier(picture: Picture) -> str:
    """The name of a picture within the message (RFC 2392)."""
    return f"{picture.name}@newsletter"


def _set_boundaries(message: EmailMessage) -> None:
    """Lines between the parts that go by what they hold; left alone, they would be drawn by lot."""
    if message.is_multipart():
        for part in _parts(message):
            _set_boundaries(part)
        held = b"".join(sha256(part.as_bytes()).digest() for part in _parts(message))
        message.set_boundary(f"part-{sha256(held).hexdigest()[:40]}")
