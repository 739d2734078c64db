-- The time at which the thread of a sent message was deleted. The row is kept for some time after that, so that the
-- message is known when it is sent again. Threads that were deleted before count as deleted now.
ALTER TABLE {prefix}sent ADD COLUMN deleted_at INTEGER;

UPDATE {prefix}sent SET deleted_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER)
WHERE NOT EXISTS (SELECT 1 FROM {prefix}threads t WHERE t.id = {prefix}sent.thread_id);

CREATE INDEX {prefix}sent_deleted ON {prefix}sent (deleted_at) WHERE deleted_at IS NOT NULL;

-- Written and cleared again to find out whether a full disk has room.
CREATE TABLE {prefix}spare (
    bytes BLOB NOT NULL
) STRICT;
