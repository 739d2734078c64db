//! Forms whose answer a running turn waits for.

use crate::asserts::{
    assert_conflict, assert_not_found, assert_stale, dump, events_of, invalid, kinds, runs_of,
    turn_state,
};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, answer, begin_thread, ben, existing, finish, form, form_response, message, now,
    private_scope, run_change, say, scope, start, write,
};
use dooers::OnBusy;
use dooers::protocol::{Form, FormElement, RunStatus, ThreadEvent};
use dooers::store::{
    AnswerSeal, AnsweredQuestion, BeginOutcome, Cancel, CancelTarget, Claim, ClaimOptions,
    EventPatch, GivenAnswer, HeldTurn, KeyedDigest, NewMessage, Participant, Question,
    SealedAnswer, StoreError, ThreadEdit, TurnChange, TurnState, UnaskedQuestion,
};
use dooers_tests::with;
use futures::future::join_all;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

cases![
    answer_is_stored_without_a_turn,
    answer_ignores_the_busy_policy,
    question_accepts_one_answer,
    one_of_many_concurrent_answers_is_accepted,
    answer_of_another_user_is_forbidden,
    answer_outside_the_scope_is_not_found,
    answer_that_does_not_fit_leaves_the_question_open,
    answer_to_a_canceled_turn_is_rejected,
    repeated_answer_is_found,
    password_is_stored_sealed_with_the_question,
    renewal_returns_questions_and_answers,
    ended_question_closes_its_form,
    answered_question_is_not_closed,
    received_answer_is_forgotten,
    end_of_the_turn_closes_its_forms,
    retry_closes_the_forms_of_the_attempt,
    lost_turn_closes_its_forms,
    question_that_begins_with_the_end_is_closed,
    each_concurrent_turn_has_its_questions,
    removed_form_ends_its_question,
    new_data_keeps_the_form_asked,
    deleted_thread_deletes_its_questions,
    stale_turn_cannot_ask,
];

const HOUR: Duration = Duration::from_secs(3600);

/// A form that the turn of its writer waits for.
fn asks(form: ThreadEvent, user_id: Option<&str>) -> TurnChange {
    let mut data = form.data.clone().unwrap();
    data["asked"] = json!({"expires_at": "2026-02-11T05:49:09.123456Z"});
    if let Some(user_id) = user_id {
        data["asked"]["user_id"] = user_id.into();
    }
    let form = with!(ThreadEvent {
        data: Some(data),
        ..form
    });
    TurnChange::Event(Box::new(form))
}

fn ends(form: &str, is_over: bool) -> TurnChange {
    TurnChange::EndQuestion {
        form_event_id: form.to_owned(),
        is_over,
    }
}

/// A thread `t` whose running turn asks these forms.
async fn asking(store: &AnyStore, forms: &[&str]) -> Claim {
    let claim = begin_thread(store, "t", "r").await;
    let forms = forms.iter().map(|id| asks(form("t", id), None)).collect();
    write(store, &claim.key, forms).await;
    claim
}

fn values(form: &str) -> Value {
    json!({"form_event_id": form, "cancelled": false, "values": {"size": "L"}})
}

async fn respond(store: &AnyStore, event_id: &str, form: &str) -> Result<BeginOutcome, StoreError> {
    let new = form_response("t", event_id, values(form));
    store.begin_turn(&scope(), new, &start("none")).await
}

async fn questions(store: &AnyStore) -> Vec<Question> {
    let held = store.renew_leases("node", HOUR).await.unwrap();
    held.into_iter().flat_map(|turn| turn.questions).collect()
}

fn question(form: &str, answer: Option<&str>) -> Question {
    Question {
        form_event_id: form.to_owned(),
        user_id: None,
        answer: answer.map(|event_id| GivenAnswer {
            event_id: event_id.to_owned(),
            sealed: None,
        }),
    }
}

/// Whether the form with this id is closed, as readers see it.
async fn is_closed(store: &AnyStore, form: &str) -> bool {
    let event = store.event(&scope(), "t", form).await.unwrap();
    event.asked().unwrap().closed
}

