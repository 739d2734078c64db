//! Answers to forms.

use crate::asserts::{
    assert_conflict, assert_not_found, dump, events_and_runs, ids, invalid, kinds,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, answer, begin_thread, ben, existing, finish, form_response, message, new_thread,
    private_scope, say, scope, start, thread_with_form, write,
};
use dooers::protocol::{EventType, Form, FormChoice, FormElement, ThreadEvent};
use dooers::store::{BeginOutcome, NewMessage, Participant, StoreError, TurnChange};
use dooers_tests::with;
use futures::future::join_all;
use serde_json::{Value, json};
use std::sync::Arc;

cases![
    answer_begins_a_turn_and_keeps_its_values,
    answer_to_a_form_of_another_thread_is_not_found,
    answer_to_a_non_form_event_is_not_found,
    answer_in_a_new_thread_is_not_found,
    answer_without_a_required_field_names_it,
    malformed_answer_is_rejected,
    answer_that_does_not_match_its_form_is_rejected,
    answer_may_have_extra_members,
    unreadable_form_can_only_be_canceled,
    canceled_form_needs_no_values,
    form_accepts_one_answer,
    form_can_be_answered_after_a_rejected_answer,
    rejected_answer_adds_no_participant,
    one_of_many_concurrent_answers_is_accepted,
    second_answer_in_a_turn_keeps_the_first,
];

async fn respond(
    store: &AnyStore,
    event_id: &str,
    data: Value,
) -> Result<BeginOutcome, StoreError> {
    let answer = form_response("t", event_id, data);
    store.begin_turn(&scope(), answer, &start(event_id)).await
}

fn complete() -> Value {
    json!({"form_event_id": "f", "cancelled": false, "values": {"size": "L", "colour": "red"}})
}

async fn answer_begins_a_turn_and_keeps_its_values(store: &AnyStore) {
    let claim = thread_with_form(store, "t", "f").await;
    finish(store, &claim.key, "none").await;
    let begun = respond(store, "a", complete()).await.unwrap();
    assert_eq!(kinds(&begun.changes), ["event", "run"]);
    assert_eq!(begun.event.kind, EventType::FormResponse);
    assert_eq!(begun.event.data, Some(complete()));
    assert_eq!(begun.event.content, Some(Vec::new()));
    let claim = begun.claim.expect("nothing runs before it");
    assert_eq!(
        (claim.key.event_id.as_str(), claim.event),
        ("a", begun.event)
    );
}

