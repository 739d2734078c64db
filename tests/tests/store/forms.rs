//! Answers to forms.

use crate::given::{
    ana, answer, begin_thread, ben, existing, finish, form_response, message, new_thread, private,
    say, scope, start, thread_with_form, write,
};
use crate::seen::{all_of, assert_conflict, assert_not_found, ids, invalid, kinds, picture};
use crate::stores::{AnyStore, cases};
use dooers::protocol::{EventType, Form, FormChoice, FormElement, ThreadEvent};
use dooers::store::{Begun, NewMessage, Participant, StoreError, TurnChange};
use dooers_tests::with;
use futures::future::join_all;
use serde_json::{Value, json};
use std::sync::Arc;

cases![
    an_answer_begins_a_turn_and_keeps_its_values,
    an_answer_to_a_form_of_another_thread_is_not_found,
    an_answer_to_something_else_than_a_form_is_not_found,
    an_answer_in_a_new_thread_is_not_found,
    an_answer_that_leaves_a_required_question_open_is_refused_by_its_name,
    an_answer_that_is_no_answer_is_refused,
    answer_that_does_not_fit_its_form_is_refused,
    answer_may_have_members_beside_its_values,
    unreadable_form_can_only_be_cancelled,
    a_form_that_is_cancelled_needs_no_values,
    a_form_is_answered_once,
    a_form_that_was_refused_an_answer_can_still_be_answered,
    a_refused_answer_of_somebody_new_leaves_nothing_of_them,
    of_many_answers_at_once_one_counts,
    second_answer_by_a_turn_leaves_the_first,
];

async fn respond(store: &AnyStore, event_id: &str, data: Value) -> Result<Begun, StoreError> {
    let answer = form_response("t", event_id, data);
    store.begin_turn(&scope(), answer, &start(event_id)).await
}

fn complete() -> Value {
    json!({"form_event_id": "f", "cancelled": false, "values": {"size": "L", "colour": "red"}})
}

async fn an_answer_begins_a_turn_and_keeps_its_values(store: &AnyStore) {
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

async fn an_answer_to_a_form_of_another_thread_is_not_found(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    thread_with_form(store, "other", "f").await;
    let before = picture(store, &scope()).await;
    assert_not_found(respond(store, "a", complete()).await);
    assert_eq!(picture(store, &scope()).await, before);
}

async fn an_answer_to_something_else_than_a_form_is_not_found(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let before = picture(store, &scope()).await;
    for id in ["t-question", "nothing", "", "t"] {
        let data = json!({"form_event_id": id, "values": {"size": "L"}});
        assert_not_found(respond(store, "a", data).await);
    }
    assert_eq!(picture(store, &scope()).await, before);
}

async fn an_answer_in_a_new_thread_is_not_found(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let before = picture(store, &scope()).await;
    let answer = NewMessage {
        kind: EventType::FormResponse,
        data: Some(complete()),
        ..message(new_thread("t2"), "a", &ana())
    };
    assert_not_found(store.begin_turn(&scope(), answer, &start("r2")).await);
    assert_eq!(picture(store, &scope()).await, before);
}

async fn an_answer_that_leaves_a_required_question_open_is_refused_by_its_name(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let before = picture(store, &scope()).await;
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
    assert_eq!(picture(store, &scope()).await, before);
}

async fn an_answer_that_is_no_answer_is_refused(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let before = picture(store, &scope()).await;
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
    assert_eq!(picture(store, &scope()).await, before);
}

async fn answer_that_does_not_fit_its_form_is_refused(store: &AnyStore) {
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
        ..crate::given::form("t", "g")
    });
    write(store, &claim.key, vec![TurnChange::Event(Box::new(form))]).await;
    let before = picture(store, &scope()).await;
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
    assert_eq!(picture(store, &scope()).await, before);
    let cancelled =
        json!({"form_event_id": "g", "cancelled": true, "values": {"kind": ["b"], "x": 1}});
    respond(store, "a", cancelled).await.unwrap();
}

