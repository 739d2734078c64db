//! Messages of users: the thread that each creates or finds, and the turn that it begins.

use crate::asserts::{
    assert_conflict, assert_not_found, dump, events_and_runs, ids, kinds, revs, seqs, threads_of,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, begin_thread, ben, existing, finish, message, new_thread, now, private_scope, say, scope,
    start,
};
use dooers::protocol::{Actor, EventType, RunStatus, User};
use dooers::store::{NewMessage, NewThread, Participant, Scope, ThreadTarget, Viewer};
use dooers_tests::with;
use serde_json::json;
use std::slice::from_ref;

cases![
    first_message_creates_thread_then_event_then_run,
    message_to_existing_thread_adds_only_an_event,
    message_during_a_turn_is_stored_and_queued,
    turns_of_a_thread_run_in_message_order,
    threads_run_independently,
    new_participant_updates_thread_before_event,
    thread_changes_only_when_a_user_name_changes,
    event_keeps_its_original_author_name,
    anonymous_user_is_a_hidden_participant,
    anonymous_user_is_bound_to_its_connection,
    title_and_metadata_are_set_only_on_creation,
    create_if_missing_creates_once_then_finds,
    thread_of_another_scope_is_never_adopted,
    message_to_missing_thread_creates_none,
    thread_cannot_be_created_twice,
    thread_has_its_tenant_and_timestamps,
];

async fn first_message_creates_thread_then_event_then_run(store: &AnyStore) {
    let new = message(new_thread("t"), "e", &ana());
    let start = start("r");
    let begun = store
        .begin_turn(&scope(), new.clone(), &start)
        .await
        .unwrap();

    assert!(!begun.is_repeated);
    assert_eq!(kinds(&begun.changes), ["thread", "event", "run"]);
    assert_eq!(revs(&begun.changes), [1, 2, 3]);
    assert!(begun.changes.iter().all(|change| change.thread_id == "t"));

    let event = begun.event;
    assert_eq!((event.id.as_str(), event.thread_id.as_str()), ("e", "t"));
    assert_eq!((event.seq, event.run_id.as_deref()), (1, None));
    assert_eq!((event.kind, event.actor), (EventType::Message, Actor::User));
    assert_eq!(event.content, Some(new.content));
    assert_eq!(event.user, Some(ana()));
    assert_eq!(event.created_at, new.at);

    let claim = begun.claim.expect("nothing runs before it");
    assert_eq!(
        (claim.key.thread_id.as_str(), claim.key.event_id.as_str()),
        ("t", "e")
    );
    assert_eq!((claim.attempt, claim.thread.rev), (1, 3));
    assert_eq!(claim.event, event);
    assert!(
        claim.changes.is_empty(),
        "they stand in `BeginOutcome::changes`"
    );
    let run = claim.run.expect("the turn has a run");
    assert_eq!((run.id.as_str(), run.thread_id.as_str()), ("r", "t"));
    assert_eq!((run.status, run.started_at), (RunStatus::Running, start.at));
    assert_eq!(
        (run.agent_id.as_deref(), run.ended_at),
        (Some("agent"), None)
    );

    let (events, runs) = events_and_runs(store, &scope(), "t").await;
    assert_eq!((events, runs), (vec![event], vec![run]));
    assert_eq!(store.thread(&scope(), "t").await.unwrap(), claim.thread);
}

async fn message_to_existing_thread_adds_only_an_event(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r1").await;
    assert!(finish(store, &claim.key, "none").await.is_none());
    let begun = say(store, existing("t"), "e2", "r2").await;
    assert_eq!(kinds(&begun.changes), ["event", "run"]);
    assert_eq!(revs(&begun.changes), [4, 5]);
    assert_eq!(begun.event.seq, 2);
    assert_eq!(begun.claim.unwrap().key.event_id, "e2");
}

async fn message_during_a_turn_is_stored_and_queued(store: &AnyStore) {
    begin_thread(store, "t", "r1").await;
    let begun = say(store, existing("t"), "e2", "r2").await;
    assert!(begun.claim.is_none());
    assert_eq!(kinds(&begun.changes), ["event"]);
    assert_eq!(revs(&begun.changes), [4]);
    assert!(
        store
            .claim_turn(&scope(), "t", &start("r2"))
            .await
            .unwrap()
            .is_none()
    );
    let (events, runs) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["t-question", "e2"]);
    assert_eq!(runs.len(), 1, "it has no run until it starts");
}

