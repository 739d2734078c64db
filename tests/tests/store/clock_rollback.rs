//! A clock that is set back after something was stored.

use crate::asserts::{events_and_runs, ids, run_named, threads_of};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, answer, ben, existing, message, new_thread, private_scope, run, scope, start, written,
};
use chrono::{DateTime, TimeDelta, Utc};
use dooers::OnBusy;
use dooers::protocol::{RunStatus, User};
use dooers::store::{
    BeginOutcome, Claim, ClaimOptions, LONGEST_BACK_OFF, NewMessage, NewThread, Order, Participant,
    RunCursor, RunQuery, Scope, ThreadCursor, ThreadDraft, ThreadEdit, ThreadPatch, ThreadQuery,
    ThreadTarget, TurnChange,
};

cases![
    new_thread_is_first_after_a_clock_rollback,
    event_moves_thread_to_front_after_a_rollback,
    tail_finds_events_written_after_a_rollback,
    rollback_does_not_affect_other_lists,
    times_are_exact_once_the_clock_catches_up,
    run_starts_last_and_ends_later_after_a_rollback,
    tail_finds_runs_started_after_a_rollback,
    updated_at_never_decreases,
    turn_scheduled_too_far_ahead_is_due,
    concurrent_turns_too_far_ahead_are_due,
];

/// A time before the clock is set back by an hour: microseconds after a fixed time.
fn before(micros: i64) -> DateTime<Utc> {
    after(micros) + TimeDelta::hours(1)
}

/// A time after the clock was set back.
fn after(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(1_700_000_000_000_000 + micros).unwrap()
}

fn message_at(thread: ThreadTarget, id: &str, user: &User, at: DateTime<Utc>) -> NewMessage {
    NewMessage {
        at,
        ..message(thread, id, user)
    }
}

/// Sends a message to an existing thread.
async fn say(
    store: &AnyStore,
    thread: &str,
    id: &str,
    user: &User,
    at: DateTime<Utc>,
) -> BeginOutcome {
    let message = message_at(existing(thread), id, user, at);
    let start = start_at(&format!("{id}-r"), at);
    store.begin_turn(&scope(), message, &start).await.unwrap()
}

fn start_at(run_id: &str, at: DateTime<Utc>) -> ClaimOptions {
    ClaimOptions {
        at,
        ..start(run_id)
    }
}

/// Starts a thread with a message from Ana.
async fn begin(store: &AnyStore, scope: &Scope, id: &str, at: DateTime<Utc>) -> Claim {
    let message = message_at(new_thread(id), &format!("{id}-e"), &ana(), at);
    let start = start_at(&format!("{id}-r"), at);
    let begun = store.begin_turn(scope, message, &start).await.unwrap();
    begun.claim.unwrap()
}

async fn listed(store: &AnyStore, scope: &Scope) -> Vec<String> {
    let page = store.threads(scope, None, 100.into()).await.unwrap();
    page.threads.into_iter().map(|thread| thread.id).collect()
}

async fn last_event_at(store: &AnyStore, id: &str) -> DateTime<Utc> {
    let record = store.thread(&scope(), id).await.unwrap();
    record.thread.last_event_at
}

async fn new_thread_is_first_after_a_clock_rollback(store: &AnyStore) {
    begin(store, &scope(), "old", before(0)).await;
    let claim = begin(store, &scope(), "b", after(0)).await;
    assert_eq!(claim.thread.thread.last_event_at, before(1));
    let draft = ThreadDraft {
        thread: NewThread::new("a"),
        owner: ana(),
        at: after(1),
    };
    let created = store.create_thread(&scope(), draft).await.unwrap();
    let published = &threads_of(&[created])[0];
    assert_eq!(
        (published.last_event_at, published.created_at),
        (before(3), after(1))
    );
    for seen_in in [scope(), private_scope(&ana())] {
        assert_eq!(listed(store, &seen_in).await, ["a", "b", "old"]);
    }
    let thread = store.thread(&scope(), "b").await.unwrap().thread;
    assert_eq!((thread.created_at, thread.updated_at), (after(0), after(0)));
    let (events, _) = events_and_runs(store, &scope(), "b").await;
    assert_eq!(events[0].created_at, after(0), "as the clock says");
}

