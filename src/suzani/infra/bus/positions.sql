-- Where consumers stand, and who reads for them; the same for every bus.

-- name: register
insert into bus.cursor (consumer, topic, partition, next_offset)
select %(consumer)s, %(topic)s, s.partition, s.start
from unnest(%(partitions)s::integer[], %(starts)s::bigint[]) as s (partition, start)
on conflict do nothing

-- name: claim
-- The positions with something to read that no other worker holds, at most a fair share of them; those that
-- this worker had before come first.
with lagging as (
    select c.partition, e.finish - c.next_offset as behind
    from unnest(%(partitions)s::integer[], %(ends)s::bigint[]) as e (partition, finish)
    join bus.cursor as c using (partition)
    where c.consumer = %(consumer)s and c.topic = %(topic)s and c.next_offset < e.finish
), workers as (
    select count(*) as number
    from bus.worker
    where consumer = %(consumer)s and seen_at > now() - make_interval(secs => %(seconds)s)
)
select c.partition, c.next_offset
from bus.cursor as c
join lagging using (partition)
where c.consumer = %(consumer)s and c.topic = %(topic)s
order by c.partition = any(%(mine)s::integer[]) desc, lagging.behind desc
limit (select ceil((select count(*) from lagging) / greatest(number, 1)::numeric) from workers)
for no key update of c skip locked

-- name: move
update bus.cursor as c
set next_offset = moved.next_offset
from unnest(%(partitions)s::integer[], %(offsets)s::bigint[]) as moved (partition, next_offset)
where c.consumer = %(consumer)s and c.topic = %(topic)s and c.partition = moved.partition

-- name: report_for_work
insert into bus.worker (worker, consumer, seen_at)
values (%(worker)s, %(consumer)s, now())
on conflict (worker) do update set seen_at = excluded.seen_at

-- name: sign_off
delete from bus.worker
where worker = %(worker)s or seen_at < now() - interval '1 hour'

-- name: positions
select consumer, topic, partition, next_offset
from bus.cursor
order by topic, consumer, partition

-- name: passed
-- How far the last consumer of each partition of a topic is.
select partition, min(next_offset) as place
from bus.cursor
where topic = %(topic)s
group by partition

-- name: forget
delete from bus.cursor where consumer = %(consumer)s