async fn answer_to_a_form_of_another_thread_is_not_found(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    thread_with_form(store, "other", "f").await;
    let before = dump(store, &scope()).await;
    assert_not_found(respond(store, "a", complete()).await);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn answer_to_a_non_form_event_is_not_found(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let before = dump(store, &scope()).await;
    for id in ["t-question", "nothing", "", "t"] {
        let data = json!({"form_event_id": id, "values": {"size": "L"}});
        assert_not_found(respond(store, "a", data).await);
    }
    assert_eq!(dump(store, &scope()).await, before);
}

async fn answer_in_a_new_thread_is_not_found(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let before = dump(store, &scope()).await;
    let answer = NewMessage {
        kind: EventType::FormResponse,
        data: Some(complete()),
        ..message(new_thread("t2"), "a", &ana())
    };
    assert_not_found(store.begin_turn(&scope(), answer, &start("r2")).await);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn answer_without_a_required_field_names_it(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let before = dump(store, &scope()).await;
    for values in [
        json!({}),
        json!(null),
        json!({"colour": "red"}),
        json!({"size": null}),
        json!({"size": ""}),
        json!({"size": []}),
    ] {
        let data = json!({"form_event_id": "f", "values": values});
        let text = invalid(respond(store, "a", data).await);
        assert!(text.contains("size") && !text.contains("colour"), "{text}");
    }
    invalid(respond(store, "a", json!({"form_event_id": "f"})).await);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn malformed_answer_is_rejected(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let before = dump(store, &scope()).await;
    for data in [
        json!(null),
        json!("f"),
        json!([]),
        json!({}),
        json!({"form_event_id": 1}),
        json!({"form_event_id": "f", "cancelled": "yes"}),
        json!({"form_event_id": "f", "values": "L"}),
    ] {
        invalid(respond(store, "a", data).await);
    }
    let without = NewMessage {
        data: None,
        ..form_response("t", "a", json!(null))
    };
    invalid(store.begin_turn(&scope(), without, &start("r2")).await);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn answer_that_does_not_match_its_form_is_rejected(store: &AnyStore) {
    let claim = thread_with_form(store, "t", "f").await;
    let form = Form::new("And this?")
        .element(FormElement::select(
            "kind",
            "Kind",
            vec![FormChoice::new("a", "A")],
        ))
        .element(FormElement::text("fixed", "Fixed").disabled());
    let form = with!(ThreadEvent {
        data: Some(serde_json::to_value(form).unwrap()),
        ..crate::fixtures::form("t", "g")
    });
    write(store, &claim.key, vec![TurnChange::Event(Box::new(form))]).await;
    let before = dump(store, &scope()).await;
    for (form, field, values) in [
        ("f", "size", json!({"size": " \n"})),
        ("f", "size", json!({"size": 1})),
        ("f", "colour", json!({"size": "L", "colour": ["red"]})),
        ("f", "shape", json!({"size": "L", "shape": "round"})),
        ("f", "", json!({"size": "L", "": null})),
        ("g", "kind", json!({"kind": "b"})),
        ("g", "kind", json!({"kind": ["a"]})),
        ("g", "fixed", json!({"fixed": "moved"})),
    ] {
        let data = json!({"form_event_id": form, "values": values});
        let text = invalid(respond(store, "a", data).await);
        let named = format!("`payload.event.data.values.{field}` ");
        assert!(text.starts_with(&named), "{text}");
    }
    assert_eq!(dump(store, &scope()).await, before);
    let cancelled =
        json!({"form_event_id": "g", "cancelled": true, "values": {"kind": ["b"], "x": 1}});
    respond(store, "a", cancelled).await.unwrap();
}

async fn answer_may_have_extra_members(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let data =
        json!({"form_event_id": "f", "submitted_at": 7, "values": {"size": "L", "colour": ""}});
    let begun = respond(store, "a", data.clone()).await.unwrap();
    assert_eq!(begun.event.data, Some(data));
}

async fn unreadable_form_can_only_be_canceled(store: &AnyStore) {
    let claim = thread_with_form(store, "t", "f").await;
    for (id, data) in [
        ("g", Some(json!({"elements": [{"type": "hologram"}]}))),
        ("h", None),
    ] {
        let form = with!(ThreadEvent {
            data,
            ..crate::fixtures::form("t", id)
        });
        write(store, &claim.key, vec![TurnChange::Event(Box::new(form))]).await;
        let answer = json!({"form_event_id": id, "values": {}});
        let text = invalid(respond(store, "a", answer).await);
        assert!(text.contains("can only be cancelled"), "{text}");
        let cancelled = json!({"form_event_id": id, "cancelled": true});
        respond(store, &format!("a{id}"), cancelled).await.unwrap();
    }
}

async fn canceled_form_needs_no_values(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let data = json!({"form_event_id": "f", "cancelled": true});
    let begun = respond(store, "a", data.clone()).await.unwrap();
    assert_eq!(begun.event.data, Some(data));
    // The form counts as answered.
    assert_conflict(respond(store, "b", complete()).await);
}

async fn form_accepts_one_answer(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    thread_with_form(store, "other", "g").await;
    respond(store, "a", complete()).await.unwrap();
    let before = dump(store, &scope()).await;
    let cancelled = json!({"form_event_id": "f", "cancelled": true});
    for data in [complete(), cancelled] {
        assert_conflict(respond(store, "b", data).await);
    }
    assert_eq!(dump(store, &scope()).await, before);
    // The data names another form.
    let data = json!({"form_event_id": "g", "values": {"size": "L"}});
    let answer = form_response("other", "b", data);
    assert!(
        store
            .begin_turn(&scope(), answer, &start("r2"))
            .await
            .is_ok()
    );
}

async fn form_can_be_answered_after_a_rejected_answer(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    invalid(respond(store, "a", json!({"form_event_id": "f"})).await);
    // A message that only looks like an answer is not one.
    let looks_like_one = NewMessage {
        data: Some(complete()),
        kind: EventType::Message,
        ..form_response("t", "b", json!(null))
    };
    store
        .begin_turn(&scope(), looks_like_one, &start("r2"))
        .await
        .unwrap();
    // A null member counts as absent.
    let data = json!({"form_event_id": "f", "cancelled": null, "values": {"size": "L"}});
    respond(store, "c", data).await.unwrap();
}

async fn rejected_answer_adds_no_participant(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    begin_thread(store, "other", "r").await;
    let before = dump(store, &scope()).await;
    let of_ben = |thread_id: &str, data| NewMessage {
        client_event_id: Some("c".to_owned()),
        user: ben(),
        participant: Participant::user(&ben()),
        ..form_response(thread_id, "a", data)
    };
    let open = of_ben("t", json!({"form_event_id": "f"}));
    invalid(store.begin_turn(&scope(), open, &start("r2")).await);
    let elsewhere = of_ben("other", complete());
    assert_not_found(store.begin_turn(&scope(), elsewhere, &start("r2")).await);
    assert_eq!(dump(store, &scope()).await, before);
    assert_not_found(store.thread(&private_scope(&ben()), "t").await);

    respond(store, "b", complete()).await.unwrap();
    let before = dump(store, &scope()).await;
    let late = of_ben("t", complete());
    assert_conflict(store.begin_turn(&scope(), late, &start("r2")).await);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn one_of_many_concurrent_answers_is_accepted(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let tasks = (0..20).map(|number| {
        let store = Arc::clone(store);
        tokio::spawn(async move { respond(&store, &format!("a{number}"), complete()).await })
    });
    let answers: Vec<_> = join_all(tasks)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for refused in answers.into_iter().filter(Result::is_err) {
        assert_conflict(refused);
    }
}

async fn second_answer_in_a_turn_keeps_the_first(store: &AnyStore) {
    let claim = thread_with_form(store, "t", "f").await;
    respond(store, "a", complete()).await.unwrap();
    let answered = finish(store, &claim.key, "r2").await.unwrap();
    assert!(finish(store, &answered.key, "none").await.is_none());
    let claim = say(store, existing("t"), "e", "r3").await.claim.unwrap();
    let late = with!(ThreadEvent {
        kind: EventType::FormResponse,
        data: Some(complete()),
        ..answer("t", "late", None)
    });
    let written = write(store, &claim.key, vec![TurnChange::Event(Box::new(late))]).await;
    assert_eq!(kinds(&written), ["event"]);
    let (events, _) = events_and_runs(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["t-question", "f", "a", "e", "late"]);
    assert_conflict(respond(store, "again", complete()).await);
}
