"""Identity resolution: which records are one person, and why."""

from suzani.identity.assembly import Apart, How, Joined, JoinStep, PairOdds, Prevented
from suzani.identity.contacts import standard_phone
from suzani.identity.decisions import Contradicted
from suzani.identity.evaluation import Comparison, Evaluation, evaluate_partition, evaluate_tables
from suzani.identity.explaining import FieldStep, RecordName, Verdict, Why
from suzani.identity.explanations import Story, how, story, why, why_not
from suzani.identity.feed_store import affected_persons, mark_read, prune_feed
from suzani.identity.lineage import (
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
from suzani.identity.lineage_store import constraints
from suzani.identity.linking import Input, Linkage, link, read_input
from suzani.identity.matches import Near
from suzani.identity.names import comparable_name, comparable_names, phonetic_key, phonetic_keys
from suzani.identity.nearest import Neighbour, WhyNot
from suzani.identity.online import MOST_AT_ONCE, Asked, Limits, Resolved, Resolver
from suzani.identity.service import RunReport, resolve
from suzani.identity.stewarding import join, record_ids, revoke, separate
from suzani.identity.tables import read_table, write_table
from suzani.identity.types import Affected, Applied, Cause, Change, Constraint, Outcome
from suzani.identity.undoing import undo

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
