"""Run the benchmark of the linter: `python tests/lint_bench --seed 0 --misses`.

What belongs here: arguments and printing. What does not: anything else.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from lint_bench.bench import MISTAKES, is_good, run, told


def main() -> int:
    """Print the shares found and the false alarms; 1 where they are not good enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mistakes", type=int, default=MISTAKES)
    parser.add_argument("--misses", action="store_true", help="show what was missed, and each false alarm")
    given = parser.parse_args()
    result = run(given.seed, given.mistakes)
    if given.misses:
        for mutant, caught in result.mutants:
            if not caught:
                sys.stdout.write(f"missed ({mutant.kind}, {mutant.origin}): {mutant.put_in}\n    {mutant.text}\n")
        for text, found in result.alarms:
            for one in found:
                sys.stdout.write(f"{one.in_words(text.name)}\n")
    sys.stdout.write(f"{told(result)}\n")
    return 0 if is_good(result) else 1


if __name__ == "__main__":
    sys.exit(main())
