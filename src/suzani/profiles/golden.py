"""Golden records of many persons at once: one value per attribute, why it survived, and what lost.

`compute` is the only way a golden record comes about, for all persons and for one alike. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from suzani.identity.values.scripts import latin
from suzani.kernel import ATTRIBUTES, Kind
from suzani.profiles import validity
from suzani.profiles.ranking import OUTCOMES, Decision, Measures, Rows, decide, votes
from suzani.profiles.survivorship import Survivorship
from suzani.profiles.terms import PRODUCT, TERMS, Terms

Ints = npt.NDArray[np.int64]
CONSENT = "marketing_consent"
DENIED = "denied"
TIMESTAMP = pa.timestamp("us", tz="UTC")

RECORD_SCHEMA = pa.schema(
    [
        ("person_id", pa.int64()),
        ("record_id", pa.int64()),
        ("system", pa.string()),
        *(
            (name, pa.date32() if attribute.kind is Kind.BIRTH_DATE else pa.string())
            for name, attribute in ATTRIBUTES.items()
        ),
        (CONSENT, pa.string()),
        ("consent_at", TIMESTAMP),
        ("updated_at", TIMESTAMP),
    ]
)
"""What `compute` takes: live records, ordered by person and record; `updated_at` is the source's own time, or
else when the record last changed here."""

PRODUCT_SCHEMA = pa.schema(
    [
        ("person_id", pa.int64()),
        ("number", pa.string()),
        ("kind", pa.string()),
        ("system", pa.string()),
        ("currency", pa.string()),
        ("balance", pa.decimal128(20, 2)),
        ("is_open", pa.bool_()),
    ]
)
"""The products of the same persons."""

OWED_KINDS = ("loan", "mortgage", "credit", "credit_card", "overdraft", "leasing", "microloan", "car_loan")
"""Kinds of product whose balance the customer owes; what they hold and what they owe are not summed up."""

CONTINGENT_KINDS = ("guarantee", "letter_of_credit")
"""Kinds whose amount is neither held nor owed unless something happens; left out of both sums."""


@dataclass(frozen=True, slots=True)
class _Column:
    """One attribute of a batch, per row: number of the value and of its comparable form (-1: none), and
    flags.

    `terms` are the search terms of each distinct value as one text, None for an attribute not searched by.
    """

    code: Ints
    same: Ints
    valid: Ints
    size: Ints
    filler: npt.NDArray[np.bool_]
    terms: pa.Array | None


def compute(records: pa.Table, products: pa.Table, survivorship: Survivorship, today: date) -> pa.Table:
    """The profile rows of the persons in `records` (RECORD_SCHEMA), with their `products` (PRODUCT_SCHEMA).

    `today` bounds plausible birth dates. The result has the columns of `profiles.profile` without `built_at`.
    """
    records = records.combine_chunks()
    person_ids, person = np.unique(records["person_id"].to_numpy(), return_inverse=True)
    rows = Rows(
        person.astype(np.int64), _trust(records["system"], survivorship), _microseconds(records["updated_at"])
    )
    encoded = {name: pc.dictionary_encode(records[name].combine_chunks()) for name in ATTRIBUTES}
    fillers = validity.placeholders({name: own.dictionary for name, own in encoded.items()})
    columns = {name: _column(name, own, fillers[name], today) for name, own in encoded.items()}
    measures = {name: _measures(rows, column) for name, column in columns.items()}
    decisions = {name: _decide(rows, name, columns, measures, survivorship) for name in ATTRIBUTES}
    decisions[CONSENT] = _consent(rows, records)
    golden = {
        name: _survivors(records[name], decision, len(person_ids)) for name, decision in decisions.items()
    }
    golden["consent_at"] = _survivors(records["consent_at"], decisions[CONSENT], len(person_ids))
    return _assemble(person_ids, rows, records, columns, decisions, golden, products)


def _trust(systems: pa.ChunkedArray, survivorship: Survivorship) -> Ints:
    encoded = pc.dictionary_encode(systems.combine_chunks())
    ranks = np.array([survivorship.trust(system) for system in encoded.dictionary.to_pylist()], np.int64)
    return np.asarray(ranks[encoded.indices.to_numpy()], np.int64)


def _microseconds(times: pa.ChunkedArray) -> Ints:
    """Microseconds since 1970; a missing time is older than any."""
    return np.asarray(pc.fill_null(times.cast(pa.int64()), np.iinfo(np.int64).min // 2).to_numpy(), np.int64)


def _column(name: str, encoded: pa.DictionaryArray, filler: npt.NDArray[np.bool_], today: date) -> _Column:
    code = np.asarray(pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), np.int64)
    distinct = encoded.dictionary
    valid = validity.valid(name, distinct, today) & ~filler
    terms = TERMS[name](distinct.cast(pa.string()).to_pylist()) if name in TERMS else None
    forms = _comparable(distinct, terms)
    same = np.asarray(pc.dictionary_encode(forms).indices.to_numpy(), np.int64)
    size = np.asarray(pc.utf8_length(forms).to_numpy(), np.int64)
    return _Column(
        code,
        _per_row(np.where(filler, -1, same), code, -1),
        _per_row(valid, code, 0),
        _per_row(size, code, 0),
        _per_row(filler, code, 0).astype(bool),
        pa.array([" ".join(each) for each in terms], pa.string(), mask=filler) if terms is not None else None,
    )


def _per_row(per_value: npt.NDArray[np.generic], code: Ints, missing: int) -> Ints:
    return np.append(per_value.astype(np.int64), missing)[code]


def _comparable(distinct: pa.Array, terms: Sequence[Terms] | None) -> pa.Array:
    """The form in which two ways to write one value are equal: its first kind of term, else its Latin
    letters."""
    if terms is not None:
        return pa.array(
            [" ".join(term for term in each if term[0] == each[0][0]) for each in terms], pa.string()
        )
    letters = pa.array(latin(distinct.to_pylist()), pa.string())
    return pc.replace_substring_regex(letters, r"[^a-z0-9]+", "")


def _measures(rows: Rows, column: _Column) -> Measures:
    filled = (column.same >= 0).astype(np.int64)
    return Measures(column.valid, votes(rows.person, column.same), column.size * filled, filled)


def _decide(
    rows: Rows,
    name: str,
    columns: dict[str, _Column],
    measures: dict[str, Measures],
    survivorship: Survivorship,
) -> Decision:
    choice = survivorship.choices[name]
    measured = measures[name]
    for other in choice.group:
        if other != name:
            measured = measured + measures[other]
    same = columns[name].same
    return decide(rows, np.flatnonzero(same >= 0), same, measured, choice.rules)


def _consent(rows: Rows, records: pa.Table) -> Decision:
    """The most recent statement; of two at the same time, the denial. Who said nothing has not consented.

    A denial without a date counts from when its record was updated, a consent without a date is older than
    any dated statement: a record that was touched for another reason must not revive a consent.
    """
    stated = np.flatnonzero(pc.is_valid(records[CONSENT]).to_numpy())
    is_denial = pc.fill_null(pc.equal(records[CONSENT], DENIED), False)
    undated = pc.if_else(is_denial, records["updated_at"], pa.scalar(None, TIMESTAMP))
    denied = is_denial.to_numpy().astype(np.int64)
    nothing = np.zeros(records.num_rows, np.int64)
    by_time = Rows(rows.person, nothing, _microseconds(pc.coalesce(records["consent_at"], undated)))
    return decide(
        by_time, stated, denied, Measures(denied, nothing, nothing, nothing), ("most_recent", "validated")
    )


def _survivors(values: pa.ChunkedArray, decision: Decision, persons: int) -> pa.Array:
    rows = np.full(persons, -1, np.int64)
    rows[decision.person] = decision.winner
    return values.take(pa.array(rows, mask=rows < 0)).combine_chunks()


def _assemble(
    person_ids: Ints,
    rows: Rows,
    records: pa.Table,
    columns: dict[str, _Column],
    decisions: dict[str, Decision],
    golden: dict[str, pa.Array],
    products: pa.Table,
) -> pa.Table:
    """Golden values beside provenance, products and search terms, one row per person."""
    first = np.r_[np.flatnonzero(np.r_[True, np.diff(rows.person) > 0]), len(rows.person)]
    position = np.arange(len(rows.person)) - first[rows.person]
    several = np.diff(first) > 1
    with _engine().cursor() as db:
        db.register(
            "golden", pa.table({"person": np.arange(len(person_ids)), "person_id": person_ids, **golden})
        )
        db.register("won", _won(decisions, position, several))
        db.register("rest", _rest(decisions, columns, records, rows, position))
        db.register("record", _record_terms(rows, records, columns))
        db.register("product", _product_terms(products))
        return db.sql(_PROFILE).to_arrow_table()


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    """The engine of this process, kept because to start one takes longer than to assemble some persons."""
    return duckdb.connect()


def _won(decisions: dict[str, Decision], position: Ints, several: npt.NDArray[np.bool_]) -> pa.Table:
    """(person, attribute, position of the record, outcome) of each golden value of persons with several
    records."""
    parts = []
    outcomes = np.array(OUTCOMES)
    for name, decision in decisions.items():
        kept = several[decision.person]
        parts.append(
            pa.table(
                {
                    "person": decision.person[kept],
                    "attribute": pa.array([name] * int(kept.sum()), pa.string()),
                    "position": position[decision.winner[kept]],
                    "outcome": pa.array(outcomes[decision.outcome[kept]], pa.string()),
                }
            )
        )
    return pa.concat_tables(parts)


def _rest(
    decisions: dict[str, Decision], columns: dict[str, _Column], records: pa.Table, rows: Rows, position: Ints
) -> pa.Table:
    """(person, attribute, position, value) of all that did not survive; the value is null where it agrees."""
    parts = []
    for name, decision in decisions.items():
        fillers = np.flatnonzero(columns[name].filler) if name in columns else np.empty(0, np.int64)
        lost = np.concatenate([decision.lost, fillers])
        row = np.concatenate([decision.also, lost])
        values = records[name].take(pa.array(row)).cast(pa.string()).combine_chunks()
        agrees = pa.array(np.arange(len(row)) < len(decision.also))
        parts.append(
            pa.table(
                {
                    "person": rows.person[row],
                    "attribute": pa.array([name] * len(row), pa.string()),
                    "position": position[row],
                    "value": pc.if_else(agrees, pa.scalar(None, pa.string()), values),
                }
            )
        )
    return pa.concat_tables(parts)


def _record_terms(rows: Rows, records: pa.Table, columns: dict[str, _Column]) -> pa.Table:
    terms = [
        column.terms.take(pa.array(column.code, mask=column.code < 0))
        for column in columns.values()
        if column.terms is not None
    ]
    joined = pc.binary_join_element_wise(*terms, " ", null_handling="replace", null_replacement="")
    return pa.table(
        {
            "person": rows.person,
            "record_id": records["record_id"],
            "system": records["system"],
            "updated_at": pc.strftime(records["updated_at"], "%Y-%m-%dT%H:%M:%SZ"),
            "terms": joined,
        }
    )


def _product_terms(products: pa.Table) -> pa.Table:
    numbers: Sequence[str] = products["number"].to_pylist()
    terms = pa.array([" ".join(found) for found in TERMS[PRODUCT](numbers)], pa.string())
    owed = pc.is_in(products["kind"], value_set=pa.array(OWED_KINDS))
    contingent = pc.is_in(products["kind"], value_set=pa.array(CONTINGENT_KINDS))
    counted = pc.and_(products["is_open"], pc.invert(contingent))
    kept = products.drop_columns(["number", "is_open"])
    return kept.append_column("terms", terms).append_column("owed", owed).append_column("counted", counted)


_PROFILE = """
with why as (
    select won.person, won.attribute, any_value(won.position) as position, any_value(won.outcome) as outcome,
        coalesce(list(rest.position order by rest.position)
            filter (where rest.position is not null and rest.value is null), []) as also,
        coalesce(list(json_array(rest.value, rest.position) order by rest.position)
            filter (where rest.value is not null), []) as lost
    from won left join rest using (person, attribute)
    group by won.person, won.attribute
), provenance as (
    select person, json_group_object(attribute, json_array(position, outcome, also, lost)) as provenance
    from why group by person
), held as (
    select person_id, count(*) as product_count,
        list_sort(list(distinct kind) filter (where kind is not null)) as product_kinds,
        string_agg(terms, ' ') as terms
    from product group by person_id
), balance as (
    select person_id, currency, coalesce(sum(balance) filter (where not owed), 0) as held,
        coalesce(sum(balance) filter (where owed), 0) as owed
    from product where counted and currency is not null and balance is not null group by person_id, currency
), balances as (
    select person_id, json_group_object(currency, json_array(held::varchar, owed::varchar)) as balances
    from balance group by person_id
), source as (
    select person, count(*) as record_count, list_sort(list(distinct system)) as systems,
        to_json(list(json_array(record_id, system, updated_at) order by record_id)) as records,
        string_agg(terms, ' ') as terms
    from record group by person
)
select golden.* exclude (person),
    coalesce(nullif(concat_ws(' ', family_name, given_name, patronymic), ''), full_name) as display_name,
    source.record_count, source.systems, source.records,
    coalesce(provenance.provenance, '{}') as provenance,
    coalesce(held.product_count, 0) as product_count,
    coalesce(held.product_kinds, []) as product_kinds,
    coalesce(balances.balances, '{}') as balances,
    concat_ws(' ', source.terms, held.terms) as search
from golden join source using (person)
left join provenance using (person)
left join held using (person_id)
left join balances using (person_id)
"""
