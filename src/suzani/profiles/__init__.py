"""Golden records and profiles: one view of each person."""

from suzani.profiles.auditing import Stamp, audit, audit_stamp
from suzani.profiles.customers import GOLDEN_ATTRIBUTES, current_id, customer
from suzani.profiles.facts import GOLDEN_OF, PRODUCTS_OF, PROFILE_FIELDS, Facts, facts, facts_of
from suzani.profiles.holding import Holder, sole_holders
from suzani.profiles.rebuilding import rebuild, rebuild_all
from suzani.profiles.searching import is_searchable, search
from suzani.profiles.survivorship import Survivorship, load_survivorship
from suzani.profiles.types import (
    Audit,
    Customer,
    Edge,
    Golden,
    Happening,
    Hit,
    Match,
    Origin,
    Product,
    Profile,
    SourceRecord,
)

__all__ = [
    "GOLDEN_ATTRIBUTES",
    "GOLDEN_OF",
    "PRODUCTS_OF",
    "PROFILE_FIELDS",
    "Audit",
    "Customer",
    "Edge",
    "Facts",
    "Golden",
    "Happening",
    "Hit",
    "Holder",
    "Match",
    "Origin",
    "Product",
    "Profile",
    "SourceRecord",
    "Stamp",
    "Survivorship",
    "audit",
    "audit_stamp",
    "current_id",
    "customer",
    "facts",
    "facts_of",
    "is_searchable",
    "load_survivorship",
    "rebuild",
    "rebuild_all",
    "search",
    "sole_holders",
]
