"""Switches: each defence, and how to take it out.

What belongs here: the name of one function or constant of the pipeline, and what stands in its place. What does not: which
attack it stops (`test_attacks`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from importlib import import_module
from typing import Any

import pytest


@dataclass(frozen=True)
class Switch:
    """A defence by what it does (`defence`), where it is (`module` and `name`), and what it is without it.

    `instead` is given what stands there, so that it can go on using it.
    """

    defence: str
    module: str
    name: str
    instead: Callable[[Any], Any]

    def off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the defence out until the test is over."""
        *path, name = self.name.split(".")
        holder: Any = reduce(getattr, path, import_module(self.module))
        monkeypatch.setattr(holder, name, self.instead(getattr(holder, name)))