async fn event_moves_thread_to_front_after_a_rollback(store: &AnyStore) {
    let mut claims = Vec::new();
    for (id, micros) in [("a", 0), ("b", 1), ("c", 2), ("d", 3)] {
        claims.push(begin(store, &scope(), id, before(micros)).await);
    }
    // A message of another user, who becomes a participant.
    say(store, "a", "a2", &ben(), after(0)).await;
    assert_eq!(listed(store, &scope()).await, ["a", "d", "c", "b"]);
    assert_eq!(listed(store, &private_scope(&ben())).await, ["a"]);
    // The end of a turn.
    let touch = vec![TurnChange::Touch(after(1))];
    let scope = scope();
    let finished = store.finish_turn(&scope, &claims[1].key, touch, None);
    finished.await.unwrap();
    assert_eq!(listed(store, &scope).await, ["b", "a", "d", "c"]);
    // An event of the program.
    let mut event = answer("c", "c2", None);
    event.created_at = after(2);
    let create = ThreadEdit::CreateEvent(Box::new(event));
    store.edit_thread(&scope, "c", create).await.unwrap();
    assert_eq!(listed(store, &scope).await, ["c", "b", "a", "d"]);
    // Takeover of the turns of a dead process, whose leases have expired.
    let taken = store.expire_leases(after(3)).await.unwrap();
    assert!(taken.interrupted > 0);
    assert!(last_event_at(store, "d").await > before(3));
    assert_eq!(listed(store, &private_scope(&ana())).await.len(), 4);
}

async fn tail_finds_events_written_after_a_rollback(store: &AnyStore) {
    begin(store, &scope(), "old", before(0)).await;
    let mut seen = ThreadCursor {
        last_event_at: last_event_at(store, "old").await,
        thread_id: "old".to_owned(),
    };
    for number in 0..3_i64 {
        let id = format!("n{number}");
        begin(store, &scope(), &id, after(number)).await;
        let query = ThreadQuery {
            order: Order::OldestFirst,
            after: Some(seen),
            ..ThreadQuery::newest(10)
        };
        let found = store.find_threads(&scope(), &query).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].id, id);
        seen = ThreadCursor {
            last_event_at: found[0].last_event_at,
            thread_id: id,
        };
    }
}

async fn rollback_does_not_affect_other_lists(store: &AnyStore) {
    begin(store, &scope(), "old", before(0)).await;
    for (number, member) in ["agent", "worker", "organization", "workspace"]
        .into_iter()
        .enumerate()
    {
        let mut other = scope();
        match member {
            "agent" => other.agent = "other".to_owned(),
            "worker" => other.worker_id = "other".to_owned(),
            "organization" => other.organization_id = "other".to_owned(),
            _ => other.workspace_id = "other".to_owned(),
        }
        let claim = begin(store, &other, &format!("t{number}"), after(5)).await;
        assert_eq!(claim.thread.thread.last_event_at, after(5), "{member}");
        assert_eq!(claim.run.unwrap().started_at, after(5), "{member}");
    }
}

async fn times_are_exact_once_the_clock_catches_up(store: &AnyStore) {
    begin(store, &scope(), "old", before(0)).await;
    begin(store, &scope(), "a", after(0)).await;
    assert_eq!(last_event_at(store, "a").await, before(1));
    begin(store, &scope(), "b", before(7)).await;
    assert_eq!(last_event_at(store, "b").await, before(7));
    // Deleting the newest thread does not affect the next one.
    store.delete_thread(&scope(), "b").await.unwrap();
    begin(store, &scope(), "c", before(3)).await;
    assert_eq!(last_event_at(store, "c").await, before(8));
}

async fn run_starts_last_and_ends_later_after_a_rollback(store: &AnyStore) {
    begin(store, &scope(), "old", before(0)).await;
    let claim = begin(store, &scope(), "t", after(0)).await;
    let begun = claim.run.unwrap();
    assert_eq!(begun.started_at, before(2), "behind its message");
    assert_eq!(run_named(store, &scope(), "t", "t-r").await, begun);
    let mut ended = run("t", "t-r", RunStatus::Succeeded);
    (ended.started_at, ended.ended_at) = (after(1), Some(after(1)));
    let changes = vec![TurnChange::Run(ended)];
    let written = store.write_turn(&scope(), &claim.key, changes).await;
    let published = written.unwrap();
    let stored = run_named(store, &scope(), "t", "t-r").await;
    assert_eq!(
        (stored.started_at, stored.ended_at),
        (before(2), Some(before(2)))
    );
    assert_eq!(crate::asserts::runs_of(&published), [stored]);

    // A run of the program that has already ended.
    let mut own = run("t", "own", RunStatus::Failed);
    (own.started_at, own.ended_at) = (after(2), Some(after(3)));
    let create = ThreadEdit::CreateRun(own);
    store.edit_thread(&scope(), "t", create).await.unwrap();
    let own = run_named(store, &scope(), "t", "own").await;
    assert_eq!((own.started_at, own.ended_at), (before(3), Some(before(3))));
    let runs = store.find_runs(&scope(), &RunQuery::newest(9)).await;
    let runs = runs.unwrap();
    assert_eq!(runs.last().unwrap().id, "old-r");
    // Thread lists and run lists share one clock.
    begin(store, &scope(), "next", after(4)).await;
    assert_eq!(last_event_at(store, "next").await, before(4));
}

