"""Identity resolution: which records are one person, and why."""

from suzani.identity.files.evaluation import Comparison, Evaluation, evaluate_partition, evaluate_tables
from suzani.identity.files.linking import Input, Linkage, link, read_input
from suzani.identity.files.tables import read_table, write_table
from suzani.identity.indexing.matches import Near
from suzani.identity.persons.decisions import Contradicted
from suzani.identity.persons.feed_store import affected_persons, mark_read, prune_feed
from suzani.identity.persons.lineage import (
    Event,
    Moved,
    Stay,
    Whereabouts,
    current_ids,
    history,
    persons_at,
    record_history,
    whereabouts,
)
from suzani.identity.persons.lineage_store import constraints
from suzani.identity.persons.stewarding import join, record_ids, revoke, separate
from suzani.identity.persons.types import Affected, Applied, Cause, Change, Constraint, Outcome
from suzani.identity.persons.undoing import undo
from suzani.identity.reasons.assembly import Apart, How, Joined, JoinStep, PairOdds, Prevented
from suzani.identity.reasons.explaining import FieldStep, RecordName, Verdict, Why
from suzani.identity.reasons.explanations import Story, how, story, why, why_not
from suzani.identity.reasons.nearest import Neighbour, WhyNot
from suzani.identity.resolving.online import MOST_AT_ONCE, Asked, Limits, Resolved, Resolver
from suzani.identity.resolving.service import RunReport, resolve
from suzani.identity.values.contacts import standard_phone
from suzani.identity.values.names import comparable_name, comparable_names, phonetic_key, phonetic_keys

__all__ = [
    "MOST_AT_ONCE",
    "Affected",
    "Apart",
    "Applied",
    "Asked",
    "Cause",
    "Change",
    "Comparison",
    "Constraint",
    "Contradicted",
    "Evaluation",
    "Event",
    "FieldStep",
    "How",
    "Input",
    "JoinStep",
    "Joined",
    "Limits",
    "Linkage",
    "Moved",
    "Near",
    "Neighbour",
    "Outcome",
    "PairOdds",
    "Prevented",
    "RecordName",
    "Resolved",
    "Resolver",
    "RunReport",
    "Stay",
    "Story",
    "Verdict",
    "Whereabouts",
    "Why",
    "WhyNot",
    "affected_persons",
    "comparable_name",
    "comparable_names",
    "constraints",
    "current_ids",
    "evaluate_partition",
    "evaluate_tables",
    "history",
    "how",
    "join",
    "link",
    "mark_read",
    "persons_at",
    "phonetic_key",
    "phonetic_keys",
    "prune_feed",
    "read_input",
    "read_table",
    "record_history",
    "record_ids",
    "resolve",
    "revoke",
    "separate",
    "standard_phone",
    "story",
    "undo",
    "whereabouts",
    "why",
    "why_not",
    "write_table",
]
