-- name: model_of_run
select run_id, model::text as model from identity.run
where state = 'done' and model is not null and (%(run_id)s::bigint is null or run_id = %(run_id)s)
order by run_id desc limit 1;
