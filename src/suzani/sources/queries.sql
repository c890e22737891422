Records of the product systems. A batch of a load is copied into the temporary tables `incoming`,
`incoming_product` and `incoming_reject`, and taken over by sets of rows.

-- name: try_lock
select pg_try_advisory_xact_lock(hashtext('suzani.sources.load'), hashtext(%(system)s)) as locked

-- name: latest_load
-- Of files; records that came online are loads that are never under way.
select * from sources.load where system = %(system)s and file_digest <> 'online' order by load_id desc limit 1

-- name: start_load
insert into sources.load (system, file, file_digest, mapping_digest, mode, state, started_at, columns)
values (%(system)s, %(file)s, %(file_digest)s, %(mapping_digest)s, %(mode)s, 'running', now(), %(columns)s)
returning *

-- name: resume_load
update sources.load set state = 'running', error = null where load_id = %(load_id)s returning *

-- name: drop_seen
delete from sources.seen
where load_id in (select load_id from sources.load where system = %(system)s)
  and load_id is distinct from %(keep)s

-- name: fail_load
update sources.load set state = 'failed', finished_at = now(), error = %(error)s
where load_id = %(load_id)s and state = 'running'

-- name: create_incoming
create temp table incoming (
    row_no bigint, key text, previous_key text,
    given_name text, family_name text, patronymic text, maiden_name text, full_name text, sex text,
    national_id text, tax_id text, document text, phone text, phone_2 text, email text, address text,
    city text, region text, postcode text, country text, occupation text, employer text,
    birth_date date, marketing_consent text, consent_at timestamptz, as_of timestamptz,
    extra jsonb, digest bytea, gone boolean
) on commit drop

-- name: create_incoming_product
create temp table incoming_product (
    row_no bigint, number text, kind text, name text, currency text, balance numeric(20, 2), status text,
    opened_on date, closed_on date
) on commit drop

-- name: create_incoming_reject
create temp table incoming_reject (
    row_no bigint, reason text, field text, detail text, key text, raw bytea, raw_digest bytea, fields jsonb,
    damaged text[]
) on commit drop

-- name: find_rekeyed
create temp table rekeyed on commit drop as
select distinct on (old.record_id) old.record_id, old.key as old_key, i.key as new_key
from incoming i join sources.record old on old.system = %(system)s and old.key = i.previous_key
where i.previous_key <> i.key
  and not exists (
      select from sources.seen s
      where s.load_id = %(load_id)s and s.record_id = old.record_id and not s.held
  )
order by old.record_id, i.row_no

-- name: drop_taken_rekeys
-- A record cannot take a key that another record keeps; one that gives its own key up makes room.
delete from rekeyed k
where exists (
    select from sources.record other
    where other.system = %(system)s and other.key = k.new_key
      and other.record_id not in (select record_id from rekeyed)
)

-- name: note_rekeyed
insert into sources.change (record_id, load_id, at, kind, before)
select record_id, %(load_id)s, now(), 'rekeyed', jsonb_build_object('key', old_key) from rekeyed

-- name: free_old_keys
update sources.record r set key = E'\x01' || r.record_id from rekeyed k where k.record_id = r.record_id

-- name: give_new_keys
update sources.record r set key = k.new_key, updated_at = now(), load_id = %(load_id)s
from rekeyed k where k.record_id = r.record_id

-- name: no_rekeyed
create temp table rekeyed (record_id bigint) on commit drop

-- name: only_by_index
-- A batch is small and the table large: without this a stale estimate may read the whole table per batch.
select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
    set_config('enable_seqscan', 'off', true)

-- name: any_join
select set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true),
    set_config('enable_seqscan', 'on', true)

-- name: classify
create temp table fate on commit drop as
select i.row_no, i.key, s.row_no as first_row,
    coalesce(r.record_id, nextval('sources.record_record_id_seq')) as record_id,
    case
        when not s.held and r.digest = i.digest and r.as_of is not distinct from i.as_of
            and (r.deleted_at is not null) = i.gone then 'unchanged'
        when not s.held then 'duplicate'
        when r.record_id is null then 'new'
        when r.deleted_at is not null and not i.gone then 'restored'
        when r.deleted_at is null and i.gone then 'deleted'
        when r.digest <> i.digest or r.as_of is distinct from i.as_of then 'changed'
        when exists (select from rekeyed k where k.record_id = r.record_id) then 'rekeyed'
        else 'unchanged'
    end as fate,
    not coalesce(r.filed, true) as came_online
