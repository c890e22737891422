"""Identity resolution: which records are one person, and why."""

from suzani.identity.contacts import standard_phone
from suzani.identity.evaluation import Comparison, Evaluation, evaluate_partition, evaluate_tables
from suzani.identity.names import comparable_name, comparable_names, phonetic_key, phonetic_keys
from suzani.identity.service import RunReport, resolve

__all__ = [
    "Comparison",
    "Evaluation",
    "RunReport",
    "comparable_name",
    "comparable_names",
    "evaluate_partition",
    "evaluate_tables",
    "phonetic_key",
    "phonetic_keys",
    "resolve",
    "standard_phone",
]
