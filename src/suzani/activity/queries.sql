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
select subject_id, state, events, first_at, last_at, version, next_change
from activity.subject_state
where subject_id = any(%(subjects)s::bigint[])

-- name: save_states
-- Times come as microseconds since 1970.
insert into activity.subject_state (subject_id, state, events, first_at, last_at, next_change, version)
select n.subject_id, n.state, n.events,
    timestamptz 'epoch' + n.first_us * interval '1 microsecond',
    timestamptz 'epoch' + n.last_us * interval '1 microsecond',
    timestamptz 'epoch' + n.next_us * interval '1 microsecond', 1
from unnest(%(subjects)s::bigint[], %(states)s::bytea[], %(events)s::bigint[], %(first)s::bigint[],
    %(last)s::bigint[], %(next)s::bigint[]) as n (subject_id, state, events, first_us, last_us, next_us)
on conflict (subject_id) do update set state = excluded.state, events = excluded.events,
    first_at = excluded.first_at, last_at = excluded.last_at, next_change = excluded.next_change,
    version = activity.subject_state.version + 1

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
