-- Of wide tables the planner needs to know only the columns that statements look for, join or group by. To
-- analyse all of them takes a core for more than a second each time that a table has grown by a tenth.
create function infra.analyse_only(relation regclass, variadic columns name[]) returns void
language plpgsql as $$
begin
    execute (
        select format('alter table %s ', relation) || string_agg(
            format('alter column %I set statistics %s', attname, case when attname = any(columns) then 30 else 0 end),
            ', '
        )
        from pg_attribute where attrelid = relation and attnum > 0 and not attisdropped
    );
end $$;

-- Also for the table that a full rebuild puts in the place of this one.
create function profiles.analyse_what_is_asked(relation regclass) returns void
language sql as $$
    select infra.analyse_only(relation, 'person_id', 'record_count', 'systems', 'product_count', 'search')
$$;

select profiles.analyse_what_is_asked('profiles.profile');
select infra.analyse_only('sources.record',
    'record_id', 'system', 'key', 'digest', 'load_id', 'created_load', 'deleted_at', 'filed');
select infra.analyse_only('identity.edge', 'record_a', 'record_b');
