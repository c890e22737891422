-- Which records the files of a system hold: false for one that came (back) online and that no file has held
-- since. A snapshot speaks only for records that files hold.
alter table sources.record add column filed boolean not null default true;

update sources.record r set filed = false
from sources.load c, sources.load l
where c.load_id = r.created_load and l.load_id = r.load_id
    and c.file_digest = 'online' and l.file_digest = 'online';

-- What a record says, without what tells where it came from and without its products: what a change keeps.
create function sources.image(r sources.record) returns jsonb
language sql stable parallel safe
return jsonb_strip_nulls(
    to_jsonb(r) - array['record_id', 'system', 'digest', 'load_id', 'created_load', 'file_no', 'row_no', 'created_at',
        'updated_at', 'filed']
);
