Counts of the identity audit. Each block is named by the line before it.

-- name: records_by_system
select system as name, count(*) filter (where deleted_at is null) as count,
    count(*) filter (where deleted_at is not null) as deleted
from sources.record group by system order by system

-- name: totals
select count(*) as persons, coalesce(sum(record_count), 0)::bigint as records,
    coalesce(sum(product_count), 0)::bigint as products, max(built_at) as built_at
from profiles.profile

-- name: by_systems
select cardinality(systems) as size, count(*) as persons from profiles.profile group by 1 order by 1

-- name: by_records
select record_count as size, count(*) as persons from profiles.profile group by 1 order by 1

-- name: by_products
select product_count as size, count(*) as persons from profiles.profile group by 1 order by 1

-- name: shared
select a as system_a, b as system_b, sum(persons)::bigint as persons
from (select systems, count(*) as persons from profiles.profile group by systems) as held,
    unnest(systems) as a, unnest(systems) as b
where a <= b
group by a, b
order by a, b

-- name: consent
select coalesce(marketing_consent, 'missing') as name, count(*) as count
from profiles.profile group by 1 order by 1

-- name: consent_conflicts
select count(*) as count from profiles.profile
where marketing_consent is not null and record_count > 1 and provenance @? '$.marketing_consent[3][*]'

-- name: biggest
select person_id, display_name, record_count as records, cardinality(systems) as systems
from profiles.profile where record_count > 1 order by record_count desc, person_id limit 8

-- name: loads
select system, count(*) as loads, coalesce(sum(rows_in), 0)::bigint as rows_in,
    coalesce(sum(rows_new), 0)::bigint as rows_new, coalesce(sum(rows_changed), 0)::bigint as rows_changed,
    coalesce(sum(rows_unchanged), 0)::bigint as rows_unchanged,
    coalesce(sum(rows_quarantined), 0)::bigint as rows_quarantined, max(finished_at) as last_finished_at
from sources.load where state = 'done' group by system order by system

-- name: quarantine
select reason as name, count(*) as count from sources.quarantine where state = 'open' group by reason
order by count desc, reason

-- name: latest_run
select run_id, started_at, finished_at, coalesce(records, 0) as records, coalesce(candidates, 0) as candidates,
    coalesce(edges, 0) as edges, coalesce(persons, 0) as persons, coalesce(report, '{}') as report,
    coalesce(model, '{}') as model
from identity.run where state = 'done' order by run_id desc limit 1

-- name: stamp
-- What the audit depends on, cheap to read: the statistics tell of profiles that were rebuilt one by one.
select (select max(run_id) from identity.run where state = 'done') as run_id,
    (select count(*) filter (where state = 'done') from sources.load) as loads,
    (select max(finished_at) from sources.load) as loaded_at,
    (select count(*) filter (where state = 'open') from sources.quarantine) as quarantined,
    c.oid as profiles, pg_stat_get_tuples_inserted(c.oid) as inserted, pg_stat_get_tuples_deleted(c.oid) as deleted
from pg_class c where c.oid = 'profiles.profile'::regclass
