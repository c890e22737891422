-- One golden record per person, ready to be shown and searched. Rebuilt from the source records at any time;
-- a full rebuild fills a table of the same shape beside this one and takes its place.
create schema profiles;

create table profiles.profile (
    person_id bigint not null,
    display_name text,
    given_name text,
    family_name text,
    patronymic text,
    maiden_name text,
    full_name text,
    sex text,
    birth_date date,
    national_id text,
    tax_id text,
    document text,
    phone text,
    phone_2 text,
    email text,
    address text,
    city text,
    region text,
    postcode text,
    country text,
    occupation text,
    employer text,
    -- Null where nobody asked, which counts as a denial.
    marketing_consent text check (marketing_consent in ('granted', 'denied')),
    consent_at timestamptz,
    record_count integer not null,
    systems text[] not null,
    -- [[record_id, system, updated_at], ...]; the positions that `provenance` speaks of.
    records jsonb not null,
    -- {attribute: [position, rule, [positions that agree], [[value that lost, position], ...]]};
    -- empty for a person with one record, whose values are all its own.
    provenance jsonb not null,
    product_count integer not null,
    product_kinds text[] not null,
    -- {currency: [held, owed]} over open products, amounts as text.
    balances jsonb not null,
    -- Terms of every record, not only of the golden values; see suzani.profiles.terms.
    search tsvector not null,
    built_at timestamptz not null
);
alter table profiles.profile add constraint profile_pkey primary key (person_id);
create index profile_search on profiles.profile using gin (search) with (fastupdate = off);
