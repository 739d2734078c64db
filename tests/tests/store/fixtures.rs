//! Fixtures of the store suite: scopes, users, messages, and threads with content.

use crate::backends::AnyStore;
use chrono::{DateTime, Utc};
use dooers::OnBusy;
use dooers::protocol::{
    ContentPart, EventType, Form, FormElement, Run, RunStatus, ThreadEvent, User,
};
use dooers::store::{
    BeginOutcome, Cancel, CancelTarget, Cancelled, Change, Claim, ClaimOptions, NewMessage,
    NewThread, Participant, Scope, ThreadTarget, TurnChange, TurnKey, Viewer,
};
use dooers_tests::with;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// A time later than all times returned before.
pub(crate) fn now() -> DateTime<Utc> {
    static MICROS: AtomicI64 = AtomicI64::new(1_760_000_000_000_000);
    let micros = MICROS.fetch_add(1, Ordering::Relaxed);
    DateTime::from_timestamp_micros(micros).expect("a valid time")
}

/// A scope that sees all threads of one agent.
pub(crate) fn scope() -> Scope {
    Scope::new("agent", "worker")
        .organization("organization")
        .workspace("workspace")
}

/// A scope restricted to threads in which this user participates.
pub(crate) fn private_scope(user: &User) -> Scope {
    with!(Scope {
        viewer: Viewer::Only(Participant::user(user)),
        ..scope()
    })
}

pub(crate) fn ana() -> User {
    User::new("ana")
}

pub(crate) fn ben() -> User {
    User::new("ben")
}

pub(crate) fn new_thread(id: &str) -> ThreadTarget {
    ThreadTarget::New(NewThread::new(id))
}

pub(crate) fn existing(id: &str) -> ThreadTarget {
    ThreadTarget::Existing(id.to_owned())
}

/// A message of this user. Its text is its event id.
pub(crate) fn message(thread: ThreadTarget, event_id: &str, user: &User) -> NewMessage {
    NewMessage {
        thread,
        event_id: event_id.to_owned(),
        kind: EventType::Message,
        content: vec![ContentPart::text(event_id)],
        data: None,
        seal: None,
        identity: None,
        client_event_id: None,
        is_of_program: false,
        user: user.clone(),
        participant: Participant::user(user),
        at: now(),
    }
}

/// A message with a `client_event_id`, which can be sent again.
pub(crate) fn repeatable(
    thread: ThreadTarget,
    event_id: &str,
    client_event_id: &str,
) -> NewMessage {
    NewMessage {
        client_event_id: Some(client_event_id.to_owned()),
        content: vec![ContentPart::text("what is sent again")],
        ..message(thread, event_id, &ana())
    }
}

/// Starts a turn with this run id. Its lease expires immediately, so that any process can take it over.
pub(crate) fn start(run_id: &str) -> ClaimOptions {
    ClaimOptions {
        node: "node".to_owned(),
        run_id: Some(run_id.to_owned()),
        at: now(),
        lease: Duration::ZERO,
        retries: 0,
        on_busy: OnBusy::Queue { limit: u32::MAX },
        limits: Arc::default(),
    }
}

/// Starts a turn with manual runs.
pub(crate) fn manual_start() -> ClaimOptions {
    ClaimOptions {
        run_id: None,
        ..start("")
    }
}

/// Begins a turn with a message from Ana.
pub(crate) async fn say(
    store: &AnyStore,
    thread: ThreadTarget,
    event_id: &str,
    run_id: &str,
) -> BeginOutcome {
    let message = message(thread, event_id, &ana());
    store
        .begin_turn(&scope(), message, &start(run_id))
        .await
        .expect("a message in Ana's scope")
}

/// Creates a thread with a message from Ana, and returns the claim of its turn.
pub(crate) async fn begin_thread(store: &AnyStore, thread_id: &str, run_id: &str) -> Claim {
    let event_id = format!("{thread_id}-question");
    say(store, new_thread(thread_id), &event_id, run_id)
        .await
        .claim
        .expect("the first turn of a thread is claimed at once")
}

/// A text event of the assistant.
pub(crate) fn answer(thread_id: &str, event_id: &str, run_id: Option<&str>) -> ThreadEvent {
    let event = json!({
        "id": event_id,
        "thread_id": thread_id,
        "run_id": run_id,
        "type": "message",
        "actor": "assistant",
        "author": null,
        "content": [ContentPart::text(event_id)],
        "created_at": now(),
        "seq": 0,
    });
    serde_json::from_value(event).expect("an event is JSON")
}

