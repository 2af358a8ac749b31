"""Disclose: exact estimates become rows that may be published.

What belongs here: hiding what is too small (`rows`, `levels`), hiding as much more as keeps that from being worked out from
the other rows (`sums`, `protect`), rounding what stays and saying which was done (`published`), and the numbers at each stage
(`stages`). What does not: merging levels, which comes before (`coarsen`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from survey_pipeline import names
from survey_pipeline.disclose.levels import hide_small_levels
from survey_pipeline.disclose.links import Links
from survey_pipeline.disclose.protect import Board, protect
from survey_pipeline.disclose.published import WORDS, decimals_for, is_unreliable, published, shown_count
from survey_pipeline.disclose.quartiles import hide_quartiles
from survey_pipeline.disclose.rows import ANYWAY, COULD_IMPROVE, Key, Row, Sum, is_band, kind_of, too_small, where
from survey_pipeline.disclose.stages import disclose_counts, disclose_stages
from survey_pipeline.disclose.sums import narrowed
from survey_pipeline.names import Status
from survey_pipeline.release import TIDY_SCHEMA, Policy

__all__ = [
    "COULD_IMPROVE",
    "About",
    "Disclosure",
    "Links",
    "Sum",
    "decimals_for",
    "disclose",
    "disclose_counts",
    "disclose_stages",
    "hide_small_levels",
    "is_unreliable",
    "narrowed",
    "shown_count",
    "too_small",
]

About = tuple[str, str, str, str]
LEFT_TO_WAVE = (names.INSTRUMENT, names.WAVE)


def disclose(
    estimates: pl.DataFrame,
    policy: Policy,
    ledger: pl.DataFrame | None = None,
    links: Links | None = None,
    also: Collection[About] = (),
) -> pl.DataFrame:
    """Rows as they may be published: columns of `names.TIDY_COLUMNS` without instrument and wave.

    `estimates` as `estimate.ESTIMATES_SCHEMA`. `ledger` holds the rows of earlier releases of the same wave: what was hidden
    there stays hidden in a correction. `links` says how the questions hang together, by which more could be worked out.
    `also` says what must be hidden besides, since a proof asks for it.
    A suppressed row has no number at all.
    """
    return Disclosure(estimates, policy, ledger, links).rows(also)


@dataclass(frozen=True)
class Disclosure:
    """Estimates that may be disclosed again and again, with more and more hidden; fields as in `disclose`."""

    estimates: pl.DataFrame
    policy: Policy
    ledger: pl.DataFrame | None = None
    links: Links | None = None

    def rows(self, also: Collection[About] = ()) -> pl.DataFrame:
        """As `disclose`."""
        rows, policy = self._exact, self.policy
        hidden = [small or about in also for small, about in zip(self._too_small, self._about, strict=True)]
        _keep_hidden(rows, hidden, self.ledger)
        hide_small_levels(rows, hidden, policy)
        self._protect_counts(hidden)
        hide_quartiles(rows, hidden)
        _hide_bands(rows, hidden)
        made = [self._published(place, hide) for place, hide in enumerate(hidden)]
        return pl.DataFrame(made, schema={name: kind for name, kind in TIDY_SCHEMA.items() if name not in LEFT_TO_WAVE})

    def _published(self, place: int, hide: bool) -> Row:
        """A row as it may be published, which depends on no other row."""
        if (place, hide) not in self._made:
            self._made[place, hide] = published(self._exact[place], hide, self.policy)
        return self._made[place, hide]

    @cached_property
    def _made(self) -> dict[tuple[int, bool], Row]:
        return {}

    @cached_property
    def _exact(self) -> list[Row]:
        return list(self.estimates.iter_rows(named=True))

    @cached_property
    def _too_small(self) -> list[bool]:
        return [too_small(row, self.policy) for row in self._exact]

    @cached_property
    def _about(self) -> list[About]:
        return [about_of(row) for row in self._exact]

    def _protect_counts(self, hidden: list[bool]) -> None:
        mine = [hidden[place] for place in self._counted]
        protect(mine, self._board)
        for place, hide in zip(self._counted, mine, strict=True):
            hidden[place] = hide

    @cached_property
    def _counted(self) -> list[int]:
        """Bands count nobody of their own, so they neither give away nor shield anything."""
        return [place for place, row in enumerate(self._exact) if not is_band(row)]

    @cached_property
    def _board(self) -> Board:
        counted = [self._exact[place] for place in self._counted]
        return Board.of(counted, self.policy, self.links.sums(counted) if self.links else ())


def about_of(row: Row) -> About:
    """What a row is about, in whichever tables it stands: exposure (or everybody), level, outcome, statistic."""
    exposure = names.ALL_LEVELS if row[names.LEVEL] == names.ALL_LEVELS else str(row[names.EXPOSURE])
    return exposure, str(row[names.LEVEL]), str(row[names.OUTCOME]), kind_of(row)


def _keep_hidden(rows: Sequence[Row], hidden: list[bool], ledger: pl.DataFrame | None) -> None:
    if ledger is None:
        return
    before = set(ledger.filter(pl.col(names.STATUS) == Status.SUPPRESSED).select(WORDS).iter_rows())
    for place, row in enumerate(rows):
        hidden[place] |= tuple(row[name] for name in WORDS) in before


def _hide_bands(rows: Sequence[Row], hidden: list[bool]) -> None:
    """What would be expected anyway is hidden with the result beside which it stands, and with the means of those whose
    course it takes for the usual one.
    """
    gone = {_statistic(row) for row, hide in zip(rows, hidden, strict=True) if hide}
    for place, row in enumerate(rows):
        if is_band(row):
            beside = {**row, names.STATISTIC: str(row[names.STATISTIC]).removesuffix(ANYWAY)}
            usual = row["usual_of"]
            hidden[place] |= _statistic(beside) in gone
            of_usual = [(*usual, row[names.OUTCOME], name) for name in ("mean", "mean_change")] if usual else []  # type: ignore[misc]
            hidden[place] |= not gone.isdisjoint(of_usual)


def _statistic(row: Row) -> Key:
    exposure = names.ALL_LEVELS if len(where(row)) == 1 else str(row[names.EXPOSURE])
    return (exposure, str(row[names.LEVEL]), str(row[names.OUTCOME]), str(row[names.STATISTIC]))
