-- The time at which the thread of a sent message was deleted. The row is kept for some time after that, so that the
-- message is known when it is sent again. Threads that were deleted before count as deleted now.
ALTER TABLE {prefix}sent ADD COLUMN deleted_at timestamptz;

UPDATE {prefix}sent s SET deleted_at = clock_timestamp()
WHERE NOT EXISTS (SELECT FROM {prefix}threads t WHERE t.id = s.thread_id);

CREATE INDEX {prefix}sent_deleted ON {prefix}sent (deleted_at) WHERE deleted_at IS NOT NULL;

-- Participants who take part in nothing any more, whose ids are forgotten.
CREATE INDEX {prefix}participant_counts_none ON {prefix}participant_counts (scope_pk, participant) WHERE threads = 0;
