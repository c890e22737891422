-- name: lock
select pg_advisory_xact_lock(hashtext('suzani identity run'));

-- name: memberships
select record_id, person_id from identity.membership order by record_id

-- name: start_run
insert into identity.run (state, started_at) values ('running', %(at)s) returning run_id;

-- name: finish_run
update identity.run
set state = 'done', finished_at = %(at)s, model = %(model)s::jsonb, report = %(report)s::jsonb,
    records = %(records)s, candidates = %(candidates)s, edges = %(edges)s, persons = %(persons)s
where run_id = %(run_id)s;

-- name: new_person_ids
select nextval(pg_get_serial_sequence('identity.person', 'person_id')) as person_id
from generate_series(1, %(count)s);

-- name: create_resolved
create temporary table resolved (record_id bigint, person_id bigint) on commit drop;

-- name: analyze_resolved
analyze resolved;

-- name: drop_memberships
delete from identity.membership m where not exists (select from resolved r where r.record_id = m.record_id);

-- name: move_memberships
update identity.membership m set person_id = r.person_id, run_id = %(run_id)s, since = %(at)s
from resolved r where r.record_id = m.record_id and r.person_id <> m.person_id;

-- name: add_memberships
insert into identity.membership (record_id, person_id, run_id, since)
select r.record_id, r.person_id, %(run_id)s, %(at)s
from resolved r where not exists (select from identity.membership m where m.record_id = r.record_id);

-- name: create_retired
create temporary table retired (person_id bigint, merged_into bigint) on commit drop;

-- name: retire_persons
update identity.person p set retired_at = %(at)s, merged_into = r.merged_into
from retired r where r.person_id = p.person_id;

-- name: drop_edges
delete from identity.edge;

-- name: analyze_membership
analyze identity.membership;

-- name: analyze_edges
analyze identity.edge;

-- name: latest_report
select report from identity.run where state = 'done' order by run_id desc limit 1;
