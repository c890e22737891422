A change of few records, written by one statement; `queries.sql` has what a change of many takes, and
`start_change`, which is part of each.

-- name: add
-- The same as `amend` of records that never had a person, where nothing else changes.
with change as (%(start_change)s), created as (
    insert into identity.person (person_id, created_at, run_id, change_id) overriding system value
    select person_id, at, %(run_id)s::bigint, change_id from change, unnest(%(created)s::bigint[]) as person_id
), given as materialized (
    select record_id, person_id, timestamptz 'epoch' + seen_us * interval '1 microsecond' as seen
    from unnest(%(records)s::bigint[], %(persons)s::bigint[], %(seen_us)s::bigint[])
        as r (record_id, person_id, seen_us)
), moves as (
    insert into identity.move (record_id, change_id, to_person)
    select record_id, change_id, person_id from given, change
), placed as (
    insert into identity.membership (record_id, person_id, run_id, change_id, since, seen)
    select record_id, person_id, %(run_id)s::bigint, change_id, at, seen from given, change
), told as (
    insert into identity.person_change (change_id, person_id, kind)
    select change_id, person_id, case when person_id = any(%(created)s::bigint[]) then 'created' else 'changed' end
    from (select distinct person_id from given order by 1) as affected, change
), touched as (
    insert into identity.touched (change_id, record_id)
    select change_id, record_id from given, change where seen is not null
), found as (
    insert into identity.edge (record_a, record_b, weight_bits, probability, evidence)
    select record_a, record_b, weight_bits, probability, evidence
    from jsonb_to_recordset(%(edges)s::jsonb) as e (
        record_a bigint, record_b bigint, weight_bits real, probability real, evidence jsonb)
)
select change_id, at, cardinality(%(records)s::bigint[]) as moves, '{}'::bigint[] as retired,
    '{}'::bigint[] as revived, array(select distinct person_id from given order by 1) as affected
from change

-- name: amend
-- `created`: the new persons. `persons`: null for a record that is gone.
-- `seen_us`: when what a record says was written, in microseconds since 1970; null: it says what it did.
with change as (%(start_change)s), created as (
    insert into identity.person (person_id, created_at, run_id, change_id) overriding system value
    select person_id, at, %(run_id)s::bigint, change_id
    from change, unnest(%(created)s::bigint[]) as person_id
    returning person_id
), given as materialized (
    select record_id, person_id, timestamptz 'epoch' + seen_us * interval '1 microsecond' as seen
    from unnest(%(records)s::bigint[], %(persons)s::bigint[], %(seen_us)s::bigint[])
        as r (record_id, person_id, seen_us)
), known as materialized (
    select g.record_id, g.person_id, g.seen, m.person_id as old_person, m.since,
        m.person_id is distinct from g.person_id as moved,
        g.seen is not null and g.seen is distinct from m.seen as renewed
    from given g left join lateral (
        select person_id, since, seen from identity.membership where record_id = g.record_id offset 0
    ) m on true
), moves as (
    insert into identity.move (record_id, change_id, from_person, to_person, from_since)
    select record_id, change_id, old_person, person_id, since from known, change where moved
), dropped as (
    delete from identity.membership m using known k where m.record_id = k.record_id and k.person_id is null
), placed as (
    insert into identity.membership (record_id, person_id, run_id, change_id, since, seen)
    select record_id, person_id, %(run_id)s::bigint, change_id, at, seen from known, change
    where moved and person_id is not null
    on conflict (record_id) do update set person_id = excluded.person_id, run_id = excluded.run_id,
        change_id = excluded.change_id, since = excluded.since, seen = coalesce(excluded.seen, membership.seen)
), renewed as (
    update identity.membership m set seen = k.seen from known k
    where m.record_id = k.record_id and k.renewed and not k.moved
), retired as (
    -- The persons left without records, and the one that got most of their last ones.
    update identity.person p set retired_at = at, merged_into = l.to_person
    from change, (
        select distinct on (old_person) old_person, person_id as to_person from known
        where moved and old_person is not null
        group by old_person, person_id
        order by old_person, (person_id is null), count(*) desc, person_id
    ) l
    where p.person_id = l.old_person
        and not exists (select from known k where k.person_id = p.person_id)
        and not exists (
            select from identity.membership m where m.person_id = p.person_id
                and not exists (select from known k where k.record_id = m.record_id)
        )
    returning p.person_id
), revived as (
    update identity.person p set retired_at = null, merged_into = null
    where p.retired_at is not null and p.person_id in (select person_id from known where moved)
    returning p.person_id
), affected as materialized (
    select person_id from known where (moved or renewed) and person_id is not null
    union
    select old_person from known where moved and old_person is not null
), told as (
    insert into identity.person_change (change_id, person_id, kind)
    select change_id, a.person_id, case
        when a.person_id in (select person_id from created) then 'created'
        when a.person_id in (select person_id from retired) then 'retired'
        when a.person_id in (select person_id from revived) then 'revived'
        else 'changed'
    end
    from affected a, change order by a.person_id
), touched as (
    insert into identity.touched (change_id, record_id)
    select change_id, record_id from given, change where seen is not null or person_id is null
), found as (
    insert into identity.edge (record_a, record_b, weight_bits, probability, evidence)
    select record_a, record_b, weight_bits, probability, evidence
    from jsonb_to_recordset(%(edges)s::jsonb) as e (
        record_a bigint, record_b bigint, weight_bits real, probability real, evidence jsonb)
)
select change_id, at, (select count(*) from known where moved) as moves,
    array(select person_id from retired order by 1) as retired,
    array(select person_id from revived order by 1) as revived,
    array(select person_id from affected order by 1) as affected
from change
