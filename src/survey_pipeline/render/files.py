"""Files for analysts: which files of a wave there are beside its page, newsletter and charts.

What belongs here: their list. What does not: what each holds, which has a module of its own: `tables` (CSV, Parquet and
`release.json`), `workbook`, `schema`, `codes` (the codebook) and `datapackage`.
"""

from survey_pipeline.instrument import Instrument
from survey_pipeline.language import SOURCE, speaking
from survey_pipeline.release import Release
from survey_pipeline.render import tables
from survey_pipeline.render.codes import codebook
from survey_pipeline.render.datapackage import CODEBOOK, DATA_PACKAGE, datapackage
from survey_pipeline.render.schema import RELEASE_SCHEMA, release_schema
from survey_pipeline.render.view import View
from survey_pipeline.render.workbook import WORKBOOK, workbook

RELEASE = "release.json"


def files(release: Release, instrument: Instrument, shown: View | None = None) -> dict[str, bytes]:
    """Every file for analysts by its path in the wave's folder. `shown`: the same release as its readers see it, with its
    labels in the language that is spoken; it makes the workbook. The other files are the same in every language.
    """
    with speaking(SOURCE):
        made = _for_programs(View(release, instrument))
    return made | {WORKBOOK: workbook(shown or View(release, instrument))}


def _for_programs(view: View) -> dict[str, bytes]:
    found = tables.frames(view.release, view.instrument)
    written = {f"tables/{name}.csv": tables.as_csv(frame) for name, frame in found.items()}
    written[CODEBOOK] = tables.as_csv(codebook(view))
    return {
        **written,
        **{f"tables/{name}.parquet": tables.as_parquet(frame) for name, frame in found.items()},
        RELEASE: tables.json(view.release),
        RELEASE_SCHEMA: release_schema(),
        DATA_PACKAGE: datapackage(view, found, written),
    }
