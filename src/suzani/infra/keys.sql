-- name: add
insert into access.key (role, name, digest, hint, settings, created_at)
values (%(role)s, %(name)s, %(digest)s, %(hint)s, %(settings)s, %(now)s)
returning key_id, role, name, hint, settings, created_at, revoked_at

-- name: all_keys
select key_id, role, name, hint, settings, created_at, revoked_at
from access.key
order by key_id

-- name: valid
select digest, key_id, role, name, hint, settings, created_at, revoked_at
from access.key
where revoked_at is null

-- name: revoke
update access.key
set revoked_at = coalesce(revoked_at, %(now)s)
where key_id = %(key_id)s
returning key_id, role, name, hint, settings, created_at, revoked_at
