-- name: waiting_job
-- The job that waits under a queueing lock, held until this transaction ends: a worker skips it until then, so
-- that it sees what this transaction wrote.
select id
from procrastinate_jobs
where queueing_lock = %(queueing_lock)s and status = 'todo'
for share

-- name: hold_worker
select pg_advisory_lock(%(lock_class)s, %(worker_id)s)

-- name: dead_jobs
-- Jobs taken by a worker whose process is gone: its session, and with it its advisory lock, ended.
select id, task_name, attempts
from procrastinate_jobs as job
where status = 'doing'
    and not exists (
        select 1
        from pg_locks as held
        where held.locktype = 'advisory'
            and held.database = (select oid from pg_database where datname = current_database())
            and held.classid = %(lock_class)s
            and held.objid = job.worker_id
            and held.granted
    )
for update skip locked

-- name: run_again
select procrastinate_retry_job_v2(%(id)s, now(), null, null, null)

-- name: give_up
select procrastinate_finish_job_v1(%(id)s, 'failed', false)

-- name: job_counts
select status::text as status, count(*) as jobs
from procrastinate_jobs
group by status

-- name: failed_jobs
select job.id, job.task_name, job.attempts, max(event.at) as failed_at
from procrastinate_jobs as job
join procrastinate_events as event on event.job_id = job.id and event.type = 'failed'
where job.status = 'failed'
group by job.id
order by failed_at desc
limit 5
