What a mirror of the records in memory reads to keep up, and what it writes when it settles a change.

-- name: keep_knowledge
insert into identity.knowledge (run_id, digest, data) values (%(run_id)s, %(digest)s, %(data)s)

-- name: drop_knowledge
-- The knowledge of the three latest runs is kept.
delete from identity.knowledge
where run_id not in (select run_id from identity.knowledge order by run_id desc limit 3)

-- name: drop_touched
truncate identity.touched

-- name: knowledge
select data from identity.knowledge where run_id = %(run_id)s

-- name: latest_digest
select run_id, digest from identity.knowledge order by run_id desc limit 1

-- name: position
select (select max(run_id) from identity.knowledge) as run_id,
    (select coalesce(max(change_id), 0) from identity.change) as change_id

-- name: time_of
select at from identity.change where change_id = %(change_id)s

-- name: one_moment
set transaction isolation level repeatable read

-- name: touched_since
select distinct record_id from identity.touched where change_id > %(after)s

-- name: moves_since
select distinct on (record_id) record_id, to_person from identity.move
where change_id > %(after)s order by record_id, change_id desc

-- name: persons_of
select record_id, person_id from identity.membership where record_id = any(%(records)s)

-- name: joined_by_edges
select record_a as record_id from identity.edge where record_b = any(%(records)s)
union
select record_b from identity.edge where record_a = any(%(records)s)

-- name: drop_edges
delete from identity.edge where record_a = any(%(records)s::bigint[]) or record_b = any(%(records)s::bigint[])
