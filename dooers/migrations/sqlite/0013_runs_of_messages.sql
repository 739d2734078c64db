-- For the runs that answer the messages of a page. In this order, so that new entries lie side by side, whatever their
-- thread.
CREATE INDEX {prefix}runs_of_messages ON {prefix}runs (event_id, thread_pk);