from incoming i
left join lateral (
    select record_id, digest, as_of, deleted_at, filed from sources.record
    where system = %(system)s and key = i.key offset 0
) r on true
left join lateral (
    select row_no, held from sources.seen where load_id = %(load_id)s and record_id = r.record_id offset 0
) s on true

-- name: note_changes
insert into sources.change (record_id, load_id, at, kind, before)
select r.record_id, %(load_id)s, now(), f.fate,
    sources.image(r) || jsonb_build_object('products', coalesce(
        (select jsonb_agg(jsonb_strip_nulls(to_jsonb(p) - 'record_id') order by p.number)
         from sources.product p where p.record_id = r.record_id), '[]'))
from fate f join sources.record r using (record_id)
where f.fate in ('changed', 'deleted', 'restored')

-- name: update_records
update sources.record r set
    given_name = i.given_name, family_name = i.family_name, patronymic = i.patronymic,
    maiden_name = i.maiden_name, full_name = i.full_name, sex = i.sex, national_id = i.national_id,
    tax_id = i.tax_id, document = i.document, phone = i.phone, phone_2 = i.phone_2, email = i.email,
    address = i.address, city = i.city, region = i.region, postcode = i.postcode, country = i.country,
    occupation = i.occupation, employer = i.employer, birth_date = i.birth_date,
    marketing_consent = i.marketing_consent, consent_at = i.consent_at, as_of = i.as_of, extra = i.extra,
    digest = i.digest,
    load_id = %(load_id)s, file_no = %(file_no)s, row_no = i.row_no, updated_at = now(), filed = true,
    deleted_at = case when i.gone then coalesce(r.deleted_at, now()) end
from fate f join incoming i using (row_no)
where f.record_id = r.record_id and f.fate in ('changed', 'deleted', 'restored')

-- name: insert_records
insert into sources.record (
    record_id, system, key,
    given_name, family_name, patronymic, maiden_name, full_name, sex, national_id, tax_id, document, phone,
    phone_2, email, address, city, region, postcode, country, occupation, employer, birth_date,
    marketing_consent, consent_at, as_of, extra, digest,
    load_id, created_load, file_no, row_no, created_at, updated_at, deleted_at
) overriding system value
select
    f.record_id, %(system)s, i.key,
    i.given_name, i.family_name, i.patronymic, i.maiden_name, i.full_name, i.sex, i.national_id, i.tax_id,
    i.document, i.phone, i.phone_2, i.email, i.address, i.city, i.region, i.postcode, i.country,
    i.occupation, i.employer, i.birth_date, i.marketing_consent, i.consent_at, i.as_of, i.extra, i.digest,
    %(load_id)s, %(load_id)s, %(file_no)s, i.row_no, now(), now(), case when i.gone then now() end
from incoming i join fate f using (row_no)
where f.fate = 'new'

-- name: delete_products
delete from sources.product p using fate f
where p.record_id = f.record_id and f.fate in ('changed', 'deleted', 'restored')

-- name: insert_products
insert into sources.product (
    record_id, number, kind, name, currency, balance, status, opened_on, closed_on
)
select f.record_id, p.number, p.kind, p.name, p.currency, p.balance, p.status, p.opened_on, p.closed_on
from incoming_product p join fate f using (row_no)
where f.fate in ('new', 'changed', 'deleted', 'restored')

-- name: note_seen
insert into sources.seen (load_id, record_id, file_no, row_no)
select %(load_id)s, record_id, %(file_no)s, row_no from fate where fate <> 'duplicate'
on conflict (load_id, record_id) do update set held = false, file_no = excluded.file_no, row_no = excluded.row_no
where seen.held

-- name: note_held
insert into sources.seen (load_id, record_id, file_no, row_no, held)
select distinct on (r.record_id) %(load_id)s, r.record_id, %(file_no)s, j.row_no, true
from incoming_reject j join sources.record r on r.system = %(system)s and r.key = j.key
order by r.record_id, j.row_no
on conflict do nothing

-- name: count_fates
select fate, count(*) as rows, count(*) filter (where came_online) as came_online from fate group by fate

-- name: file_those_that_came_online
update sources.record r set filed = true from fate f where f.record_id = r.record_id and f.came_online

