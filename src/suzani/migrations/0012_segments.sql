-- Segments: the definitions in force, who is in them since when, and who entered and left.
create schema segments;

-- `retired_at`: no longer declared; its name may come back. `digest` is of the rule; `settled_digest` of the
-- rule that everyone was last held against, null for a segment that not everyone has been yet.
create table segments.definition (
    segment_id int generated always as identity primary key,
    name text not null unique,
    title text not null,
    rule jsonb not null,
    digest bytea not null,
    settled_digest bytea,
    in_force_since timestamptz not null,
    retired_at timestamptz
);

-- No foreign keys on what changes with events.
create table segments.membership (
    subject_id bigint not null,
    segment_id int not null,
    entered_at timestamptz not null,
    primary key (subject_id, segment_id)
);
create index membership_segment on segments.membership (segment_id, subject_id);

create table segments.change (
    change_id bigint generated always as identity primary key,
    subject_id bigint not null,
    segment_id int not null,
    entered boolean not null,
    at timestamptz not null
);
create index change_subject on segments.change (subject_id, change_id);
create index change_segment on segments.change (segment_id, at);
