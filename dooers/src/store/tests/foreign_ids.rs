//! Calls with ids that a scope does not show.
//!
//! Each method of a store that takes an id is called with ids that do not exist, and with ids of threads in other places.
//! The results are equal, and so is the work of the database.

use super::{at, first_message, next_message, said, scope, start};
use crate::protocol::{
    EventType, FeedbackTarget, FeedbackValue, Form, FormElement, Run, RunStatus, User,
};
use crate::store::{
    Cancel, CancelTarget, EventPatch, EventQuery, FeedbackQuery, MemoryStore, NewFeedback,
    NewMessage, Participant, Position, RunPatch, RunQuery, Scope, SnapshotFrom, Store, ThreadEdit,
    ThreadPatch, TurnChange, TurnKey, UsageQuery, Viewer,
};
use serde_json::json;
use std::fmt::Debug;
use std::time::Duration;

/// The time after which a call has waited for a lock.
const AT_MOST: Duration = Duration::from_secs(10);

/// The ids of a thread and of its rows.
#[derive(Debug, Clone)]
struct Ids {
    thread: String,
    event: String,
    form: String,
    run: String,
}

impl Ids {
    fn of(name: &str) -> Self {
        let id = |what: &str| format!("{name}-{what}");
        Self {
            thread: id("thread"),
            event: id("event"),
            form: id("form"),
            run: id("run"),
        }
    }

    /// Creates the thread, with a running turn that has sent a form, and a queued turn.
    async fn create(&self, store: &dyn Store, scope: &Scope, user_id: &str) {
        let by = |mut message: NewMessage| {
            message.user = User::new(user_id);
            message.participant = Participant::user(&message.user);
            message
        };
        let first = by(first_message(&self.thread, &self.event));
        let begun = store.begin_turn(scope, first, &start(&self.run)).await;
        let key = begun.unwrap().claim.unwrap().key;
        let mut form = said(&self.thread, &self.form, "");
        if let TurnChange::Event(event) = &mut form {
            let asked = Form::new("Which one?").element(FormElement::text("size", "Size"));
            (event.kind, event.content) = (EventType::Form, None);
            event.data = Some(serde_json::to_value(asked).unwrap());
        }
        store.write_turn(scope, &key, vec![form]).await.unwrap();
        let queued = by(next_message(
            &self.thread,
            &format!("{}-queued", self.event),
        ));
        store
            .begin_turn(scope, queued, &start("none"))
            .await
            .unwrap();
    }

    fn hide(&self, text: &str) -> String {
        let ids = [&self.thread, &self.event, &self.form, &self.run];
        ids.iter()
            .fold(text.to_owned(), |text, id| text.replace(*id, "ID"))
    }
}

/// The scope of a caller that sees its own threads only.
fn own() -> Scope {
    Scope {
        viewer: Viewer::Only(Participant::user(&User::new("ann"))),
        ..scope()
    }
}

/// The places of threads that the caller does not see, with the user who writes there.
fn places() -> [(&'static str, Scope, &'static str); 5] {
    let other = || "other".to_owned();
    [
        (
            "worker",
            Scope {
                worker_id: other(),
                ..scope()
            },
            "ann",
        ),
        (
            "organization",
            Scope {
                organization_id: other(),
                ..scope()
            },
            "ann",
        ),
        (
            "workspace",
            Scope {
                workspace_id: other(),
                ..scope()
            },
            "ann",
        ),
        // A user's own message to another agent is not foreign.
        (
            "agent",
            Scope {
                agent: other(),
                ..scope()
            },
            "ben",
        ),
        ("user", scope(), "ben"),
    ]
}

/// The number of calls in [`call`].
const CALLS: usize = 42;

