-- What runs learned, so that a delta or one record is judged as the run before would have, by any process.

-- The norms, model, plan of blocking and frequencies of a run (`identity.knowledge.Learned`); `digest` of them.
create table identity.knowledge (
    run_id bigint primary key references identity.run,
    digest text not null,
    data bytea not null
);

-- Records whose content a change outside a run took over; processes that keep an index of the records in
-- memory read from here what they missed. Emptied by the next run.
create table identity.touched (
    change_id bigint not null,
    record_id bigint not null,
    primary key (change_id, record_id)
);

