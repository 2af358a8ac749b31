"""Does anything published give a person away? Prints `docs/proof-simulations.md`, and fails if a small count is found.

python tests/prove [--communities N] [--workers N] [--seed N] [--out FILE] [--record]
python tests/prove --digest

What belongs here: the command. What does not: everything else.
"""

import argparse
import os
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "proof-simulations.md"
KEPT = TESTS.parent / ".survey-pipeline" / "prove"
"""What was attacked already, for a run that goes on."""


def main(arguments: list[str] | None = None) -> int:
    """Attack, print, write; 1 if something is found that must not be found."""
    sys.path.insert(0, str(TESTS))  # a folder that is run is no package until the one around it can be found
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # for the workers: each has a processor of its own
    from simulate.work import Workers

    from prove.depends import code_digest
    from prove.kept import Kept
    from prove.pages import Amount, proved

    usual = Amount()
    given = _parser(usual.communities, usual.seed).parse_args(arguments)
    if given.digest:
        sys.stdout.write(f"{code_digest()}\n")
        return 0
    amount = Amount(given.communities, given.seed)
    with Workers(given.workers) as workers:
        made = proved(amount, workers, Kept.under(KEPT, record_of(PAGE) if given.record else None))
    sys.stdout.write(f"{made.text}\n{made.times}")
    if amount == usual or given.out != PAGE:
        given.out.write_text(made.text, encoding="utf-8")
        record_of(given.out).write_text(made.record, encoding="utf-8")
    sys.stderr.writelines(f"Broken: {promise}.\n" for promise in made.broken)
    return 1 if made.broken else 0


def record_of(page: Path) -> Path:
    """The file beside a page that says what became of each community."""
    return page.with_suffix(".csv")


def _parser(communities: int, seed: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="prove", description="Attacks on invented communities.")
    parser.add_argument("--communities", type=int, default=communities)
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--record",
        action="store_true",
        help="attack only what the record beside the page lacks for the code as it is now",
    )
    parser.add_argument(
        "--digest", action="store_true", help="say which code is at hand, as the first column of the record does"
    )
    parser.add_argument(
        "--out", type=Path, default=PAGE, help="the page; docs/proof-simulations.md only with usual amounts"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
