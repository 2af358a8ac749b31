"""Prefect's settings, made before Prefect is imported: it reads them then, and only from here or the environment.

What belongs here: defaults for a quiet run that keeps to itself. Whatever stands in the environment already wins. What does
not: anything that a promise rests on; that no answer reaches Prefect is seen to in `orchestration`, under any settings.
"""

import contextlib
import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
HOME = PROJECT / ".survey-pipeline" / "prefect"
PROFILES = Path.home() / ".prefect" / "profiles.toml"

QUIET = {
    "PREFECT_HOME": str(HOME),
    # Nothing is sent to anybody.
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    # Prefect and what it is made of log at length, also while they shut down. A steward reads our words only.
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_ROOT_LEVEL": "CRITICAL",
    "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    # A slow machine may take a minute to start the temporary server for the first time.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # A server that has gone does not come back: give up soon.
    "PREFECT_CLIENT_MAX_RETRIES": "1",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
    "PREFECT_TASKS_DEFAULT_PERSIST_RESULT": "false",
}


def settle() -> None:
    """Fill in what the environment leaves open. Under a worker Prefect has been settled already, and stays so."""
    if "prefect" in sys.modules:
        return
    if PROFILES.is_file() and "PREFECT_HOME" not in os.environ:  # a server that the user has chosen there is honoured
        os.environ.setdefault("PREFECT_PROFILES_PATH", str(PROFILES))
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    with contextlib.suppress(OSError):  # Prefect itself says it better if it cannot write there
        Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)


settle()
