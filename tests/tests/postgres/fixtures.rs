//! Fixtures of the PostgreSQL tests.

use chrono::Utc;
use dooers::OnBusy;
use dooers::protocol::{ContentPart, EventType, ThreadEvent, User};
use dooers::store::{
    ClaimOptions, NewMessage, NewThread, Participant, PostgresOptions, Scope, ThreadTarget,
    TurnChange,
};
use dooers_tests::postgres::{fresh_prefix, shared};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Options for an empty store, and its prefix, which is also the name of its connections.
pub(crate) fn tables() -> Option<(PostgresOptions, String)> {
    let prefix = fresh_prefix();
    let options = shared()?.application_name(&prefix);
    Some((options.table_prefix(prefix.parse().unwrap()), prefix))
}

pub(crate) fn scope() -> Scope {
    Scope::new("agent", "worker")
        .organization("organization")
        .workspace("workspace")
}

/// A message that creates this thread.
pub(crate) fn first(thread_id: &str, event_id: &str) -> NewMessage {
    let user = User::new("ana");
    NewMessage {
        thread: ThreadTarget::New(NewThread::new(thread_id)),
        event_id: event_id.to_owned(),
        kind: EventType::Message,
        content: vec![ContentPart::text("hello")],
        data: None,
        seal: None,
        identity: None,
        client_event_id: None,
        is_of_program: false,
        participant: Participant::user(&user),
        user,
        at: Utc::now(),
    }
}

/// A message in an existing thread.
pub(crate) fn next(thread_id: &str, event_id: &str) -> NewMessage {
    NewMessage {
        thread: ThreadTarget::Existing(thread_id.to_owned()),
        ..first(thread_id, event_id)
    }
}

/// Starts a turn with this run id. Its lease is longer than any test.
pub(crate) fn start(run_id: &str) -> ClaimOptions {
    ClaimOptions {
        node: "node".to_owned(),
        run_id: Some(run_id.to_owned()),
        at: Utc::now(),
        lease: Duration::from_secs(3600),
        retries: 0,
        on_busy: OnBusy::Queue { limit: u32::MAX },
        limits: Arc::default(),
    }
}

/// A change that writes a text of the assistant.
pub(crate) fn said(thread_id: &str, event_id: &str) -> TurnChange {
    let event: ThreadEvent = serde_json::from_value(json!({
        "id": event_id,
        "thread_id": thread_id,
        "run_id": null,
        "type": "message",
        "actor": "assistant",
        "author": null,
        "content": [ContentPart::text(event_id)],
        "created_at": Utc::now(),
        "seq": 0,
    }))
    .expect("an event is JSON");
    TurnChange::Event(Box::new(event))
}
