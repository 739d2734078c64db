//! Tests of several processes on one database.

use super::{open, place, session};
use crate::protocol::{ContentPart, Run, RunStatus, ThreadEvent, User, timestamp};
use crate::store::OnBusy;
use crate::store::postgres::connect::statement::{execute_script, query};
use crate::store::sql::Columns;
use crate::store::tests::{at, first_message, next_message, said, scope, start};
use crate::store::{
    Cancel, CancelTarget, Cancelled, ClaimOptions, EventPatch, NewThread, PostgresStore, RunPatch,
    Store, StoreError, ThreadDraft, ThreadEdit, ThreadPatch, TurnChange,
};
use chrono::TimeDelta;
use futures::future::join_all;
use sqlx::Connection;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

fn kept(run_id: &str) -> ClaimOptions {
    ClaimOptions {
        lease: Duration::from_secs(3600),
        ..start(run_id)
    }
}

#[tokio::test]
async fn turn_claimed_by_one_process_is_written_by_no_other() {
    let Some(options) = place() else { return };
    let (one, two) = (open(&options).await, open(&options).await);
    let begun = one
        .begin_turn(&scope(), first_message("t", "e1"), &kept("r1"))
        .await
        .unwrap();
    let key = begun.claim.unwrap().key;
    let behind = two
        .begin_turn(&scope(), next_message("t", "e2"), &kept("r2"))
        .await
        .unwrap();
    assert!(behind.claim.is_none());
    // The first process has the thread in its cache, and the second one has written in it since.
    let end = vec![said("t", "a1", "first")];
    let written = one
        .finish_turn(&scope(), &key, end, Some(&kept("r3")))
        .await
        .unwrap();
    assert_eq!(written.next.unwrap().event.id, "e2");
    let claim = two.claim_turn(&scope(), "t", &kept("r4")).await.unwrap();
    assert!(claim.is_none());
    let late = two
        .write_turn(&scope(), &key, vec![said("t", "a2", "late")])
        .await;
    assert!(matches!(late, Err(StoreError::StaleFence)), "{late:?}");
}

#[tokio::test]
async fn a_list_keeps_its_order_if_one_clock_is_behind() {
    let Some(options) = place() else { return };
    let (ahead, behind) = (open(&options).await, open(&options).await);
    let now = timestamp::now();
    let hour = TimeDelta::hours(1);
    let begin = async |store: &PostgresStore, id: &str, at| {
        let mut message = first_message(id, &format!("{id}-e"));
        message.at = at;
        let start = ClaimOptions {
            at,
            ..kept(&format!("{id}-r"))
        };
        let begun = store.begin_turn(&scope(), message, &start).await.unwrap();
        begun.claim.unwrap().key
    };
    let first = begin(&ahead, "a", now + hour).await;
    begin(&behind, "b", now).await;
    // The other process has written since this process read the clock.
    begin(&ahead, "c", now + hour + TimeDelta::seconds(1)).await;
    begin(&behind, "d", now + TimeDelta::seconds(2)).await;
    let restarted = open(&options).await;
    begin(&restarted, "e", now).await;
    let touch = vec![TurnChange::Touch(now)];
    let finished = behind.finish_turn(&scope(), &first, touch, None).await;
    finished.unwrap();
    let page = ahead.threads(&scope(), None, 9.into()).await.unwrap();
    let listed: Vec<_> = page.threads.iter().map(|thread| &*thread.id).collect();
    assert_eq!(listed, ["a", "e", "d", "c", "b"]);
}

#[tokio::test]
async fn messages_of_many_processes_have_unique_numbers() {
    let Some(options) = place() else { return };
    let stores = join_all((0..3).map(|_| open(&options))).await;
    stores[0]
        .begin_turn(&scope(), first_message("t", "e"), &kept("r"))
        .await
        .unwrap();
    let all = (0..60).map(|number: usize| {
        let store = &stores[number % stores.len()];
        async move {
            let new = next_message("t", &format!("e{number}"));
            let start = ClaimOptions {
                on_busy: OnBusy::Concurrent,
                ..kept(&format!("r{number}"))
            };
            let begun = store.begin_turn(&scope(), new, &start).await.unwrap();
            assert!(begun.claim.is_some());
            begun.event.seq
        }
    });
    let mut seqs = join_all(all).await;
    seqs.sort_unstable();
    assert_eq!(seqs, (2..=61).collect::<Vec<u64>>());
}

