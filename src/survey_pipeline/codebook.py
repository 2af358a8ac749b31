"""The codebook: an instrument as a page for people and a table for programs.

What belongs here: saying what each item asks, which answers it takes and where its thresholds come from. What does not:
anything about the answers given.
"""

from collections.abc import Iterator

import polars as pl

from survey_pipeline.instrument import Instrument, Item, Threshold
from survey_pipeline.plain import in_markdown

CODEBOOK_SCHEMA = dict.fromkeys(
    ("item", "column", "label", "question", "theme", "kind", "role", "unit", "answers", "required", "source"), pl.String
)


def codebook_table(instrument: Instrument) -> pl.DataFrame:
    """One row a column of the responses (or one for an item that is not stored); all text."""
    rows = [row for name, item in instrument.items.items() for row in _rows(name, item)]
    return pl.DataFrame(rows, schema=CODEBOOK_SCHEMA, orient="row")


def _rows(name: str, item: Item) -> Iterator[tuple[str, ...]]:
    for column in item.columns(name) if item.is_stored else ("",):
        yield (
            name,
            column,
            item.label,
            item.question,
            item.theme,
            item.kind.value,
            item.role.value,
            item.unit,
            answers_of(item),
            "yes" if item.required else "no",
            item.source,
        )


def answers_of(item: Item) -> str:
    """The answers an item takes, in words."""
    if item.options:
        return "; ".join(f"{option.code} = {option.label}" for option in item.options)
    if item.minimum is None and item.maximum is None:
        return item.kind.value.replace("_", " or ")
    if item.minimum is None:
        return f"at most {item.maximum:g}"
    return f"at least {item.minimum:g}" if item.maximum is None else f"{item.minimum:g} to {item.maximum:g}"


def codebook_page(instrument: Instrument) -> str:
    """The codebook as Markdown, a section a theme."""
    lines = [
        f"# {in_markdown(instrument.title)}",
        "",
        in_markdown(instrument.about),
        "",
        f"Version {in_markdown(instrument.version)}, for {in_markdown(instrument.community)}.",
    ]
    themes = dict.fromkeys(item.theme for item in instrument.items.values())
    for theme in themes:
        lines += ["", f"## {in_markdown(theme[:1].upper() + theme[1:])}", ""]
        lines += [line for name, item in instrument.items.items() if item.theme == theme for line in _entry(name, item)]
    return "\n".join([*lines, *_weighting(instrument), ""])


def _entry(name: str, item: Item) -> Iterator[str]:
    stored = "" if item.is_stored else ", not stored"
    required = ", required" if item.required else ""
    yield f"- **{in_markdown(item.label)}** (`{name}`, {item.kind.value}{required}{stored}): {in_markdown(item.question)}"
    yield f"  - answers: {in_markdown(f'{answers_of(item)} {item.unit}')}"
    if item.bands:
        yield f"  - bands: {in_markdown('; '.join(band.label for band in item.bands))}"
    yield from (f"  - {_threshold(threshold)}" for threshold in item.thresholds)
    yield from (f"  - {said}" for said in _analysis(item))
    if item.note:
        yield f"  - note: {in_markdown(item.note)}"


def _analysis(item: Item) -> Iterator[str]:
    """What is done with the answers besides showing them."""
    yield from (f"`above_{limit.code}`: {in_markdown(f'{limit.label} ({limit.source})')}" for limit in item.limits)
    if item.comparison:
        yield f"compared with: `{item.comparison}`"
    if item.readings:
        yield f"read again from: `{item.readings}`"
    if item.basis:
        yield f"which weight those words mean: `{item.basis}`, where they do not say it themselves"
    if item.responder_curve:
        yield f"improved by at least {', '.join(map(str, item.responder_curve))} %"
    if item.retest:
        yield f"retest correlation: {item.retest.lowest:g} to {item.retest.highest:g} ({in_markdown(item.retest.source)})"


def _weighting(instrument: Instrument) -> Iterator[str]:
    """How much each answer counts, and why."""
    weighting = instrument.weighting
    if weighting is None:
        return
    yield from ("", "## Weights", "", in_markdown(weighting.why))
    for margin in weighting.margins:
        shares = "; ".join(f"{code} {share:.1%}" for code, share in margin.shares.items())
        yield f"- `{margin.item}`: {shares} ({in_markdown(margin.source)})"


def _threshold(threshold: Threshold) -> str:
    return f"`{threshold.name}`: {in_markdown(f'{threshold.label} ({threshold.source})')}"
