-- What customers did, and what that amounts to.
create schema activity;

-- Every event once, attributed to its strongest identifier and so to whichever subject that belongs to; rows
-- never change. `message` is the digest of source and message id. No foreign keys, as ten thousand rows a
-- second come in.
create table activity.event (
    message uuid primary key,
    identifier_id bigint not null,
    at timestamptz not null,
    received_at timestamptz not null,
    source text not null,
    type text not null,
    name text not null,
    channel text not null,
    -- {"message_id", "user_id", "anonymous_id", "properties", "traits", "context", …}, what is empty left out.
    body json not null
);
create index event_identifier on activity.event (identifier_id, at desc, message desc);

-- What is kept of a subject's events: the states of traits, from which values follow at any time; the
-- segments it is in; and when time alone changes either. `version` grows with every change.
create table activity.subject_state (
    subject_id bigint primary key,
    state bytea not null,
    events bigint not null,
    first_at timestamptz,
    last_at timestamptz,
    version bigint not null,
    next_change timestamptz
) with (fillfactor = 80);
create index subject_state_due on activity.subject_state (next_change) where next_change is not null;

-- When the rules of traits or segments change, all subjects are gone through in the order of their ids:
-- `position` is the last one that was, null when all were. Only one process does it at a time.
create table activity.sweep (
    only_one boolean primary key default true check (only_one),
    digest text not null,
    position bigint
);
insert into activity.sweep (digest) values ('');
