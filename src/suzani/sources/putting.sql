Records that come one at a time, not in a file: a handful is stored by one statement.

-- name: lock_writes
-- Loads and single records of a system are written one batch after the other.
select pg_advisory_xact_lock(hashtext('suzani.sources.write'), hashtext(%(system)s))

-- name: put_records
-- Records that came online on one day are one load of their system. Extra columns, products and consent that
-- are not given again stay with a record; the digest then is one that no row of a file has, so that the next
-- file is read afresh.
with incoming as materialized (
    select * from jsonb_to_recordset(%(records)s::jsonb) as i(
        no int, system text, key text, given_name text, family_name text, patronymic text, maiden_name text,
        full_name text, sex text, national_id text, tax_id text, document text, phone text, phone_2 text,
        email text, address text, city text, region text, postcode text, country text, occupation text,
        employer text, birth_date date, marketing_consent text, consent_at timestamptz, digest text)
), decided as materialized (
    select i.*, r.record_id as old_id, r.as_of as old_as_of, r.created_at as old_created_at,
        r.updated_at as old_updated_at,
        coalesce(i.marketing_consent, r.marketing_consent) as kept_consent,
        case when i.marketing_consent is null then r.consent_at else i.consent_at end as kept_consent_at,
        decode(i.digest, 'hex') || case
            when r.extra <> '{}' or (i.marketing_consent is null and r.marketing_consent is not null)
                or exists (select from sources.product p where p.record_id = r.record_id)
            then '\x00'::bytea else ''::bytea
        end as own_digest,
        case
            when r.record_id is null then 'new'
            when r.deleted_at is not null then 'restored'
            when (r.given_name, r.family_name, r.patronymic, r.maiden_name, r.full_name, r.sex, r.national_id,
                    r.tax_id, r.document, r.phone, r.phone_2, r.email, r.address, r.city, r.region, r.postcode,
                    r.country, r.occupation, r.employer, r.birth_date)
                is distinct from
                (i.given_name, i.family_name, i.patronymic, i.maiden_name, i.full_name, i.sex, i.national_id,
                    i.tax_id, i.document, i.phone, i.phone_2, i.email, i.address, i.city, i.region, i.postcode,
                    i.country, i.occupation, i.employer, i.birth_date)
                or (i.marketing_consent is not null and
                    (r.marketing_consent, r.consent_at) is distinct from (i.marketing_consent, i.consent_at))
                then 'changed'
            else 'unchanged'
        end as fate
    from incoming i
    left join lateral (
        select * from sources.record where system = i.system and key = i.key offset 0
    ) r on true
), counted as materialized (
    select system, count(*) as rows, count(*) filter (where fate = 'new') as new,
        count(*) filter (where fate in ('changed', 'restored')) as changed,
        count(*) filter (where fate = 'unchanged') as unchanged,
        count(*) filter (where fate = 'restored') as restored,
        (select max(load_id) from sources.load l where l.system = d.system and l.file_digest = 'online'
            and l.started_at >= date_trunc('day', %(at)s::timestamptz, 'UTC')) as load_id
    from decided d group by system
), opened as (
    insert into sources.load (system, file, file_digest, mapping_digest, mode, state, started_at, finished_at,
        rows_in, rows_new, rows_changed, rows_unchanged, records_restored)
    select system, 'online', 'online', '', 'delta', 'done', %(at)s, %(at)s, rows, new, changed, unchanged, restored
    from counted where load_id is null
    returning load_id, system
), continued as (
    update sources.load l set
        rows_in = l.rows_in + c.rows, rows_new = l.rows_new + c.new, rows_changed = l.rows_changed + c.changed,
        rows_unchanged = l.rows_unchanged + c.unchanged, records_restored = l.records_restored + c.restored,
        finished_at = %(at)s
    from counted c where l.load_id = c.load_id
    returning l.load_id, l.system
), loads as materialized (
    select * from opened union all select * from continued
), noted as (
    insert into sources.change (record_id, load_id, at, kind, before)
    select r.record_id, l.load_id, %(at)s, d.fate,
        sources.image(r) || jsonb_build_object('products', coalesce(
            (select jsonb_agg(jsonb_strip_nulls(to_jsonb(p) - 'record_id') order by p.number)
             from sources.product p where p.record_id = r.record_id), '[]'))
    from decided d join loads l using (system) join sources.record r on r.record_id = d.old_id
    where d.fate in ('changed', 'restored')
), altered as (
    update sources.record r set
        given_name = d.given_name, family_name = d.family_name, patronymic = d.patronymic,
        maiden_name = d.maiden_name, full_name = d.full_name, sex = d.sex, national_id = d.national_id,
        tax_id = d.tax_id, document = d.document, phone = d.phone, phone_2 = d.phone_2, email = d.email,
        address = d.address, city = d.city, region = d.region, postcode = d.postcode, country = d.country,
        occupation = d.occupation, employer = d.employer, birth_date = d.birth_date,
        marketing_consent = d.kept_consent, consent_at = d.kept_consent_at, as_of = null,
        digest = d.own_digest, load_id = l.load_id, file_no = 0, row_no = d.no, updated_at = %(at)s,
        deleted_at = null, filed = r.filed and d.fate <> 'restored'
    from decided d join loads l using (system)
    where r.record_id = d.old_id and d.fate in ('changed', 'restored')
), added as (
    insert into sources.record (
        system, key, given_name, family_name, patronymic, maiden_name, full_name, sex, national_id, tax_id,
        document, phone, phone_2, email, address, city, region, postcode, country, occupation, employer,
        birth_date, marketing_consent, consent_at, digest, load_id, created_load, file_no, row_no, created_at,
        updated_at, filed)
    select system, key, given_name, family_name, patronymic, maiden_name, full_name, sex, national_id, tax_id,
        document, phone, phone_2, email, address, city, region, postcode, country, occupation, employer,
        birth_date, marketing_consent, consent_at, own_digest, load_id, load_id, 0, no, %(at)s, %(at)s, false
    from decided join loads using (system) where fate = 'new' order by no
    returning record_id, system, key
)
select coalesce(d.old_id, a.record_id) as record_id, d.fate, d.kept_consent as marketing_consent,
    d.kept_consent_at as consent_at, coalesce(d.old_created_at, %(at)s) as created_at
