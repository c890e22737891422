-- What is asked about subjects by whoever shows them or computes something of them.

-- name: by_identifier
select s.subject_id, s.person_id, s.created_at, s.subject_id as asked_id
from stitching.identifier i join stitching.subject s using (subject_id)
where i.kind = %(kind)s and i.value = %(value)s

-- name: by_person
select subject_id, person_id, created_at, subject_id as asked_id
from stitching.subject
where person_id = %(person_id)s

-- name: current
-- Who a subject is today, which may have become part of another.
with recursive path as (
    select * from stitching.subject where subject_id = %(subject_id)s
    union
    select s.* from stitching.subject s join path on s.subject_id = path.merged_into
)
select subject_id, person_id, created_at, %(subject_id)s::bigint as asked_id from path where merged_into is null

-- name: identifiers
select identifier_id, kind, value, subject_id, record_id, record_by, denied, blocked, first_seen
from stitching.identifier
where subject_id = any(%(subjects)s::bigint[])
order by subject_id, first_seen, identifier_id

-- name: identifiers_by_id
select identifier_id, kind, value, subject_id, record_id, record_by, denied, blocked, first_seen
from stitching.identifier
where identifier_id = any(%(ids)s::bigint[])

-- name: links
-- All links of a subject's identifiers, to each other and to others.
select l.*
from stitching.identifier i
join stitching.link l on l.weak_id = i.identifier_id or l.strong_id = i.identifier_id
where i.subject_id = %(subject_id)s
group by l.weak_id, l.strong_id
order by l.at, l.weak_id, l.strong_id

-- name: lock_living
select subject_id, person_id
from stitching.subject
where subject_id = any(%(subjects)s::bigint[]) and merged_into is null
order by subject_id
for no key update
