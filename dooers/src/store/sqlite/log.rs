//! The write-ahead log.

use rusqlite::Connection;

/// Moves the content of the write-ahead log into the database and empties the log. Returns `false` if a reader still
/// uses the log.
pub(super) fn empty_log(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        Ok(row.get::<_, i64>(0)? == 0)
    })
}
