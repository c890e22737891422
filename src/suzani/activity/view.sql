-- What a profile is read by, in one statement: all of it is of one moment. `who` is a query that finds a subject,
-- `columns` are what is asked about it.

-- name: profile
select who.subject_id, who.person_id, {columns}
from ({who}) as who left join activity.subject_state as kept on kept.subject_id = who.subject_id
