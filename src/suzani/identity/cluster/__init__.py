"""Identity resolution on Spark: the local engine's kernels over Arrow batches, and the same persons."""


from suzani.identity.cluster.options import ClusterOptions
from suzani.identity.cluster.resolving import Resolved, resolve_frame
from suzani.identity.cluster.session import check_spark, session

__all__ = [
    "ClusterOptions",
    "Resolved",
    "check_spark",
    "resolve_frame",
    "session",
]
