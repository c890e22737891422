-- name: memberships
select r.system as source, r.key as record_id, m.person_id::text as person_id
from identity.membership m join sources.record r using (record_id)
where r.deleted_at is null