#[tokio::test]
async fn message_sent_to_two_processes_is_stored_once() {
    let Some(options) = place() else { return };
    let (one, two) = (open(&options).await, open(&options).await);
    for number in 0..20 {
        let message = |thread: &str, event: &str| {
            let mut new = first_message(&format!("{thread}{number}"), event);
            new.client_event_id = Some(format!("sent twice {number}"));
            new
        };
        let (first, second) = (format!("a{number}"), format!("b{number}"));
        let (run, other) = (kept(&format!("ra{number}")), kept(&format!("rb{number}")));
        let (here, there) = (scope(), scope());
        let (a, b) = tokio::join!(
            one.begin_turn(&here, message("one", &first), &run),
            two.begin_turn(&there, message("two", &second), &other),
        );
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_ne!(a.is_repeated, b.is_repeated);
        assert_eq!(a.event.id, b.event.id);
    }
}

/// Asserts that one of two concurrent operations with the same id succeeds.
#[track_caller]
fn assert_one<T: Debug>(one: Result<T, StoreError>, other: Result<T, StoreError>) {
    match (one, other) {
        (Ok(_), Err(StoreError::Conflict(_))) | (Err(StoreError::Conflict(_)), Ok(_)) => {}
        both => panic!("{both:?}"),
    }
}

#[tokio::test]
async fn one_id_used_by_two_processes_is_created_once() {
    let Some(options) = place() else { return };
    let (one, two) = (open(&options).await, open(&options).await);
    for (store, thread_id) in [(&one, "t1"), (&two, "t2")] {
        let new = first_message(thread_id, &format!("{thread_id}-e"));
        let run = kept(&format!("{thread_id}-r"));
        store.begin_turn(&scope(), new, &run).await.unwrap();
    }
    let here = scope();
    for number in 0..20 {
        let draft = || ThreadDraft {
            thread: NewThread::new(format!("new{number}")),
            owner: User::new("ann"),
            at: at(number),
        };
        let (a, b) = tokio::join!(
            one.create_thread(&here, draft()),
            two.create_thread(&here, draft()),
        );
        assert_one(a, b);
        let event = |thread_id| {
            let TurnChange::Event(event) = said(thread_id, &format!("e{number}"), "hello") else {
                unreachable!()
            };
            ThreadEdit::CreateEvent(Box::new(ThreadEvent {
                run_id: None,
                ..*event
            }))
        };
        let (a, b) = tokio::join!(
            one.edit_thread(&here, "t1", event("t1")),
            two.edit_thread(&here, "t2", event("t2")),
        );
        assert_one(a, b);
        let run = |thread_id: &str| {
            ThreadEdit::CreateRun(Run {
                id: format!("r{number}"),
                thread_id: thread_id.to_owned(),
                event_id: None,
                agent_id: None,
                status: RunStatus::Running,
                started_at: at(number),
                ended_at: None,
                error: None,
                usage: Vec::new(),
            })
        };
        let (a, b) = tokio::join!(
            one.edit_thread(&here, "t1", run("t1")),
            two.edit_thread(&here, "t2", run("t2")),
        );
        assert_one(a, b);
    }
}

#[tokio::test]
async fn changes_of_two_processes_to_a_thread_are_all_kept() {
    let Some(options) = place() else { return };
    let (one, two) = (open(&options).await, open(&options).await);
    one.begin_turn(&scope(), first_message("t", "e"), &kept("r"))
        .await
        .unwrap();
    let here = scope();
    let at = at(9);
    for number in 0..20 {
        let title = ThreadPatch::default().title(format!("title {number}"));
        let metadata = ThreadPatch::default().metadata(number);
        let edit = |patch| ThreadEdit::Patch { patch, at };
        let changed = ThreadEdit::UpdateEvent {
            event_id: "e".to_owned(),
            patch: EventPatch::default().text(format!("text {number}")),
        };
        let next = start("none");
        let (a, b, c, d) = tokio::join!(
            one.edit_thread(&here, "t", edit(title)),
            two.edit_thread(&here, "t", edit(metadata)),
            one.edit_thread(&here, "t", changed),
            two.begin_turn(&here, next_message("t", &format!("e{number}")), &next),
        );
        let mut revs: Vec<_> = [a, b, c]
            .into_iter()
            .flat_map(|edited| edited.unwrap().changes)
            .chain(d.unwrap().changes)
            .map(|change| change.rev)
            .collect();
        revs.sort_unstable();
        let thread = two.thread(&scope(), "t").await.unwrap();
        let before = thread.rev - 4;
        assert_eq!(revs, (before + 1..=thread.rev).collect::<Vec<_>>());
        let thread = thread.thread;
        assert_eq!(thread.title, Some(format!("title {number}")));
        assert_eq!(thread.metadata, Some(number.into()));
        let event = two.event(&scope(), "t", "e").await.unwrap();
        let text = ContentPart::text(format!("text {number}"));
        assert_eq!(event.content, Some(vec![text]));
    }
}