/// Makes one of the calls with ids that the caller does not see. `home` are the ids of a thread that the caller sees.
async fn call(store: &dyn Store, ids: &Ids, home: &Ids, number: usize) -> String {
    let scope = &own();
    let (thread, event, here) = (&*ids.thread, &*ids.event, &*home.thread);
    let key = |event_id: &str| TurnKey {
        thread_id: thread.to_owned(),
        event_id: event_id.to_owned(),
        fence: 1,
    };
    let message = |thread: &str, client_event_id: Option<&str>| NewMessage {
        client_event_id: client_event_id.map(str::to_owned),
        ..next_message(thread, "stolen")
    };
    let answer = |thread: &str| NewMessage {
        kind: EventType::FormResponse,
        content: Vec::new(),
        data: Some(json!({"form_event_id": ids.form, "values": {"size": "L"}})),
        ..message(thread, None)
    };
    let begin = async |new| text(&store.begin_turn(scope, new, &start("stolen")).await);
    let cancel = async |target| {
        let run_id = "stolen".to_owned();
        text(
            &store
                .cancel_turn(
                    Some(scope),
                    &Cancel {
                        target,
                        run_id,
                        at: at(9),
                    },
                )
                .await,
        )
    };
    let edit = async |thread: &str, edit| text(&store.edit_thread(scope, thread, edit).await);
    let like = async |target| {
        let user = User::new("ann");
        let given = NewFeedback {
            id: "stolen".to_owned(),
            target,
            user_id: "ann".to_owned(),
            participant: Participant::user(&user),
            value: FeedbackValue::Like,
            reason: None,
            classification: None,
            at: at(9),
        };
        text(&store.give_feedback(scope, given).await)
    };
    let said_by = |run: &str| match said(here, "stolen", "stolen") {
        TurnChange::Event(mut event) => {
            event.run_id = Some(run.to_owned());
            ThreadEdit::CreateEvent(event)
        }
        _ => unreachable!("an event"),
    };
    let run = Run {
        id: "stolen".to_owned(),
        thread_id: thread.to_owned(),
        event_id: Some(event.to_owned()),
        agent_id: None,
        status: RunStatus::Running,
        started_at: at(9),
        ended_at: None,
        error: None,
        usage: Vec::new(),
    };
    let patch = EventPatch::default().text("stolen");
    let (event_id, run_id) = (event.to_owned(), ids.run.clone());
    let changes = || vec![said(thread, "stolen", "stolen")];
    match number {
        0 => begin(message(thread, None)).await,
        1 => begin(message(thread, Some("new"))).await,
        2 => begin(message(thread, Some(&format!("client-{event}")))).await,
        3 => begin(answer(thread)).await,
        4 => begin(answer(here)).await,
        5 => text(&store.claim_turn(scope, thread, &start("stolen")).await),
        6 => text(&store.resume_turn(scope, &key(event)).await),
        7 => text(&store.write_turn(scope, &key(event), changes()).await),
        8 => text(
            &store
                .finish_turn(scope, &key(event), changes(), Some(&start("stolen")))
                .await,
        ),
        9 => text(&store.retry_turn(scope, &key(event), changes(), at(9)).await),
        10 => cancel(CancelTarget::Run(ids.run.clone())).await,
        11 => cancel(CancelTarget::Event(event.to_owned())).await,
        12 => cancel(CancelTarget::Event(format!("{event}-queued"))).await,
        13 => text(&store.turn_state(scope, thread, event).await),
        14 => text(&store.turn_state(scope, here, event).await),
        15 => text(&store.thread(scope, thread).await),
        16 => text(
            &store
                .snapshot(scope, thread, &SnapshotFrom::Newest, usize::MAX)
                .await,
        ),
        17 => {
            let after = SnapshotFrom::After(event_id);
            text(&store.snapshot(scope, thread, &after, usize::MAX).await)
        }
        18 => {
            let after = SnapshotFrom::Covering(event_id);
            text(&store.snapshot(scope, here, &after, usize::MAX).await)
        }
        19 => text(&store.events(scope, thread, None, 9.into()).await),
        20 => text(&store.events(scope, thread, Some(event), 9.into()).await),
        21 => text(&store.events(scope, here, Some(event), 9.into()).await),
        22 => text(
            &store
                .find_events(scope, thread, &EventQuery::newest(9))
                .await,
        ),
        23 => text(&store.event(scope, thread, event).await),
        24 => text(&store.event(scope, here, event).await),
        25 => {
            let thread_id = Some(thread.to_owned());
            let query = RunQuery {
                thread_id,
                ..RunQuery::newest(9)
            };
            text(&store.find_runs(scope, &query).await)
        }
        26 => text(&store.run(scope, thread, &ids.run).await),
        27 => {
            let position = Position {
                first_seq: 1,
                last_seq: 1,
                sent_from: 1,
                rev: 1,
                known: None,
            };
            text(&store.catch_up(scope, thread, &position, 9.into()).await)
        }
        28 => {
            let patch = ThreadPatch::default().title("stolen");
            edit(thread, ThreadEdit::Patch { patch, at: at(9) }).await
        }
        29 => edit(thread, said_by(&ids.run)).await,
        30 => edit(here, said_by(&ids.run)).await,
        31 => edit(thread, ThreadEdit::UpdateEvent { event_id, patch }).await,
        32 => edit(here, ThreadEdit::UpdateEvent { event_id, patch }).await,
        33 => {
            edit(
                thread,
                ThreadEdit::RemoveEvent {
                    event_id,
                    run_id,
                    at: at(9),
                },
            )
            .await
        }
        34 => edit(thread, ThreadEdit::CreateRun(run)).await,
        35 => {
            let patch = RunPatch::default().succeeded();
            edit(
                here,
                ThreadEdit::UpdateRun {
                    run_id,
                    patch,
                    at: at(9),
                },
            )
            .await
        }
        36 => edit(thread, ThreadEdit::RemoveRun(run_id)).await,
        37 => like(FeedbackTarget::Thread(thread.to_owned())).await,
        38 => like(FeedbackTarget::Event(event_id)).await,
        39 => like(FeedbackTarget::Run(run_id)).await,
        40 => {
            let thread_id = Some(thread.to_owned());
            let feedback = FeedbackQuery {
                thread_id: thread_id.clone(),
                ..FeedbackQuery::newest(9)
            };
            let usage = UsageQuery {
                thread_id,
                ..UsageQuery::default()
            };
            let found = text(&store.find_feedback(scope, &feedback).await);
            found + &text(&store.sum_usage(scope, &usage).await)
        }
        41 => text(&store.delete_thread(scope, thread).await),
        _ => unreachable!("there are {CALLS} calls"),
    }
}

