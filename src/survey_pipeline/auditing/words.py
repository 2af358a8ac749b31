"""Words: an audit as it is told to people and to programs.

What belongs here: sentences, and the JSON document. What does not: exit codes (`attacked`), and where it is printed (`cli`).
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from survey_pipeline.auditing.attacked import Audit, Audited, Shown
from survey_pipeline.plural import n_of

MOST_TOLD = 20
"""Counts named of one release; `--json` names all."""


def as_json(audit: Audit) -> dict[str, Any]:
    """The whole audit. `releases`: one part a release or folder; `given_away`, `closer_than_certified` and
    `unless_nobody_or_many` are hidden counts with the least and most that they can be (most: null is no upper end).
    """
    return {
        "problems": [asdict(problem) for problem in audit.problems],
        "releases": [_release(each) for each in audit.audited],
        "exit_code": audit.exit_code,
    }


def _release(audited: Audited) -> dict[str, Any]:
    plain = ("title", "instrument", "wave", "release_number", "entry", "policy", "solver", "unsettled", "not_proved")
    return {
        **{name: getattr(audited, name) for name in plain},
        "together_with": list(audited.together_with),
        "certified": audited.is_certified,
        "hidden_counts": sum((audited.hidden or {}).values()),
        "tables": [_table(audited, table, n) for table, n in (audited.hidden or {}).items()],
        "given_away": [_shown(each) for each in audited.shown if each.given_away],
        "closer_than_certified": [_shown(each) for each in audited.shown if each.is_closer and not each.given_away],
        "unless_nobody_or_many": [_shown(each) for each in audited.shown if not each.is_bad],
        "remarks": list(audited.remarks),
    }


def _table(audited: Audited, table: str, n: int) -> dict[str, Any]:
    mine = [each for each in audited.shown if each.table == table]
    return {
        "table": table,
        "hidden_counts": n,
        "given_away": sum(each.given_away for each in mine),
        "closest": _shown(mine[0]) if mine else None,
    }


def _shown(shown: Shown) -> dict[str, Any]:
    return {name: value for name, value in asdict(shown).items() if name not in ("given_away", "is_closer")}


# --- For people -------------------------------------------------------------------------------------------------------


def words_of(audit: Audit) -> list[str]:
    """What was found, in lines."""
    lines = [f"Tampered with: {problem}" for problem in audit.problems]
    lines += [line for each in audit.audited for line in _lines(each)]
    return [*lines, _verdict(audit)]


def _verdict(audit: Audit) -> str:
    if not audit.problems and not audit.audited:
        return "Nothing has been published yet."
    if audit.problems:
        return f"{n_of(len(audit.problems), 'problem')}: what was published is not what was entered, or cannot be."
    if bad := sum(len(each.bad) for each in audit.audited):
        return f"{n_of(bad, 'hidden count')} {'is' if bad == 1 else 'are'} told more closely than may be."
    if audit.exit_code:
        return "Nothing is given away as far as can be proved, but not all of it could be proved."
    if not all(each.is_certified for each in audit.audited):
        return "Nobody is given away, as far as that can be told without a certificate."
    return "Intact, and nobody is given away."


def _lines(audited: Audited) -> Iterator[str]:
    if audited.not_proved:
        yield f"{audited.title}: not proved, since {audited.not_proved}."
        return
    n = sum((audited.hidden or {}).values())
    beside = f", together with {' and '.join(audited.together_with)}" if audited.together_with else ""
    yield f"{audited.title}: {n_of(n, 'hidden count')} attacked{beside}; {_found(audited)}"
    yield from (f"  {remark}" for remark in audited.remarks)
    if not audited.entry:
        yield from (f"  {line}" for line in _tables(audited))
    yield from (f"  {_said(each)}" for each in audited.bad[:MOST_TOLD])
    if len(audited.bad) > MOST_TOLD:
        yield f"  and {len(audited.bad) - MOST_TOLD} more: --json names all"


def _found(audited: Audited) -> str:
    """What became of the attack, in a few words."""
    bad, others = audited.bad, len(audited.shown) - len(audited.bad)
    given_away = sum(each.given_away for each in bad)
    given = f"{given_away} given away" if given_away else "none is given away"
    closer = f", {len(bad) - given_away} told more closely than certified" if len(bad) > given_away else ""
    vouched = "as its certificate says" if audited.is_certified else "unless they are nobody or many"
    near = f", {others} told more closely than the mark, {vouched}" if others else ""
    unsettled = f", {audited.unsettled} not settled" if audited.unsettled else ""
    return f"{given}{closer}{near}{unsettled}"


def _tables(audited: Audited) -> Iterator[str]:
    for table, n in (audited.hidden or {}).items():
        mine = [each for each in audited.shown if each.table == table]
        given = sum(each.given_away for each in mine)
        closest = f"; the closest: {_said(mine[0])}" if mine else ""
        yield f"{table}: {n_of(n, 'hidden count')}, {given or 'none'} given away{closest}"


def _said(shown: Shown) -> str:
    """Such as "Citrate, pain, share (events): shown to be from 2 to 3"."""
    vouched = f"certified {_ends(*shown.certified)}" if shown.certified else "and its certificate does not name it"
    certified = f", {vouched}" if shown.is_closer else ""
    about = f"{shown.level}, {shown.outcome}, {shown.statistic} ({shown.counted})"
    return f"{about}: shown to be {_ends(shown.least, shown.most)}{certified}"


def _ends(least: int, most: int | None) -> str:
    if most is None:
        return f"{least} or more"
    return str(least) if least == most else f"from {least} to {most}"
