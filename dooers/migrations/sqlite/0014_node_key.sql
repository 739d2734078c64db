-- The key that seals the messages between the processes that share the database. Empty, because one process has the database.
CREATE TABLE {prefix}node_keys (id INTEGER PRIMARY KEY, secret TEXT NOT NULL) STRICT;