async fn turns_of_a_thread_run_in_message_order(store: &AnyStore) {
    // Ids and times sort in the opposite order: only the order of arrival counts.
    let mut claim = begin_thread(store, "t", "r0").await;
    let times = [now(), now(), now()];
    for (id, at) in ["z", "m", "a"].into_iter().zip(times.into_iter().rev()) {
        let new = NewMessage {
            at,
            ..message(existing("t"), id, &ana())
        };
        store
            .begin_turn(&scope(), new, &start("waits"))
            .await
            .unwrap();
    }
    for expected in ["z", "m", "a"] {
        let next = finish(store, &claim.key, &format!("run-{expected}")).await;
        claim = next.expect("one turn is queued");
        assert_eq!(claim.key.event_id, expected);
        assert_eq!(claim.event.id, expected);
    }
    assert!(finish(store, &claim.key, "none").await.is_none());
}

async fn threads_run_independently(store: &AnyStore) {
    let first = begin_thread(store, "t1", "r1").await;
    let second = begin_thread(store, "t2", "r2").await;
    assert_eq!((first.thread.rev, second.thread.rev), (3, 3));
    assert_eq!((first.event.seq, second.event.seq), (1, 1));
    say(store, existing("t1"), "e2", "r3").await;
    assert!(finish(store, &second.key, "none").await.is_none());
    assert_eq!(
        finish(store, &first.key, "r3").await.unwrap().key.event_id,
        "e2"
    );
}

async fn new_participant_updates_thread_before_event(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    assert_not_found(store.thread(&private_scope(&ben()), "t").await);
    let new = message(existing("t"), "e2", &ben());
    let at = new.at;
    let begun = store.begin_turn(&scope(), new, &start("r2")).await.unwrap();
    assert_eq!(kinds(&begun.changes), ["thread", "event"]);
    assert_eq!(revs(&begun.changes), [4, 5]);
    let thread = &threads_of(&begun.changes)[0];
    assert_eq!(thread.users, [ana(), ben()]);
    assert_eq!((&thread.owner, thread.updated_at), (&ana(), at));

    let record = store.thread(&private_scope(&ben()), "t").await.unwrap();
    let participants = [Participant::user(&ana()), Participant::user(&ben())];
    assert_eq!(record.participants, participants);
    let again = message(existing("t"), "e3", &ben());
    let begun = store
        .begin_turn(&scope(), again, &start("r3"))
        .await
        .unwrap();
    assert_eq!(kinds(&begun.changes), ["event"]);
}

async fn thread_changes_only_when_a_user_name_changes(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let renamed = with!(User {
        user_name: Some("Ana Lima".to_owned()),
        identity_ids: vec!["1".to_owned(), "2".to_owned()],
        ..ana()
    });
    for (event_id, expected) in [("e2", vec!["thread", "event"]), ("e3", vec!["event"])] {
        let new = message(existing("t"), event_id, &renamed);
        let begun = store.begin_turn(&scope(), new, &start("r2")).await.unwrap();
        assert_eq!(kinds(&begun.changes), expected);
        let record = store.thread(&scope(), "t").await.unwrap();
        assert_eq!(record.thread.users, from_ref(&renamed));
        assert_eq!(record.participants, [Participant::user(&ana())]);
    }
    // Her earlier events keep the earlier name.
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(events[0].user, Some(ana()));
    assert_eq!(events[1].user, Some(renamed));
}

async fn event_keeps_its_original_author_name(store: &AnyStore) {
    let mailed = with!(User {
        user_name: Some(" ".to_owned()),
        user_email: Some("ana@example.org".to_owned()),
        ..ana()
    });
    let named = with!(User {
        user_name: Some(" Ana Lima\n".to_owned()),
        ..mailed.clone()
    });
    begin_thread(store, "t", "r").await;
    for (event_id, user) in [("e2", &mailed), ("e3", &named)] {
        let new = message(existing("t"), event_id, user);
        store.begin_turn(&scope(), new, &start("r2")).await.unwrap();
    }
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    let authors: Vec<_> = events.iter().map(|event| event.author.as_deref()).collect();
    assert_eq!(authors, [None, Some("ana@example.org"), Some("Ana Lima")]);
}

fn anonymous_message(thread: ThreadTarget, event_id: &str, connection: &str) -> NewMessage {
    NewMessage {
        participant: Participant::connection(connection),
        ..message(thread, event_id, &User::new(""))
    }
}

async fn anonymous_user_is_a_hidden_participant(store: &AnyStore) {
    let new = anonymous_message(new_thread("t"), "e", "c");
    let begun = store.begin_turn(&scope(), new, &start("r")).await.unwrap();
    assert_eq!(kinds(&begun.changes), ["thread", "event", "run"]);
    let thread = &threads_of(&begun.changes)[0];
    assert!(thread.users.is_empty());
    assert_eq!(thread.owner, User::new(""));
    let record = store.thread(&scope(), "t").await.unwrap();
    assert_eq!(record.participants, [Participant::connection("c")]);

    let again = anonymous_message(existing("t"), "e2", "c");
    let begun = store
        .begin_turn(&scope(), again, &start("r2"))
        .await
        .unwrap();
    assert_eq!(kinds(&begun.changes), ["event"]);
}

