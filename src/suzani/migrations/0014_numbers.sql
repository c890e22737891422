-- Changes of persons are numbered one by one by whoever holds the lock of identity. Who writes one under the
-- number after the latest that he knows is told so when there is another.
alter table identity.change alter column change_id drop identity;
