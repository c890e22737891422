"""Identity resolution: which records are one person, and why."""

from suzani.identity.assembly import Apart, How, Joined, JoinStep, PairOdds, Prevented
from suzani.identity.contacts import standard_phone
from suzani.identity.evaluation import Comparison, Evaluation, evaluate_partition, evaluate_tables
from suzani.identity.explaining import FieldStep, RecordName, Verdict, Why
from suzani.identity.explanations import Story, how, story, why, why_not
from suzani.identity.linking import Input, Linkage, link, read_input
from suzani.identity.names import comparable_name, comparable_names, phonetic_key, phonetic_keys
from suzani.identity.nearest import Neighbour, WhyNot
from suzani.identity.service import RunReport, resolve
from suzani.identity.store import affected_persons, mark_read
from suzani.identity.tables import read_table, write_table
from suzani.identity.types import Affected, Applied, Cause, Change, Constraint

__all__ = [
    "Affected",
    "Apart",
    "Applied",
    "Cause",
    "Change",
    "Comparison",
    "Constraint",
    "Evaluation",
    "FieldStep",
    "How",
    "Input",
    "JoinStep",
    "Joined",
    "Linkage",
    "Neighbour",
    "PairOdds",
    "Prevented",
    "RecordName",
    "RunReport",
    "Story",
    "Verdict",
    "Why",
    "WhyNot",
    "affected_persons",
    "comparable_name",
    "comparable_names",
    "evaluate_partition",
    "evaluate_tables",
    "how",
    "link",
    "mark_read",
    "phonetic_key",
    "phonetic_keys",
    "read_input",
    "read_table",
    "resolve",
    "standard_phone",
    "story",
    "why",
    "why_not",
    "write_table",
]
