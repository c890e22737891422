-- Fixed statements of suzani.stitching. `offset 0` keeps a lookup in an index what it is: for some thousand rows
-- the planner would read whole tables of millions.

-- name: lookup
-- The identifiers among names that are known, with the number of the name (from 1) and of the subject.
select w.no, i.identifier_id, i.subject_id, s.person_id, s.version, i.blocked
from unnest(string_to_array(%(kinds)s, E'\x1f'), string_to_array(%(values)s, E'\x1f'))
    with ordinality as w (kind, value, no)
join stitching.identifier i on i.value = w.value and i.kind = w.kind
join stitching.subject s on s.subject_id = i.subject_id

-- name: lock
-- Whoever changes what belongs to subjects locks them in the order of their ids, and so waits for others only.
select subject_id, version from stitching.subject
where subject_id = any(%(subjects)s::bigint[]) order by subject_id for no key update

-- name: links
select l.weak_id, l.strong_id, l.at, l.message, l.alias, l.reason, l.revoked
from unnest(%(weak)s::bigint[], %(strong)s::bigint[]) as w (weak_id, strong_id)
join stitching.link l using (weak_id, strong_id)

-- name: product_records
-- The record that holds a product, if all that hold it are one person; and that person.
select w.number as value, min(p.record_id) as record_id, min(m.person_id) as person_id
from unnest(%(values)s::text[]) as w (number)
cross join lateral (select record_id from sources.product where number = w.number offset 0) p
cross join lateral (
    select from sources.record where record_id = p.record_id and deleted_at is null offset 0
) r
left join lateral (
    select person_id from identity.membership where record_id = p.record_id offset 0
) m on true
group by w.number having count(distinct coalesce(m.person_id, -p.record_id)) = 1

-- name: key_records
-- The record of a key in the first of some systems that has one.
select distinct on (w.key) w.key as value, r.record_id, m.person_id
from unnest(%(values)s::text[]) as w (key)
cross join unnest(%(systems)s::text[]) with ordinality as s (system, place)
cross join lateral (
    select record_id from sources.record
    where system = s.system and key = w.key and deleted_at is null offset 0
) r
left join lateral (
    select person_id from identity.membership where record_id = r.record_id offset 0
) m on true
order by w.key, s.place

-- name: persons_of_records
select record_id, person_id from identity.membership where record_id = any(%(records)s::bigint[])

-- name: subjects_of_persons
select subject_id, person_id from stitching.subject where person_id = any(%(persons)s::bigint[])

-- name: subjects_now
select subject_id, person_id from stitching.subject where subject_id = any(%(subjects)s::bigint[])

-- name: held
-- All identifiers of some subjects; the person is that of the record they point to.
select i.identifier_id, i.kind, i.value, i.subject_id, m.person_id, i.blocked
from stitching.identifier i left join lateral (
    select person_id from identity.membership where record_id = i.record_id offset 0
) m on true
where i.subject_id = any(%(subjects)s::bigint[])

-- name: joining
-- What holds some subjects together.
select l.weak_id, l.strong_id, l.at, l.message, l.alias, l.reason
from stitching.identifier i join stitching.link l on l.weak_id = i.identifier_id
where i.subject_id = any(%(subjects)s::bigint[]) and l.joined

-- name: between_anchors
-- Links of anchors that have no person to other anchors, whose subjects may be others.
with own as materialized (
    select i.identifier_id
    from stitching.identifier i left join lateral (
        select person_id from identity.membership where record_id = i.record_id offset 0
    ) m on true
    where i.subject_id = any(%(subjects)s::bigint[]) and i.kind = any(%(anchors)s::text[]) and m.person_id is null
), link as (
    select l.* from own join stitching.link l on l.strong_id = own.identifier_id
    where l.reason = 'two known'
    union
    select l.* from own join stitching.link l on l.weak_id = own.identifier_id
    where l.reason = 'two known'
)
select l.weak_id, l.strong_id, l.at, l.message, l.alias, l.reason,
    i.identifier_id, i.kind, i.value, i.subject_id, m.person_id, i.blocked
from link l
join stitching.identifier i on i.identifier_id in (l.weak_id, l.strong_id) and i.kind = any(%(anchors)s::text[])
left join lateral (
    select person_id from identity.membership where record_id = i.record_id offset 0
) m on true

-- name: around
-- All evidence around some subjects that nobody took back, and the subjects at its other ends.
select l.weak_id, l.strong_id, l.at, l.message, l.alias, l.reason, w.subject_id, s.subject_id
from stitching.link l
join stitching.identifier w on w.identifier_id = l.weak_id
join stitching.identifier s on s.identifier_id = l.strong_id
where l.reason not in ('limit', 'taken back') and l.weak_id in (
    select identifier_id from stitching.identifier where subject_id = any(%(subjects)s::bigint[]))
union
select l.weak_id, l.strong_id, l.at, l.message, l.alias, l.reason, w.subject_id, s.subject_id
from stitching.link l
join stitching.identifier w on w.identifier_id = l.weak_id
join stitching.identifier s on s.identifier_id = l.strong_id
where l.reason not in ('limit', 'taken back') and l.strong_id in (
    select identifier_id from stitching.identifier where subject_id = any(%(subjects)s::bigint[]))