async fn answer_may_have_members_beside_its_values(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let data =
        json!({"form_event_id": "f", "submitted_at": 7, "values": {"size": "L", "colour": ""}});
    let begun = respond(store, "a", data.clone()).await.unwrap();
    assert_eq!(begun.event.data, Some(data));
}

async fn unreadable_form_can_only_be_cancelled(store: &AnyStore) {
    let claim = thread_with_form(store, "t", "f").await;
    for (id, data) in [
        ("g", Some(json!({"elements": [{"type": "hologram"}]}))),
        ("h", None),
    ] {
        let form = with!(ThreadEvent {
            data,
            ..crate::given::form("t", id)
        });
        write(store, &claim.key, vec![TurnChange::Event(Box::new(form))]).await;
        let answer = json!({"form_event_id": id, "values": {}});
        let text = invalid(respond(store, "a", answer).await);
        assert!(text.contains("can only be cancelled"), "{text}");
        let cancelled = json!({"form_event_id": id, "cancelled": true});
        respond(store, &format!("a{id}"), cancelled).await.unwrap();
    }
}

async fn a_form_that_is_cancelled_needs_no_values(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    let data = json!({"form_event_id": "f", "cancelled": true});
    let begun = respond(store, "a", data.clone()).await.unwrap();
    assert_eq!(begun.event.data, Some(data));
    // It counts as answered.
    assert_conflict(respond(store, "b", complete()).await);
}

async fn a_form_is_answered_once(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    thread_with_form(store, "other", "g").await;
    respond(store, "a", complete()).await.unwrap();
    let before = picture(store, &scope()).await;
    let cancelled = json!({"form_event_id": "f", "cancelled": true});
    for data in [complete(), cancelled] {
        assert_conflict(respond(store, "b", data).await);
    }
    assert_eq!(picture(store, &scope()).await, before);
    // Another form is not meant by that.
    let data = json!({"form_event_id": "g", "values": {"size": "L"}});
    let answer = form_response("other", "b", data);
    assert!(
        store
            .begin_turn(&scope(), answer, &start("r2"))
            .await
            .is_ok()
    );
}

async fn a_form_that_was_refused_an_answer_can_still_be_answered(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    invalid(respond(store, "a", json!({"form_event_id": "f"})).await);
    // A message that only looks like an answer is none.
    let looks_like_one = NewMessage {
        data: Some(complete()),
        kind: EventType::Message,
        ..form_response("t", "b", json!(null))
    };
    store
        .begin_turn(&scope(), looks_like_one, &start("r2"))
        .await
        .unwrap();
    // Members that are null are as if they were not there.
    let data = json!({"form_event_id": "f", "cancelled": null, "values": {"size": "L"}});
    respond(store, "c", data).await.unwrap();
}

async fn a_refused_answer_of_somebody_new_leaves_nothing_of_them(store: &AnyStore) {
    thread_with_form(store, "t", "f").await;
    begin_thread(store, "other", "r").await;
    let before = picture(store, &scope()).await;
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
    assert_eq!(picture(store, &scope()).await, before);
    assert_not_found(store.thread(&private(&ben()), "t").await);

    respond(store, "b", complete()).await.unwrap();
    let before = picture(store, &scope()).await;
    let late = of_ben("t", complete());
    assert_conflict(store.begin_turn(&scope(), late, &start("r2")).await);
    assert_eq!(picture(store, &scope()).await, before);
}

async fn of_many_answers_at_once_one_counts(store: &AnyStore) {
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

async fn second_answer_by_a_turn_leaves_the_first(store: &AnyStore) {
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
    let (events, _) = all_of(store, &scope(), "t").await;
    assert_eq!(ids(&events), ["t-question", "f", "a", "e", "late"]);
    assert_conflict(respond(store, "again", complete()).await);
}
