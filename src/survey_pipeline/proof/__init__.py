"""Proof: nobody can work out a small count from all that is published together.

What belongs here: what an attacker knows (`knowledge` and `numbers`, of what is `told`, in `parts` and `nested`), as a list
of sums between bounds (`system`); which counts stand `behind` a release; what can be concluded (`attack`, with `narrow`,
`pieces`, `worlds`, `search` and `sums`); and which published numbers to take back when that is too much (`repair` with
`elastic`, and `cells` for plain tables). What does not: choosing levels (`coarsen`) or hiding what is too small in itself
(`disclose`).

Only `system` is loaded at once; `attack` and `repair` bring in the solver and are to be imported where they are needed.
"""

from survey_pipeline.proof.system import Key, Source, System

__all__ = ["Key", "Source", "System"]