/// Checks that these changes close these forms, and that nobody can answer them.
async fn assert_closed(store: &AnyStore, changes: &[ThreadEvent], forms: &[&str]) {
    let is_closed_form = |event: &&ThreadEvent| event.asked().is_some_and(|asked| asked.closed);
    let closed: Vec<_> = changes.iter().filter(is_closed_form).collect();
    let ids: Vec<_> = closed.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, forms);
    for form in forms {
        assert!(is_closed(store, form).await);
        let before = dump(store, &scope()).await;
        assert_conflict(respond(store, "late", form).await);
        assert_eq!(dump(store, &scope()).await, before);
    }
}

async fn answer_is_stored_without_a_turn(store: &AnyStore) {
    let claim = asking(store, &["f"]).await;
    say(store, existing("t"), "waits", "none").await;
    let new = NewMessage {
        user: ben(),
        participant: Participant::user(&ben()),
        ..form_response("t", "a", values("f"))
    };
    let begun = store.begin_turn(&scope(), new, &start("r2")).await.unwrap();
    assert_eq!(kinds(&begun.changes), ["thread", "event"]);
    assert!(begun.claim.is_none() && begun.interrupted.is_empty() && !begun.is_repeated);
    let answered = AnsweredQuestion {
        turn: claim.key.clone(),
        form_event_id: "f".to_owned(),
        sealed: None,
    };
    assert_eq!(begun.answered, Some(answered));
    assert_eq!(begun.event.data, Some(values("f")));
    assert_eq!(begun.event.user.as_ref().unwrap().user_id, "ben");
    assert_eq!(turn_state(store, "t", "a").await, TurnState::Ended);
    let private = private_scope(&ben());
    assert_eq!(store.event(&private, "t", "a").await.unwrap(), begun.event);
    // The turn goes on, and the message waits for its end.
    write(store, &claim.key, Vec::new()).await;
    let next = finish(store, &claim.key, "r3").await.unwrap();
    assert_eq!(next.key.event_id, "waits");
}

async fn answer_ignores_the_busy_policy(store: &AnyStore) {
    asking(store, &["a", "b", "c", "d"]).await;
    for (form, on_busy) in [
        ("a", OnBusy::Queue { limit: 0 }),
        ("b", OnBusy::Reject),
        ("c", OnBusy::Interrupt),
        ("d", OnBusy::Concurrent),
    ] {
        let start = ClaimOptions {
            on_busy,
            ..start("none")
        };
        let new = form_response("t", &format!("to-{form}"), values(form));
        let begun = store.begin_turn(&scope(), new, &start).await.unwrap();
        assert!(begun.answered.is_some() && begun.claim.is_none());
        assert!(begun.interrupted.is_empty());
        assert_eq!(kinds(&begun.changes), ["event"]);
    }
    let held = store.renew_leases("node", HOUR).await.unwrap();
    assert!(!held[0].is_cancelled);
}

async fn question_accepts_one_answer(store: &AnyStore) {
    let claim = asking(store, &["f"]).await;
    respond(store, "a", "f").await.unwrap();
    let before = dump(store, &scope()).await;
    assert_conflict(respond(store, "b", "f").await);
    assert_eq!(dump(store, &scope()).await, before);
    finish(store, &claim.key, "none").await;
    assert_conflict(respond(store, "b", "f").await);
}

async fn one_of_many_concurrent_answers_is_accepted(store: &AnyStore) {
    let claim = asking(store, &["f"]).await;
    let answers = (0..8).map(|number| {
        let store = Arc::clone(store);
        tokio::spawn(async move { respond(&store, &format!("a{number}"), "f").await })
    });
    let outcomes = join_all(answers).await;
    let accepted = outcomes.iter().filter(|outcome| {
        let outcome = outcome.as_ref().unwrap();
        match outcome {
            Ok(begun) => begun.answered.as_ref().unwrap().turn == claim.key,
            Err(StoreError::Conflict(_)) => false,
            Err(error) => panic!("{error:?}"),
        }
    });
    assert_eq!(accepted.count(), 1);
}

