-- Keys of senders and readers, what was refused of their events, and how far files and foreign topics are read.
create schema access;
create schema events;

-- Of a key only its SHA-256 is kept; `hint` is its beginning, for people. `settings`: what its role knows of it.
create table access.key (
    key_id bigint generated always as identity primary key,
    role text not null,
    name text not null,
    digest bytea not null unique,
    hint text not null,
    settings jsonb not null default '{}',
    created_at timestamptz not null,
    revoked_at timestamptz
);

-- Events that could not be taken. `raw` is the sender's own bytes, `head` the envelope up to them, `way` how they
-- came. One that comes again is counted, and open again. `digest` is of source and message, or of the raw bytes.
create table events.quarantine (
    quarantine_id bigint generated always as identity primary key,
    digest bytea not null unique,
    source text not null,
    way text not null,
    reason text not null,
    place text not null,
    detail text not null,
    head bytea not null,
    raw bytea not null,
    message_id text not null default '',
    state text not null default 'open' check (state in ('open', 'replayed', 'dismissed')),
    times int not null default 1,
    at timestamptz not null,
    last_at timestamptz not null,
    settled_at timestamptz,
    note text
);
create index quarantine_open on events.quarantine (source, quarantine_id) where state = 'open';

-- One run of `suzani events load`; `rows_read` is where a stopped one goes on.
create table events.load (
    load_id bigint generated always as identity primary key,
    source text not null,
    file text not null,
    digest bytea not null,
    state text not null check (state in ('running', 'done')),
    rows_read bigint not null default 0,
    rows_accepted bigint not null default 0,
    rows_quarantined bigint not null default 0,
    started_at timestamptz not null,
    finished_at timestamptz,
    unique (source, digest),
    check (rows_read = rows_accepted + rows_quarantined)
);

-- How far foreign Kafka topics are taken in: moved in the transaction that appends their events.
create table events.followed (
    source text not null,
    topic text not null,
    partition int not null,
    next_offset bigint not null,
    primary key (source, topic, partition)
);
