//! A user's message: the thread it makes or finds, and the turn that begins with it.

use crate::given::{
    ana, begin_thread, ben, existing, finish, message, new_thread, now, private, say, scope, start,
};
use crate::seen::{
    all_of, assert_conflict, assert_not_found, ids, kinds, picture, revs, seqs, threads_of,
};
use crate::stores::{AnyStore, cases};
use dooers::protocol::{Actor, EventType, RunStatus, User};
use dooers::store::{NewMessage, NewThread, Participant, Scope, ThreadTarget, Viewer};
use serde_json::json;
use std::slice::from_ref;

cases![
    a_message_makes_a_thread_an_event_and_a_run_in_this_order,
    a_message_to_a_thread_that_is_there_adds_an_event_only,
    a_message_during_a_turn_is_stored_and_waits,
    turns_of_a_thread_run_in_the_order_of_their_messages,
    threads_do_not_wait_for_each_other,
    a_new_participant_changes_the_thread_before_the_event,
    a_user_with_another_name_changes_the_thread_and_one_with_the_same_does_not,
    an_event_keeps_the_author_of_its_time,
    nobody_takes_part_without_being_shown,
    nobody_on_another_connection_is_somebody_else,
    title_and_metadata_stay_with_the_thread_that_was_made,
    a_thread_that_may_be_there_is_made_once_and_then_found,
    a_thread_of_another_scope_is_never_adopted,
    a_message_to_a_thread_that_is_not_there_makes_none,
    a_thread_cannot_be_made_twice,
    a_thread_knows_its_tenant_and_its_times,
];

async fn a_message_makes_a_thread_an_event_and_a_run_in_this_order(store: &AnyStore) {
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
    assert!(claim.changes.is_empty(), "they stand in `Begun::changes`");
    let run = claim.run.expect("it was to be started with a run");
    assert_eq!((run.id.as_str(), run.thread_id.as_str()), ("r", "t"));
    assert_eq!((run.status, run.started_at), (RunStatus::Running, start.at));
    assert_eq!(
        (run.agent_id.as_deref(), run.ended_at),
        (Some("agent"), None)
    );

    let (events, runs) = all_of(store, &scope(), "t").await;
    assert_eq!((events, runs), (vec![event], vec![run]));
    assert_eq!(store.thread(&scope(), "t").await.unwrap(), claim.thread);
}

async fn a_message_to_a_thread_that_is_there_adds_an_event_only(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r1").await;
    assert!(finish(store, &claim.key, "none").await.is_none());
    let begun = say(store, existing("t"), "e2", "r2").await;
    assert_eq!(kinds(&begun.changes), ["event", "run"]);
    assert_eq!(revs(&begun.changes), [4, 5]);
    assert_eq!(begun.event.seq, 2);
    assert_eq!(begun.claim.unwrap().key.event_id, "e2");
}

async fn a_message_during_a_turn_is_stored_and_waits(store: &AnyStore) {
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
    let (events, runs) = all_of(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["t-question", "e2"]);
    assert_eq!(runs.len(), 1, "it has no run until it starts");
}

async fn turns_of_a_thread_run_in_the_order_of_their_messages(store: &AnyStore) {
    // Ids that sort the other way round, and times that do too: only the order of arrival counts.
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
        claim = next.expect("one waits");
        assert_eq!(claim.key.event_id, expected);
        assert_eq!(claim.event.id, expected);
    }
    assert!(finish(store, &claim.key, "none").await.is_none());
}

