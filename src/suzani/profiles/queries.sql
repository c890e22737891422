Fixed statements of suzani.profiles. Each block is named by the line before it.

-- name: begin_rebuild
set transaction isolation level repeatable read

-- name: lock_profiles
lock table profiles.profile in share update exclusive mode

-- name: batch_starts
select person_id
from (
    select person_id, row_number() over (order by person_id) as n
    from (select distinct person_id from identity.membership) as person
) as numbered
where (n - 1) %% %(batch)s = 0
order by person_id

-- name: records_between
select m.person_id, r.record_id, r.system,
    r.given_name, r.family_name, r.patronymic, r.maiden_name, r.full_name, r.sex, r.birth_date, r.national_id,
    r.tax_id, r.document, r.phone, r.phone_2, r.email, r.address, r.city, r.region, r.postcode, r.country,
    r.occupation, r.employer, r.marketing_consent, r.consent_at, coalesce(r.as_of, r.updated_at) as updated_at
from identity.membership m join sources.record r using (record_id)
where m.person_id >= %(first)s and m.person_id < %(after)s and r.deleted_at is null
order by m.person_id, r.record_id

-- name: records_of
select m.person_id, r.record_id, r.system,
    r.given_name, r.family_name, r.patronymic, r.maiden_name, r.full_name, r.sex, r.birth_date, r.national_id,
    r.tax_id, r.document, r.phone, r.phone_2, r.email, r.address, r.city, r.region, r.postcode, r.country,
    r.occupation, r.employer, r.marketing_consent, r.consent_at, coalesce(r.as_of, r.updated_at) as updated_at
from identity.membership m join sources.record r using (record_id)
where m.person_id = any(%(persons)s) and r.deleted_at is null
order by m.person_id, r.record_id

-- name: products_between
select m.person_id, p.number, p.kind, r.system, p.currency, p.balance,
    (p.closed_on is null or p.closed_on > %(today)s) and coalesce(p.status, '') <> 'closed' as is_open
from identity.membership m join sources.record r using (record_id) join sources.product p using (record_id)
where m.person_id >= %(first)s and m.person_id < %(after)s and r.deleted_at is null

-- name: products_of
select m.person_id, p.number, p.kind, r.system, p.currency, p.balance,
    (p.closed_on is null or p.closed_on > %(today)s) and coalesce(p.status, '') <> 'closed' as is_open
from identity.membership m join sources.record r using (record_id) join sources.product p using (record_id)
where m.person_id = any(%(persons)s) and r.deleted_at is null

-- name: create_next
create table profiles.profile_next (like profiles.profile including defaults including constraints)

-- name: analyse_next
select profiles.analyse_what_is_asked('profiles.profile_next')

-- name: index_next_key
alter table profiles.profile_next add constraint profile_next_pkey primary key (person_id)

-- name: index_next_search
create index profile_next_search on profiles.profile_next using gin (search) with (fastupdate = off)

-- name: index_memory
set local maintenance_work_mem = '256MB'

-- name: drop_current
drop table profiles.profile

-- name: rename_next
alter table profiles.profile_next rename to profile

-- name: rename_next_key
alter table profiles.profile rename constraint profile_next_pkey to profile_pkey

-- name: rename_next_search
alter index profiles.profile_next_search rename to profile_search

-- name: analyze_profiles
analyze profiles.profile

-- name: delete_profiles
delete from profiles.profile where person_id = any(%(persons)s)

-- name: profile
select * from profiles.profile where person_id = %(person_id)s

-- name: survivor
with recursive path as (
    select person_id, merged_into from identity.person where person_id = %(person_id)s
    union
    select p.person_id, p.merged_into from identity.person p join path on p.person_id = path.merged_into
)
select person_id from path where merged_into is null

-- name: person
select person_id, created_at, retired_at, merged_into from identity.person where person_id = %(person_id)s

-- name: merged_persons
select person_id, retired_at from identity.person where merged_into = %(person_id)s order by retired_at

-- name: source_records
select r.*, m.since
from identity.membership m join sources.record r using (record_id)
where m.person_id = any(%(persons)s) and r.deleted_at is null
order by r.system, r.record_id

-- name: products_held
select p.*, r.system
from identity.membership m join sources.record r using (record_id) join sources.product p using (record_id)
where m.person_id = %(person_id)s and r.deleted_at is null
order by r.system, p.kind, p.number

-- name: edges_within
select e.record_a, e.record_b, e.weight_bits, e.probability, e.evidence
from identity.membership a
join identity.edge e on e.record_a = a.record_id
join identity.membership b on b.record_id = e.record_b and b.person_id = a.person_id
where a.person_id = %(person_id)s
order by e.weight_bits desc, e.record_a, e.record_b

-- name: record_changes
select c.change_id, c.at, c.kind, c.before, r.record_id, r.system
from identity.membership m join sources.record r using (record_id) join sources.change c using (record_id)
where m.person_id = %(person_id)s
order by c.record_id, c.change_id

-- name: search
select person_id, display_name, birth_date, city, phone, systems, record_count, product_count
from profiles.profile
where search @@ %(wanted)s::tsquery
limit %(limit)s

-- name: searched_values
select m.person_id, r.given_name, r.family_name, r.patronymic, r.maiden_name, r.full_name, r.birth_date,
    r.national_id, r.tax_id, r.document, r.phone, r.phone_2, r.email, null::text as product
from identity.membership m join sources.record r using (record_id)
where m.person_id = any(%(persons)s) and r.deleted_at is null
union all
select m.person_id, null, null, null, null, null, null, null, null, null, null, null, null, p.number
from identity.membership m join sources.record r using (record_id) join sources.product p using (record_id)
where m.person_id = any(%(persons)s) and r.deleted_at is null

-- name: facts
select person_id, given_name, family_name, patronymic, maiden_name, full_name, sex, birth_date, national_id, tax_id,
    document, phone, phone_2, email, address, city, region, postcode, country, occupation, employer,
    marketing_consent, consent_at, display_name, record_count, systems, product_count, product_kinds, balances,
    built_at
from profiles.profile
where person_id = any(%(persons)s)

-- name: products_of_persons
select m.person_id, p.number, p.kind, p.name, p.currency, p.balance, p.status, p.opened_on, p.closed_on, r.system
from identity.membership m join sources.record r using (record_id) join sources.product p using (record_id)
where m.person_id = any(%(persons)s) and r.deleted_at is null
order by m.person_id, r.system, p.number

-- name: holders
-- The records of the persons whose terms have one of these; of more persons than two for one term, only some.
select w.term, p.person_id, r.record_id, r.phone, r.phone_2, r.email
from unnest(%(terms)s::text[]) as w (term)
cross join lateral (
    select person_id from profiles.profile where search @@ quote_literal(w.term)::tsquery limit 3
) p
join identity.membership m on m.person_id = p.person_id
join sources.record r on r.record_id = m.record_id and r.deleted_at is null
