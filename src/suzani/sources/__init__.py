"""Records of the product systems: mappings, loads, quarantine."""

from suzani.sources.catalogue import Readers, find_mapping, known_mappings
from suzani.sources.conversion import SEXES
from suzani.sources.mapping import Mapping
from suzani.sources.mapping_file import load_mapping
from suzani.sources.putting import PutResult, add_put, add_put_new, add_taken_ids, put
from suzani.sources.reads import (
    PRODUCT_SCHEMA,
    RECORD_SCHEMA,
    SystemSummary,
    changes_of,
    count_live,
    fingerprint,
    load_summary,
    products,
    products_of,
    records_for_identity,
    records_of,
)
from suzani.sources.service import LoadProgress, load
from suzani.sources.typed import LONGEST_KEY, LONGEST_VALUE, Reader, Typed, Value, attributes_of
from suzani.sources.types import Fate, LoadOptions, LoadReport, Mode, Sql

__all__ = [
    "LONGEST_KEY",
    "LONGEST_VALUE",
    "PRODUCT_SCHEMA",
    "RECORD_SCHEMA",
    "SEXES",
    "Fate",
    "LoadOptions",
    "LoadProgress",
    "LoadReport",
    "Mapping",
    "Mode",
    "PutResult",
    "Reader",
    "Readers",
    "Sql",
    "SystemSummary",
    "Typed",
    "Value",
    "add_put",
    "add_put_new",
    "add_taken_ids",
    "attributes_of",
    "changes_of",
    "count_live",
    "find_mapping",
    "fingerprint",
    "known_mappings",
    "load",
    "load_mapping",
    "load_summary",
    "products",
    "products_of",
    "put",
    "records_for_identity",
    "records_of",
]
