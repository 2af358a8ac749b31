"""The cleaning log: a file in which a steward says what to do about refused answers.

What belongs here: what stands in the file (`entries`, `words`), writing and reading it as a workbook or CSV (`files`), and
whether what was filled in may stand (`checks`). What does not: applying them (`corrections`), keeping them (`storage`).
The file shows people's own answers, and is the only place that does: no message holds what stands in it.
"""

from survey_pipeline.cleaning_log.checks import check_log
from survey_pipeline.cleaning_log.entries import entries, log_of
from survey_pipeline.cleaning_log.files import Line, as_csv, as_xlsx, filled, read_log, unapplied

__all__ = ["Line", "as_csv", "as_xlsx", "check_log", "entries", "filled", "log_of", "read_log", "unapplied"]