-- name: duplicates
select row_no, key, first_row from fate where fate = 'duplicate' order by row_no

-- name: insert_rejects
insert into sources.quarantine (
    load_id, system, file, row_no, reason, field, detail, key, raw, raw_digest, fields, damaged, columns, at
)
select %(load_id)s, %(system)s, %(file)s, row_no, reason, field, detail, key, raw, raw_digest, fields, damaged,
    %(columns)s, now()
from incoming_reject order by row_no
on conflict (system, file, row_no, raw_digest) do update
set load_id = excluded.load_id, reason = excluded.reason, field = excluded.field, detail = excluded.detail,
    key = excluded.key, fields = excluded.fields, damaged = excluded.damaged, columns = excluded.columns

-- name: advance_load
update sources.load set
    rows_in = rows_in + %(rows_in)s, rows_new = rows_new + %(rows_new)s,
    rows_changed = rows_changed + %(rows_changed)s, rows_unchanged = rows_unchanged + %(rows_unchanged)s,
    rows_quarantined = rows_quarantined + %(rows_quarantined)s,
    rows_unplaced = rows_unplaced + %(rows_unplaced)s,
    records_deleted = records_deleted + %(records_deleted)s,
    records_restored = records_restored + %(records_restored)s,
    records_rekeyed = records_rekeyed + %(records_rekeyed)s,
    position = jsonb_build_object('file', %(file_no)s::int, 'rows', %(file_rows)s::bigint)
where load_id = %(load_id)s

-- name: analyze_records
-- After a large load the planner would take both tables for small, and compare every row with every other.
analyze sources.record, sources.seen

-- name: find_absent
-- Live records that the load has not met. It speaks for those that files hold (`gone`), but not for what was
-- told online after it was taken.
create temp table absent on commit drop as
select r.record_id, r.filed and not (l.file_digest = 'online' and r.updated_at > %(taken_at)s) as gone
from sources.record r join sources.load l using (load_id)
where r.system = %(system)s and r.deleted_at is null
  and not exists (select from sources.seen s where s.load_id = %(load_id)s and s.record_id = r.record_id)

-- name: find_moved
-- A vanished record and a new one with the same content, each the only one with it, are one record.
create temp table moved on commit drop as
with gone as (
    select digest, min(record_id) as old_id from sources.record join absent using (record_id) where gone
    group by digest having count(*) = 1
), came as (
    select digest, min(record_id) as new_id from sources.record
    where system = %(system)s and created_load = %(load_id)s and deleted_at is null
    group by digest having count(*) = 1
)
select g.old_id, n.record_id as new_id, o.key as old_key, n.key, n.as_of, n.file_no, n.row_no
from gone g join came c using (digest)
join sources.record o on o.record_id = g.old_id
join sources.record n on n.record_id = c.new_id
where num_nonnulls(n.given_name, n.family_name, n.full_name, n.birth_date, n.national_id, n.tax_id, n.document,
        n.phone, n.email, n.address) >= 3
  and num_nonnulls(n.birth_date, n.national_id, n.tax_id, n.document, n.phone, n.email) >= 1

-- name: note_moved
insert into sources.change (record_id, load_id, at, kind, before)
select old_id, %(load_id)s, now(), 'rekeyed', jsonb_build_object('key', old_key) from moved

-- name: drop_moved_copies
delete from sources.record r using moved m where r.record_id = m.new_id

-- name: move_records
update sources.record r set key = m.key, as_of = m.as_of, load_id = %(load_id)s, file_no = m.file_no,
    row_no = m.row_no, updated_at = now()
from moved m where r.record_id = m.old_id

-- name: meet_moved
delete from absent a using moved m where a.record_id = m.old_id

-- name: count_absent
select
    (select count(*) from absent where gone) as gone, (select count(*) from absent where not gone) as kept,
    (select count(*) from sources.record
     where system = %(system)s and deleted_at is null and filed and created_load <> %(load_id)s) as existing

-- name: note_absent
insert into sources.change (record_id, load_id, at, kind, before)
select r.record_id, %(load_id)s, now(), 'deleted',
    sources.image(r) || jsonb_build_object('products', coalesce(
        (select jsonb_agg(jsonb_strip_nulls(to_jsonb(p) - 'record_id') order by p.number)
         from sources.product p where p.record_id = r.record_id), '[]'))
from sources.record r join absent a using (record_id) where a.gone

