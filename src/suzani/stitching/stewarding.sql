-- What people ask of subjects, and what they decide.

-- name: identifier
select identifier_id, kind, value, subject_id, record_id, record_by, denied, blocked, first_seen
from stitching.identifier where kind = %(kind)s and value = %(value)s

-- name: joined_by
select weak_id, strong_id from stitching.link where change_id = %(change_id)s and joined

-- name: change
select change_id, at, cause, actor, reason, undoes from stitching.change where change_id = %(change_id)s

-- name: changes_of
-- The changes that moved identifiers from or to a subject, or were about the evidence of its identifiers.
select c.change_id, c.at, c.cause, c.actor, c.reason, c.undoes
from stitching.change c
where c.change_id in (
    select change_id from stitching.move where from_subject = %(subject_id)s
    union
    select change_id from stitching.move where to_subject = %(subject_id)s
    union
    select m.change_id from stitching.move m join stitching.identifier i using (identifier_id)
    where i.subject_id = %(subject_id)s
)
order by c.change_id

-- name: steps
select change_id, what, weak_id, strong_id from stitching.step
where change_id = any(%(changes)s::bigint[]) order by change_id, what, weak_id, strong_id

-- name: moves
select m.change_id, m.identifier_id, i.kind, i.value, m.from_subject, m.to_subject
from stitching.move m join stitching.identifier i using (identifier_id)
where m.change_id = any(%(changes)s::bigint[]) order by m.change_id, m.identifier_id

-- name: undoing
-- Undos of a change, undos of these, and so on.
with recursive undo as (
    select change_id, undoes from stitching.change where undoes = %(change_id)s
    union all
    select c.change_id, c.undoes from stitching.change c join undo u on c.undoes = u.change_id
)
select change_id, undoes from undo

-- name: add_steps
insert into stitching.step (change_id, what, weak_id, strong_id)
select %(change_id)s, s.* from unnest(%(what)s::text[], %(weak)s::bigint[], %(strong)s::bigint[]) as s

-- name: revoke_links
update stitching.link l set joined = false, reason = 'taken back', revoked = true
from unnest(%(weak)s::bigint[], %(strong)s::bigint[]) as w (weak_id, strong_id)
where l.weak_id = w.weak_id and l.strong_id = w.strong_id

-- name: restore_links
-- What becomes of them is decided with all other evidence.
update stitching.link l set reason = 'agreed', revoked = false
from unnest(%(weak)s::bigint[], %(strong)s::bigint[]) as w (weak_id, strong_id)
where l.weak_id = w.weak_id and l.strong_id = w.strong_id

-- name: deny
update stitching.identifier set denied = true, record_id = null, record_by = null
where identifier_id = any(%(identifiers)s::bigint[])

-- name: allow
update stitching.identifier set denied = false where identifier_id = any(%(identifiers)s::bigint[])

-- name: block
-- Their subjects change with that, even where none of the identifiers goes anywhere.
with blocked as (
    update stitching.identifier set blocked = true where identifier_id = any(%(identifiers)s::bigint[])
    returning subject_id
)
update stitching.subject set version = version + 1 where subject_id in (select subject_id from blocked)

-- name: clear
update stitching.identifier set blocked = false, cleared = true
where identifier_id = any(%(identifiers)s::bigint[])