/// The change that writes a text of the assistant.
pub(crate) fn written(thread_id: &str, event_id: &str, run_id: Option<&str>) -> TurnChange {
    TurnChange::Event(Box::new(answer(thread_id, event_id, run_id)))
}

/// The change that begins a streaming text of the assistant.
pub(crate) fn streamed(thread_id: &str, event_id: &str) -> TurnChange {
    TurnChange::Event(Box::new(with!(ThreadEvent {
        content: Some(vec![ContentPart::text("")]),
        streaming: Some(true),
        delta_seq: Some(0),
        ..answer(thread_id, event_id, None)
    })))
}

pub(crate) fn run(thread_id: &str, run_id: &str, status: RunStatus) -> Run {
    let run = json!({
        "id": run_id,
        "thread_id": thread_id,
        "agent_id": "agent",
        "status": status,
        "started_at": now(),
        "ended_at": (status != RunStatus::Running).then(now),
        "error": (status == RunStatus::Failed).then_some("it went wrong"),
    });
    serde_json::from_value(run).expect("a run is JSON")
}

pub(crate) fn run_change(thread_id: &str, run_id: &str, status: RunStatus) -> TurnChange {
    TurnChange::Run(run(thread_id, run_id, status))
}

/// Writes in a held turn.
pub(crate) async fn write(
    store: &AnyStore,
    turn: &TurnKey,
    changes: Vec<TurnChange>,
) -> Vec<Change> {
    store
        .write_turn(&scope(), turn, changes)
        .await
        .expect("the turn is held")
}

/// Finishes a held turn without further changes, and claims the next one with this run id.
pub(crate) async fn finish(store: &AnyStore, turn: &TurnKey, next_run_id: &str) -> Option<Claim> {
    store
        .finish_turn(&scope(), turn, Vec::new(), Some(&start(next_run_id)))
        .await
        .expect("the turn is held")
        .next
}

/// Withdraws the queued turn of a message. The run that records it is `ID-run`.
pub(crate) async fn withdraw(store: &AnyStore, event_id: &str) {
    let cancel = Cancel {
        target: CancelTarget::Event(event_id.to_owned()),
        run_id: format!("{event_id}-run"),
        at: now(),
    };
    let cancelled = store.cancel_turn(Some(&scope()), &cancel).await.unwrap();
    assert!(matches!(cancelled, Cancelled::Withdrawn { .. }));
}

/// A thread with this many events, `ID-1` to `ID-n`. The first one is a message from Ana. The others are answers of
/// the running run `ID-run`.
pub(crate) async fn thread_of(store: &AnyStore, thread_id: &str, events: usize) -> Claim {
    let first = format!("{thread_id}-1");
    let run_id = format!("{thread_id}-run");
    let claim = say(store, new_thread(thread_id), &first, &run_id)
        .await
        .claim
        .expect("the first turn of a thread is claimed at once");
    append(store, &claim.key, 2..=events, Some(&run_id)).await;
    claim
}

/// Writes answers with these numbers in a turn.
pub(crate) async fn append(
    store: &AnyStore,
    turn: &TurnKey,
    numbers: impl IntoIterator<Item = usize>,
    run_id: Option<&str>,
) {
    let thread_id = &turn.thread_id;
    let changes: Vec<_> = numbers
        .into_iter()
        .map(|number| written(thread_id, &format!("{thread_id}-{number}"), run_id))
        .collect();
    write(store, turn, changes).await;
}

/// A form with one required question, `size`, and one optional question.
pub(crate) fn form(thread_id: &str, event_id: &str) -> ThreadEvent {
    let form = Form::new("What shall it be?")
        .element(FormElement::text("size", "Size").required())
        .element(FormElement::text("colour", "Colour"));
    with!(ThreadEvent {
        kind: EventType::Form,
        data: Some(serde_json::to_value(form).expect("a form is JSON")),
        ..answer(thread_id, event_id, None)
    })
}

/// An answer to a form with this data.
pub(crate) fn form_response(thread_id: &str, event_id: &str, data: Value) -> NewMessage {
    NewMessage {
        kind: EventType::FormResponse,
        content: Vec::new(),
        data: Some(data),
        ..message(existing(thread_id), event_id, &ana())
    }
}

/// A thread whose running turn has written a form.
pub(crate) async fn thread_with_form(store: &AnyStore, thread_id: &str, form_id: &str) -> Claim {
    let claim = begin_thread(store, thread_id, &format!("{thread_id}-run")).await;
    let form = TurnChange::Event(Box::new(form(thread_id, form_id)));
    write(store, &claim.key, vec![form]).await;
    claim
}
