-- What profiles are read by, in one statement: all of it is of one moment. `asked` is JSON, a list of objects with
-- the `names` of what finds a subject and the `place` of each; `who` is the query that finds it, `columns` are what
-- is asked about it.
--
-- The limits let no plan depend on how many are asked for: each is looked up by its key, whether one is or a
-- hundred, and one plan is made for all times.

-- name: profiles
select asked.place, who.subject_id, who.person_id, {columns}
from json_to_recordset(%(asked)s::json) as asked (place int, {names})
cross join lateral (select * from ({who}) as one limit 1) as who
left join lateral (
    select state, events, first_at, last_at
    from activity.subject_state as one
    where one.subject_id = who.subject_id
    limit 1
) as kept on true
