//! Repeated messages, identified by `client_event_id`.

use crate::asserts::{
    assert_conflict, assert_not_found, dump, events_and_runs, ids, kinds, turn_state,
};
use crate::backends::{AnyStore, cases};
use crate::deletion::{forget, later};
use crate::fixtures::{
    ana, begin_thread, ben, existing, finish, form_response, message, new_thread, repeatable,
    scope, start, thread_with_form,
};
use dooers::protocol::{ContentPart, EventType, User};
use dooers::store::{BeginOutcome, NewMessage, Participant, Scope, StoreError, TurnState, Viewer};
use dooers_tests::with;
use futures::future::join_all;
use serde_json::json;
use std::sync::Arc;

cases![
    repeat_returns_the_stored_message,
    repeat_does_not_need_a_thread_id,
    repeat_of_a_queued_message_does_not_claim_it,
    repeat_may_have_another_name_and_metadata,
    id_reused_for_other_content_is_a_conflict,
    id_reused_for_another_thread_is_a_conflict,
    id_of_another_user_is_another_message,
    id_of_the_program_is_another_message,
    id_of_another_tenant_is_another_message,
    id_reused_for_another_agent_is_a_conflict,
    repeat_to_a_deleted_thread_is_not_found,
    repeat_is_not_found_if_its_event_id_was_reused,
    rejected_message_does_not_consume_its_id,
    form_answer_can_be_repeated,
    messages_without_an_id_are_never_repeated,
    one_of_many_concurrent_repeats_is_stored,
    concurrent_repeats_create_one_thread,
    one_of_many_contents_with_one_id_is_stored,
];

async fn send(store: &AnyStore, new: NewMessage) -> Result<BeginOutcome, StoreError> {
    store.begin_turn(&scope(), new, &start("some-run")).await
}

/// A thread `t` with the message `e`, whose `client_event_id` is `c`.
async fn thread_with_message(store: &AnyStore) -> BeginOutcome {
    send(store, repeatable(new_thread("t"), "e", "c"))
        .await
        .unwrap()
}

async fn repeat_returns_the_stored_message(store: &AnyStore) {
    let first = thread_with_message(store).await;
    assert_eq!(first.event.client_event_id.as_deref(), Some("c"));
    let before = dump(store, &scope()).await;
    let again = send(store, repeatable(existing("t"), "e2", "c"))
        .await
        .unwrap();
    assert!(again.is_repeated);
    assert_eq!(turn_state(store, "t", "e").await, TurnState::Running);
    assert_eq!(again.event, first.event);
    assert!(again.changes.is_empty());
    assert!(again.claim.is_none());
    assert_eq!(dump(store, &scope()).await, before);
    // The repeat creates no turn either.
    let turn = first.claim.unwrap().key;
    assert!(finish(store, &turn, "r2").await.is_none());
    let again = send(store, repeatable(existing("t"), "e3", "c"))
        .await
        .unwrap();
    assert!(again.is_repeated && again.claim.is_none());
    assert_eq!(turn_state(store, "t", "e").await, TurnState::Ended);
}

async fn repeat_does_not_need_a_thread_id(store: &AnyStore) {
    let first = thread_with_message(store).await;
    let again = send(store, repeatable(new_thread("t2"), "e2", "c"))
        .await
        .unwrap();
    assert!(again.is_repeated);
    assert_eq!(again.event, first.event);
    assert_eq!(
        store
            .threads(&scope(), None, 10.into())
            .await
            .unwrap()
            .total_count,
        1
    );
    assert_not_found(store.thread(&scope(), "t2").await);
}

