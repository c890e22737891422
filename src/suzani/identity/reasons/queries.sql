-- What explanations read. Pairs are those of `identity.edge`: the smaller record id first.

-- name: survivor
-- The person an id leads to today; one that was merged away leads to the person it went to.
with recursive path as (
    select person_id, merged_into from identity.person where person_id = %(person_id)s
    union
    select p.person_id, p.merged_into from identity.person p join path on p.person_id = path.merged_into
)
select person_id from path where merged_into is null

-- name: record_id_of
select record_id from sources.record where system = %(system)s and key = %(key)s

-- name: members
select m.person_id, m.record_id, r.system, r.key
from identity.membership m join sources.record r using (record_id)
where m.person_id = any(%(persons)s)
order by m.person_id, m.record_id

-- name: persons_of_records
select record_id, person_id from identity.membership where record_id = any(%(records)s)

-- name: weights_of_records
select record_a, record_b, weight_bits from identity.edge where record_a = any(%(records)s)
union
select record_a, record_b, weight_bits from identity.edge where record_b = any(%(records)s)

-- name: evidence_of_pairs
select e.record_a, e.record_b, e.weight_bits, e.evidence
from unnest(%(left)s::bigint[], %(right)s::bigint[]) as pair (record_a, record_b)
join identity.edge e on e.record_a = pair.record_a and e.record_b = pair.record_b

-- name: model
select model from identity.run where state = 'done' and model is not null order by run_id desc limit 1

-- name: constraints
select kind, record_a, record_b from identity.constraint
where revoked_at is null and (record_a = any(%(records)s) or record_b = any(%(records)s))
