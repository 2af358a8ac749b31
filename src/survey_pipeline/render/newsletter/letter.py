"""The letter: what a newsletter says, in each of its three lengths, as plain text.

What belongs here: choosing among the sentences of `words`, so that every format and length says the same. What does not:
sentences about numbers (`words`), how a format writes them (`as_markdown`, `as_html`, `as_text`), and any number of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from survey_pipeline.language import say, say_n, wave_in_words
from survey_pipeline.look import worn
from survey_pipeline.render import anyway, rules, words
from survey_pipeline.render.charts import Drawn
from survey_pipeline.render.gallery import frames
from survey_pipeline.render.room import Room, cut, cut_list, in_room
from survey_pipeline.render.view import Comparison, View
from survey_pipeline.render.words import Finding

REPORT: Final = "index.html"
"""The report, beside the newsletter."""


class Length(StrEnum):
    """How much a newsletter says."""

    PAGE = "page"
    BLOCK = "block"
    PARAGRAPH = "paragraph"


@dataclass(frozen=True)
class Line:
    """A paragraph or a line of a list, beginning with what matters most in it."""

    strong: str
    text: str = ""

    @property
    def runs_on(self) -> bool:
        """Whether its beginning is no sentence of its own."""
        return self.strong.endswith(":")


@dataclass(frozen=True)
class Picture:
    """A chart: its name, the same in words, its file, and how wide and high it is shown in CSS pixels."""

    name: str
    alternative: str
    png: bytes
    width: int
    height: int

    @property
    def path(self) -> str:
        """Where its file lies, beside the newsletter."""
        return path_of(self.name)


@dataclass(frozen=True)
class Part:
    """A heading with what stands below it: a picture, paragraphs, a list, and paragraphs again."""

    heading: str
    picture: Picture | None = None
    before: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class Letter:
    """A newsletter: notices that stand before everything else, opening paragraphs, parts, and the way to the report.

    `report`: the words of the link to it; `address`: where it lies, beside the newsletter or on the web; `foot`: what stands
    last.
    """

    length: Length
    subject: str
    preview: str
    """What a mail program shows beside the subject, before the letter is opened."""
    title: str
    notices: tuple[Line, ...]
    opening: tuple[Line, ...]
    parts: tuple[Part, ...]
    report: str
    address: str
    foot: tuple[str, ...] = ()

    @property
    def pictures(self) -> tuple[Picture, ...]:
        return tuple(part.picture for part in self.parts if part.picture)


@dataclass(frozen=True)
class Told:
    """What all lengths of a wave's newsletter are made of."""

    view: View
    previous: View | None
    findings: tuple[Finding, ...]
    pictures: tuple[tuple[str, Picture], ...]
    """Each with a heading."""
    room: Room

    @property
    def title(self) -> str:
        title = cut(self.view.instrument.title, self.room.label)
        return say("{title}, {wave}", title=title, wave=wave_in_words(self.view.release.wave))


def letters(view: View, previous: View | None, drawn: Mapping[str, Drawn], room: Room) -> dict[Length, Letter]:
    """The newsletter of a wave in all lengths, with no more of the survey's own words than there is room for."""
    told = _told(view, previous, drawn, room)
    return {Length.PAGE: _page(told), Length.BLOCK: _block(told), Length.PARAGRAPH: _paragraph(told)}


def _told(view: View, previous: View | None, drawn: Mapping[str, Drawn], room: Room) -> Told:
    now = in_room(view, room, *((previous,) if previous else ()))
    before = in_room(previous, room, view) if previous else None
    return Told(now, before, words.in_short(now, before), tuple(_pictures(now, drawn, room)), room)


# --- Pictures ----------------------------------------------------------------------------------------------------------


def chosen(view: View, drawn: Mapping[str, Drawn]) -> tuple[str, ...]:
    """The names of a newsletter's charts: the picture of 100 people, and the first chart by form and by dose."""
    first = {
        found.exposure: f"{found.table}-{found.measure.outcome}" for found in reversed(view.primary) if found.shown
    }
    exposures = dict.fromkeys((view.instrument.form, view.instrument.dose))
    return tuple(name for name in ("in_100", *(first.get(one, "") for one in exposures)) if name in drawn)


