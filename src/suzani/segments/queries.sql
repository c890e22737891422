-- name: lock_definitions
-- Whoever puts definitions in force does so alone.
select pg_advisory_xact_lock(hashtextextended('suzani segments.definition', 0))

-- name: definitions
select segment_id, name, title, digest, settled_digest, in_force_since
from segments.definition where retired_at is null order by name

-- name: put_in_force
insert into segments.definition (name, title, rule, digest, in_force_since)
select name, title, rule, digest, %(at)s
from unnest(%(names)s::text[], %(titles)s::text[], %(rules)s::jsonb[], %(digests)s::bytea[])
    as given (name, title, rule, digest)
on conflict (name) do update set
    title = excluded.title,
    rule = excluded.rule,
    digest = excluded.digest,
    in_force_since = case
        when definition.digest = excluded.digest and definition.retired_at is null then definition.in_force_since
        else excluded.in_force_since
    end,
    settled_digest = case when definition.retired_at is null then definition.settled_digest end,
    retired_at = null

-- name: retire
update segments.definition set retired_at = %(at)s, settled_digest = null
where retired_at is null and name <> all(%(names)s)
returning name

-- name: leave_retired
with gone as (
    delete from segments.membership m using segments.definition d
    where m.segment_id = d.segment_id and d.retired_at is not null
    returning m.subject_id, m.segment_id
), logged as (
    insert into segments.change (subject_id, segment_id, entered, at)
    select subject_id, segment_id, false, %(at)s from gone
)
select g.subject_id, d.name as segment from gone g join segments.definition d using (segment_id)
order by g.subject_id, d.name

-- name: settle
update segments.definition set settled_digest = digest where retired_at is null and name = any(%(names)s)

-- name: apply_changes
-- What is so already changes nothing and is not returned.
with given as (
    select g.subject_id, d.segment_id, g.entered
    from unnest(%(subjects)s::bigint[], %(segments)s::text[], %(entered)s::boolean[])
        as g (subject_id, segment, entered)
    join segments.definition d on d.name = g.segment
), came as (
    insert into segments.membership (subject_id, segment_id, entered_at)
    select subject_id, segment_id, %(at)s from given where entered
    on conflict do nothing
    returning subject_id, segment_id
), gone as (
    delete from segments.membership m using given g
    where not g.entered and m.subject_id = g.subject_id and m.segment_id = g.segment_id
    returning m.subject_id, m.segment_id
), done as (
    select subject_id, segment_id, false as entered from gone
    union all
    select subject_id, segment_id, true from came
), logged as (
    insert into segments.change (subject_id, segment_id, entered, at)
    select subject_id, segment_id, entered, %(at)s from done
)
select o.subject_id, d.name as segment, o.entered
from done o cross join lateral (
    select name from segments.definition where segment_id = o.segment_id offset 0
) as d

-- name: memberships
select m.subject_id, array_agg(d.name) as segments
from segments.membership m join segments.definition d using (segment_id)
where m.subject_id = any(%(subjects)s::bigint[])
group by m.subject_id

-- name: segments_of
select m.subject_id, d.name as segment, m.entered_at
from segments.membership m join segments.definition d using (segment_id)
where m.subject_id = %(subject_id)s
order by d.name

-- name: members
select m.subject_id, d.name as segment, m.entered_at
from segments.membership m join segments.definition d using (segment_id)
where d.name = %(segment)s and m.subject_id > %(after)s
order by m.subject_id
limit %(limit)s

-- name: counts
select d.name, count(m.subject_id) as members
from segments.definition d left join segments.membership m using (segment_id)
where d.retired_at is null
group by d.name order by d.name

-- name: history
select c.subject_id, d.name as segment, c.entered, c.at
from segments.change c join segments.definition d using (segment_id)
where c.subject_id = %(subject_id)s
order by c.change_id desc
limit %(limit)s