async fn anonymous_user_is_bound_to_its_connection(store: &AnyStore) {
    let of_connection = |id: &str| {
        with!(Scope {
            viewer: Viewer::Only(Participant::connection(id)),
            ..scope()
        })
    };
    let new = anonymous_message(new_thread("t"), "e", "c");
    store
        .begin_turn(&of_connection("c"), new, &start("r"))
        .await
        .unwrap();
    assert!(store.thread(&of_connection("c"), "t").await.is_ok());
    assert_not_found(store.thread(&of_connection("d"), "t").await);
    // A user whose id equals a connection id, or whose id is empty, is a different user.
    for id in ["c", "connection:c", ""] {
        assert_not_found(store.thread(&private_scope(&User::new(id)), "t").await);
    }
}

async fn title_and_metadata_are_set_only_on_creation(store: &AnyStore) {
    let metadata = json!({"channel": "web", "deep": [1, {"two": null}], "n": 0.5});
    let target = ThreadTarget::New(NewThread {
        title: Some("A \"title\"".to_owned()),
        metadata: Some(metadata.clone()),
        ..NewThread::new("t")
    });
    let begun = say(store, target, "e", "r").await;
    assert_eq!(
        threads_of(&begun.changes)[0].metadata,
        Some(metadata.clone())
    );
    say(store, existing("t"), "e2", "r2").await;
    let record = store.thread(&scope(), "t").await.unwrap();
    assert_eq!(record.thread.metadata, Some(metadata));
    assert_eq!(record.thread.title.as_deref(), Some("A \"title\""));
}

async fn create_if_missing_creates_once_then_finds(store: &AnyStore) {
    let target = |title: &str| {
        ThreadTarget::ExistingOrNew(NewThread {
            title: Some(title.to_owned()),
            ..NewThread::new("t")
        })
    };
    let begun = say(store, target("first"), "e", "r").await;
    assert_eq!(kinds(&begun.changes), ["thread", "event", "run"]);
    assert_eq!(
        threads_of(&begun.changes)[0].title.as_deref(),
        Some("first")
    );
    let begun = say(store, target("second"), "e2", "r2").await;
    assert_eq!(kinds(&begun.changes), ["event"]);
    assert_eq!(seqs(&[begun.event]), [2]);
    let record = store.thread(&scope(), "t").await.unwrap();
    assert_eq!(record.thread.title.as_deref(), Some("first"));
}

async fn thread_of_another_scope_is_never_adopted(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let before = dump(store, &scope()).await;
    let target = ThreadTarget::ExistingOrNew(NewThread::new("t"));
    for other in [
        with!(Scope {
            agent: "other".to_owned(),
            ..scope()
        }),
        with!(Scope {
            workspace_id: "other".to_owned(),
            ..scope()
        }),
        private_scope(&ben()),
    ] {
        let new = message(target.clone(), "e2", &ben());
        assert_not_found(store.begin_turn(&other, new, &start("r2")).await);
    }
    assert_eq!(dump(store, &scope()).await, before);
}

async fn message_to_missing_thread_creates_none(store: &AnyStore) {
    let new = message(existing("nowhere"), "e", &ana());
    assert_not_found(store.begin_turn(&scope(), new, &start("r")).await);
    assert_eq!(
        store
            .threads(&scope(), None, 10.into())
            .await
            .unwrap()
            .total_count,
        0
    );
    // The rejected message leaves nothing that would conflict with the new thread.
    let begun = say(store, new_thread("nowhere"), "e", "r").await;
    assert_eq!(seqs(&[begun.event]), [1]);
}

async fn thread_cannot_be_created_twice(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let before = dump(store, &scope()).await;
    let again = message(new_thread("t"), "e2", &ben());
    assert_conflict(store.begin_turn(&scope(), again, &start("r2")).await);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn thread_has_its_tenant_and_timestamps(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let thread = claim.thread.thread.clone();
    assert_eq!(
        (thread.worker_id.as_str(), thread.agent_id.as_str()),
        ("worker", "worker")
    );
    assert_eq!(thread.organization_id, "organization");
    assert_eq!(thread.workspace_id, "workspace");
    assert_eq!(claim.thread.agent, "agent");
    assert_eq!(claim.thread.scope(), scope());
    let made = claim.event.created_at;
    assert_eq!(
        [thread.created_at, thread.updated_at, thread.last_event_at],
        [made; 3]
    );

    let begun = say(store, existing("t"), "e2", "r2").await;
    let later = store.thread(&scope(), "t").await.unwrap().thread;
    assert_eq!(later.created_at, made);
    assert_eq!(later.last_event_at, begun.event.created_at);
}