async fn answer_of_another_user_is_forbidden(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    write(store, &claim.key, vec![asks(form("t", "f"), Some("ben"))]).await;
    let before = dump(store, &scope()).await;
    let refused = respond(store, "a", "f").await;
    assert!(
        matches!(refused, Err(StoreError::Forbidden(_))),
        "{refused:?}"
    );
    assert_eq!(dump(store, &scope()).await, before);
    let new = NewMessage {
        user: ben(),
        participant: Participant::user(&ben()),
        ..form_response("t", "b", values("f"))
    };
    let begun = store.begin_turn(&scope(), new, &start("none")).await;
    assert!(begun.unwrap().answered.is_some());
}

async fn answer_outside_the_scope_is_not_found(store: &AnyStore) {
    asking(store, &["f"]).await;
    let before = dump(store, &scope()).await;
    let new = NewMessage {
        user: ben(),
        participant: Participant::user(&ben()),
        ..form_response("t", "a", values("f"))
    };
    let private = private_scope(&ben());
    assert_not_found(store.begin_turn(&private, new, &start("none")).await);
    begin_thread(store, "other", "r2").await;
    let elsewhere = form_response("other", "b", values("f"));
    assert_not_found(store.begin_turn(&scope(), elsewhere, &start("none")).await);
    assert_eq!(questions(store).await, [question("f", None)]);
    drop(before);
}

async fn answer_that_does_not_fit_leaves_the_question_open(store: &AnyStore) {
    asking(store, &["f"]).await;
    let before = dump(store, &scope()).await;
    for data in [
        json!({"form_event_id": "f"}),
        json!({"form_event_id": "f", "values": {"size": 3}}),
        json!({"form_event_id": "f", "values": {"size": "L", "more": 1}}),
    ] {
        let new = form_response("t", "a", data);
        invalid(store.begin_turn(&scope(), new, &start("none")).await);
    }
    assert_eq!(dump(store, &scope()).await, before);
    let cancelled = json!({"form_event_id": "f", "cancelled": true});
    let new = form_response("t", "a", cancelled);
    let begun = store.begin_turn(&scope(), new, &start("none")).await;
    assert!(begun.unwrap().answered.is_some());
    assert_eq!(questions(store).await, [question("f", Some("a"))]);
}

async fn answer_to_a_canceled_turn_is_rejected(store: &AnyStore) {
    asking(store, &["f"]).await;
    let cancel = Cancel {
        target: CancelTarget::Run("r".to_owned()),
        run_id: "none".to_owned(),
        at: now(),
    };
    store.cancel_turn(Some(&scope()), &cancel).await.unwrap();
    let before = dump(store, &scope()).await;
    assert_conflict(respond(store, "a", "f").await);
    assert_eq!(dump(store, &scope()).await, before);
}

async fn repeated_answer_is_found(store: &AnyStore) {
    let claim = asking(store, &["f"]).await;
    let send = |event_id: &str, data: Value| {
        let new = NewMessage {
            client_event_id: Some("c".to_owned()),
            ..form_response("t", event_id, data)
        };
        let store = Arc::clone(store);
        async move { store.begin_turn(&scope(), new, &start("none")).await }
    };
    let first = send("a", values("f")).await.unwrap();
    let other = json!({"form_event_id": "f", "cancelled": false, "values": {"size": "M"}});
    for _ in 0..2 {
        let again = send("b", values("f")).await.unwrap();
        assert!(again.is_repeated && again.answered.is_none() && again.changes.is_empty());
        assert_eq!((again.event, again.rev), (first.event.clone(), first.rev));
        assert_conflict(send("b", other.clone()).await);
        // The second time, the turn has ended.
        let _ = store
            .finish_turn(&scope(), &claim.key, Vec::new(), None)
            .await;
    }
}

