"""Records of the product systems: mappings, loads, quarantine."""

from suzani.sources.catalogue import find_mapping, known_mappings
from suzani.sources.conversion import SEXES
from suzani.sources.mapping import Mapping
from suzani.sources.mapping_file import load_mapping
from suzani.sources.reads import (
    PRODUCT_SCHEMA,
    RECORD_SCHEMA,
    SystemSummary,
    changes_of,
    fingerprint,
    load_summary,
    products,
    products_of,
    records_for_identity,
    records_of,
)
from suzani.sources.service import LoadProgress, load
from suzani.sources.types import LoadOptions, LoadReport, Mode, Sql

__all__ = [
    "PRODUCT_SCHEMA",
    "RECORD_SCHEMA",
    "SEXES",
    "LoadOptions",
    "LoadProgress",
    "LoadReport",
    "Mapping",
    "Mode",
    "Sql",
    "SystemSummary",
    "changes_of",
    "find_mapping",
    "fingerprint",
    "known_mappings",
    "load",
    "load_mapping",
    "load_summary",
    "products",
    "products_of",
    "records_for_identity",
    "records_of",
]
