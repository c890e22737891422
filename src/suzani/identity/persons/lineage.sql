What was, what stewards said, and where persons went. Each block is named by the line before it.

-- name: change
select change_id, at, cause, run_id, actor, reason, undoes, persons from identity.change
where change_id = %(change_id)s

-- name: changes
select change_id, at, cause, run_id, actor, reason, undoes, persons from identity.change
where change_id = any(%(changes)s) order by change_id

-- name: undos
-- Undos of a change, undos of these, and so on.
with recursive undo as (
    select change_id, undoes, persons from identity.change where undoes = %(change_id)s
    union all
    select c.change_id, c.undoes, c.persons from identity.change c join undo u on c.undoes = u.change_id
)
select change_id, undoes, persons from undo order by change_id

-- name: merges_and_splits
-- Which persons gave records to which in a change.
select distinct from_person, to_person from identity.move
where change_id = %(change_id)s and from_person is not null and to_person is not null

-- name: before_change
-- Records that still live of persons as they were just before a change: their person then, after it, and now.
with candidate as (
    select record_id from identity.membership where person_id = any(%(persons)s)
    union
    select record_id from identity.move where from_person = any(%(persons)s)
    union
    select record_id from identity.move where to_person = any(%(persons)s)
), known as (
    select m.record_id, m.person_id as now_person,
        case when earlier.found then earlier.to_person when later.found then later.from_person
            else m.person_id end as then_person,
        own.to_person as moved_to
    from candidate c join identity.membership m using (record_id)
    left join lateral (
        select true as found, v.to_person from identity.move v
        where v.record_id = m.record_id and v.change_id < %(change_id)s order by v.change_id desc limit 1
    ) earlier on true
    left join lateral (
        select true as found, v.from_person from identity.move v
        where v.record_id = m.record_id and v.change_id >= %(change_id)s order by v.change_id limit 1
    ) later on true
    left join identity.move own on own.record_id = m.record_id and own.change_id = %(change_id)s
)
select record_id, then_person, coalesce(moved_to, then_person) as after_person, now_person from known where then_person = any(%(persons)s) order by record_id

-- name: persons_at
-- The person of records at a moment; a record that had none is left out.
with wanted as (
    select distinct record_id from unnest(%(records)s::bigint[]) as record_id
), known as (
    select w.record_id,
        case when earlier.found then earlier.to_person
            when later.found then case when later.from_since <= %(at)s then later.from_person end
            when m.since <= %(at)s then m.person_id end as person_id
    from wanted w left join identity.membership m using (record_id)
    left join lateral (
        select true as found, v.to_person from identity.move v join identity.change c using (change_id)
        where v.record_id = w.record_id and c.at <= %(at)s order by v.change_id desc limit 1
    ) earlier on true
    left join lateral (
        select true as found, v.from_person, v.from_since from identity.move v
        join identity.change c using (change_id)
        where v.record_id = w.record_id and c.at > %(at)s order by v.change_id limit 1
    ) later on true
)
select record_id, person_id from known where person_id is not null order by record_id

-- name: person
select p.person_id, p.created_at, p.retired_at, p.merged_into,
    coalesce(p.change_id, (select max(c.change_id) from identity.change c where c.run_id = p.run_id)) as change_id
from identity.person p where p.person_id = %(person_id)s

-- name: survivor
with recursive path as (
    select person_id, merged_into, retired_at from identity.person where person_id = %(person_id)s
    union
    select p.person_id, p.merged_into, p.retired_at
    from identity.person p join path on p.person_id = path.merged_into
)
select person_id from path where retired_at is null

-- name: retired_among
select person_id from identity.person where person_id = any(%(persons)s) and retired_at is not null
order by person_id

-- name: taken_over
select person_id from identity.person where merged_into = %(person_id)s order by person_id

-- name: went_to
-- Persons of today with records that left a person, and how many.
select m.person_id, count(distinct m.record_id) as records
from identity.move v join identity.membership m using (record_id)
where v.from_person = %(person_id)s and m.person_id <> %(person_id)s
group by m.person_id order by records desc, m.person_id

-- name: records_of_persons
select record_id, person_id from identity.membership where person_id = any(%(persons)s) order by record_id

-- name: persons_of_records
select record_id, person_id from identity.membership where record_id = any(%(records)s) order by record_id

-- name: record_names
select record_id, system, key, deleted_at from sources.record where record_id = any(%(records)s)
order by record_id

-- name: records_named
select r.record_id, r.system, r.key
from unnest(%(systems)s::text[], %(keys)s::text[]) as wanted (system, key)
join sources.record r on r.system = wanted.system and r.key = wanted.key

-- name: person_moves
select v.change_id, v.record_id, v.from_person, v.to_person, r.system, r.key
from identity.move v left join sources.record r using (record_id)
where v.from_person = %(person_id)s or v.to_person = %(person_id)s
order by v.change_id, v.record_id

-- name: first_records
-- Records that a person was created with in a run that kept no moves.
select f.record_id, r.system, r.key
from (
    select m.record_id from identity.membership m
    where m.person_id = %(person_id)s
        and not exists (select from identity.move v where v.record_id = m.record_id)
    union
    select v.record_id from identity.move v
    where v.from_person = %(person_id)s
        and not exists (select from identity.move e where e.record_id = v.record_id and e.change_id < v.change_id)
) as f
left join sources.record r using (record_id)
order by f.record_id

-- name: record_moves
select v.change_id, v.from_person, v.to_person, v.from_since, c.at, c.cause, c.actor, c.reason
from identity.move v join identity.change c using (change_id)
where v.record_id = %(record_id)s order by v.change_id

-- name: membership_of
select m.person_id, m.since,
    coalesce(m.change_id, (select max(c.change_id) from identity.change c where c.run_id = m.run_id)) as change_id
from identity.membership m where m.record_id = %(record_id)s

-- name: active_links
select constraint_id, kind, record_a, record_b from identity.constraint
where revoked_at is null order by constraint_id

-- name: constraints
select constraint_id, kind, record_a, record_b, at, actor, reason, change_id, revoked_at, revoked_by, revoked_change
from identity.constraint
where (%(ids)s::bigint[] is null or constraint_id = any(%(ids)s))
    and (%(records)s::bigint[] is null or record_a = any(%(records)s) or record_b = any(%(records)s))
    and (%(active)s::boolean is not true or revoked_at is null)
order by constraint_id

-- name: active_of_change
select constraint_id, kind, record_a, record_b from identity.constraint
where change_id = %(change_id)s and revoked_at is null order by constraint_id

-- name: revoked_by_change
select constraint_id, kind, record_a, record_b from identity.constraint
where revoked_change = %(change_id)s order by constraint_id

-- name: add_constraints
insert into identity.constraint (kind, record_a, record_b, at, actor, reason, change_id)
select kind, a, b, %(at)s, %(actor)s, %(reason)s, %(change_id)s
from unnest(%(kinds)s::text[], %(a)s::bigint[], %(b)s::bigint[]) as new (kind, a, b)
on conflict (record_a, record_b) where revoked_at is null do nothing
returning constraint_id

-- name: revoke_constraints
update identity.constraint set revoked_at = %(at)s, revoked_by = %(actor)s, revoked_change = %(change_id)s
where constraint_id = any(%(ids)s) and revoked_at is null

-- name: count_revoked
select count(*) as count from identity.constraint where revoked_at is not null