def _pictures(view: View, drawn: Mapping[str, Drawn], room: Room) -> Iterator[tuple[str, Picture]]:
    # Told anew, since the words of the chart itself may hold labels that are too long for an e-mail.
    charts = {frame.name: frame for frame in frames(view)}
    for name in chosen(view, drawn):
        chart, small = charts[name], drawn[name].small
        width, height = small.shown
        yield cut(chart.heading, room.text), Picture(name, cut(chart.alternative, room.text), small.png, width, height)


def path_of(name: str) -> str:
    """Where the small picture of a chart lies, beside the newsletter."""
    return f"charts/{name}-small.png"


# --- The page ----------------------------------------------------------------------------------------------------------


def _page(told: Told) -> Letter:
    return Letter(
        length=Length.PAGE,
        subject=_subject(told),
        preview=_preview(told),
        title=told.title,
        notices=_notices(told),
        opening=tuple(Line("", text) for text in _opening(told)),
        parts=tuple(part for part in _parts(told) if part),
        report=say("The whole report, with all numbers and methods"),
        address=_address(told.view),
        foot=tuple(_foot(told)),
    )


def _parts(told: Told) -> Iterator[Part | None]:
    yield Part(say("In short"), lines=tuple(map(_line, told.findings)))
    yield from (Part(heading, picture) for heading, picture in told.pictures)
    yield _since(told)
    yield _hidden(told)
    yield _limits(told)
    yield _safety(told)


def _subject(told: Told) -> str:
    """The title; of invented data, that it is invented, for a message may be passed on by its subject alone."""
    notice = f"[{say(words.INVENTED)}] " if told.view.release.is_invented else ""
    return f"{notice}{told.title}"


def _preview(told: Told) -> str:
    notice = f"{say(words.INVENTED)}. " if told.view.release.is_invented else ""
    return f"{notice}{told.findings[0].headline}"


def _notices(told: Told) -> tuple[Line, ...]:
    """What nobody may miss: that the data is invented, that the wave was corrected, that its rules are looser."""
    release, most = told.view.release, told.room.text
    looser = rules.looser(release.policy)
    found = (
        Line(say(words.INVENTED_LONG)) if release.is_invented else None,
        Line(say("Corrected:"), cut(release.correction, most)) if release.correction else None,
        Line(say("Looser rules than usual:"), cut(looser, most)) if looser else None,
    )
    return tuple(line for line in found if line)


def _opening(told: Told) -> tuple[str, ...]:
    instrument, most = told.view.instrument, told.room.text
    how = cut(instrument.recruitment, most)
    return (
        cut(instrument.about, most),
        _asked(told),
        *((say("How they were asked: {how}", how=how),) if how else ()),
    )


def _asked(told: Told) -> str:
    """Who was asked, and how many answered."""
    community, answered = cut(told.view.instrument.community, told.room.text), told.view.answers_used
    asked = say("Who was asked: {community}.", community=community)
    if answered is None:
        return f"{asked} {say('The number of answers is hidden.')}"
    return f"{asked} {say_n('About {n} person answered.', 'About {n} people answered.', answered)}"


def _line(finding: Finding) -> Line:
    return Line(finding.headline, " ".join(finding.details))


def _address(view: View) -> str:
    """Where the report of the wave lies: on the web, if the theme says where the reports are, else beside the letter."""
    reports = worn().file.address
    return f"{reports.rstrip('/')}/{quote(view.release.wave, safe='')}/{REPORT}" if reports else REPORT


def _foot(told: Told) -> Iterator[str]:
    """What stands last: the community's own words, and whom to write to."""
    footer = worn().file.footer
    for text in dict.fromkeys((footer.text, footer.contact, told.view.instrument.contact)):
        if text:
            yield cut(text, told.room.text)


def _since(told: Told) -> Part | None:
    """What changed; 'In short' has told already what could not be compared."""
    if told.previous is None:
        return None
    already = {finding.headline for finding in told.findings}
    changes = [one for one in words.changes(told.view, told.previous) if one.headline not in already or one.waves]
    return Part(
        say("Since the last wave"),
        before=(words.answers_changed(told.view, told.previous),),
        lines=tuple(_change(one) for one in changes),
    )


