//! Rows inside of a JSON array: what a thread's row brings with it of its turns, runs and events.

use crate::store::sql::{self, Columns, RowError};
use crate::store::state::{KeptEvent, KeptRun};
use serde::Deserialize;
use serde_json::Value;

/// A row that is a JSON array of its columns.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct JsonRow(Vec<Value>);

impl Columns for JsonRow {
    fn optional_text(&self, at: usize) -> Result<Option<&str>, RowError> {
        match self.0.get(at) {
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            other => Err(format!("column {at} is no text: {other:?}").into()),
        }
    }

    fn optional_number(&self, at: usize) -> Result<Option<i64>, RowError> {
        match self.0.get(at) {
            Some(Value::Number(number)) => Ok(number.as_i64()),
            Some(Value::Null) => Ok(None),
            other => Err(format!("column {at} is no number: {other:?}").into()),
        }
    }
}

/// The rows of a column that is an array of rows, or null if there are none.
pub(super) fn json_rows(row: &impl Columns, at: usize) -> Result<Vec<JsonRow>, RowError> {
    Ok(row.optional_json(at)?.unwrap_or_default())
}

/// An event of this thread, as the columns of an event and three more tell it.
pub(super) fn kept_event(row: &impl Columns, thread_id: &str) -> Result<KeptEvent, RowError> {
    let (event, rev) = sql::event(row, thread_id)?;
    Ok(KeptEvent {
        event,
        rev,
        first_rev: row.count(16)?,
        open_in: row.optional_string(17)?,
        answers: row.optional_string(18)?,
    })
}

/// A run of this thread, as the columns of a run and one more tell it.
pub(super) fn kept_run(row: &impl Columns, thread_id: &str) -> Result<KeptRun, RowError> {
    let (run, rev) = sql::run(row, thread_id)?;
    Ok(KeptRun {
        run,
        rev,
        first_rev: row.count(8)?,
    })
}