#[tokio::test]
async fn writers_of_the_same_threads_never_deadlock() {
    const THREADS: usize = 60;
    let Some(options) = place() else { return };
    let mut connection = session(&options).await;
    let name = format!("{}circle", options.table_prefix);
    let create: Arc<str> = format!("CREATE DATABASE {name}").into();
    execute_script(&mut connection, &create).await.unwrap();
    let options = options.database(&name);
    let (one, two) = (open(&options).await, open(&options).await);
    let begun = (0..THREADS).map(|number| {
        let (one, thread_id) = (&one, format!("t{number}"));
        async move {
            let new = first_message(&thread_id, &format!("{thread_id}-e"));
            let run = kept(&format!("{thread_id}-r"));
            one.begin_turn(&scope(), new, &run).await.unwrap();
        }
    });
    join_all(begun).await;

    // Both have locked some threads when they reach the one that the test has locked. Both need all of them.
    let mut holder = session(&options).await;
    let mut held = holder.begin().await.unwrap();
    let prefix = &options.table_prefix;
    let middle = THREADS / 2;
    let hold =
        format!("SELECT pk FROM {prefix}threads ORDER BY pk OFFSET {middle} LIMIT 1 FOR UPDATE");
    query(&hold.into()).execute(&mut *held).await.unwrap();
    let changed = (0..2 * THREADS).map(|number| {
        let store = [&one, &two][number / THREADS];
        let thread_id = format!("t{}", number % THREADS);
        async move {
            let (patch, at) = (ThreadPatch::default().metadata(number), at(1));
            let edit = ThreadEdit::Patch { patch, at };
            store.edit_thread(&scope(), &thread_id, edit).await.unwrap();
        }
    });
    let waiting: Arc<str> = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}' AND wait_event_type = 'Lock'"
    )
    .into();
    let drop_handler = async {
        loop {
            let row = query(&waiting).fetch_one(&mut connection).await.unwrap();
            if row.number(0).unwrap() == 2 {
                break;
            }
        }
        held.rollback().await.unwrap();
    };
    tokio::join!(join_all(changed), drop_handler);
    one.close().await;
    two.close().await;
    let sql = format!("SELECT deadlocks FROM pg_stat_database WHERE datname = '{name}'");
    let row = query(&sql.into()).fetch_one(&mut connection).await.unwrap();
    assert_eq!(row.number(0).unwrap(), 0);
}

#[tokio::test]
async fn turn_canceled_by_another_process_keeps_its_lease() {
    let Some(options) = place() else { return };
    let (one, two) = (open(&options).await, open(&options).await);
    let begun = one
        .begin_turn(&scope(), first_message("t", "e"), &kept("r"))
        .await
        .unwrap();
    let cancel = Cancel {
        target: CancelTarget::Run("r".to_owned()),
        run_id: "none".to_owned(),
        at: at(5),
    };
    let cancelled = two.cancel_turn(None, &cancel).await.unwrap();
    assert!(
        matches!(cancelled, Cancelled::Running { .. }),
        "{cancelled:?}"
    );
    let expired = two.expire_leases(at(6)).await.unwrap();
    assert_eq!(expired.interrupted, 0);
    let held = one.renew_leases("n", Duration::from_secs(3600)).await;
    assert!(held.unwrap()[0].is_cancelled);
    let key = begun.claim.unwrap().key;
    let end = one.finish_turn(&scope(), &key, Vec::new(), None).await;
    assert!(end.unwrap().next.is_none());
}

#[tokio::test]
async fn waiting_turns_of_a_dead_process_are_reported() {
    let Some(options) = place() else { return };
    let (dead, living) = (open(&options).await, open(&options).await);
    let begun = dead
        .begin_turn(&scope(), first_message("t", "e1"), &kept("r1"))
        .await
        .unwrap();
    dead.begin_turn(&scope(), next_message("t", "e2"), &kept("r2"))
        .await
        .unwrap();
    let at = begun.event.created_at;
    assert!(living.expire_leases(at).await.unwrap().waiting.is_empty());
    let key = begun.claim.unwrap().key;
    // The process ends its turn, leaves the next turn waiting, and dies.
    dead.finish_turn(&scope(), &key, Vec::new(), None)
        .await
        .unwrap();
    let found = living.expire_leases(at).await.unwrap();
    assert_eq!((found.interrupted, found.waiting.len()), (0, 1));
    let claim = living.claim_turn(&scope(), "t", &kept("r3")).await.unwrap();
    assert_eq!(claim.unwrap().event.id, "e2");
    assert!(living.expire_leases(at).await.unwrap().waiting.is_empty());
}

