//! The rows of both SQLite libraries: the writer uses `rusqlite`, the readers `sqlx`.

use crate::store::sql::{Columns, RowError};

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