async fn tail_finds_runs_started_after_a_rollback(store: &AnyStore) {
    begin(store, &scope(), "t", before(0)).await;
    let mut seen = RunCursor {
        started_at: before(0),
        run_id: "t-r".to_owned(),
    };
    // Run ids follow the clock, so they may sort in another order than the start times.
    for (number, id) in (1_i64..).zip(["s", "n", "c"]) {
        let mut own = run("t", id, RunStatus::Running);
        own.started_at = after(number);
        let create = ThreadEdit::CreateRun(own);
        store.edit_thread(&scope(), "t", create).await.unwrap();
        let query = RunQuery {
            order: Order::OldestFirst,
            after: Some(seen),
            ..RunQuery::newest(10)
        };
        let found = store.find_runs(&scope(), &query).await.unwrap();
        assert_eq!(found.len(), 1, "{id}");
        assert_eq!(found[0].id, id);
        seen = RunCursor {
            started_at: found[0].started_at,
            run_id: id.to_owned(),
        };
    }
}

async fn updated_at_never_decreases(store: &AnyStore) {
    begin(store, &scope(), "t", before(0)).await;
    let patch = ThreadPatch::default().title("A title");
    let edit = ThreadEdit::Patch {
        patch,
        at: after(0),
    };
    let edited = store.edit_thread(&scope(), "t", edit).await.unwrap();
    assert_eq!(threads_of(&edited.changes)[0].updated_at, before(0));
    say(store, "t", "e2", &ben(), after(1)).await;
    let thread = store.thread(&scope(), "t").await.unwrap().thread;
    assert_eq!(thread.users.len(), 2);
    assert_eq!(thread.updated_at, before(0));
    assert!(private_scope(&ben()).admits(&[Participant::user(&ben())]));
}

async fn turn_scheduled_too_far_ahead_is_due(store: &AnyStore) {
    let longest = TimeDelta::from_std(LONGEST_BACK_OFF).unwrap();
    let mut key = begin(store, &scope(), "t", after(0)).await.key;
    let claim_at = async |at| {
        let start = start_at("again", at);
        let claimed = store.claim_turn(&scope(), "t", &start).await.unwrap();
        claimed.map(|claim| claim.key)
    };
    let requeue = async |key, not_before| {
        let changes = vec![written("t", &format!("tried {not_before}"), Some("t-r"))];
        let retried = store.retry_turn(&scope(), &key, changes, not_before).await;
        retried.unwrap();
    };
    // Stored by a process whose clock is an hour ahead. The turn is due a second later.
    for ahead in [
        TimeDelta::hours(1) + TimeDelta::seconds(1),
        longest + TimeDelta::microseconds(1),
        TimeDelta::days(365),
    ] {
        requeue(key, after(0) + ahead).await;
        key = claim_at(after(0)).await.unwrap();
    }
    requeue(key, after(0) + longest).await;
    assert_eq!(claim_at(after(0)).await, None, "it may be so far ahead");
    assert_eq!(claim_at(after(1)).await, None);
    // A message that arrives while the turn waits.
    let begun = say(store, "t", "e2", &ana(), after(-1)).await;
    let claim = begun.claim.unwrap();
    assert_eq!(claim.event.id, "t-e", "the clock was set back once more");
}

async fn concurrent_turns_too_far_ahead_are_due(store: &AnyStore) {
    let beside = |run_id: &str, at| ClaimOptions {
        on_busy: OnBusy::Concurrent,
        ..start_at(run_id, at)
    };
    let mut keys = Vec::new();
    for (thread, id) in [
        (new_thread("t"), "e1"),
        (existing("t"), "e2"),
        (existing("t"), "e3"),
    ] {
        let message = message_at(thread, id, &ana(), after(0));
        let start = beside(&format!("{id}-r"), after(0));
        let begun = store.begin_turn(&scope(), message, &start).await.unwrap();
        keys.push(begun.claim.unwrap().key);
    }
    let waits = [
        TimeDelta::seconds(5),
        TimeDelta::hours(1),
        TimeDelta::zero(),
    ];
    for (key, wait) in keys.iter().zip(waits) {
        let not_before = after(0) + wait;
        let retried = store
            .retry_turn(&scope(), key, Vec::new(), not_before)
            .await;
        retried.unwrap();
    }
    let mut claimed = Vec::new();
    while let Some(claim) = store
        .claim_turn(&scope(), "t", &beside("again", after(0)))
        .await
        .unwrap()
    {
        claimed.push(claim.event);
    }
    assert_eq!(ids(&claimed), ["e2", "e3"]);
}
