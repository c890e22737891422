-- Events in quarantine that were settled are dropped some time later, open ones never.
create index quarantine_settled on events.quarantine (settled_at) where state <> 'open';
