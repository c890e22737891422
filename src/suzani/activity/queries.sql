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

-- name: subject_of
select subject_id from stitching.subject where person_id = %(person_id)s