-- name: delete_absent
update sources.record r set deleted_at = now(), updated_at = now(), load_id = %(load_id)s
from absent a where a.record_id = r.record_id and a.gone

-- name: finish_load
update sources.load set state = 'done', finished_at = now(), deletes_held = %(deletes_held)s,
    rows_new = rows_new - %(moved)s, rows_changed = rows_changed + %(moved)s,
    records_rekeyed = records_rekeyed + %(moved)s, records_deleted = records_deleted + %(deleted)s
where load_id = %(load_id)s
returning *

-- name: rejects_by_reason
select reason, count(*) as rows from sources.quarantine where load_id = %(load_id)s group by reason order by reason

-- name: quarantine_list
select q.* from sources.quarantine q
where (%(system)s::text is null or q.system = %(system)s)
  and (%(reason)s::text is null or q.reason = %(reason)s)
  and (%(state)s::text is null or q.state = %(state)s)
  and (%(ids)s::bigint[] is null or q.quarantine_id = any(%(ids)s))
  and q.quarantine_id > %(after)s
order by q.quarantine_id limit %(limit)s

-- name: quarantine_counts
select system, reason, state, count(*) as rows from sources.quarantine group by system, reason, state
order by system, reason, state

-- name: settle_quarantine
update sources.quarantine set state = %(state)s, settled_at = now(), note = %(note)s
where quarantine_id = any(%(ids)s) and state = 'open'

-- name: load_of_key
select r.load_id from incoming i join sources.record r on r.system = %(system)s and r.key = i.key

-- name: drop_incoming
drop table if exists incoming, incoming_product, incoming_reject, rekeyed, fate

-- name: drop_seen_of_finished
delete from sources.seen s using sources.load l
where l.load_id = s.load_id and l.state = 'done' and l.system = %(system)s

-- name: live_records
select record_id, system, key, given_name, family_name, patronymic, maiden_name, full_name, sex, national_id, tax_id, document, phone, phone_2, email, address,
    city, region, postcode, country, occupation, employer, birth_date::text as birth_date, marketing_consent,
    consent_at, as_of, created_at, updated_at
from sources.record where deleted_at is null order by record_id

-- name: live_records_among
select record_id, system, key, given_name, family_name, patronymic, maiden_name, full_name, sex, national_id, tax_id, document, phone, phone_2, email, address,
    city, region, postcode, country, occupation, employer, birth_date::text as birth_date, marketing_consent,
    consent_at, as_of, created_at, updated_at
from sources.record where deleted_at is null and record_id = any(%(record_ids)s) order by record_id

-- name: count_live
select count(*) as count from sources.record where deleted_at is null

-- name: live_products
select p.* from sources.product p join sources.record r using (record_id)
where r.deleted_at is null order by p.record_id, p.number

-- name: records_of
select * from sources.record where record_id = any(%(record_ids)s) order by system, key

-- name: products_of
select p.*, r.system from sources.product p join sources.record r using (record_id)
where p.record_id = any(%(record_ids)s) order by r.system, p.number

-- name: changes_of
select c.*, r.system, r.key, l.file from sources.change c
join sources.record r using (record_id) left join sources.load l on l.load_id = c.load_id
where c.record_id = any(%(record_ids)s) order by c.at desc, c.change_id desc

-- name: load_summary
with last as (
    select distinct on (system) * from sources.load order by system, file_digest = 'online', load_id desc
), live as (
    select system, count(*) filter (where deleted_at is null) as records,
        count(*) filter (where deleted_at is not null) as deleted_records
    from sources.record group by system
), bad as (
    select system, count(*) as quarantined from sources.quarantine where state = 'open' group by system
)
select last.system, coalesce(live.records, 0) as records, coalesce(live.deleted_records, 0) as deleted_records,
    coalesce(bad.quarantined, 0) as quarantined, last.load_id, last.file, last.mode, last.state, last.error,
    last.started_at, last.finished_at, last.rows_in, last.rows_new, last.rows_changed, last.rows_unchanged,
    last.rows_quarantined, last.records_deleted, last.records_rekeyed
from last left join live using (system) left join bad using (system) order by last.system

-- name: fingerprint
-- Differs whenever any record was added, changed, deleted or restored.
select format('%%s/%%s', count(*), sum(extract(epoch from coalesce(deleted_at, updated_at)))) as fingerprint
from sources.record
