//! Shared parts of the tests of the SQL stores.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

pub(crate) mod differential;
pub(crate) mod foreign_ids;

use crate::protocol::{ContentPart, EventType, ThreadEvent, User, timestamp};
use crate::store::OnBusy;
use crate::store::{
    ClaimOptions, NewMessage, NewThread, NodeReport, NodeState, Participant, Scope, ThreadTarget,
    TurnChange, Viewer,
};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn scope() -> Scope {
    Scope {
        agent: "echo".to_owned(),
        worker_id: "w".to_owned(),
        organization_id: "o".to_owned(),
        workspace_id: "s".to_owned(),
        viewer: Viewer::Everyone,
    }
}

/// Returns the time that is `micros` microseconds after a fixed moment.
pub(crate) fn at(micros: i64) -> DateTime<Utc> {
    timestamp::from_micros(1_700_000_000_000_000 + micros)
}

pub(crate) fn start(run_id: &str) -> ClaimOptions {
    ClaimOptions {
        node: "n".to_owned(),
        run_id: Some(run_id.to_owned()),
        at: at(1),
        lease: Duration::ZERO,
        retries: 0,
        on_busy: OnBusy::Queue { limit: u32::MAX },
        limits: Arc::default(),
    }
}

/// Creates the report of a process.
pub(crate) fn report(id: &str) -> NodeReport {
    NodeReport {
        id: id.to_owned(),
        state: NodeState::Serving,
        version: "0.1.0".to_owned(),
        broker: "postgres".to_owned(),
        is_connected: true,
        malformed_messages: 0,
        connections: 0,
        running_turns: 0,
        host: "here".to_owned(),
        process_id: 7,
    }
}

/// Creates a message that begins this thread.
pub(crate) fn first_message(thread_id: &str, event_id: &str) -> NewMessage {
    let thread = ThreadTarget::New(NewThread::new(thread_id));
    message(thread, event_id)
}

/// Creates a message in an existing thread.
pub(crate) fn next_message(thread_id: &str, event_id: &str) -> NewMessage {
    message(ThreadTarget::Existing(thread_id.to_owned()), event_id)
}

fn message(thread: ThreadTarget, event_id: &str) -> NewMessage {
    let user = User::new("ann");
    NewMessage {
        thread,
        event_id: event_id.to_owned(),
        kind: EventType::Message,
        content: vec![ContentPart::text("hello")],
        data: None,
        seal: None,
        identity: None,
        client_event_id: Some(format!("client-{event_id}")),
        is_of_program: false,
        participant: Participant::user(&user),
        user,
        at: at(0),
    }
}

/// Creates an event of the agent.
pub(crate) fn said(thread_id: &str, event_id: &str, text: &str) -> TurnChange {
    TurnChange::Event(Box::new(ThreadEvent {
        id: event_id.to_owned(),
        thread_id: thread_id.to_owned(),
        run_id: Some("r".to_owned()),
        kind: EventType::Message,
        actor: crate::protocol::Actor::Assistant,
        author: Some("echo".to_owned()),
        user: None,
        content: Some(vec![ContentPart::text(text)]),
        data: None,
        created_at: at(2),
        streaming: None,
        finalized: None,
        delta_seq: None,
        deleted: None,
        client_event_id: None,
        seq: 0,
    }))
}
