-- name: add
insert into lake.file (file, dataset, day, rows, bytes)
values (%(file)s, %(dataset)s, %(day)s, %(rows)s, %(bytes)s)

-- name: replace
update lake.file set replaced_at = now() where file = any(%(files)s)

-- name: live
select file, day, rows, bytes
from lake.file
where dataset = %(dataset)s and replaced_at is null
    and day between coalesce(%(first)s::date, '-infinity') and coalesce(%(last)s::date, 'infinity')
order by day, written_at, file

-- name: days
select dataset, day, count(*) as files, sum(rows)::bigint as rows, sum(bytes)::bigint as bytes
from lake.file
where replaced_at is null
group by dataset, day
order by dataset, day

-- name: alone
-- One process at a time changes what is shown, and one compacts; %(what)s tells which.
select pg_advisory_xact_lock(hashtext('suzani.lake'), hashtext(%(what)s))

-- name: alone_or_not
select pg_try_advisory_xact_lock(hashtext('suzani.lake'), hashtext(%(what)s)) as held

-- name: to_show
-- Days whose folder is not yet as it should be; `hiding`: whether files have to go from it.
select dataset, day, bool_or(replaced_at is not null and shown_at is not null) as hiding
from lake.file
where (shown_at is null and replaced_at is null) or (replaced_at is not null and hidden_at is null)
group by dataset, day
order by dataset, day

-- name: of_day
select file, shown_at is not null as shown
from lake.file
where dataset = %(dataset)s and day = %(day)s and replaced_at is null

-- name: was_shown
update lake.file
set
    shown_at = case when replaced_at is null then coalesce(shown_at, now()) else shown_at end,
    hidden_at = case when replaced_at is null then null else coalesce(hidden_at, now()) end
where dataset = %(dataset)s and day = %(day)s and (shown_at is null or replaced_at is not null)

-- name: to_compact
-- Days with more than one small file, to which nothing was added for a while, or which has too many.
select dataset, day, array_agg(file order by written_at, file) as files
from lake.file
where replaced_at is null and bytes < %(small_bytes)s
group by dataset, day
having count(*) > 1 and (max(written_at) < now() - make_interval(secs => %(quiet_seconds)s) or count(*) >= %(many)s)
order by dataset, day

-- name: forgotten
-- Files that nobody reads any more.
delete from lake.file
where hidden_at < now() - make_interval(secs => %(seconds)s)
returning dataset, file

-- name: known
select file from lake.file where dataset = %(dataset)s
