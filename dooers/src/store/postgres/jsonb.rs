//! Texts that PostgreSQL cannot hold.
//!
//! Neither `jsonb` nor `text` can hold U+0000. It is left out.

use crate::protocol::{Run, ThreadEvent, User, strip_nul};
use crate::store::{NewMessage, StoredSetting, ThreadDraft, ThreadEdit, ThreadTarget, TurnChange};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Whether the database can have this text. What has an id that it cannot have is not there.
pub(super) fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// Removes U+0000 from all texts of a value.
pub(super) fn strip<T: Serialize + DeserializeOwned>(value: &mut T) {
    let has_nul = serde_json::to_string(value).is_ok_and(|text| text.contains("\\u0000"));
    if !has_nul {
        return;
    }
    let stripped = serde_json::to_value(&*value).map(stripped);
    if let Ok(stripped) = stripped.and_then(serde_json::from_value) {
        *value = stripped;
    }
}

fn stripped(value: Value) -> Value {
    match value {
        Value::String(text) => strip_nul(text).into(),
        Value::Array(items) => items.into_iter().map(stripped).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (strip_nul(name), stripped(value)))
            .collect(),
        other => other,
    }
}

fn strip_text(text: &mut String) {
    *text = strip_nul(std::mem::take(text));
}

/// Ids stay as they are, here and below: one of which something is left out may be that of somebody else.
fn strip_user(user: &mut User) {
    let id = std::mem::take(&mut user.user_id);
    strip(user);
    user.user_id = id;
}

fn strip_event(event: &mut ThreadEvent) {
    event.author.as_mut().map(strip_text);
    event.user.as_mut().map(strip_user);
    strip(&mut event.content);
    strip(&mut event.data);
}

fn strip_run(run: &mut Run) {
    run.error.as_mut().map(strip_text);
}

/// Removes U+0000 from a message.
pub(super) fn strip_message(message: &mut NewMessage) {
    if let ThreadTarget::New(thread) | ThreadTarget::ExistingOrNew(thread) = &mut message.thread {
        thread.title.as_mut().map(strip_text);
        strip(&mut thread.metadata);
    }
    strip(&mut message.content);
    strip(&mut message.data);
    strip_user(&mut message.user);
}

/// Removes U+0000 from what a turn did.
pub(super) fn strip_changes(changes: &mut [TurnChange]) {
    for change in changes {
        match change {
            TurnChange::Event(event) => strip_event(event),
            TurnChange::Text { text, .. } | TurnChange::Finalize { text, .. } => strip_text(text),
            TurnChange::Patch { patch, .. } => {
                patch.title.as_mut().map(strip_text);
                strip(&mut patch.metadata);
            }
            TurnChange::Run(run) => strip_run(run),
            TurnChange::Touch(_) => {}
        }
    }
}

/// What the program makes of a thread, without U+0000.
pub(super) fn strip_draft(draft: &mut ThreadDraft) {
    draft.thread.title.as_mut().map(strip_text);
    strip(&mut draft.thread.metadata);
    strip_user(&mut draft.owner);
}

/// A change of the program's own, without U+0000.
pub(super) fn strip_edit(edit: &mut ThreadEdit) {
    match edit {
        ThreadEdit::Patch { patch, .. } => {
            patch.title.as_mut().map(strip_text);
            strip(&mut patch.metadata);
        }
        ThreadEdit::CreateEvent(event) => strip_event(event),
        ThreadEdit::UpdateEvent { patch, .. } => {
            strip(&mut patch.content);
            strip(&mut patch.data);
        }
        ThreadEdit::CreateRun(run) => strip_run(run),
        ThreadEdit::UpdateRun { patch, .. } => {
            patch.error_mut().map(strip_text);
        }
        ThreadEdit::RemoveEvent { .. } | ThreadEdit::RemoveRun(_) => {}
    }
}

/// Removes U+0000 from a setting.
pub(super) fn strip_setting(setting: &mut StoredSetting) {
    strip(&mut setting.value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_is_left_of_nul() {
        let mut value = json!({"a\0": ["\0", {"b": "c\0d"}], "e": "\\u0000"});
        strip(&mut value);
        assert_eq!(value, json!({"a": ["", {"b": "cd"}], "e": "\\u0000"}));
    }
}
