"""Identity resolution: which records are one person, and why."""

from suzani.identity.contacts import standard_phone
from suzani.identity.evaluation import Comparison, Evaluation, evaluate_partition, evaluate_tables
from suzani.identity.linking import Input, Linkage, link, read_input
from suzani.identity.names import comparable_name, comparable_names, phonetic_key, phonetic_keys
from suzani.identity.service import RunReport, resolve
from suzani.identity.store import affected_persons, mark_read
from suzani.identity.tables import read_table, write_table
from suzani.identity.types import Affected, Applied, Cause, Change, Constraint

__all__ = [
    "Affected",
    "Applied",
    "Cause",
    "Change",
    "Comparison",
    "Constraint",
    "Evaluation",
    "Input",
    "Linkage",
    "RunReport",
    "affected_persons",
    "comparable_name",
    "comparable_names",
    "evaluate_partition",
    "evaluate_tables",
    "link",
    "mark_read",
    "phonetic_key",
    "phonetic_keys",
    "read_input",
    "read_table",
    "resolve",
    "standard_phone",
    "write_table",
]
