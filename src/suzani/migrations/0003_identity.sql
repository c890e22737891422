-- Which records are one person, and the evidence for it.
create schema identity;

-- One complete resolution of all live records. `model` is the trained model, `report` the phases and counts.
create table identity.run (
    run_id bigint generated always as identity primary key,
    state text not null check (state in ('running', 'done', 'failed')),
    started_at timestamptz not null,
    finished_at timestamptz,
    model jsonb,
    report jsonb,
    records bigint,
    candidates bigint,
    edges bigint,
    persons bigint
);

-- A person keeps the id across runs; one whose records all went to another says where they went.
create table identity.person (
    person_id bigint generated always as identity primary key,
    created_at timestamptz not null,
    run_id bigint not null references identity.run,
    retired_at timestamptz,
    merged_into bigint references identity.person
);

-- No foreign keys here and on edges: a run writes them whole, and checking a million keys row by row would
-- take longer than resolving. Records are marked as deleted, never removed.
create table identity.membership (
    record_id bigint primary key,
    person_id bigint not null,
    run_id bigint not null,
    since timestamptz not null
);
create index membership_person on identity.membership (person_id);

-- Evidence between two records; `evidence` is {field: [level, bits]}.
create table identity.edge (
    record_a bigint not null,
    record_b bigint not null,
    weight_bits real not null,
    probability real not null,
    evidence jsonb not null,
    primary key (record_a, record_b),
    check (record_a < record_b)
);
create index edge_other on identity.edge (record_b);