def _change(change: words.Change) -> Line:
    if not change.waves:
        return Line("", " ".join((change.headline, *change.details)))
    return Line(say("{heading}:", heading=change.label), " ".join((change.waves, *change.details)))


def _hidden(told: Told) -> Part:
    """What was merged or hidden, in short: the report names every number."""
    return Part(
        say("What was merged or hidden, and why"),
        before=(
            say(
                "A number about very few people can point to one of them. So small groups are merged first. "
                "What is still too small is hidden. “Hidden” does not mean zero."
            ),
            " ".join(rules.in_short(told.view.release.policy)),
        ),
        lines=tuple(Line("", text) for text in cut_list(words.merged_levels(told.view), told.room)),
        after=(words.hidden_in_all(told.view) or say("Nothing had to be hidden in this wave."),),
    )


def _limits(told: Told) -> Part:
    instrument = told.view.instrument
    standing = words.limits(instrument) or (say(words.LIMITS_IN_SHORT),)
    return Part(
        say("What this cannot show"),
        lines=tuple(Line("", text) for text in cut_list(instrument.cannot_say, told.room)),
        after=(" ".join(standing),),
    )


def _safety(told: Told) -> Part | None:
    instrument = told.view.instrument
    if not (instrument.safety or instrument.ask):
        return None
    ask = cut(instrument.ask, told.room.text)
    lines = tuple(Line("", text) for text in cut_list(instrument.safety, told.room))
    return Part(say("Safety, and whom to ask"), lines=lines, after=(ask,) if ask else ())


# --- The block ---------------------------------------------------------------------------------------------------------


def _block(told: Told) -> Letter:
    """What goes between other things: each finding in brief, one picture, and what all of it cannot show."""
    *findings, last = told.findings
    ask = cut(told.view.instrument.ask, told.room.text)
    parts = [
        *([Part(say("In short"), lines=tuple(_line(_brief(one, told)) for one in findings))] if findings else []),
        *(Part(heading, picture) for heading, picture in told.pictures[:1]),
        Part(
            say("What this cannot show"),
            before=(" ".join((last.headline, *last.details)),),
            after=(ask,) if ask else (),
        ),
    ]
    opening = (Line("", _asked(told)),)
    return replace(_page(told), length=Length.BLOCK, opening=opening, parts=tuple(parts), foot=())


def _brief(finding: Finding, told: Told) -> Finding:
    """A finding without what a reader can do without: never without its people and its range, nor without what might be
    expected anyway.
    """
    for found in told.view.primary:
        if finding.headline == words.everybody_finding(found).headline:
            return Finding(finding.headline, tuple(_needed(finding, found)))
        if finding.headline == words.comparison_finding(found, told.view, told.previous).headline:
            return finding if found.apart or found.trend else Finding(finding.headline, _basis(finding, found, told))
    return finding


def _needed(finding: Finding, found: Comparison) -> Iterator[str]:
    """Of what stands beside a number of everybody: of whom it is, its range, whether it is uncertain, and what might be
    expected anyway.
    """
    row = found.everybody
    if row is None:
        return
    expected = anyway.sentences(row, found)[:1]
    needed = {words.range_words(row, found.measure), say(words.UNCERTAIN), *expected}
    in_full = words.everybody_finding(found).details
    yield from (text for text in finding.details if text in needed or text not in in_full)


def _basis(finding: Finding, found: Comparison, told: Told) -> tuple[str, ...]:
    """Of a comparison in which nothing stands apart, on how many people it rests."""
    return finding.details[len(words.contrast(found, told.view, told.previous, in_short=True)) :]


# --- The paragraph -----------------------------------------------------------------------------------------------------


def _paragraph(told: Told) -> Letter:
    """One finding, and that none of it shows what caused what."""
    first, last = told.findings[0], told.findings[-1]
    brief = _brief(first, told)
    text = dict.fromkeys((brief.headline, *brief.details, last.headline))
    opening = (Line(say("{heading}:", heading=told.title), " ".join(text)),)
    return replace(_page(told), length=Length.PARAGRAPH, title="", opening=opening, parts=(), foot=())
