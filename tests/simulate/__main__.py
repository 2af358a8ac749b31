"""Are the claims and the intervals worth what they promise? Prints `docs/simulations.md`, and fails if a promise is broken.

python tests/simulate [--communities N] [--repeats N] [--workers N] [--seed N] [--out FILE]
"""

import argparse
import os
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "simulations.md"


def main(arguments: list[str] | None = None) -> int:
    """Simulate, print, write; 1 if a promise is broken."""
    sys.path.insert(0, str(TESTS))  # a folder that is run is no package until the one around it can be found
    from simulate.pages import Amount, page
    from simulate.work import Workers

    usual = Amount()
    given = _parser(usual.communities, usual.repeats, usual.seed).parse_args(arguments)
    amount = Amount(given.communities, given.repeats, given.seed)
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # for the workers: each has a processor of its own
    with Workers(given.workers) as workers:
        made = page(amount, workers)
    sys.stdout.write(made.text)
    if amount == usual or given.out != PAGE:
        given.out.write_text(made.text, encoding="utf-8")
    sys.stderr.writelines(f"Broken: {promise}.\n" for promise in made.broken)
    return 1 if made.broken else 0


def _parser(communities: int, repeats: int, seed: int) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulate", description="Simulated communities, and docs/simulations.md.")
    parser.add_argument("--communities", type=int, default=communities)
    parser.add_argument("--repeats", type=int, default=repeats, help="intervals for each coverage")
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=PAGE, help="the page; docs/simulations.md only with usual amounts")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