async fn password_is_stored_sealed_with_the_question(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let pin = Form::new("Who are you?").element(FormElement::password("pin", "PIN").required());
    let pin = with!(ThreadEvent {
        data: Some(serde_json::to_value(pin).unwrap()),
        ..form("t", "f")
    });
    write(store, &claim.key, vec![asks(pin, None)]).await;
    let digest = |text: &str| KeyedDigest {
        key_id: "k".to_owned(),
        digest: text.to_owned(),
    };
    let send = |event_id: &str, hash: &str| {
        let data = json!({"form_event_id": "f", "values": {"pin": "hunter-2"}});
        let new = NewMessage {
            client_event_id: Some("c".to_owned()),
            seal: Some(AnswerSeal {
                sealed: SealedAnswer {
                    text: "c2VhbGVk".to_owned(),
                    digest: digest(hash),
                },
                others: Vec::new(),
            }),
            ..form_response("t", event_id, data)
        };
        let store = Arc::clone(store);
        async move { store.begin_turn(&scope(), new, &start("none")).await }
    };
    let begun = send("a", "one").await.unwrap();
    let sealed = begun.answered.unwrap().sealed.unwrap();
    assert_eq!(sealed.digest, digest("one"));
    let all = questions(store).await;
    assert_eq!(all[0].answer.as_ref().unwrap().sealed, Some(sealed));
    let seen = format!(
        "{all:?} {:?} {:?}",
        begun.event,
        dump(store, &scope()).await
    );
    assert!(!seen.contains("hunter"), "{seen}");
    // Until the handler has received the answer, a repeated one is compared with its password.
    assert!(send("b", "one").await.unwrap().is_repeated);
    assert_conflict(send("b", "two").await);
    write(store, &claim.key, vec![ends("f", true)]).await;
    assert!(send("b", "two").await.unwrap().is_repeated);
}

async fn renewal_returns_questions_and_answers(store: &AnyStore) {
    let claim = asking(store, &["f", "g"]).await;
    respond(store, "a", "g").await.unwrap();
    let expected = HeldTurn {
        key: claim.key.clone(),
        scope: scope(),
        is_cancelled: false,
        questions: vec![question("f", None), question("g", Some("a"))],
    };
    let held = store.renew_leases("node", HOUR).await.unwrap();
    assert_eq!(held, [expected]);
    // The turn may have been changed in another process.
    let text = TurnChange::Event(Box::new(answer("t", "text", None)));
    write(store, &claim.key, vec![text]).await;
    assert_eq!(questions(store).await.len(), 2);
}

async fn ended_question_closes_its_form(store: &AnyStore) {
    let claim = asking(store, &["f", "g"]).await;
    for (form, is_over) in [("f", false), ("g", true)] {
        let written = write(store, &claim.key, vec![ends(form, is_over)]).await;
        assert_closed(store, &events_of(&written), &[form]).await;
        let again = write(store, &claim.key, vec![ends(form, is_over)]).await;
        assert!(again.is_empty());
    }
    assert!(questions(store).await.is_empty());
    assert!(
        write(store, &claim.key, vec![ends("nothing", true)])
            .await
            .is_empty()
    );
}

async fn answered_question_is_not_closed(store: &AnyStore) {
    let claim = asking(store, &["f"]).await;
    respond(store, "a", "f").await.unwrap();
    let written = write(store, &claim.key, vec![ends("f", false)]).await;
    assert!(written.is_empty());
    assert_eq!(questions(store).await, [question("f", Some("a"))]);
    let finished = store
        .finish_turn(&scope(), &claim.key, Vec::new(), None)
        .await;
    assert!(finished.unwrap().changes.is_empty());
    assert!(!is_closed(store, "f").await);
}

async fn received_answer_is_forgotten(store: &AnyStore) {
    let claim = asking(store, &["f", "g"]).await;
    respond(store, "a", "f").await.unwrap();
    let written = write(store, &claim.key, vec![ends("f", true)]).await;
    assert!(written.is_empty());
    assert_eq!(questions(store).await, [question("g", None)]);
    assert!(!is_closed(store, "f").await);
    assert_conflict(respond(store, "b", "f").await);
}

