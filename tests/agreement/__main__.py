"""Make docs/agreement.md, and fail where any figure differs by more than it may: `python tests/agreement`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "agreement.md"


def main() -> int:
    """Write the page; 1 where the reference figures are not at hand or a figure differs."""
    sys.path.insert(0, str(HERE.parent))
    from agreement.reference import ARE_AT_HAND, REFERENCE
    from agreement.table import all_entries, not_compared, page

    if not ARE_AT_HAND:
        sys.stderr.write(
            f"The reference figures are not at hand: put them into {REFERENCE.name}/ beside the project.\n"
        )
        return 1
    entries = all_entries()
    PAGE.write_text(page(entries, not_compared()), encoding="utf-8")
    differing = [entry for entry in entries if not entry.agrees]
    for entry in differing:
        sys.stderr.write(f"{entry.code}, {entry.reference}: {entry.ours} is not {entry.theirs}\n")
    sys.stdout.write(f"{len(entries)} values compared, {len(differing)} differ: {PAGE.name}\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
