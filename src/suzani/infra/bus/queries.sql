-- The log in PostgreSQL: topics, offsets and messages.

-- name: topic
select partitions from bus.topic where topic = %(topic)s

-- name: make_topic
with made as (
    insert into bus.topic (topic, partitions) values (%(topic)s, %(partitions)s)
    on conflict do nothing
    returning topic, partitions
)
insert into bus.partition (topic, partition)
select made.topic, number from made, generate_series(0, made.partitions - 1) as number

-- name: topics
select topic from bus.topic order by topic

-- name: append
select bus.append(
    %(topics)s::text[], %(partitions)s::integer[], %(counts)s::integer[], %(sizes)s::integer[],
    %(bodies)b::bytea[]
)

-- name: ends
select partition, bus.end_of(topic, partition) as place from bus.partition where topic = %(topic)s

-- name: starts
select
    p.partition,
    coalesce(
        (
            select m.last_offset - m.messages + 1
            from bus.message as m
            where m.topic = p.topic and m.partition = p.partition
            order by m.last_offset
            limit 1
        ),
        bus.end_of(p.topic, p.partition)
    ) as place
from bus.partition as p
where p.topic = %(topic)s

-- name: read
select m.partition, m.last_offset, m.messages, m.size, m.body
from unnest(%(partitions)s::integer[], %(starts)s::bigint[], %(stops)s::bigint[])
    as span (partition, start, stop)
cross join lateral (
    select m.*
    from bus.message as m
    where m.topic = %(topic)s and m.partition = span.partition
        and m.last_offset >= span.start and m.last_offset < span.stop + %(most)s
        and m.last_offset - m.messages + 1 < span.stop
    order by m.last_offset
) as m

-- name: times
select place.partition, m.appended_at
from unnest(%(partitions)s::integer[], %(offsets)s::bigint[]) as place (partition, its_offset)
cross join lateral (
    select m.appended_at
    from bus.message as m
    where m.topic = %(topic)s and m.partition = place.partition and m.last_offset >= place.its_offset
    order by m.last_offset
    limit 1
) as m

-- name: wait_briefly
set local lock_timeout = '500ms'

-- name: rotate
select bus.rotate(make_interval(secs => %(seconds)s)) as rotated