#[tokio::test]
async fn concurrent_turn_is_claimed_past_a_waiting_one() {
    let Some(options) = place() else { return };
    let (one, two) = (open(&options).await, open(&options).await);
    let beside = |run_id: &str| ClaimOptions {
        on_busy: OnBusy::Concurrent,
        ..kept(run_id)
    };
    for (message, run_id, again_at) in [
        (first_message("t", "e1"), "r1", at(60)),
        (next_message("t", "e2"), "r2", at(1)),
    ] {
        let start = beside(run_id);
        let begun = one.begin_turn(&scope(), message, &start).await.unwrap();
        let key = begun.claim.unwrap().key;
        let given_back = one.retry_turn(&scope(), &key, Vec::new(), again_at).await;
        given_back.unwrap();
    }
    // This process has not read any of the waiting messages before.
    let claim = two.claim_turn(&scope(), "t", &beside("none")).await;
    assert_eq!(claim.unwrap().unwrap().event.id, "e2");
}

#[tokio::test]
async fn run_removed_and_begun_again_is_a_new_one() {
    let Some(options) = place() else { return };
    let store = open(&options).await;
    let begun = store
        .begin_turn(&scope(), first_message("t", "e1"), &kept("r1"))
        .await
        .unwrap();
    let run = |event_id: Option<&str>, status, micros| Run {
        id: "r".to_owned(),
        thread_id: "t".to_owned(),
        event_id: event_id.map(str::to_owned),
        agent_id: None,
        status,
        started_at: at(micros),
        ended_at: None,
        error: None,
        usage: Vec::new(),
    };
    let own = ThreadEdit::CreateRun(run(None, RunStatus::Running, 1));
    store.edit_thread(&scope(), "t", own).await.unwrap();
    let end = ThreadEdit::UpdateRun {
        run_id: "r".to_owned(),
        patch: RunPatch::default().succeeded(),
        at: at(2),
    };
    store.edit_thread(&scope(), "t", end).await.unwrap();
    // Both operations are in the queue when the writer reads it.
    let key = begun.claim.unwrap().key;
    let again = vec![TurnChange::Run(run(None, RunStatus::Running, 3))];
    let remove = ThreadEdit::RemoveRun("r".to_owned());
    let here = scope();
    let (removed, written) = tokio::join!(
        store.edit_thread(&here, "t", remove),
        store.write_turn(&here, &key, again),
    );
    removed.unwrap();
    written.unwrap();
    let stored = store.run(&scope(), "t", "r").await.unwrap();
    assert_eq!(stored, run(Some("e1"), RunStatus::Running, 3));
}

#[tokio::test]
async fn writer_overtaken_repeatedly_fails_after_a_time() {
    let Some(options) = place() else { return };
    let options = options.connect_timeout(Duration::from_secs(1));
    let store = open(&options).await;
    let begun = store
        .begin_turn(&scope(), first_message("t", "e"), &kept("r"))
        .await;
    let turn = begun.unwrap().claim.unwrap().key;
    // Every change of the thread is refused, as if another process were always faster.
    let prefix = &options.table_prefix;
    let overtake: Arc<str> = format!(
        "CREATE FUNCTION {prefix}overtake() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER overtake BEFORE UPDATE ON {prefix}threads FOR EACH ROW EXECUTE FUNCTION {prefix}overtake()"
    )
    .into();
    let mut connection = session(&options).await;
    execute_script(&mut connection, &overtake).await.unwrap();
    let write = async || {
        let said = vec![said("t", "a", "hello")];
        store.write_turn(&scope(), &turn, said).await
    };
    let refused = write().await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Unavailable { .. }),
        "{refused:?}"
    );
    // The operation succeeds as soon as changes are accepted again.
    let stop: Arc<str> = format!("DROP TRIGGER overtake ON {prefix}threads").into();
    execute_script(&mut connection, &stop).await.unwrap();
    write().await.unwrap();
}
