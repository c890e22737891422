-- Records of the product systems: loads, records, products, changes and quarantine.
create schema sources;

-- One run of `suzani load`: one or more files of one system. `position` is where a stopped load goes on:
-- {"file": index, "rows": rows of that file done}. rows_in = new + changed + unchanged + quarantined.
create table sources.load (
    load_id bigint generated always as identity primary key,
    system text not null,
    file text not null,
    file_digest text not null,
    mapping_digest text not null,
    mode text not null check (mode in ('delta', 'snapshot')),
    state text not null check (state in ('running', 'done', 'failed')),
    started_at timestamptz not null,
    finished_at timestamptz,
    rows_in bigint not null default 0,
    rows_new bigint not null default 0,
    rows_changed bigint not null default 0,
    rows_unchanged bigint not null default 0,
    rows_quarantined bigint not null default 0,
    rows_unplaced bigint not null default 0,
    records_deleted bigint not null default 0,
    records_restored bigint not null default 0,
    records_rekeyed bigint not null default 0,
    deletes_held bigint not null default 0,
    position jsonb not null default '{"file": 0, "rows": 0}',
    columns text[] not null default '{}',
    error text,
    check (state <> 'done' or rows_in = rows_new + rows_changed + rows_unchanged + rows_quarantined)
);
create index load_system on sources.load (system, load_id);

-- A record as its system wrote it: padding stripped; dates, money and consent parsed. `digest` is of the
-- content without the key and without `as_of`. `created_load` brought it, `load_id` last changed it.
create table sources.record (
    record_id bigint generated always as identity primary key,
    system text not null,
    key text not null,
    given_name text,
    family_name text,
    patronymic text,
    maiden_name text,
    full_name text,
    sex text check (sex in ('male', 'female')),
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
    birth_date date,
    marketing_consent text check (marketing_consent in ('granted', 'denied')),
    consent_at timestamptz,
    as_of timestamptz,
    extra jsonb not null default '{}',
    digest bytea not null,
    load_id bigint not null references sources.load,
    created_load bigint not null,
    file_no int not null,
    row_no bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    unique (system, key)
);

create table sources.product (
    record_id bigint not null references sources.record on delete cascade,
    number text not null,
    kind text,
    name text,
    currency text,
    balance numeric(20, 2),
    status text,
    opened_on date,
    closed_on date,
    primary key (record_id, number)
);
create index product_number on sources.product (number);

-- What a record was before a load changed it; `before` has its values that were not null, and its products.
create table sources.change (
    change_id bigint generated always as identity primary key,
    record_id bigint not null references sources.record on delete cascade,
    load_id bigint references sources.load,
    at timestamptz not null,
    kind text not null check (kind in ('changed', 'deleted', 'restored', 'rekeyed')),
    before jsonb not null
);
create index change_record on sources.change (record_id, change_id);

-- The records a load has met so far; emptied when it ends. `held`: its row is in quarantine, so the record
-- is still there, but a later good row may bring it.
create table sources.seen (
    load_id bigint not null,
    record_id bigint not null,
    file_no int not null,
    row_no bigint not null,
    held boolean not null default false,
    primary key (load_id, record_id)
);

-- Rows that could not be used: `raw` is the exact row, `fields` its columns as text where it could be taken
-- apart, of which the `damaged` ones must be replaced before a replay.
create table sources.quarantine (
    quarantine_id bigint generated always as identity primary key,
    load_id bigint not null references sources.load,
    system text not null,
    file text not null,
    row_no bigint not null,
    reason text not null,
    field text,
    detail text not null,
    key text,
    raw bytea not null,
    raw_digest bytea not null,
    fields jsonb,
    damaged text[] not null default '{}',
    columns text[] not null default '{}',
    state text not null default 'open' check (state in ('open', 'replayed', 'dismissed')),
    at timestamptz not null,
    settled_at timestamptz,
    note text,
    unique (system, file, row_no, raw_digest)
);
create index quarantine_open on sources.quarantine (system, quarantine_id) where state = 'open';