-- name: link_counts
select l.strong_id, i.kind, count(*)
from stitching.link l join stitching.identifier i on i.identifier_id = l.weak_id
where l.strong_id = any(%(strong)s::bigint[]) group by l.strong_id, i.kind

-- name: shared_counts
-- With how many anchors some identifiers were seen.
select w.identifier_id, w.kind, count(*)
from stitching.identifier w
join stitching.link l on l.weak_id = w.identifier_id
join stitching.identifier s on s.identifier_id = l.strong_id and s.kind = any(%(anchors)s::text[])
where w.identifier_id = any(%(identifiers)s::bigint[]) and not w.blocked and not w.cleared
group by w.identifier_id, w.kind

-- name: reserve
select array(select nextval('stitching.subject_subject_id_seq')
        from generate_series(1, %(subjects)s)) as subjects,
    array(select nextval('stitching.identifier_identifier_id_seq')
        from generate_series(1, %(identifiers)s)) as identifiers

-- name: add_subjects
insert into stitching.subject (subject_id, person_id, created_at)
select subject_id, person_id, %(at)s
from unnest(%(subjects)s::bigint[], %(persons)s::bigint[]) as s (subject_id, person_id)
on conflict do nothing

-- name: adopt
-- Subjects without a person that got one.
update stitching.subject s set person_id = a.person_id, version = s.version + 1
from unnest(%(subjects)s::bigint[], %(persons)s::bigint[]) as a (subject_id, person_id)
where s.subject_id = a.subject_id

-- name: add_identifiers
insert into stitching.identifier (identifier_id, kind, value, subject_id, record_id, record_by, first_seen)
select n.*, %(at)s
from unnest(%(ids)s::bigint[], string_to_array(%(kinds)s, E'\x1f'), string_to_array(%(values)s, E'\x1f'),
    %(subjects)s::bigint[], %(records)s::bigint[], %(by)s::text[]) as n
on conflict do nothing

-- name: move_identifiers
update stitching.identifier i set subject_id = m.subject_id
from unnest(%(ids)s::bigint[], %(subjects)s::bigint[]) as m (identifier_id, subject_id)
where i.identifier_id = m.identifier_id

-- name: renew_subjects
-- Identifiers came to or left these subjects; one that others came to lives.
update stitching.subject s
set version = s.version + 1, merged_into = case when n.came then null else coalesce(n.merged_into, s.merged_into) end
from unnest(%(subjects)s::bigint[], %(came)s::boolean[], %(merged_into)s::bigint[])
    as n (subject_id, came, merged_into)
where s.subject_id = n.subject_id

-- name: add_change
insert into stitching.change (at, cause, actor, reason, undoes)
values (%(at)s, %(cause)s, %(actor)s, %(reason)s, %(undoes)s) returning change_id

-- name: add_event_changes
insert into stitching.change (at, cause)
select %(at)s, 'event' from generate_series(1, %(count)s::int) returning change_id

-- name: add_moves
insert into stitching.move (change_id, identifier_id, from_subject, to_subject)
select * from unnest(%(changes)s::bigint[], %(ids)s::bigint[], %(from)s::bigint[], %(to)s::bigint[])

-- name: put_links
insert into stitching.link (weak_id, strong_id, at, message, alias, joined, reason, change_id)
select weak_id, strong_id, at, decode(message, 'hex'), alias, reason = '', reason, change_id
from unnest(%(weak)s::bigint[], %(strong)s::bigint[], %(at)s::bigint[], %(messages)s::text[], %(alias)s::boolean[],
    %(reasons)s::text[], %(changes)s::bigint[])
    as n (weak_id, strong_id, at, message, alias, reason, change_id)
on conflict (weak_id, strong_id) do update set at = excluded.at, message = excluded.message,
    alias = excluded.alias, joined = excluded.joined, reason = excluded.reason,
    change_id = coalesce(excluded.change_id, link.change_id)

-- name: records_of_keys
select record_id, system, key from sources.record
join unnest(%(systems)s::text[], %(keys)s::text[]) as w (system, key) using (system, key)

-- name: point_to_records
-- Identifiers that pointed to nothing and now lead to a record.
update stitching.identifier i set record_id = p.record_id, record_by = p.record_by
from unnest(%(ids)s::bigint[], %(records)s::bigint[], %(by)s::text[]) as p (identifier_id, record_id, record_by)
where i.identifier_id = p.identifier_id and i.record_id is null and not i.denied

-- name: affect
insert into stitching.affected (subject_id, moved)
select subject_id, %(moved)s from unnest(%(subjects)s::bigint[]) as subject_id

-- name: affect_everyone
insert into stitching.affected (subject_id, moved) values (null, false)

-- name: take_affected
delete from stitching.affected where seq in (
    select seq from stitching.affected order by seq limit %(limit)s for update skip locked
) returning subject_id, moved
