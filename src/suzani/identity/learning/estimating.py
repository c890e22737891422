"""How good a run is, estimated from what it scored."""

from __future__ import annotations

import numpy as np

from suzani.identity.kernels.linkage import FORBIDDEN
from suzani.identity.learning.estimates import UNCALIBRATED_ERROR_BITS, Estimate, Found, Scored, estimate
from suzani.identity.models.comparisons import Rows
from suzani.identity.models.model import Model
from suzani.identity.pairs.matching import Pairs
from suzani.identity.pairs.packing import Packed
from suzani.identity.pairs.partition import Options, conflicts


def expected_pairs(loose: Pairs, rules: Rows | None) -> Found:
    """Expected true pairs among the candidates above the loose bound, by the number of blocking rules that
    found each; None when all pairs were compared.

    Candidates below the bound are left out: they are far more, each most improbable, and what little truth
    is in them the odds overstate.
    """
    if rules is None:
        return Found.every_pair(float(loose.probability.sum()))
    return Found.of(loose.odds_bits, rules)


def estimated_quality(
    records: Packed, person: Rows, edges: Pairs, found: Found, beyond: int, model: Model, options: Options
) -> Estimate:
    """Precision, recall and F1 over pairs of records, without a label.

    `person` and `edges` are those of all rows of `records`; `beyond`: pairs inside persons that no rule had
    found.
    """
    inside = person[edges.left] == person[edges.right]
    # Pairs that two valid ids tell apart are no doubt, however near the rest.
    odds = np.where(conflicts(records, edges) & ~inside, FORBIDDEN, edges.odds_bits)
    calibration = model.calibration
    return estimate(
        person,
        Scored(edges.left, edges.right, odds),
        found,
        beyond=beyond,
        error_bits=calibration.error_bits if calibration else UNCALIBRATED_ERROR_BITS,
        unscored_bits=options.unscored_bits,
    )
