//! The rows of both SQLite libraries: the writer uses `rusqlite`, the readers `sqlx`.

use crate::store::SealedAnswer;
use crate::store::sql::{Columns, RowError, sealed_answer};
use chrono::{DateTime, Utc};

impl Columns for rusqlite::Row<'_> {
    fn optional_text(&self, at: usize) -> Result<Option<&str>, RowError> {
        Ok(self.get_ref(at)?.as_str_or_null()?)
    }

    fn optional_number(&self, at: usize) -> Result<Option<i64>, RowError> {
        Ok(self.get_ref(at)?.as_i64_or_null()?)
    }
}

impl Columns for sqlx::sqlite::SqliteRow {
    fn optional_text(&self, at: usize) -> Result<Option<&str>, RowError> {
        Ok(sqlx::Row::try_get_unchecked(self, at)?)
    }

    fn optional_number(&self, at: usize) -> Result<Option<i64>, RowError> {
        Ok(sqlx::Row::try_get_unchecked(self, at)?)
    }
}

/// What [`Turn::read`] reads.
pub(super) const TURN_COLUMNS: &str = "u.seq, u.event_id, u.state, u.fence, u.attempt, u.retries, u.not_before, \
     u.lease_until, u.cancel_requested, u.sealed";

/// A message that waits for an answer or is being answered.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) seq: u64,
    pub(super) event_id: String,
    pub(super) is_running: bool,
    pub(super) fence: u64,
    pub(super) attempt: u64,
    pub(super) retries: u64,
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) lease_until: Option<DateTime<Utc>>,
    pub(super) is_cancelled: bool,
    pub(super) sealed: Option<SealedAnswer>,
}

impl Turn {
    pub(super) fn read(row: &impl Columns) -> Result<Self, RowError> {
        Ok(Self {
            seq: row.count(0)?,
            event_id: row.text(1)?.to_owned(),
            is_running: row.text(2)? == "running",
            fence: row.count(3)?,
            attempt: row.count(4)?,
            retries: row.count(5)?,
            not_before: row.optional_time(6)?,
            lease_until: row.optional_time(7)?,
            is_cancelled: row.number(8)? != 0,
            sealed: sealed_answer(row, 9)?,
        })
    }
}
