"""Data package: a description of a wave's files that programs read, after the Data Package standard (version 1, tabular).

What belongs here: which files there are, their columns with types and meanings, and where the numbers come from. What does
not: a licence, which only the community can give, and any time at which something was made. All of it is in English but the
survey's own words.
"""

from collections.abc import Mapping
from hashlib import sha256
from json import dumps
from typing import Any, Final

import polars as pl

from survey_pipeline import names
from survey_pipeline.names import Status
from survey_pipeline.plain import clean
from survey_pipeline.render import codes, words
from survey_pipeline.render.columns import COLUMNS, HIDDEN_NUMBERS, described
from survey_pipeline.render.tables import COMPARISONS, TESTS
from survey_pipeline.render.view import View
from survey_pipeline.spreadsheets import harmless_frame

DATA_PACKAGE: Final = "datapackage.json"
CODEBOOK: Final = "codebook.csv"
CODEBOOK_NAME: Final = "wave-codebook"
"""With a hyphen, as no table can be called."""
OF_OURS: Final = {
    COMPARISONS: "Two groups compared, of every table",
    TESTS: "Tests over all groups, of every table",
}
TYPES: Final = {pl.String: "string", pl.Float64: "number", pl.Int64: "integer"}
CONSTRAINTS: Final[dict[str, dict[str, Any]]] = {
    names.STATUS: {"enum": [*Status]},
    names.PROVENANCE: {"enum": [names.REAL, names.INVENTED]},
    "direction": {"enum": ["up", "down", "flat"]},
    "family": {"enum": ["primary", "grid"]},
    **{name: {"minimum": 0} for name in (names.N_RESPONDENTS, names.N_COMPARED, names.N_MISSING, names.STANDARD_ERROR)},
    **{name: {"minimum": 0, "maximum": 1} for name in (names.P_VALUE, "p_adjusted")},
}
KEYS: Final = (names.EXPOSURE, names.LEVEL, names.COMPARED_WITH, names.OUTCOME, names.STATISTIC)
"""The columns that tell the rows of a table apart, as far as it has them."""
ALWAYS_FILLED: Final = frozenset(
    {*KEYS, names.INSTRUMENT, names.WAVE, names.TABLE, names.STATUS, names.PROVENANCE, "column", "code"}
)


def datapackage(view: View, tables: Mapping[str, pl.DataFrame], written: Mapping[str, bytes]) -> bytes:
    """The description of a wave's CSV files. `tables`: frames by name; `written`: the files by their path in the folder, of
    which size and SHA-256 are told.
    """
    release = view.release
    resources = [_of_table(view, name, frame, written) for name, frame in tables.items()]
    package = {
        "profile": "tabular-data-package",
        "name": f"{release.instrument.name}-{release.wave}".lower(),
        "title": f"{clean(release.instrument.title)}, {release.wave}",
        "description": _about(view),
        "version": f"{release.instrument.version}.{release.release_number}",
        "contributors": [{"title": clean(view.instrument.community), "role": "author"}],
        "sources": [{"title": _source(view)}],
        "keywords": [release.instrument.name, release.wave, release.provenance],
        "resources": [*resources, _of_codebook(written)],
    }
    return (dumps(package, ensure_ascii=False, indent=1) + "\n").encode()


def _about(view: View) -> str:
    invented = f"{words.INVENTED_LONG} " if view.release.is_invented else ""
    parts = f"What stands in each column is said with it; what each code means, in {CODEBOOK}. {HIDDEN_NUMBERS}"
    return f"{invented}{clean(view.instrument.about)} {words.NO_CAUSE} {parts}"


def _source(view: View) -> str:
    inputs = ", ".join(view.release.inputs_sha256)
    what = "Invented answers" if view.release.is_invented else "Answers of members"
    return f"{what} to the survey {view.release.instrument.name}; SHA-256 of the exports: {inputs}"


def _of_table(view: View, name: str, frame: pl.DataFrame, written: Mapping[str, bytes]) -> dict[str, Any]:
    path = f"tables/{name}.csv"
    title = OF_OURS.get(name) or words.table_title(view, name)
    about = f"One row is one published number. The same rows with the same types are in tables/{name}.parquet."
    fields = [_field(column, kind) for column, kind in frame.schema.items()]
    return _resource(name, path, title, about, written[path], _schema(fields, frame))


def _of_codebook(written: Mapping[str, bytes]) -> dict[str, Any]:
    fields = [
        _with_constraints(name, {"type": "string", "description": about}) for name, about in codes.COLUMNS.items()
    ]
    about = "What each code in the tables stands for: one row a code."
    return _resource(CODEBOOK_NAME, CODEBOOK, "Codebook", about, written[CODEBOOK], _schema(fields))


def _resource(name: str, path: str, title: str, about: str, content: bytes, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": name,
        "path": path,
        "title": title,
        "description": about,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{sha256(content).hexdigest()}",
        "dialect": {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "lineTerminator": "\n", "header": True},
        "schema": schema,
    }


def _schema(fields: list[dict[str, Any]], frame: pl.DataFrame | None = None) -> dict[str, Any]:
    """Columns, what stands for a missing value, and what tells rows apart, where labels are not so odd that nothing does."""
    schema: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    key = [name for name in KEYS if frame is not None and name in frame.columns]
    if frame is not None and not harmless_frame(frame.select(key)).is_duplicated().any():
        schema["primaryKey"] = key
    return schema


def _field(name: str, kind: pl.DataType) -> dict[str, Any]:
    told = {"type": TYPES[kind.base_type()], "title": COLUMNS[name].heading, "description": described(name)}
    return _with_constraints(name, told)


def _with_constraints(name: str, told: dict[str, Any]) -> dict[str, Any]:
    constraints = {**({"required": True} if name in ALWAYS_FILLED else {}), **CONSTRAINTS.get(name, {})}
    return {"name": name, **told, **({"constraints": constraints} if constraints else {})}
