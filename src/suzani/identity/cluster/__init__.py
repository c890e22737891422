"""Identity resolution on Spark: the local engine's kernels over Arrow batches, and the same persons."""

from suzani.identity.cluster.linking import Linked, link_on_spark
from suzani.identity.cluster.options import ClusterOptions
from suzani.identity.cluster.resolving import Resolved, resolve_frame
from suzani.identity.cluster.session import check_spark, session

__all__ = [
    "ClusterOptions",
    "Linked",
    "Resolved",
    "check_spark",
    "link_on_spark",
    "resolve_frame",
    "session",
]
