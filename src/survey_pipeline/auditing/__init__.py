"""Auditing: what was published is attacked again, from the ledger alone or from copies of the published files.

What belongs here: attacking releases as a reader sees them (`attacked`), a whole ledger (`history`), a folder of published
files (`folder`), and the levels behind published labels (`labels`). What does not: any answer, or the truth: an auditor has
neither. How conclusions are drawn stands in `proof`.
"""

from survey_pipeline.auditing.attacked import Audit, Audited, attacked, together
from survey_pipeline.auditing.folder import altered_reports, audit_folder
from survey_pipeline.auditing.history import audit_ledger
from survey_pipeline.auditing.words import as_json, words_of

__all__ = [
    "Audit",
    "Audited",
    "altered_reports",
    "as_json",
    "attacked",
    "audit_folder",
    "audit_ledger",
    "together",
    "words_of",
]