async fn threads_do_not_wait_for_each_other(store: &AnyStore) {
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

async fn a_new_participant_changes_the_thread_before_the_event(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    assert_not_found(store.thread(&private(&ben()), "t").await);
    let new = message(existing("t"), "e2", &ben());
    let at = new.at;
    let begun = store.begin_turn(&scope(), new, &start("r2")).await.unwrap();
    assert_eq!(kinds(&begun.changes), ["thread", "event"]);
    assert_eq!(revs(&begun.changes), [4, 5]);
    let thread = &threads_of(&begun.changes)[0];
    assert_eq!(thread.users, [ana(), ben()]);
    assert_eq!((&thread.owner, thread.updated_at), (&ana(), at));

    let record = store.thread(&private(&ben()), "t").await.unwrap();
    let participants = [Participant::user(&ana()), Participant::user(&ben())];
    assert_eq!(record.participants, participants);
    let again = message(existing("t"), "e3", &ben());
    let begun = store
        .begin_turn(&scope(), again, &start("r3"))
        .await
        .unwrap();
    assert_eq!(kinds(&begun.changes), ["event"]);
}

async fn a_user_with_another_name_changes_the_thread_and_one_with_the_same_does_not(
    store: &AnyStore,
) {
    begin_thread(store, "t", "r").await;
    let renamed = User {
        user_name: Some("Ana Lima".to_owned()),
        identity_ids: vec!["1".to_owned(), "2".to_owned()],
        ..ana()
    };
    for (event_id, expected) in [("e2", vec!["thread", "event"]), ("e3", vec!["event"])] {
        let new = message(existing("t"), event_id, &renamed);
        let begun = store.begin_turn(&scope(), new, &start("r2")).await.unwrap();
        assert_eq!(kinds(&begun.changes), expected);
        let record = store.thread(&scope(), "t").await.unwrap();
        assert_eq!(record.thread.users, from_ref(&renamed));
        assert_eq!(record.participants, [Participant::user(&ana())]);
    }
    // What she wrote before keeps the name she had.
    let (events, _) = all_of(store, &scope(), "t").await;
    assert_eq!(events[0].user, Some(ana()));
    assert_eq!(events[1].user, Some(renamed));
}

async fn an_event_keeps_the_author_of_its_time(store: &AnyStore) {
    let mailed = User {
        user_name: Some(" ".to_owned()),
        user_email: Some("ana@example.org".to_owned()),
        ..ana()
    };
    let named = User {
        user_name: Some(" Ana Lima\n".to_owned()),
        ..mailed.clone()
    };
    begin_thread(store, "t", "r").await;
    for (event_id, user) in [("e2", &mailed), ("e3", &named)] {
        let new = message(existing("t"), event_id, user);
        store.begin_turn(&scope(), new, &start("r2")).await.unwrap();
    }
    let (events, _) = all_of(store, &scope(), "t").await;
    let authors: Vec<_> = events.iter().map(|event| event.author.as_deref()).collect();
    assert_eq!(authors, [None, Some("ana@example.org"), Some("Ana Lima")]);
}

fn message_of_nobody(thread: ThreadTarget, event_id: &str, connection: &str) -> NewMessage {
    NewMessage {
        participant: Participant::connection(connection),
        ..message(thread, event_id, &User::new(""))
    }
}

async fn nobody_takes_part_without_being_shown(store: &AnyStore) {
    let new = message_of_nobody(new_thread("t"), "e", "c");
    let begun = store.begin_turn(&scope(), new, &start("r")).await.unwrap();
    assert_eq!(kinds(&begun.changes), ["thread", "event", "run"]);
    let thread = &threads_of(&begun.changes)[0];
    assert!(thread.users.is_empty());
    assert_eq!(thread.owner, User::new(""));
    let record = store.thread(&scope(), "t").await.unwrap();
    assert_eq!(record.participants, [Participant::connection("c")]);

    let again = message_of_nobody(existing("t"), "e2", "c");
    let begun = store
        .begin_turn(&scope(), again, &start("r2"))
        .await
        .unwrap();
    assert_eq!(kinds(&begun.changes), ["event"]);
}

async fn nobody_on_another_connection_is_somebody_else(store: &AnyStore) {
    let of_connection = |id: &str| Scope {
        viewer: Viewer::Only(Participant::connection(id)),
        ..scope()
    };
    let new = message_of_nobody(new_thread("t"), "e", "c");
    store
        .begin_turn(&of_connection("c"), new, &start("r"))
        .await
        .unwrap();
    assert!(store.thread(&of_connection("c"), "t").await.is_ok());
    assert_not_found(store.thread(&of_connection("d"), "t").await);
    // A user who takes the id of a connection, and a user without an id, are neither.
    for id in ["c", "connection:c", ""] {
        assert_not_found(store.thread(&private(&User::new(id)), "t").await);
    }
}

async fn title_and_metadata_stay_with_the_thread_that_was_made(store: &AnyStore) {
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

async fn a_thread_that_may_be_there_is_made_once_and_then_found(store: &AnyStore) {
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

async fn a_thread_of_another_scope_is_never_adopted(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let before = picture(store, &scope()).await;
    let target = ThreadTarget::ExistingOrNew(NewThread::new("t"));
    for other in [
        Scope {
            agent: "other".to_owned(),
            ..scope()
        },
        Scope {
            workspace_id: "other".to_owned(),
            ..scope()
        },
        private(&ben()),
    ] {
        let new = message(target.clone(), "e2", &ben());
        assert_not_found(store.begin_turn(&other, new, &start("r2")).await);
    }
    assert_eq!(picture(store, &scope()).await, before);
}

async fn a_message_to_a_thread_that_is_not_there_makes_none(store: &AnyStore) {
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
    // Nothing of it is left that would be in the way of the thread when it is made.
    let begun = say(store, new_thread("nowhere"), "e", "r").await;
    assert_eq!(seqs(&[begun.event]), [1]);
}

async fn a_thread_cannot_be_made_twice(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let before = picture(store, &scope()).await;
    let again = message(new_thread("t"), "e2", &ben());
    assert_conflict(store.begin_turn(&scope(), again, &start("r2")).await);
    assert_eq!(picture(store, &scope()).await, before);
}

async fn a_thread_knows_its_tenant_and_its_times(store: &AnyStore) {
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