async fn end_of_the_turn_closes_its_forms(store: &AnyStore) {
    let claim = asking(store, &["f", "g", "h"]).await;
    respond(store, "a", "g").await.unwrap();
    let changes = vec![
        TurnChange::EndQuestions,
        run_change("t", "r", RunStatus::Succeeded),
    ];
    let finished = store
        .finish_turn(&scope(), &claim.key, changes, None)
        .await
        .unwrap();
    // The run ends last.
    assert_eq!(kinds(&finished.changes), ["event", "event", "run"]);
    assert_closed(store, &events_of(&finished.changes), &["f", "h"]).await;
    assert!(questions(store).await.is_empty());
    // The next turn has questions of its own.
    let claim = say(store, existing("t"), "next", "r2").await.claim.unwrap();
    write(store, &claim.key, vec![asks(form("t", "i"), None)]).await;
    assert_conflict(respond(store, "late", "f").await);
    assert!(respond(store, "b", "i").await.unwrap().answered.is_some());
}

async fn retry_closes_the_forms_of_the_attempt(store: &AnyStore) {
    let claim = asking(store, &["f"]).await;
    let retried = store
        .retry_turn(&scope(), &claim.key, Vec::new(), now())
        .await
        .unwrap();
    assert_closed(store, &events_of(&retried.changes), &["f"]).await;
    let claimed = store.claim_turn(&scope(), "t", &start("none")).await;
    let claim = claimed.unwrap().unwrap();
    assert!(questions(store).await.is_empty());
    write(store, &claim.key, vec![asks(form("t", "g"), None)]).await;
    assert_conflict(respond(store, "late", "f").await);
    let begun = respond(store, "a", "g").await.unwrap();
    assert_eq!(begun.answered.unwrap().turn, claim.key);
    // A turn that was cancelled ends.
    write(store, &claim.key, vec![asks(form("t", "h"), None)]).await;
    let cancel = Cancel {
        target: CancelTarget::Run("r".to_owned()),
        run_id: "none".to_owned(),
        at: now(),
    };
    store.cancel_turn(Some(&scope()), &cancel).await.unwrap();
    let retried = store
        .retry_turn(&scope(), &claim.key, Vec::new(), now())
        .await
        .unwrap();
    assert!(retried.is_cancelled);
    assert_closed(store, &events_of(&retried.changes), &["h"]).await;
}

async fn lost_turn_closes_its_forms(store: &AnyStore) {
    for (retries, attempts) in [(0, 1), (1, 2)] {
        let thread_id = format!("t{retries}");
        let start = ClaimOptions {
            retries,
            ..start(&format!("r{retries}"))
        };
        let question = format!("q{retries}");
        let new = message(crate::fixtures::new_thread(&thread_id), &question, &ana());
        let begun = store.begin_turn(&scope(), new, &start).await.unwrap();
        let key = begun.claim.unwrap().key;
        let form_id = format!("f{retries}");
        write(store, &key, vec![asks(form(&thread_id, &form_id), None)]).await;
        let expired = store.expire_leases(now()).await.unwrap();
        let changes = &expired.changes[0].changes;
        let closed = events_of(changes);
        assert_eq!(closed[0].id, form_id);
        assert!(closed[0].asked().unwrap().closed);
        let ended = runs_of(changes).len();
        assert_eq!(ended + attempts, 2, "{changes:?}");
        let data = values(&form_id);
        let late = form_response(&thread_id, "late", data);
        assert_conflict(store.begin_turn(&scope(), late, &start).await);
    }
}

async fn question_that_begins_with_the_end_is_closed(store: &AnyStore) {
    let claim = begin_thread(store, "t", "r").await;
    let changes = vec![asks(form("t", "f"), None)];
    let finished = store
        .finish_turn(&scope(), &claim.key, changes, None)
        .await
        .unwrap();
    let events = events_of(&finished.changes);
    assert_eq!(events.len(), 2);
    assert_closed(store, &events[1..], &["f"]).await;
}

