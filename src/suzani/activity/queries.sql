-- What activity asks of the database; events and states of subjects are its own tables.

-- name: timeline
select e.*
from stitching.identifier i
cross join lateral (
    select message, at, received_at, source, type, name, channel, body
    from activity.event
    where identifier_id = i.identifier_id
        and (at, message) < (coalesce(%(at)s::timestamptz, 'infinity'), coalesce(%(message)s::uuid,
            'ffffffff-ffff-ffff-ffff-ffffffffffff'))
        and (%(channels)s::text[] is null or channel = any(%(channels)s))
        and (%(types)s::text[] is null or type = any(%(types)s))
        and (%(names)s::text[] is null or name = any(%(names)s))
        and (%(since)s::timestamptz is null or at >= %(since)s)
        and (%(until)s::timestamptz is null or at < %(until)s)
        and (%(pattern)s::text is null or name ilike %(pattern)s or body::text ilike %(pattern)s)
    order by at desc, message desc
    limit %(limit)s
) as e
where i.subject_id = %(subject_id)s
order by e.at desc, e.message desc
limit %(limit)s

-- name: facets
select channel, type, name, count(*) as events
from stitching.identifier join activity.event using (identifier_id)
where subject_id = %(subject_id)s
group by channel, type, name
order by events desc, channel, type, name

-- name: version
select version from activity.subject_state where subject_id = %(subject_id)s

-- name: seen
select message from activity.event where message = any(%(messages)s::uuid[])

-- name: events_of
select i.subject_id, e.*
from stitching.identifier i join activity.event e using (identifier_id)
where i.subject_id = any(%(subjects)s::bigint[])
order by i.subject_id

-- name: states
-- The states that have other versions than these. `offset 0`: looked up in the index, however many there are.
select s.subject_id, s.state, s.events, s.first_at, s.last_at, s.version, s.next_change
from unnest(%(subjects)s::bigint[], %(versions)s::bigint[]) as k (subject_id, version)
cross join lateral (
    select * from activity.subject_state as s where s.subject_id = k.subject_id offset 0
) as s
where s.version <> k.version

-- name: update_states
-- Times come as microseconds since 1970, states one after the other.
update activity.subject_state as s set
    state = substring(%(encoded)b::bytea from n.place for n.length), events = n.events,
    first_at = timestamptz 'epoch' + n.first_us * interval '1 microsecond',
    last_at = timestamptz 'epoch' + n.last_us * interval '1 microsecond',
    next_change = timestamptz 'epoch' + n.next_us * interval '1 microsecond', version = s.version + 1
from unnest(%(subjects)s::bigint[], %(places)s::integer[], %(lengths)s::integer[], %(events)s::bigint[],
    %(first)s::bigint[], %(last)s::bigint[], %(next)s::bigint[])
    as n (subject_id, place, length, events, first_us, last_us, next_us)
where s.subject_id = n.subject_id

-- name: add_states
insert into activity.subject_state (subject_id, state, events, first_at, last_at, next_change, version)
select n.subject_id, substring(%(encoded)b::bytea from n.place for n.length), n.events,
    timestamptz 'epoch' + n.first_us * interval '1 microsecond',
    timestamptz 'epoch' + n.last_us * interval '1 microsecond',
    timestamptz 'epoch' + n.next_us * interval '1 microsecond', 1
from unnest(%(subjects)s::bigint[], %(places)s::integer[], %(lengths)s::integer[], %(events)s::bigint[],
    %(first)s::bigint[], %(last)s::bigint[], %(next)s::bigint[])
    as n (subject_id, place, length, events, first_us, last_us, next_us)

-- name: drop_states
delete from activity.subject_state where subject_id = any(%(subjects)s::bigint[])

-- name: due
select subject_id from activity.subject_state where next_change <= %(now)s order by next_change limit %(limit)s

-- name: sweep
select digest, position from activity.sweep for update skip locked

-- name: save_sweep
update activity.sweep set digest = %(digest)s, position = %(position)s

-- name: restart_sweep
update activity.sweep set position = 0

-- name: subjects_after
select subject_id
from stitching.subject
where subject_id > %(position)s and merged_into is null
order by subject_id
limit %(limit)s

-- name: persons_of
select subject_id, person_id from stitching.subject where subject_id = any(%(subjects)s::bigint[])