fn text(result: &impl Debug) -> String {
    format!("{result:?}")
}

/// Creates the thread of the caller and those of the other places.
async fn create(store: &dyn Store) -> (Ids, Vec<Ids>) {
    let home = Ids::of("home");
    home.create(store, &own(), "ann").await;
    let mut foreign = Vec::new();
    for (name, place, user) in places() {
        let ids = Ids::of(name);
        ids.create(store, &place, user).await;
        foreign.push(ids);
    }
    (home, foreign)
}

/// Compares all calls with missing and with foreign ids. `created` is called when the threads exist, and `work` returns
/// the work of the database since its last call.
pub(crate) async fn foreign_ids_are_like_missing_ones<T: Debug + PartialEq>(
    store: &dyn Store,
    created: impl AsyncFnOnce(),
    mut work: impl FnMut() -> T,
) {
    let (home, foreign) = create(store).await;
    created().await;
    let mut differences = Vec::new();
    for number in 0..CALLS {
        let mut ask = async |ids: &Ids| {
            work();
            let called = tokio::time::timeout(AT_MOST, call(store, ids, &home, number));
            let result = called.await;
            let result = result.unwrap_or_else(|_| panic!("call {number} waits for a lock"));
            (ids.hide(&result), work())
        };
        let missing = ask(&Ids::of("missing")).await;
        for ids in &foreign {
            let answer = ask(ids).await;
            if answer != missing {
                let place = &ids.thread;
                differences.push(format!("call {number}\n{missing:?}\n{place}\n{answer:?}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}

/// Checks that the threads of the other places are unchanged: their queued turns are still there.
pub(crate) async fn foreign_threads_are_unchanged(store: &dyn Store) {
    for (name, place, _) in places() {
        let ids = Ids::of(name);
        let cancel = Cancel {
            target: CancelTarget::Event(format!("{}-queued", ids.event)),
            run_id: format!("{}-end", ids.run),
            at: at(9),
        };
        let withdrawn = store.cancel_turn(Some(&place), &cancel).await.unwrap();
        assert_eq!(withdrawn.changes().len(), 1);
        assert!(store.thread(&place, &ids.thread).await.is_ok());
    }
}

#[tokio::test]
async fn memory_store_answers_foreign_ids_as_missing() {
    let store = MemoryStore::new();
    foreign_ids_are_like_missing_ones(&store, async || {}, || ()).await;
    foreign_threads_are_unchanged(&store).await;
}
