-- name: memberships
select r.system as source, r.key as record_id, m.person_id::text as person_id
from identity.membership m join sources.record r using (record_id)
where r.deleted_at is null

-- name: products
-- One product of each of the customers with the most records, whose number nobody else has.
select number
from (
    select m.person_id, min(p.number) as number, count(distinct r.record_id) as records
    from identity.membership m join sources.record r using (record_id) join sources.product p using (record_id)
    where r.deleted_at is null
    group by m.person_id
) as customer
order by records desc, person_id
limit %(limit)s