from decided d left join added a on a.system = d.system and a.key = d.key
order by d.no

-- name: take_record_ids
select array(
    select nextval(pg_get_serial_sequence('sources.record', 'record_id')) from generate_series(1, %(count)s::int)
) as ids

-- name: put_new_records
-- The same for records that nobody has stored yet, under ids taken for them: fails if one was.
with incoming as materialized (
    select * from jsonb_to_recordset(%(records)s::jsonb) as i(
        record_id bigint, no int, system text, key text, given_name text, family_name text, patronymic text,
        maiden_name text, full_name text, sex text, national_id text, tax_id text, document text, phone text,
        phone_2 text, email text, address text, city text, region text, postcode text, country text,
        occupation text, employer text, birth_date date, marketing_consent text, consent_at timestamptz,
        digest text)
), counted as materialized (
    select system, count(*) as rows,
        (select max(load_id) from sources.load l where l.system = i.system and l.file_digest = 'online'
            and l.started_at >= date_trunc('day', %(at)s::timestamptz, 'UTC')) as load_id
    from incoming i group by system
), opened as (
    insert into sources.load (system, file, file_digest, mapping_digest, mode, state, started_at, finished_at,
        rows_in, rows_new)
    select system, 'online', 'online', '', 'delta', 'done', %(at)s, %(at)s, rows, rows
    from counted where load_id is null
    returning load_id, system
), continued as (
    update sources.load l set rows_in = l.rows_in + c.rows, rows_new = l.rows_new + c.rows, finished_at = %(at)s
    from counted c where l.load_id = c.load_id
    returning l.load_id, l.system
)
insert into sources.record (
    record_id, system, key, given_name, family_name, patronymic, maiden_name, full_name, sex, national_id,
    tax_id, document, phone, phone_2, email, address, city, region, postcode, country, occupation, employer,
    birth_date, marketing_consent, consent_at, digest, load_id, created_load, file_no, row_no, created_at,
    updated_at, filed)
overriding system value
select record_id, system, key, given_name, family_name, patronymic, maiden_name, full_name, sex, national_id,
    tax_id, document, phone, phone_2, email, address, city, region, postcode, country, occupation, employer,
    birth_date, marketing_consent, consent_at, decode(digest, 'hex'), load_id, load_id, 0, no, %(at)s, %(at)s,
    false
from incoming join (select * from opened union all select * from continued) as loads using (system)
