"""What a run is asked to do: the checked parameters of one wave, shared by the command line and the flows.

What belongs here: names, places and their defaults. What does not: doing any of it (`pipeline`).
"""

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from survey_pipeline.errors import WrongUsage, did_you_mean
from survey_pipeline.instrument import explain
from survey_pipeline.language import LANGUAGES, language_of
from survey_pipeline.names import WAVE_PATTERN

WAVE_HELP = "A wave is a year, a month, a quarter or a week: 2026, 2026-03, 2026-Q1, 2026-W09."
Wave = Annotated[str, Field(pattern=WAVE_PATTERN)]


class Places(BaseModel):
    """Where things lie: by default everything in the home folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    home: Path = Path()
    warehouse: str | None = None
    reports: Path | None = None
    instrument: str | None = None
    """The instrument as the user named it: what lies beside its file, such as translations, is looked for there."""
    language: str | None = None
    """In which language reports are written; None: in the instrument's own."""

    @field_validator("language")
    @classmethod
    def _is_spoken(cls, code: str | None) -> str | None:
        if code is not None and language_of(code) != re.split("[-_]", code.casefold())[0]:
            raise WrongUsage(
                f"Reports cannot be written in '{code}'.{did_you_mean(code, LANGUAGES)}",
                f"There are: {', '.join(f'{one} ({name})' for one, name in LANGUAGES.items())}.",
            )
        return code

    @property
    def warehouse_location(self) -> str:
        return self.warehouse or str(self.home / "warehouse")

    @property
    def reports_folder(self) -> Path:
        return self.reports or self.home / "reports"

    def report_folder(self, instrument: str, wave: str) -> Path:
        return self.reports_folder / instrument / wave

    def review_folder(self, instrument: str, wave: str) -> Path:
        """Where what waits for approval is put; raises `WrongUsage` if that lies among the reports."""
        folder = self.home / "review" / instrument / wave
        if folder.resolve().is_relative_to(self.reports_folder.resolve()):
            raise WrongUsage(
                "What waits for approval may not be put among the reports.", "Choose another folder with --reports."
            )
        return folder


class ByHand(BaseModel):
    """What a user says about the exports of a wave, so that it is not detected. None: detect it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tool: str | None = None
    encoding: str | None = None
    separator: str | None = None
    header_rows: int | None = Field(default=None, ge=1, le=10)
    sheet: str | None = None

    @property
    def given(self) -> dict[str, Any]:
        """What was said, as `read_export` takes it."""
        return self.model_dump(exclude_none=True)


NOTHING_BY_HAND = ByHand()


class RunRequest(Places):
    """One wave to make: which exports, read with which instrument."""

    exports: tuple[Path, ...] = Field(min_length=1)
    instrument: str
    wave: Wave
    correction: str | None = Field(default=None, min_length=3)
    by_hand: ByHand = NOTHING_BY_HAND

    @classmethod
    def checked(cls, **given: Any) -> Self:
        """A request from what a user typed; raises `WrongUsage` with one sentence."""
        check_wave(str(given.get("wave", "")))
        try:
            return cls(**given)
        except ValidationError as error:
            raise WrongUsage(explain(error, cls), "See --help.") from None


def check_wave(wave: str) -> str:
    """A well-formed wave, or `WrongUsage`."""
    if not re.fullmatch(WAVE_PATTERN.strip("^$"), wave):
        raise WrongUsage(f"'{wave}' is not a wave.", WAVE_HELP)
    return wave


def wave_style(wave: str) -> str:
    """What length of time a wave names: a year, a quarter, a month or a week."""
    return re.sub(r"\d", "0", wave)
