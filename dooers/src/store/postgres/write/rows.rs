//! Rows in a JSON array: the turns, runs and events that are read with a thread.

use crate::store::sql::{self, Columns, RowError};
use crate::store::state::{KeptEvent, KeptRun};
use serde::Deserialize;
use serde_json::Value;

/// A row as a JSON array of its columns.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct JsonRow(Vec<Value>);

impl Columns for JsonRow {
    fn optional_text(&self, at: usize) -> Result<Option<&str>, RowError> {
        match self.0.get(at) {
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            other => Err(format!("column {at} is not a text: {other:?}").into()),
        }
    }

    fn optional_number(&self, at: usize) -> Result<Option<i64>, RowError> {
        match self.0.get(at) {
            Some(Value::Number(number)) => Ok(number.as_i64()),
            Some(Value::Null) => Ok(None),
            other => Err(format!("column {at} is not a number: {other:?}").into()),
        }
    }
}

/// Returns the rows in a column that is an array of rows, or null if there are none.
pub(crate) fn json_rows(row: &impl Columns, at: usize) -> Result<Vec<JsonRow>, RowError> {
    Ok(row.optional_json(at)?.unwrap_or_default())
}

/// Reads an event of this thread from the columns of an event and three more.
pub(crate) fn kept_event(row: &impl Columns, thread_id: &str) -> Result<KeptEvent, RowError> {
    let (event, rev) = sql::event(row, thread_id)?;
    Ok(KeptEvent {
        event,
        rev,
        first_rev: row.count(16)?,
        open_in: row.optional_string(17)?,
        answers: row.optional_string(18)?,
    })
}

/// Reads a run of this thread from the columns of a run and one more.
pub(crate) fn kept_run(row: &impl Columns, thread_id: &str) -> Result<KeptRun, RowError> {
    let (run, rev) = sql::run(row, thread_id)?;
    Ok(KeptRun {
        run,
        rev,
        first_rev: row.count(9)?,
    })
}
