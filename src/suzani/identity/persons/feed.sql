The feed of affected persons: who reads it and how far, and what nobody will read any more.

-- name: feed_position
select seq from identity.feed_cursor where consumer = %(consumer)s

-- name: feed_end
select coalesce(max(seq), 0) as seq from identity.person_change

-- name: everyone_since
select exists (
    select from identity.person_change where seq > %(after)s and seq <= %(up_to)s and person_id is null
) as found

-- name: persons_since
select distinct person_id from identity.person_change
where seq > %(after)s and seq <= %(up_to)s
order by person_id

-- name: move_cursor
insert into identity.feed_cursor (consumer, seq) values (%(consumer)s, %(up_to)s)
on conflict (consumer) do update set seq = greatest(feed_cursor.seq, excluded.seq)

-- name: readers
-- How many entries each reader has yet to read, and since when the first of them waits.
select c.consumer, count(f.seq) as behind, min(h.at) as since
from identity.feed_cursor c
left join identity.person_change f on f.seq > c.seq
left join identity.change h on h.change_id = f.change_id
group by c.consumer order by c.consumer

-- name: forget_reader
delete from identity.feed_cursor where consumer = %(consumer)s

-- name: prune
-- Changes and entries are in one order, so that the first young entry ends the old ones. Who has no position is
-- told of everyone, and needs none of them.
with young as (
    select f.seq from identity.person_change f join identity.change c using (change_id)
    where c.at >= %(before)s order by f.seq limit 1
)
delete from identity.person_change
where seq < coalesce((select seq from young), 9223372036854775807)
    and seq <= coalesce((select min(seq) from identity.feed_cursor), 9223372036854775807)