async fn repeat_of_a_queued_message_does_not_claim_it(store: &AnyStore) {
    let running = begin_thread(store, "t", "r").await;
    send(store, repeatable(existing("t"), "e", "c"))
        .await
        .unwrap();
    let again = send(store, repeatable(existing("t"), "e2", "c"))
        .await
        .unwrap();
    assert!(again.is_repeated && again.claim.is_none());
    assert_eq!(turn_state(store, "t", "e").await, TurnState::Queued);
    let next = finish(store, &running.key, "r2")
        .await
        .expect("the turn was queued");
    assert_eq!(next.key.event_id, "e");
    assert!(finish(store, &next.key, "r3").await.is_none());
}

async fn repeat_may_have_another_name_and_metadata(store: &AnyStore) {
    let first = thread_with_message(store).await;
    let before = dump(store, &scope()).await;
    let renamed = with!(User {
        user_name: Some("Ana Lima".to_owned()),
        ..ana()
    });
    let again = NewMessage {
        user: renamed,
        ..repeatable(existing("t"), "e2", "c")
    };
    assert_eq!(send(store, again).await.unwrap().event, first.event);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn id_reused_for_other_content_is_a_conflict(store: &AnyStore) {
    thread_with_message(store).await;
    let before = dump(store, &scope()).await;
    let same = || repeatable(existing("t"), "e2", "c");
    let others = [
        NewMessage {
            content: vec![ContentPart::text("something else")],
            ..same()
        },
        NewMessage {
            content: Vec::new(),
            ..same()
        },
        NewMessage {
            data: Some(json!({"more": true})),
            ..same()
        },
        NewMessage {
            kind: EventType::FormResponse,
            data: Some(json!({"form_event_id": "e"})),
            ..same()
        },
    ];
    for other in others {
        assert_conflict(send(store, other).await);
    }
    assert_eq!(dump(store, &scope()).await, before);
}

async fn id_reused_for_another_thread_is_a_conflict(store: &AnyStore) {
    thread_with_message(store).await;
    begin_thread(store, "t2", "r2").await;
    let before = dump(store, &scope()).await;
    assert_conflict(send(store, repeatable(existing("t2"), "e2", "c")).await);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn id_of_another_user_is_another_message(store: &AnyStore) {
    thread_with_message(store).await;
    let of_ben = NewMessage {
        user: ben(),
        participant: Participant::user(&ben()),
        ..repeatable(existing("t"), "e2", "c")
    };
    let begun = send(store, of_ben.clone()).await.unwrap();
    assert!(!begun.is_repeated);
    assert_eq!((begun.event.id.as_str(), begun.event.seq), ("e2", 2));
    // An anonymous user is a different user on each connection.
    for (connection, event_id) in [("1", "e3"), ("2", "e4")] {
        let of_nobody = NewMessage {
            event_id: event_id.to_owned(),
            user: User::new(""),
            participant: Participant::connection(connection),
            ..of_ben.clone()
        };
        let begun = send(store, of_nobody).await.unwrap();
        assert_eq!(
            (begun.is_repeated, begun.event.id.as_str()),
            (false, event_id)
        );
    }
    let again = NewMessage {
        event_id: "e5".to_owned(),
        ..of_ben
    };
    assert_eq!(send(store, again).await.unwrap().event.id, "e2");
}

async fn id_of_the_program_is_another_message(store: &AnyStore) {
    thread_with_message(store).await;
    let nobody = User::new("");
    for (number, user) in [ana(), nobody].into_iter().enumerate() {
        let of_program = |event_id: &str| NewMessage {
            is_of_program: true,
            user: user.clone(),
            participant: Participant::user(&user),
            ..repeatable(existing("t"), event_id, "c")
        };
        let event_id = format!("p{number}");
        let begun = send(store, of_program(&event_id)).await.unwrap();
        assert_eq!((begun.is_repeated, &begun.event.id), (false, &event_id));
        let again = send(store, of_program("unused")).await.unwrap();
        assert_eq!((again.is_repeated, &again.event.id), (true, &event_id));
        let of_client = NewMessage {
            is_of_program: false,
            ..of_program(&format!("c{number}"))
        };
        let begun = send(store, of_client).await.unwrap();
        assert_eq!(begun.is_repeated, number == 0, "{user:?}");
    }
    // Ana's message, the one of a client without a user, and the two of the program.
    store.delete_thread(&scope(), "t").await.unwrap();
    assert_eq!(forget(store, later()).await, 4);
}

async fn id_of_another_tenant_is_another_message(store: &AnyStore) {
    thread_with_message(store).await;
    let before = dump(store, &scope()).await;
    let elsewhere = || "elsewhere".to_owned();
    let tenants = [
        with!(Scope {
            worker_id: elsewhere(),
            ..scope()
        }),
        with!(Scope {
            organization_id: elsewhere(),
            ..scope()
        }),
        with!(Scope {
            workspace_id: elsewhere(),
            ..scope()
        }),
    ];
    for (number, tenant) in tenants.iter().enumerate() {
        let thread_id = format!("other-{number}");
        let event_id = format!("other-e-{number}");
        let new = repeatable(new_thread(&thread_id), &event_id, "c");
        let begun = store
            .begin_turn(tenant, new.clone(), &start(&event_id))
            .await
            .unwrap();
        assert!(!begun.is_repeated);
        assert_eq!(begun.event.thread_id, thread_id);
        let again = store
            .begin_turn(tenant, new, &start("again"))
            .await
            .unwrap();
        assert!(again.is_repeated);
        assert_eq!(again.event.id, event_id);
    }
    assert_eq!(dump(store, &scope()).await, before);
}

/// The id is unique per worker, organization, workspace and user, across agents. The error must not reveal the
/// message to the other agent.
async fn id_reused_for_another_agent_is_a_conflict(store: &AnyStore) {
    thread_with_message(store).await;
    let before = dump(store, &scope()).await;
    let other = with!(Scope {
        agent: "other".to_owned(),
        ..scope()
    });
    let repeat = async |thread| {
        let new = repeatable(thread, "e2", "c");
        store.begin_turn(&other, new, &start("r2")).await
    };
    for thread in [new_thread("t2"), existing("t")] {
        assert_conflict(repeat(thread).await);
    }
    assert_eq!(dump(store, &scope()).await, before);
    assert_eq!(
        store
            .threads(&other, None, 10.into())
            .await
            .unwrap()
            .total_count,
        0
    );

    // Nothing is known of a deleted thread, even if another agent has a thread with the same id.
    store.delete_thread(&scope(), "t").await.unwrap();
    let anew = message(new_thread("t"), "e3", &ben());
    store.begin_turn(&other, anew, &start("r3")).await.unwrap();
    assert_not_found(send(store, repeatable(existing("t"), "e4", "c")).await);
}

async fn repeat_to_a_deleted_thread_is_not_found(store: &AnyStore) {
    thread_with_message(store).await;
    store.delete_thread(&scope(), "t").await.unwrap();
    for target in [existing("t"), new_thread("t"), new_thread("t2")] {
        assert_not_found(send(store, repeatable(target, "e2", "c")).await);
    }
    assert_eq!(
        store
            .threads(&scope(), None, 10.into())
            .await
            .unwrap()
            .total_count,
        0
    );
}

async fn rejected_message_does_not_consume_its_id(store: &AnyStore) {
    assert_not_found(send(store, repeatable(existing("nowhere"), "e", "c")).await);
    let begun = send(store, repeatable(new_thread("t"), "e", "c"))
        .await
        .unwrap();
    assert!(!begun.is_repeated);
    let other = NewMessage {
        data: Some(json!({"form_event_id": "e"})),
        kind: EventType::FormResponse,
        ..repeatable(existing("t"), "e2", "c2")
    };
    assert_not_found(send(store, other).await);
    let begun = send(store, repeatable(existing("t"), "e2", "c2"))
        .await
        .unwrap();
    assert!(!begun.is_repeated);
}

async fn form_answer_can_be_repeated(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let answer = NewMessage {
        client_event_id: Some("c".to_owned()),
        ..form_response(
            "t",
            "e",
            json!({"form_event_id": "f", "values": {"size": "L"}}),
        )
    };
    let first = send(store, answer.clone()).await.unwrap();
    let before = dump(store, &scope()).await;
    let again = send(
        store,
        NewMessage {
            event_id: "e2".to_owned(),
            ..answer
        },
    )
    .await
    .unwrap();
    assert!(again.is_repeated);
    assert_eq!(again.event, first.event);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn messages_without_an_id_are_never_repeated(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    for event_id in ["e2", "e3"] {
        let new = NewMessage {
            content: vec![ContentPart::text("the same")],
            ..message(existing("t"), event_id, &ana())
        };
        let begun = send(store, new).await.unwrap();
        assert!(!begun.is_repeated);
        assert_eq!(kinds(&begun.changes), ["event"]);
    }
}

/// Sends all messages concurrently, each from its own task.
async fn send_together(
    store: &AnyStore,
    all: Vec<NewMessage>,
) -> Vec<Result<BeginOutcome, StoreError>> {
    let tasks = all.into_iter().enumerate().map(|(number, new)| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            let scope = with!(Scope {
                viewer: Viewer::Only(new.participant.clone()),
                ..scope()
            });
            store
                .begin_turn(&scope, new, &start(&format!("run-{number}")))
                .await
        })
    });
    let joined = join_all(tasks).await;
    joined
        .into_iter()
        .map(|task| task.expect("the task does not panic"))
        .collect()
}

