-- Persons that keep their ids: every change of who belongs to whom with its cause, what stewards decided, and
-- the feed of affected persons.

-- One thing that happened to persons: a run, a delta, a record resolved online, a steward's decision, an undo.
-- `persons`: what an undo was limited to, null for all of the undone change.
create table identity.change (
    change_id bigint generated always as identity primary key,
    at timestamptz not null,
    cause text not null check (cause in ('run', 'delta', 'online', 'steward', 'undo')),
    run_id bigint references identity.run,
    actor text not null default '',
    reason text not null default '',
    undoes bigint references identity.change,
    persons bigint[],
    check ((cause = 'undo') = (undoes is not null))
);
create index change_undoes on identity.change (undoes) where undoes is not null;
create index change_run on identity.change (run_id) where run_id is not null;

-- Runs of before: who moved in them is not known, but when and why persons were created is.
insert into identity.change (at, cause, run_id)
select finished_at, 'run', run_id from identity.run where state = 'done' order by run_id;

-- One membership that a change changed. `from_person` null: the record was new; `to_person` null: it is gone.
-- `from_since`: since when it had been with `from_person`. The records of a bank's very first run have no
-- moves: their membership says since when. No foreign keys, as on memberships.
create table identity.move (
    record_id bigint not null,
    change_id bigint not null,
    from_person bigint,
    to_person bigint,
    from_since timestamptz,
    primary key (record_id, change_id),
    check (from_person is distinct from to_person)
);
create index move_change on identity.move (change_id);
create index move_from on identity.move (from_person, change_id) where from_person is not null;
create index move_to on identity.move (to_person, change_id) where to_person is not null;

-- The feed: persons that a change affected. `seq` is in the order of commits, as all who write it hold one
-- lock. A row without a person stands for everyone.
create table identity.person_change (
    seq bigint generated always as identity primary key,
    change_id bigint not null,
    person_id bigint,
    kind text not null check (kind in ('created', 'changed', 'retired', 'revived', 'everyone')),
    check ((person_id is null) = (kind = 'everyone'))
);

-- How far each reader of the feed has read; a reader without a row has read nothing.
create table identity.feed_cursor (
    consumer text primary key,
    seq bigint not null
);

-- What stewards said about two records. `change_id` brought it; `revoked_change` took it back. Never deleted;
-- it holds for records that are deleted too, through which must-links still connect.
create table identity.constraint (
    constraint_id bigint generated always as identity primary key,
    kind text not null check (kind in ('must', 'cannot')),
    record_a bigint not null,
    record_b bigint not null,
    at timestamptz not null,
    actor text not null,
    reason text not null,
    change_id bigint not null references identity.change,
    revoked_at timestamptz,
    revoked_by text,
    revoked_change bigint references identity.change,
    check (record_a < record_b),
    check ((revoked_at is null) = (revoked_change is null))
);
create unique index constraint_active on identity.constraint (record_a, record_b) where revoked_at is null;
create index constraint_change on identity.constraint (change_id);
create index constraint_revoked on identity.constraint (revoked_change) where revoked_change is not null;

-- A steward's change belongs to no run. `change_id` is null for what came before this migration (then the run
-- tells the change); `seen` is the
-- record's `updated_at` as it was when the record was last resolved. A run's persons need no check of its id.
alter table identity.membership
    alter column run_id drop not null,
    add column change_id bigint,
    add column seen timestamptz;
alter table identity.person
    alter column run_id drop not null,
    drop constraint person_run_id_fkey,
    add column change_id bigint;
create index person_merged_into on identity.person (merged_into) where merged_into is not null;
