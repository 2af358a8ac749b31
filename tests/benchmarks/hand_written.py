"""The peer of the benchmark: what a careful analyst would write by hand in polars for the same two tables.

It knows the magnesium survey's headings and spellings by heart, reads only the columns it needs, leaves out the same rows,
and writes exact tables: no validation with reasons, no quarantine, no storage, no disclosure control, no report. It uses the
instrument only to look up texts, as an analyst would copy them.

    python tests/benchmarks/hand_written.py EXPORT OUT_FOLDER
"""

import sys
from pathlib import Path

import polars as pl

from survey_pipeline.instrument import Instrument, Item, load_instrument

FORM, DOSE, ROUTE = "magnesium_form", "elemental_dose_mg_per_day", "route"
OUTCOMES = ("pain", "stiffness", "fatigue", "sleep_quality", "stress", "mental_fog", "tender_areas", "quality_of_life")
MORE_OUTCOMES = ("fiqr", "psqi", "pss_10")
ONCE = ("pgic",)
Z = 1.959963984540054


def main(export: Path, out: Path) -> None:
    """Read, clean, aggregate by form and by dose, write two CSV files."""
    instrument = load_instrument("magnesium")
    needed = [FORM, DOSE, ROUTE, "consent", "respondent_code", *ONCE]
    needed += [name for outcome in (*OUTCOMES, *MORE_OUTCOMES) for name in (outcome, f"{outcome}_baseline")]
    raw = pl.scan_csv(export, infer_schema=False).select(
        pl.col(instrument.items[name].question).str.strip_chars().alias(name) for name in needed
    )
    clean = (
        raw.filter(pl.col("consent").str.to_lowercase() == instrument.items["consent"].consent_answer.lower())
        .filter(_code(instrument, FORM).is_not_null())
        .unique("respondent_code", keep="first", maintain_order=True)
        .select(
            _code(instrument, FORM).alias(FORM),
            _code(instrument, ROUTE).alias(ROUTE),
            *(
                _number(instrument.items[name], name)
                for name in needed
                if name not in (FORM, ROUTE, "consent", "respondent_code")
            ),
        )
        .with_columns(_band().alias("band"))
    )
    frame = clean.collect(engine="streaming")
    for exposure, name in ((FORM, "form_by_outcome"), ("band", "dose_by_outcome")):
        table = pl.concat(_aggregate(frame, exposure, outcome, instrument) for outcome in (*OUTCOMES, *MORE_OUTCOMES))
        once = pl.concat(_aggregate_once(frame, exposure, outcome) for outcome in ONCE)
        pl.concat([table, once], how="diagonal").write_csv(out / f"{name}.csv")


def _code(instrument: Instrument, name: str) -> pl.Expr:
    item = instrument.items[name]
    folded = pl.col(name).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars_end(".")
    known = {
        " ".join(text.split()).lower().rstrip("."): option.code
        for option in item.options
        for text in (option.code, option.label, *option.spellings)
    }
    single = folded.replace_strict(known, default=None)
    if item.several_as is None:
        return single
    return pl.when(single.is_null() & folded.str.contains(", ")).then(pl.lit(item.several_as)).otherwise(single)


def _number(item: Item, name: str) -> pl.Expr:
    number = pl.col(name).str.extract(r"^([+-]?\d+(?:\.\d+)?)").cast(pl.Float64, strict=False)
    fits = number.is_between(item.minimum or 0.0, item.maximum or 1e12)
    whole = number == number.round() if item.kind == "scale" else pl.lit(True)
    return pl.when(fits & whole).then(number).alias(name)


def _band() -> pl.Expr:
    dose = pl.col(DOSE)
    concerned = pl.col(ROUTE).is_in(["oral", "both"]).fill_null(True)
    return (
        pl.when(~concerned).then(pl.lit("no oral dose"))
        .when(dose.is_null()).then(pl.lit("not stated"))
        .when(dose < 100).then(pl.lit("under 100"))
        .when(dose < 200).then(pl.lit("100 to 199"))
        .when(dose < 300).then(pl.lit("200 to 299"))
        .when(dose < 400).then(pl.lit("300 to 399"))
        .when(dose <= 600).then(pl.lit("400 to 600"))
        .otherwise(pl.lit("over 600"))
    )  # fmt: skip


def _aggregate(frame: pl.DataFrame, exposure: str, outcome: str, instrument: Instrument) -> pl.DataFrame:
    before, after = pl.col(f"{outcome}_baseline"), pl.col(outcome)
    change = after - before
    improvement = change if instrument.items[outcome].better == "higher" else -change
    possible = change.is_not_null() & (before > 0)
    shares = {
        f"responder_{percent}": (improvement >= before * percent / 100 - 1e-9).filter(possible) for percent in (30, 50)
    }
    return (
        frame.lazy()
        .group_by(exposure)
        .agg(
            outcome=pl.lit(outcome),
            n=change.count(),
            n_missing=change.null_count(),
            mean_baseline=before.mean(),
            mean=after.mean(),
            mean_change=change.mean(),
            standard_error=change.std() / change.count().sqrt(),
            median=after.median(),
            median_change=change.median(),
            n_possible=possible.sum(),
            **{name: share.mean() for name, share in shares.items()},
        )
        .with_columns(
            ci_lower=pl.col("mean_change") - Z * pl.col("standard_error"),
            ci_upper=pl.col("mean_change") + Z * pl.col("standard_error"),
        )
        .sort(exposure)
        .collect()
    )


def _aggregate_once(frame: pl.DataFrame, exposure: str, outcome: str) -> pl.DataFrame:
    value = pl.col(outcome)
    shown = frame.group_by(exposure).agg(
        outcome=pl.lit(outcome), n=value.count(), mean=value.mean(), median=value.median()
    )
    return shown.sort(exposure)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
