//! How deeply JSON may be nested.

use crate::store::{StoreError, ThreadEdit, TurnChange};
use serde_json::Value;

/// What is nested deeper could be stored, but not be read again.
const MAX_DEPTH: usize = 127;

pub(crate) fn must_all_be_shallow(changes: &[TurnChange]) -> Result<(), StoreError> {
    changes.iter().try_for_each(|change| match change {
        TurnChange::Event(event) => must_be_shallow(event.data.as_ref()),
        TurnChange::Patch { patch, .. } => must_be_shallow(patch.metadata.as_ref()),
        TurnChange::Text { .. }
        | TurnChange::Finalize { .. }
        | TurnChange::Touch(_)
        | TurnChange::Run(_) => Ok(()),
    })
}

pub(crate) fn must_edit_be_shallow(edit: &ThreadEdit) -> Result<(), StoreError> {
    match edit {
        ThreadEdit::Patch { patch, .. } => must_be_shallow(patch.metadata.as_ref()),
        ThreadEdit::CreateEvent(event) => must_be_shallow(event.data.as_ref()),
        ThreadEdit::UpdateEvent { patch, .. } => must_be_shallow(patch.data.as_ref()),
        ThreadEdit::RemoveEvent { .. }
        | ThreadEdit::CreateRun(_)
        | ThreadEdit::UpdateRun { .. }
        | ThreadEdit::RemoveRun(_) => Ok(()),
    }
}

pub(crate) fn must_be_shallow(value: Option<&Value>) -> Result<(), StoreError> {
    fn fits(value: &Value, depth: usize) -> bool {
        match value {
            Value::Array(items) => depth > 0 && items.iter().all(|item| fits(item, depth - 1)),
            Value::Object(members) => {
                depth > 0 && members.values().all(|member| fits(member, depth - 1))
            }
            _ => true,
        }
    }
    if value.is_none_or(|value| fits(value, MAX_DEPTH)) {
        return Ok(());
    }
    Err(StoreError::Invalid(format!(
        "`data` and `metadata` may be nested {MAX_DEPTH} levels deep"
    )))
}
