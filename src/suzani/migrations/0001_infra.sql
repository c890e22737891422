-- One row: which installation this database belongs to, for backups and for people.
create table infra.installation (
    only_one boolean primary key default true check (only_one),
    installation_id uuid not null default gen_random_uuid(),
    created_at timestamptz not null default now()
);

insert into infra.installation default values;
