//! Fixtures of the PostgreSQL tests.

use chrono::Utc;
use dooers::OnBusy;
use dooers::protocol::{Actor, ContentPart, EventType, ThreadEvent, User};
use dooers::store::{
    NewMessage, NewThread, Participant, Scope, Start, ThreadTarget, TurnChange, Viewer,
};
use std::time::Duration;

pub(crate) fn scope() -> Scope {
    Scope {
        agent: "agent".to_owned(),
        worker_id: "worker".to_owned(),
        organization_id: "organization".to_owned(),
        workspace_id: "workspace".to_owned(),
        viewer: Viewer::Everyone,
    }
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
        client_event_id: None,
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
pub(crate) fn start(run_id: &str) -> Start {
    Start {
        node: "node".to_owned(),
        run_id: Some(run_id.to_owned()),
        at: Utc::now(),
        lease: Duration::from_secs(3600),
        retries: 0,
        on_busy: OnBusy::Queue { limit: u32::MAX },
    }
}

/// A change that writes a text of the assistant.
pub(crate) fn said(thread_id: &str, event_id: &str) -> TurnChange {
    TurnChange::Event(Box::new(ThreadEvent {
        id: event_id.to_owned(),
        thread_id: thread_id.to_owned(),
        run_id: None,
        kind: EventType::Message,
        actor: Actor::Assistant,
        author: None,
        user: None,
        content: Some(vec![ContentPart::text(event_id)]),
        data: None,
        created_at: Utc::now(),
        streaming: None,
        finalized: None,
        delta_seq: None,
        deleted: None,
        client_event_id: None,
        seq: 0,
    }))
}
