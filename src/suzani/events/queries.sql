-- name: quarantine
-- Refused events, each once: one that comes again is counted, and open again with what is wrong with it now.
insert into events.quarantine as kept
    (digest, times, source, way, reason, place, detail, head, raw, message_id, at, last_at)
select digest, times, source, way, reason, place, detail, head, raw, message_id, %(now)s, %(now)s
from unnest(
    %(digest)s::bytea[], %(times)s::int[], %(source)s::text[], %(way)s::text[], %(reason)s::text[], %(place)s::text[],
    %(detail)s::text[], %(head)s::bytea[], %(raw)s::bytea[], %(message_id)s::text[]
) as given (digest, times, source, way, reason, place, detail, head, raw, message_id)
order by digest
on conflict (digest) do update set
    times = kept.times + excluded.times, last_at = excluded.last_at, state = 'open', settled_at = null,
    reason = excluded.reason, place = excluded.place, detail = excluded.detail

-- name: quarantined
select quarantine_id, source, way, reason, place, detail, raw, head, message_id, state, times, at, last_at, note
from events.quarantine
where (%(source)s::text is null or source = %(source)s)
    and (%(reason)s::text is null or reason = %(reason)s)
    and (%(state)s::text is null or state = %(state)s)
    and (%(ids)s::bigint[] is null or quarantine_id = any(%(ids)s))
    and quarantine_id > %(after)s
order by quarantine_id
limit %(limit)s

-- name: quarantine_counts
select source, reason, state, count(*) as events, max(last_at) as last_at
from events.quarantine
group by source, reason, state
order by source, reason, state

-- name: hold_open
-- Open ones among these, held until the transaction ends, so that two replays do not send the same.
select quarantine_id
from events.quarantine
where quarantine_id = any(%(ids)s) and state = 'open'
order by quarantine_id
for update

-- name: settle
update events.quarantine
set state = %(state)s, settled_at = %(now)s, note = %(note)s
where quarantine_id = any(%(ids)s) and state = 'open'

-- name: drop_settled
-- Each again only if it is still settled when its lock is had: one that comes again is open again.
delete from events.quarantine
where quarantine_id in (
    select quarantine_id
    from events.quarantine
    where state <> 'open' and settled_at < %(before)s
    order by settled_at
    limit %(limit)s
    for update skip locked
)

-- name: begin_load
insert into events.load as known (source, file, digest, state, started_at)
values (%(source)s, %(file)s, %(digest)s, 'running', %(now)s)
on conflict (source, digest) do update set file = excluded.file
returning load_id, state, rows_read, rows_accepted, rows_quarantined

-- name: move_load
update events.load
set rows_read = rows_read + %(accepted)s + %(quarantined)s,
    rows_accepted = rows_accepted + %(accepted)s,
    rows_quarantined = rows_quarantined + %(quarantined)s
where load_id = %(load_id)s and rows_read = %(rows_read)s

-- name: finish_load
update events.load
set state = 'done', finished_at = %(now)s
where load_id = %(load_id)s

-- name: followed
select partition, next_offset
from events.followed
where source = %(source)s and topic = %(topic)s

-- name: move_followed
-- Only from where the reader thinks it is, so that two readers do not take the same messages.
insert into events.followed as place (source, topic, partition, next_offset)
values (%(source)s, %(topic)s, %(partition)s, %(reached)s)
on conflict (source, topic, partition) do update set next_offset = excluded.next_offset
    where place.next_offset = %(place)s