/// Checks that exactly one message was stored, and that the others returned the stored event.
fn assert_one_stored(answers: Vec<Result<BeginOutcome, StoreError>>) -> String {
    let begun: Vec<BeginOutcome> = answers
        .into_iter()
        .map(|answer| answer.expect("the same message"))
        .collect();
    assert_eq!(begun.iter().filter(|begun| !begun.is_repeated).count(), 1);
    for each in &begun {
        assert_eq!(each.event, begun[0].event);
        assert_eq!(each.changes.is_empty(), each.is_repeated);
        assert!(each.claim.is_none() || !each.is_repeated);
    }
    begun[0].event.id.clone()
}

async fn one_of_many_concurrent_repeats_is_stored(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let all = (0..20).map(|number| repeatable(existing("t"), &format!("e{number}"), "c"));
    let stored = assert_one_stored(send_together(store, all.collect()).await);
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["t-question", stored.as_str()]);
}

async fn concurrent_repeats_create_one_thread(store: &AnyStore) {
    let all = (0..20).map(|number| {
        repeatable(
            new_thread(&format!("t{number}")),
            &format!("e{number}"),
            "c",
        )
    });
    let stored = assert_one_stored(send_together(store, all.collect()).await);
    let page = store.threads(&scope(), None, 30.into()).await.unwrap();
    assert_eq!((page.threads.len(), page.total_count), (1, 1));
    let (events, runs) = events_and_runs(store, &scope(), &page.threads[0].id).await;
    assert_eq!((ids(&events), runs.len()), (vec![stored.as_str()], 1));
}

async fn one_of_many_contents_with_one_id_is_stored(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let all = (0..20).map(|number| NewMessage {
        content: vec![ContentPart::text(number.to_string())],
        ..repeatable(existing("t"), &format!("e{number}"), "c")
    });
    let answers = send_together(store, all.collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.into_iter().filter(Result::is_err) {
        assert_conflict(refused);
    }
    assert_eq!(events_and_runs(store, &scope(), "t").await.0.len(), 2);
}

async fn repeat_is_not_found_if_its_event_id_was_reused(store: &AnyStore) {
    thread_with_message(store).await;
    store.delete_thread(&scope(), "t").await.unwrap();
    let other = message(new_thread("u"), "e", &ana());
    send(store, other).await.unwrap();
    let again = repeatable(new_thread("v"), "e2", "c");
    assert_not_found(send(store, again).await);
}
