//! Unusual ids.

use crate::asserts::{assert_not_found, dump};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{ana, answer, existing, message, new_thread, run, scope, start, thread_of};
use dooers::protocol::{RunStatus, ThreadEvent, User};
use dooers::store::{
    Cancel, CancelTarget, EventPatch, EventQuery, NewMessage, NewThread, Participant, RunPatch,
    RunQuery, Scope, SnapshotFrom, StoreError, ThreadDraft, ThreadEdit, ThreadQuery, Viewer,
    WorkerKey,
};
use dooers_tests::with;

cases![
    id_with_nul_is_not_found,
    unstorable_id_does_not_fail_its_batch,
];

async fn id_with_nul_is_not_found(store: &AnyStore) {
    let claim = thread_of(store, "t", 2).await;
    let before = dump(store, &scope()).await;
    let here = scope();
    let at = claim.event.created_at;

    for id in ["t\0", "\0t", "\0"] {
        assert_not_found(store.thread(&here, id).await);
        assert_not_found(
            store
                .snapshot(&here, id, &SnapshotFrom::Newest, usize::MAX)
                .await,
        );
        assert_not_found(store.events(&here, id, None, 5.into()).await);
        assert_not_found(store.claim_turn(&here, id, &start("none")).await);
        assert_not_found(store.delete_thread(&here, id).await);
        let target = CancelTarget::Event(format!("{id}-1"));
        let run_id = "none".to_owned();
        let cancel = Cancel { target, run_id, at };
        assert_not_found(store.cancel_turn(None, &cancel).await);
        let new = message(existing(id), "none", &ana());
        assert_not_found(store.begin_turn(&here, new, &start("none")).await);
    }
    for id in ["t-1\0", "t-run\0", "\0"] {
        assert_not_found(store.event(&here, "t", id).await);
        assert_not_found(store.run(&here, "t", id).await);
        assert_not_found(store.events(&here, "t", Some(id), 5.into()).await);
        let from = SnapshotFrom::After(id.to_owned());
        assert!(
            !store
                .snapshot(&here, "t", &from, usize::MAX)
                .await
                .unwrap()
                .recovered
        );
        let (event_id, run_id) = (id.to_owned(), id.to_owned());
        let patch = EventPatch::default().text("changed");
        let in_no_run = answer("t", "none", Some(id));
        for edit in [
            ThreadEdit::UpdateEvent { event_id, patch },
            ThreadEdit::RemoveRun(run_id.clone()),
            ThreadEdit::UpdateRun {
                run_id,
                patch: RunPatch::default().succeeded(),
                at,
            },
            ThreadEdit::CreateEvent(Box::new(in_no_run)),
        ] {
            assert_not_found(store.edit_thread(&here, "t", edit).await);
        }
    }

    let nobody = User::new("ana\0");
    for (user_ids, run_ids) in [
        (vec![nobody.user_id.clone()], Vec::new()),
        (Vec::new(), vec!["t-run\0".to_owned()]),
    ] {
        let query = EventQuery {
            user_ids,
            run_ids,
            ..EventQuery::newest(10)
        };
        let found = store.find_events(&here, "t", &query).await.unwrap();
        assert!(found.is_empty(), "{found:?}");
    }
    let either = EventQuery {
        user_ids: vec![nobody.user_id.clone(), "ana".to_owned()],
        ..EventQuery::newest(10)
    };
    let found = store.find_events(&here, "t", &either).await.unwrap();
    assert_eq!(found.len(), 1);
    let nobodys = with!(Scope {
        viewer: Viewer::Only(Participant::user(&nobody)),
        ..scope()
    });
    let elsewhere = with!(Scope {
        worker_id: "worker\0".to_owned(),
        ..scope()
    });
    let none = RunQuery {
        event_id: Some("t-1\0".to_owned()),
        ..RunQuery::newest(10)
    };
    assert_eq!(store.find_runs(&here, &none).await.unwrap(), []);
    for scope in [&nobodys, &elsewhere] {
        let runs = store.find_runs(scope, &RunQuery::newest(10)).await;
        assert_eq!(runs.unwrap(), []);
        let threads = store.find_threads(scope, &ThreadQuery::newest(10)).await;
        assert_eq!(threads.unwrap(), []);
        let page = store.threads(scope, None, 10.into()).await.unwrap();
        assert_eq!((page.threads.len(), page.total_count), (0, 0));
        assert_not_found(store.thread(scope, "t").await);
    }
    let with_nobody = ThreadQuery {
        participant: Some(Participant::user(&nobody)),
        ..ThreadQuery::newest(10)
    };
    let threads = store.find_threads(&here, &with_nobody).await.unwrap();
    assert_eq!(threads, []);
    let worker = WorkerKey {
        agent: "agent".to_owned(),
        worker_id: "worker\0".to_owned(),
    };
    assert_eq!(store.settings(&worker).await.unwrap(), []);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn unstorable_id_does_not_fail_its_batch(store: &AnyStore) {
    thread_of(store, "t", 2).await;
    let long: String = (0..5000_u32)
        .map(|number| char::from_u32(0x4e00 + number * 7919 % 20000).unwrap())
        .collect();
    for (number, id) in ["a\0", &long].into_iter().enumerate() {
        let here = scope();
        let draft = ThreadDraft {
            thread: NewThread::new(id),
            owner: ana(),
            at: message(existing("t"), "", &ana()).at,
        };
        let sent = NewMessage {
            client_event_id: Some(id.to_owned()),
            ..message(existing("t"), &format!("sent-{number}"), &ana())
        };
        let by_who = message(existing("t"), &format!("by-{number}"), &User::new(id));
        let ok = message(
            new_thread(&format!("ok-{number}")),
            &format!("ok-{number}"),
            &ana(),
        );
        let runs: Vec<_> = (0..3)
            .map(|run| start(&format!("{number}-{run}")))
            .collect();
        let event = ThreadEdit::CreateEvent(Box::new(answer("t", id, None)));
        let run = ThreadEdit::CreateRun(run("t", id, RunStatus::Running));
        let event_by_who = with!(ThreadEvent {
            user: Some(User::new(id)),
            ..answer("t", &format!("by-edit-{number}"), None)
        });
        let event_by_who = ThreadEdit::CreateEvent(Box::new(event_by_who));
        let of_whom = ThreadDraft {
            thread: NewThread::new(format!("of-{number}")),
            owner: User::new(id),
            ..draft.clone()
        };
        // All of them wait for the database at the same time.
        let (made, sent, by_who, ok, event, run, event_by_who, of_whom) = tokio::join!(
            store.create_thread(&here, draft),
            store.begin_turn(&here, sent, &runs[0]),
            store.begin_turn(&here, by_who, &runs[1]),
            store.begin_turn(&here, ok, &runs[2]),
            store.edit_thread(&here, "t", event),
            store.edit_thread(&here, "t", run),
            store.edit_thread(&here, "t", event_by_who),
            store.create_thread(&here, of_whom),
        );
        ok.unwrap();
        for (event_id, outcome) in [
            (id, event.map(drop)),
            (&format!("sent-{number}"), sent.map(drop)),
            (&format!("by-{number}"), by_who.map(drop)),
            (&format!("by-edit-{number}"), event_by_who.map(drop)),
        ] {
            let stored = store.event(&here, "t", event_id).await;
            assert_stored_or_invalid(stored.is_ok(), outcome);
        }
        let stored = store.run(&here, "t", id).await;
        assert_stored_or_invalid(stored.is_ok(), run.map(drop));
        let of_whom_id = format!("of-{number}");
        for (thread_id, outcome) in [(id, made), (&of_whom_id, of_whom)] {
            let stored = store.thread(&here, thread_id).await;
            assert_stored_or_invalid(stored.is_ok(), outcome.map(drop));
        }
    }
}

/// Checks that the operation either succeeded or failed as invalid, as some stores accept such ids.
#[track_caller]
fn assert_stored_or_invalid(is_stored: bool, outcome: Result<(), StoreError>) {
    match outcome {
        Ok(()) => assert!(is_stored),
        Err(StoreError::Invalid(_)) => assert!(!is_stored),
        Err(other) => panic!("{other:?}"),
    }
}
