"""Drafting: the commands of somebody who prepares a survey.

What belongs here: init, translate and sample, which write an instrument, its translations and invented answers to try it
with. What does not: what stands in those files (`draft`, `translated`, `sample`).
"""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from survey_pipeline.cli.options import (
    AsJson,
    Encoding,
    HeaderRows,
    InstrumentName,
    Quiet,
    Separator,
    SheetName,
    ToolName,
    WaveName,
)
from survey_pipeline.cli.showing import show
from survey_pipeline.cli.writing import is_filled
from survey_pipeline.console import echo, words
from survey_pipeline.errors import WrongUsage
from survey_pipeline.exports import read_export
from survey_pipeline.instrument import load_instrument
from survey_pipeline.plural import n_of
from survey_pipeline.request import ByHand, Places, check_wave


def init(
    name: Annotated[str, typer.Argument(help="The new survey's code: small letters, digits and underscores.")],
    source: Annotated[Path, typer.Option("--from", help="An export, a REDCap data dictionary or an XLSForm.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder below which schemas/NAME/ is made.")] = Path(),
    tool: ToolName = None,
    encoding: Encoding = None,
    separator: Separator = None,
    header_rows: HeaderRows = None,
    sheet: SheetName = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draft an instrument for a new survey. Look it through: three of its lines are to be edited."""
    from survey_pipeline.draft import draft, place_for, save

    place = place_for(name, out)
    by_hand = ByHand(tool=tool, encoding=encoding, separator=separator, header_rows=header_rows, sheet=sheet).given
    made = draft(name, source, **by_hand)
    save(made, place)
    document = {"instrument": name, "file": str(place), **made.as_json()}
    show(document, as_json, quiet, lambda: echo("\n".join(made.told(place, source))))


def translate(
    instrument: InstrumentName,
    to: Annotated[str, typer.Option("--to", help="Into which language: de or es.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the file goes, instead of beside the instrument.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write or update the file in which a survey's own words are translated, for reports in another language."""
    from survey_pipeline.translated import draft_beside

    language = Places(language=to).language or to
    path, todo, texts = draft_beside(instrument, language, out)
    document = {"file": str(path), "texts": texts, "not_translated": todo}
    show(document, as_json, quiet, lambda: echo(f"{path}: {todo} of {n_of(texts, 'text')} not translated yet"))


class Tool(StrEnum):
    """Survey tools whose exports can be invented, spelt as `sample.TOOLS` (which would have to be imported for its names)."""

    GOOGLE_FORMS = "google_forms"
    LIMESURVEY = "limesurvey"
    LIMESURVEY_TEXT = "limesurvey_text"
    REDCAP = "redcap"
    REDCAP_LABELS = "redcap_labels"
    KOBO = "kobo"
    ODK = "odk"
    QUALTRICS = "qualtrics"
    QUALTRICS_LEGACY = "qualtrics_legacy"
    QUALTRICS_TSV = "qualtrics_tsv"
    SURVEYMONKEY = "surveymonkey"
    SURVEYMONKEY_ONE_ROW = "surveymonkey_one_row"
    MICROSOFT_FORMS = "microsoft_forms"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    SPSS = "spss"
    STATA = "stata"


def sample(
    instrument: InstrumentName,
    wave: WaveName,
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
    rows: Annotated[int, typer.Option(min=0, help="How many people to invent.")] = 1200,
    tool: Annotated[str, typer.Option(help=f"Which tool's format: {', '.join(Tool)}.")] = Tool.GOOGLE_FORMS,
    seed: Annotated[int, typer.Option(help="The same seed gives the same file.")] = 1,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Invent an export, clearly labelled as invented."""
    from survey_pipeline.sample import load_plan, write_sample

    _refuse_replacing_answers(out)
    plan = load_plan(instrument)
    summary = write_sample(load_instrument(instrument), plan, check_wave(wave), rows, seed, out, tool)
    show(asdict(summary), as_json, quiet, lambda: words.print(f"Invented data: {rows} people in {out}"))


def _refuse_replacing_answers(out: Path) -> None:
    """Only an invented export may be replaced by an invented export."""
    if is_filled(out) and not read_export(out).is_invented:
        raise WrongUsage(f"The file '{out}' is there already and is not invented.", "Choose another --out.")
