"""A frozen run from end to end: the committed sample report must be what the code makes of the same invented answers."""

import subprocess
import sys
from pathlib import Path

import pytest
from sample_report import ADDED_BY_HAND, SAMPLE, kept

from survey_pipeline.names import INVENTED, INVENTED_HEADING


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by a process of its own, as the committed one was: nothing may depend on what a process did before."""
    home, here = tmp_path_factory.mktemp("frozen"), str(Path(__file__).parent)
    code = f"import sys; sys.path.insert(0, {here!r}); from pathlib import Path; from sample_report import make; "
    code += "print(make(Path(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", code, str(home)], check=True, timeout=600, capture_output=True, text=True
    )
    return Path(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_the_same_files_come_out(fresh: Path) -> None:
    committed = [path.relative_to(SAMPLE).as_posix() for path in sorted(SAMPLE.rglob("*")) if path.is_file()]
    assert sorted(set(committed) - set(ADDED_BY_HAND)) == kept(fresh)


@pytest.mark.slow
def test_the_same_words_and_numbers_come_out(fresh: Path) -> None:
    """Pictures are drawn by libraries that may differ between machines in their last pixel; everything else is compared."""
    texts = [name for name in kept(fresh) if not name.endswith((".png", ".svg", ".html"))]
    assert {
        "newsletter.md",
        "tables/form_by_outcome.csv",
        "tables/dose_by_outcome.csv",
        "tables/who_answered.csv",
    } <= set(texts)
    for name in texts:
        assert (SAMPLE / name).read_bytes() == (fresh / name).read_bytes(), f"{name}: run `make sample-report` and look"


@pytest.mark.slow
def test_the_page_tells_the_same(fresh: Path) -> None:
    def words(page: Path) -> str:
        return page.read_text(encoding="utf-8").split("<svg", 1)[0]

    assert words(SAMPLE / "index.html") == words(fresh / "index.html")


def test_everything_says_that_it_is_invented() -> None:
    assert "Invented data" in (SAMPLE / "index.html").read_text(encoding="utf-8")
    assert "nvented" in (SAMPLE / "newsletter.md").read_text(encoding="utf-8").split("\n\n", 3)[1]
    for table in sorted((SAMPLE / "tables").glob("*.csv")):
        rows = table.read_text(encoding="utf-8").splitlines()
        assert len(rows) > 1
        assert all(f",{INVENTED}," in row for row in rows[1:]), table.name
    assert INVENTED_HEADING.startswith("INVENTED")
