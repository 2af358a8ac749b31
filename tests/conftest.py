"""What several tests share: an instrument on disk, a home folder, and an environment without settings of the user's own."""

import os
from pathlib import Path

import pytest
from club import CLUB
from hypothesis import settings

# The same examples on every machine and on a busy one too: what fails here fails for everybody.
settings.register_profile("survey_pipeline", deadline=None, derandomize=True, database=None)
settings.load_profile("survey_pipeline")

SLOWEST = ("test_readme", "test_flows", "test_simulate", "test_approval", "test_withdraw", "test_prove", "test_browser")
"""Files that take minutes, the slowest first."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with the slowest tests first, so that no worker begins a long one while the others have nothing left to do."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    first = {name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: (first.get(item.path.stem, len(first)), item.path not in slow))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SURVEY_PIPELINE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def instrument_file(tmp_path: Path) -> Path:
    path = tmp_path / "club.toml"
    path.write_text(CLUB, encoding="utf-8")
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where a test's warehouse and reports will be; nothing is there yet."""
    return tmp_path / "home"