async fn each_concurrent_turn_has_its_questions(store: &AnyStore) {
    let concurrent = |run_id: &str| ClaimOptions {
        on_busy: OnBusy::Concurrent,
        ..start(run_id)
    };
    let claim = asking(store, &["f"]).await;
    let new = message(existing("t"), "other", &ana());
    let begun = store.begin_turn(&scope(), new, &concurrent("r2")).await;
    let other = begun.unwrap().claim.unwrap();
    write(store, &other.key, vec![asks(form("t", "g"), None)]).await;
    for (form, key) in [("g", &other.key), ("f", &claim.key)] {
        let new = form_response("t", &format!("to-{form}"), values(form));
        let begun = store.begin_turn(&scope(), new, &concurrent("none")).await;
        assert_eq!(&begun.unwrap().answered.unwrap().turn, key);
    }
    // A turn cannot end the question of another one.
    assert!(
        write(store, &other.key, vec![ends("f", true)])
            .await
            .is_empty()
    );
    assert_eq!(questions(store).await.len(), 2);
}

async fn removed_form_ends_its_question(store: &AnyStore) {
    let claim = asking(store, &["f", "g"]).await;
    respond(store, "a", "g").await.unwrap();
    let unasked = UnaskedQuestion {
        turn: claim.key.clone(),
        form_event_id: "f".to_owned(),
    };
    for (form, unasked) in [("f", Some(unasked)), ("g", None)] {
        let remove = ThreadEdit::RemoveEvent {
            event_id: form.to_owned(),
            run_id: "none".to_owned(),
            at: now(),
        };
        let edited = store.edit_thread(&scope(), "t", remove).await.unwrap();
        assert_eq!(edited.unasked, unasked);
        assert_eq!(kinds(&edited.changes), ["event"]);
        assert_not_found(respond(store, "late", form).await);
    }
    assert_eq!(questions(store).await, [question("g", Some("a"))]);
    assert!(finish(store, &claim.key, "none").await.is_none());
    let removed = store.event(&scope(), "t", "f").await.unwrap();
    assert!(removed.is_deleted());
}

async fn new_data_keeps_the_form_asked(store: &AnyStore) {
    let claim = asking(store, &["f"]).await;
    let update = |data: Value| {
        let edit = ThreadEdit::UpdateEvent {
            event_id: "f".to_owned(),
            patch: EventPatch::default().data(data),
        };
        let store = Arc::clone(store);
        async move { store.edit_thread(&scope(), "t", edit).await.unwrap() }
    };
    let plain = serde_json::to_value(Form::new("Another text")).unwrap();
    update(plain.clone()).await;
    let asked = store.event(&scope(), "t", "f").await.unwrap();
    assert_eq!(asked.data.as_ref().unwrap()["message"], "Another text");
    assert!(!asked.asked().unwrap().closed);
    let written = write(store, &claim.key, vec![ends("f", false)]).await;
    update(plain).await;
    assert_closed(store, &events_of(&written), &["f"]).await;
}

async fn deleted_thread_deletes_its_questions(store: &AnyStore) {
    asking(store, &["f"]).await;
    store.delete_thread(&scope(), "t").await.unwrap();
    assert!(questions(store).await.is_empty());
    assert_not_found(respond(store, "a", "f").await);
}

async fn stale_turn_cannot_ask(store: &AnyStore) {
    let claim = asking(store, &["f"]).await;
    store.expire_leases(now()).await.unwrap();
    let late = vec![asks(form("t", "g"), None)];
    assert_stale(store.write_turn(&scope(), &claim.key, late).await);
    let late = vec![ends("f", false)];
    assert_stale(store.write_turn(&scope(), &claim.key, late).await);
    assert_not_found(respond(store, "a", "g").await);
}
