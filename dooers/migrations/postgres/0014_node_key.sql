-- The key that seals the messages between the processes that share the database. 64 hexadecimal digits.
CREATE TABLE {prefix}node_keys (id BIGINT PRIMARY KEY, secret TEXT NOT NULL);
INSERT INTO {prefix}node_keys (id, secret)
VALUES (1, replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''));
