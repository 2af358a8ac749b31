"""Dropped: the columns of an export of which nothing is stored, and why.

What belongs here: the list that the steward sees, by heading and reason. What does not: telling personal data (`personal`),
and reading answers: a column that no item claims is never read for the wave, only its first rows are looked at here.
"""

from collections.abc import Mapping
from itertools import islice

import polars as pl

from survey_pipeline.errors import InputRefused
from survey_pipeline.exports import Column, Export
from survey_pipeline.exports.layout import Part
from survey_pipeline.ingest.columns import Match, used_places
from survey_pipeline.instrument import Instrument, Kind, Role
from survey_pipeline.personal import Personal, contained, looks_like_answers, named

ROWS_LOOKED_AT = 2_000
"""Enough to tell what a column holds; it is dropped in any case."""
OPEN = frozenset({Kind.NUMBER, Kind.DATE})
"""Kinds in which any value may stand, so that a column's name must be believed."""
WHY_PART = {
    Part.OTHER: "own words beside an option",
    Part.COMMENT: "own words beside an answer",
    Part.TOOL: "the survey tool's own",
}
WHY_ROLE = {
    Role.IDENTIFIER: "a respondent's code: only a keyed hash of it is kept",
    Role.DROP: "declared as never stored",
}


def dropped_columns(export: Export, instrument: Instrument, matches: Mapping[str, Match]) -> dict[str, str]:
    """Headings whose answers are not stored, each with the reason."""
    items = {place: name for name, match in matches.items() for place in match.places}
    used = used_places(matches, instrument)
    places = [place for place in range(len(export.layout.columns)) if place not in used]
    looked_at = _first_rows(export, [place for place in places if place not in items])
    columns, shown = export.layout.columns, export.distinct_headings
    return {
        shown[place]: _declared(instrument, items.get(place)) or _told(columns[place], looked_at.get(place))
        for place in places
    }


def _declared(instrument: Instrument, name: str | None) -> str | None:
    """Why the instrument itself says so, if it does."""
    item = instrument.items.get(name or "")
    return None if item is None else WHY_ROLE.get(item.role, "free text is never stored")


def _told(column: Column, texts: pl.Series | None) -> str:
    if kind := named(column.names):
        return f"named as {kind.phrase}"
    if found := _held(texts, None):
        return f"holds {found.phrase}"
    return WHY_PART.get(column.part, "not declared in the instrument")


def _held(texts: pl.Series | None, named_as: Personal | None) -> Personal | None:
    if texts is None:
        return None
    found = contained(texts.unique().drop_nulls().to_list(), named_as, filled=len(texts) - texts.null_count())
    return found.kind if found else None


def _first_rows(export: Export, places: list[int]) -> dict[int, pl.Series]:
    """The first rows of some columns, by place."""
    if not places:
        return {}
    batch = next((rows for _, rows in islice(export.batches(places, ROWS_LOOKED_AT), 1)), pl.DataFrame())
    return {int(name): batch[name].head(ROWS_LOOKED_AT) for name in batch.columns}


def refuse_answers_as_headings(export: Export) -> None:
    """Raise `InputRefused` for a file without headings: its first row is somebody's answers and may not be printed."""
    if looks_like_answers(heading for heading in export.headings if heading):
        raise InputRefused(
            f"The first row of '{export.path.name}' looks like answers, not like headings.",
            "Export it again with its headings as the first row.",
        )


def refuse_personal_columns(export: Export, instrument: Instrument, matches: Mapping[str, Match]) -> None:
    """Raise `InputRefused` for headings that are somebody's answers, and for a stored column named as personal data."""
    refuse_answers_as_headings(export)
    for name, match in matches.items():
        item = instrument.items[name]
        kinds = (named(export.layout.columns[place].names) for place in match.places)
        if item.is_stored and item.kind in OPEN and (kind := next(filter(None, kinds), None)):
            raise InputRefused(
                f"The item '{name}' ('{item.label}') would store {kind.phrase}, by the name of its column in"
                f" '{export.path.name}'.",
                "Give it the role 'drop' in the instrument.",
            )
