-- JSONB sorts the members of objects. TEXT keeps them in the order in which they were written, as clients show them.
-- TEXT rather than JSON: the writer's statement then parses nothing. What is stored already keeps the order that JSONB
-- gave it.
--
-- Each of these statements rewrites its table and rebuilds its indices. Nobody can read or write the table while it
-- runs, which takes about as long as to copy the table.
ALTER TABLE {prefix}threads ALTER COLUMN metadata TYPE TEXT USING metadata::text;

ALTER TABLE {prefix}events
    ALTER COLUMN content TYPE TEXT USING content::text,
    ALTER COLUMN data TYPE TEXT USING data::text;

ALTER TABLE {prefix}settings ALTER COLUMN value TYPE TEXT USING value::text;
