-- The log: producers append to topics, consumers read in order. Many messages stand in one row, packed, so that
-- an index entry, a row header and a compression are paid for once for many.
create schema bus;

create table bus.topic (
    topic text collate "C" primary key,
    partitions integer not null check (partitions > 0),
    created_at timestamptz not null default now()
);

-- Rows are locked by whoever appends, until the end of the transaction, and almost never changed: the offset
-- that comes next is that after the last message. `start` is the next one where no message is kept.
create table bus.partition (
    topic text collate "C" not null references bus.topic,
    partition integer not null,
    start bigint not null default 0,
    primary key (topic, partition)
);

-- Three generations, of which one is written to; the oldest is emptied whole when all have read it. Dropping
-- messages thus costs nothing, and leaves nothing to be vacuumed.
create table bus.message (
    topic text collate "C" not null,
    partition integer not null,
    last_offset bigint not null,
    messages integer not null check (messages > 0),
    size integer not null,
    appended_at timestamptz not null,
    body bytea not null,
    generation smallint not null
) partition by list (generation);
-- The body comes compressed.
alter table bus.message alter column body set storage external;

create table bus.message_0 partition of bus.message for values in (0)
with (autovacuum_enabled = false, toast.autovacuum_enabled = false);
create table bus.message_1 partition of bus.message for values in (1)
with (autovacuum_enabled = false, toast.autovacuum_enabled = false);
create table bus.message_2 partition of bus.message for values in (2)
with (autovacuum_enabled = false, toast.autovacuum_enabled = false);
create unique index on bus.message_0 (topic, partition, last_offset);
create unique index on bus.message_1 (topic, partition, last_offset);
create unique index on bus.message_2 (topic, partition, last_offset);

create table bus.rotation (
    only_one boolean primary key default true check (only_one),
    generation smallint not null default 0,
    since timestamptz not null default now()
);
insert into bus.rotation default values;

-- How far each consumer is in each partition, whatever carries the topic; moved in the transaction of the
-- effects, and held by the worker whose turn it is.
create table bus.cursor (
    consumer text not null,
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    primary key (consumer, topic, partition)
) with (fillfactor = 20);

-- Processes that read for a consumer, and when they last said so: partitions are shared out by their number.
create table bus.worker (
    worker uuid primary key,
    consumer text not null,
    seen_at timestamptz not null
);

-- The end of a partition: the offset that its next message gets.
create function bus.end_of(its_topic text, its_partition integer) returns bigint language sql stable as $$
    select greatest(
        (select p.start from bus.partition as p where p.topic = its_topic and p.partition = its_partition),
        (
            select max(m.last_offset) + 1
            from bus.message as m
            where m.topic = its_topic and m.partition = its_partition
        )
    )
$$;

-- Append packed messages, given in the order of topics and partitions. A partition is held from here to the
-- end of the transaction, so that offsets become visible in their order: no reader can pass one that comes late.
-- The table is locked before the rows, as by `rotate`.
create function bus.append(
    topics text[], partitions integer[], counts integer[], sizes integer[], bodies bytea[]
) returns void language plpgsql as $$
declare
    place integer;
begin
    lock table bus.message in row exclusive mode;
    for place in 1 .. cardinality(topics) loop
        perform 1 from bus.partition as p
        where p.topic = topics[place] and p.partition = partitions[place]
        for no key update;
        -- A statement of its own: it must see what was committed while this one waited.
        insert into bus.message (topic, partition, last_offset, messages, size, appended_at, body, generation)
        select
            topics[place], partitions[place],
            bus.end_of(topics[place], partitions[place]) + counts[place] - 1,
            counts[place], sizes[place], clock_timestamp(), bodies[place], r.generation
        from bus.rotation as r;
    end loop;
    perform pg_notify('suzani_bus', t.topic) from (select distinct unnest(topics) as topic) as t;
end
$$;

-- Empty the oldest generation and write to it from now on, once the present one was written to for `period`.
-- Returns whether it was done: not while a consumer has yet to read something there.
create function bus.rotate(period interval) returns boolean language plpgsql as $$
declare
    oldest smallint;
begin
    select (r.generation + 1) % 3 into oldest
    from bus.rotation as r
    where r.since <= now() - period
    for update skip locked;
    if not found then
        return false;
    end if;
    -- From here on nobody reads or appends, and whoever did has ended.
    execute format('lock table bus.message_%s in access exclusive mode', oldest);
    if exists (
        select from bus.cursor as c
        where exists (
            select from bus.message as m
            where m.generation = oldest and m.topic = c.topic and m.partition = c.partition
                and m.last_offset >= c.next_offset
        )
    ) then
        return false;
    end if;
    update bus.partition as p set start = bus.end_of(p.topic, p.partition)
    where exists (
        select from bus.message as m
        where m.generation = oldest and m.topic = p.topic and m.partition = p.partition
    );
    execute format('truncate bus.message_%s', oldest);
    update bus.rotation set generation = oldest, since = now();
    return true;
end
$$;

-- The lake: its files are written before the transaction that names them here commits, and shown in the folders
-- of their days after it. What a row says is so; files without a row are of transactions that failed.
create schema lake;

create table lake.file (
    file uuid primary key,
    dataset text not null,
    day date not null,
    rows bigint not null,
    bytes bigint not null,
    written_at timestamptz not null default now(),
    shown_at timestamptz,
    replaced_at timestamptz,
    hidden_at timestamptz
);
create index file_day on lake.file (dataset, day) where replaced_at is null;
create index file_pending on lake.file (dataset, day) where shown_at is null;
create index file_replaced on lake.file (replaced_at) where replaced_at is not null;
