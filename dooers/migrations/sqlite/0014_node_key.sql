-- The key that seals the messages between the processes that share the database. 64 hexadecimal digits. Nothing uses it yet,
-- because one process has the database.
CREATE TABLE {prefix}node_keys (id INTEGER PRIMARY KEY, secret TEXT NOT NULL) STRICT;
INSERT INTO {prefix}node_keys (id, secret) VALUES (1, lower(hex(randomblob(32))));
