"""Identity resolution: which records are one person, and why."""

from suzani.identity.contacts import standard_phone
from suzani.identity.evaluation import Comparison, Evaluation, evaluate_partition, evaluate_tables
from suzani.identity.linking import Input, Linkage, link, read_input
from suzani.identity.names import comparable_name, comparable_names, phonetic_key, phonetic_keys
from suzani.identity.service import RunReport, resolve
from suzani.identity.tables import read_table, write_table

__all__ = [
    "Comparison",
    "Evaluation",
    "Input",
    "Linkage",
    "RunReport",
    "comparable_name",
    "comparable_names",
    "evaluate_partition",
    "evaluate_tables",
    "link",
    "phonetic_key",
    "phonetic_keys",
    "read_input",
    "read_table",
    "resolve",
    "standard_phone",
    "write_table",
]
