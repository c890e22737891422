-- name: lock
select pg_advisory_xact_lock(hashtext('suzani identity run'));

-- name: lock_within
-- What follows is about few records, whoever they are: planning it anew each time takes longer than doing it.
select set_config('lock_timeout', %(lock)s, true), set_config('statement_timeout', %(statement)s, true),
    set_config('plan_cache_mode', 'force_generic_plan', true),
    pg_advisory_xact_lock(hashtext('suzani identity run'))

-- name: memberships
-- Whole columns as big-endian integers: a million rows in one value each, not a message each.
select string_agg(int8send(record_id), ''::bytea) as record_id, string_agg(int8send(person_id), ''::bytea) as person_id,
    string_agg(timestamptz_send(coalesce(seen, '-infinity')), ''::bytea) as seen
from (select record_id, person_id, seen from identity.membership order by record_id) as m

-- name: start_run
insert into identity.run (state, started_at) values ('running', %(at)s) returning run_id;

-- name: finish_run
update identity.run
set state = 'done', finished_at = %(at)s, model = %(model)s::jsonb, report = %(report)s::jsonb,
    records = %(records)s, candidates = %(candidates)s, edges = %(edges)s, persons = %(persons)s
where run_id = %(run_id)s;

-- name: latest_report
select report from identity.run where state = 'done' order by run_id desc limit 1;

-- name: stale
-- Records that are not resolved as they are now.
select coalesce(r.record_id, m.record_id) as record_id,
    case when m.record_id is null then 'new' when r.record_id is null then 'gone' else 'changed' end as kind
from (select record_id, updated_at from sources.record where deleted_at is null) as r
full join identity.membership m using (record_id)
where m.record_id is null or r.record_id is null or m.seen is distinct from r.updated_at
order by 1

-- name: start_change
-- Times never run backwards, so that changes by id and by time are in one order.
-- `after`: the latest change there may be; fails if there is another. Null: any.
insert into identity.change (change_id, at, cause, run_id, actor, reason, undoes, persons)
select case when coalesce(%(after)s::bigint, l.change_id, 0) = coalesce(l.change_id, 0)
        then coalesce(l.change_id, 0) + 1 end,
    greatest(%(at)s, l.at), %(cause)s, %(run_id)s::bigint, %(actor)s, %(reason)s, %(undoes)s::bigint,
    %(only)s::bigint[]
from (select) as one
left join (select change_id, at from identity.change order by change_id desc limit 1) as l on true
returning change_id, at

-- name: has_history
select exists (select from identity.membership) or exists (select from identity.move) as found

-- name: take_person_ids
-- The last of that many ids; all who take ids hold the lock.
with known as (select pg_get_serial_sequence('identity.person', 'person_id') as sequence)
select setval(sequence::regclass, nextval(sequence::regclass) + %(count)s::int - 1) as last from known

-- name: former_persons
-- The retired person that each record left last, of records that are to get a new person.
select distinct on (v.record_id) v.record_id, v.from_person as person_id
from identity.move v
join identity.person p on p.person_id = v.from_person and p.retired_at is not null
where v.record_id = any(%(records)s)
order by v.record_id, v.change_id desc

-- name: create_resolved
create temporary table if not exists resolved (record_id bigint, person_id bigint, seen timestamptz)
on commit delete rows

-- name: empty_resolved
delete from resolved

-- name: analyze_resolved
analyze resolved;

-- name: add_moves
insert into identity.move (record_id, change_id, from_person, to_person, from_since)
select r.record_id, %(change_id)s, m.person_id, r.person_id, m.since
from resolved r left join identity.membership m using (record_id)
where m.person_id is distinct from r.person_id

-- name: affected_persons
-- Persons whose records moved, or whose records say something else than before.
select person_id from (
    select from_person as person_id from identity.move where change_id = %(change_id)s
    union
    select to_person from identity.move where change_id = %(change_id)s
    union
    select r.person_id from resolved r join identity.membership m using (record_id, person_id)
    where r.seen is distinct from m.seen and r.seen is not null
) as person
where person_id is not null
order by person_id

-- name: drop_memberships
delete from identity.membership m using resolved r where r.record_id = m.record_id and r.person_id is null

-- name: move_memberships
update identity.membership m
set person_id = r.person_id, run_id = %(run_id)s, change_id = %(change_id)s, since = %(at)s,
    seen = coalesce(r.seen, m.seen)
from resolved r where r.record_id = m.record_id and r.person_id <> m.person_id

-- name: renew_memberships
update identity.membership m set seen = r.seen
from resolved r
where r.record_id = m.record_id and r.person_id = m.person_id and r.seen is distinct from m.seen
    and r.seen is not null

-- name: add_memberships
insert into identity.membership (record_id, person_id, run_id, change_id, since, seen)
select r.record_id, r.person_id, %(run_id)s, %(change_id)s, %(at)s, r.seen
from resolved r
where r.person_id is not null
    and not exists (select from identity.membership m where m.record_id = r.record_id)

-- name: revive_persons
update identity.person p set retired_at = null, merged_into = null
where p.retired_at is not null
    and p.person_id in (select to_person from identity.move where change_id = %(change_id)s)
returning p.person_id

-- name: retire_persons
-- Persons that this change left without records, and the person that got most of their last ones.
with taker as (
    select distinct on (from_person) from_person, to_person
    from identity.move
    where change_id = %(change_id)s and from_person is not null
    group by from_person, to_person
    order by from_person, (to_person is null), count(*) desc, to_person
)
update identity.person p set retired_at = %(at)s, merged_into = t.to_person
from taker t
where p.person_id = t.from_person
    and not exists (select from identity.membership m where m.person_id = p.person_id)
returning p.person_id

-- name: count_persons
select count(*) as count from identity.person where retired_at is null

-- name: everyone_changed
insert into identity.person_change (change_id, person_id, kind) values (%(change_id)s, null, 'everyone')

-- name: touch_resolved
-- Records whose content this change took over.
insert into identity.touched (change_id, record_id)
select %(change_id)s, record_id from resolved where seen is not null or person_id is null

-- name: add_edges
insert into identity.edge (record_a, record_b, weight_bits, probability, evidence)
select record_a, record_b, weight_bits, probability, evidence
from jsonb_to_recordset(%(edges)s::jsonb) as e (
    record_a bigint, record_b bigint, weight_bits real, probability real, evidence jsonb)

-- name: delete_edges
delete from identity.edge;

-- name: analyze_membership
analyze identity.membership;

-- name: analyze_edges
analyze identity.edge;

-- name: edges_among
-- Evidence between any two of these records.
select record_a, record_b, probability
from identity.edge
where record_a = any(%(records)s) and record_b = any(%(records)s)
order by record_a, record_b
