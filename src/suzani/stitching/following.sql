-- What changes of persons mean for subjects. `offset 0` keeps a lookup in an index what it is.

-- name: add_missing_subjects
insert into stitching.subject (person_id, created_at)
select p.person_id, %(at)s from identity.person p
where p.retired_at is null and (%(persons)s::bigint[] is null or p.person_id = any(%(persons)s))
    and not exists (select from stitching.subject s where s.person_id = p.person_id)
order by p.person_id
on conflict do nothing

-- name: values_of_persons
-- What identifiers could say of some persons: keys, contacts and products of their records.
select r.system, r.key, r.phone, r.phone_2, r.email, array(
    select number from sources.product where record_id = r.record_id) as products
from identity.membership m join sources.record r on r.record_id = m.record_id and r.deleted_at is null
where m.person_id = any(%(persons)s::bigint[])

-- name: pointing_named
select i.identifier_id, i.kind, i.value, i.subject_id, i.record_id, i.record_by
from unnest(string_to_array(%(kinds)s, E'\x1f'), string_to_array(%(values)s, E'\x1f')) as w (kind, value)
join stitching.identifier i on i.value = w.value and i.kind = w.kind and not i.denied

-- name: pointing_to_persons
select i.identifier_id, i.kind, i.value, i.subject_id, i.record_id, i.record_by
from identity.membership m join stitching.identifier i on i.record_id = m.record_id
where m.person_id = any(%(persons)s::bigint[])

-- name: pointing_after
-- Identifiers of kinds that point to records, some at a time; of those found by key, who point to none yet.
select identifier_id, kind, value, subject_id, record_id, record_by
from stitching.identifier
where identifier_id > %(after)s and kind = any(%(kinds)s::text[])
    and (record_id is null or record_by <> 'key') and not denied
order by identifier_id limit %(limit)s

-- name: misplaced
-- Subjects with an identifier whose record belongs to somebody else now, or to nobody.
select distinct i.subject_id
from stitching.identifier i
join stitching.subject s on s.subject_id = i.subject_id
left join identity.membership m on m.record_id = i.record_id
where i.record_id is not null and s.person_id is distinct from m.person_id
    and (%(persons)s::bigint[] is null or s.person_id = any(%(persons)s) or m.person_id = any(%(persons)s))
union
select s.subject_id
from stitching.subject s join identity.person p on p.person_id = s.person_id and p.retired_at is not null
where (%(persons)s::bigint[] is null or s.person_id = any(%(persons)s))
    and exists (select from stitching.identifier i where i.subject_id = s.subject_id)

-- name: followers
-- Subjects of the users that were seen with some products.
select distinct i.subject_id
from stitching.link l join stitching.identifier i on i.identifier_id = l.strong_id
where l.weak_id = any(%(identifiers)s::bigint[]) and l.reason = 'two known'

-- name: versions
select subject_id, version, person_id from stitching.subject where subject_id = any(%(subjects)s::bigint[])

-- name: persons_at_records
select distinct m.person_id
from stitching.identifier i join identity.membership m on m.record_id = i.record_id
where i.subject_id = any(%(subjects)s::bigint[])

-- name: unsettled
-- Subjects of retired persons, and the subject of who took over from each; and of persons who are back.
with recursive path as (
    select s.subject_id, s.merged_into, p.person_id, p.merged_into as next, p.retired_at
    from stitching.subject s join identity.person p on p.person_id = s.person_id
    where (%(persons)s::bigint[] is null or s.person_id = any(%(persons)s))
        and (p.retired_at is not null or s.merged_into is not null)
    union all
    select path.subject_id, path.merged_into, p.person_id, p.merged_into, p.retired_at
    from path join identity.person p on p.person_id = path.next
    where path.retired_at is not null
)
select path.subject_id, t.subject_id as target
from path left join stitching.subject t on t.person_id = path.person_id and t.subject_id <> path.subject_id
    and path.retired_at is null
where (path.retired_at is null or path.next is null) and path.merged_into is distinct from t.subject_id

-- name: settle
update stitching.subject s set merged_into = n.target, version = s.version + 1
from unnest(%(subjects)s::bigint[], %(targets)s::bigint[]) as n (subject_id, target)
where s.subject_id = n.subject_id

-- name: point
update stitching.identifier i set record_id = p.record_id, record_by = p.record_by
from unnest(%(ids)s::bigint[], %(records)s::bigint[], %(by)s::text[]) as p (identifier_id, record_id, record_by)
where i.identifier_id = p.identifier_id

-- name: subjects_of_affected
select subject_id from stitching.subject where person_id = any(%(persons)s::bigint[])
