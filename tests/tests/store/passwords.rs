//! Answers to forms with password fields. The typed passwords are stored sealed, with the turn.

use crate::asserts::{assert_conflict, dump, invalid, turn_state};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    existing, finish, form, form_response, now, say, scope, start, thread_with_form, write,
};
use dooers::protocol::{Form, FormElement, ThreadEvent};
use dooers::store::{
    AnswerSeal, BeginOutcome, Cancel, CancelTarget, Cancelled, Claim, ClaimOptions, KeyedDigest,
    NewMessage, SealedAnswer, StoreError, ThreadEdit, TurnChange, TurnState,
};
use dooers_tests::with;
use serde_json::{Value, json};

cases![
    password_is_stored_sealed_with_its_turn_only,
    password_without_a_seal_is_rejected,
    empty_password_needs_no_seal,
    canceled_form_keeps_its_password_sealed,
    canceled_form_without_a_seal_drops_its_password,
    sealed_answer_is_queued_with_its_turn,
    sealed_answer_is_kept_for_a_retry,
    sealed_answer_is_deleted_when_its_turn_ends,
    repeated_answer_is_compared_by_its_hash,
    repeat_after_the_turn_ignores_passwords,
];

/// A thread `t` in which the turn of `t-question` has sent the form `f`.
async fn asked(store: &AnyStore) -> Claim {
    let claim = thread_with_form(store, "t", "unused").await;
    let asks = Form::new("Who are you?")
        .element(FormElement::text("name", "Name"))
        .element(FormElement::password("pin", "pin").required())
        .element(FormElement::password("puk", "puk"));
    let asks = with!(ThreadEvent {
        data: Some(serde_json::to_value(asks).unwrap()),
        ..form("t", "f")
    });
    write(store, &claim.key, vec![TurnChange::Event(Box::new(asks))]).await;
    claim
}

fn digest(key_id: &str, digest: &str) -> KeyedDigest {
    KeyedDigest {
        key_id: key_id.to_owned(),
        digest: digest.to_owned(),
    }
}

fn sealed() -> SealedAnswer {
    SealedAnswer {
        text: "c2VhbGVk".to_owned(),
        digest: digest("k2", "digest-2"),
    }
}

fn answer_with(event_id: &str, values: &Value) -> NewMessage {
    let data = json!({"form_event_id": "f", "cancelled": false, "values": values});
    NewMessage {
        client_event_id: Some("c".to_owned()),
        seal: Some(AnswerSeal {
            sealed: sealed(),
            others: vec![digest("k1", "with the old key")],
        }),
        ..form_response("t", event_id, data)
    }
}

fn answer(event_id: &str) -> NewMessage {
    answer_with(
        event_id,
        &json!({"name": "Ada", "pin": "hunter-2", "puk": ""}),
    )
}

async fn send(store: &AnyStore, new: NewMessage) -> Result<BeginOutcome, StoreError> {
    store.begin_turn(&scope(), new, &start("r2")).await
}

async fn answered(store: &AnyStore) -> Claim {
    let claim = asked(store).await;
    finish(store, &claim.key, "none").await;
    send(store, answer("a")).await.unwrap().claim.unwrap()
}

async fn keys(store: &AnyStore) -> Vec<String> {
    store.turn_keys().await.unwrap()
}

fn hidden() -> Value {
    json!({
        "form_event_id": "f", "cancelled": false, "has_value": ["pin"],
        "values": {"name": "Ada", "pin": null, "puk": ""},
    })
}

async fn password_is_stored_sealed_with_its_turn_only(store: &AnyStore) {
    let claim = asked(store).await;
    finish(store, &claim.key, "none").await;
    let begun = send(store, answer("a")).await.unwrap();
    assert_eq!(begun.event.data, Some(hidden()));
    let claim = begun.claim.unwrap();
    assert_eq!(claim.event.data, Some(hidden()));
    assert_eq!(claim.sealed, Some(sealed()));
    assert_eq!(keys(store).await, ["k2"]);
    let seen = format!("{claim:?} {:?}", dump(store, &scope()).await);
    assert!(!seen.contains("hunter"), "{seen}");
    let event = store.event(&scope(), "t", "a").await.unwrap();
    assert_eq!(event.data, Some(hidden()));
}

async fn password_without_a_seal_is_rejected(store: &AnyStore) {
    asked(store).await;
    let before = dump(store, &scope()).await;
    let new = NewMessage {
        seal: None,
        ..answer("a")
    };
    let shown = format!("{new:?}");
    assert!(!shown.contains("hunter"), "{shown}");
    let text = invalid(send(store, new).await);
    assert!(
        text.contains("values.pin") && text.contains("WORKER_SECRET_KEY"),
        "{text}"
    );
    assert!(!text.contains("hunter"), "{text}");
    assert_eq!(dump(store, &scope()).await, before);
    assert!(keys(store).await.is_empty());
}

async fn empty_password_needs_no_seal(store: &AnyStore) {
    let claim = asked(store).await;
    let asks = Form::new("Well?").element(FormElement::password("pin", "pin"));
    let asks = with!(ThreadEvent {
        data: Some(serde_json::to_value(asks).unwrap()),
        ..form("t", "g")
    });
    write(store, &claim.key, vec![TurnChange::Event(Box::new(asks))]).await;
    finish(store, &claim.key, "none").await;
    // The client's own `has_value` is ignored.
    let data = json!({"form_event_id": "g", "has_value": ["pin"], "values": {"pin": ""}});
    let new = form_response("t", "a", data);
    let begun = send(store, new).await.unwrap();
    let stored = json!({"form_event_id": "g", "values": {"pin": ""}});
    assert_eq!(begun.event.data, Some(stored));
    assert_eq!(begun.claim.unwrap().sealed, None);
    assert!(keys(store).await.is_empty());
}

async fn canceled_form_keeps_its_password_sealed(store: &AnyStore) {
    let claim = asked(store).await;
    finish(store, &claim.key, "none").await;
    let data = json!({"form_event_id": "f", "cancelled": true, "values": {"pin": 1234}});
    let new = NewMessage {
        data: Some(data),
        ..answer("a")
    };
    let begun = send(store, new).await.unwrap();
    let stored = json!({
        "form_event_id": "f", "cancelled": true, "has_value": ["pin"], "values": {"pin": null},
    });
    assert_eq!(begun.event.data, Some(stored));
    assert_eq!(begun.claim.unwrap().sealed, Some(sealed()));
}

async fn canceled_form_without_a_seal_drops_its_password(store: &AnyStore) {
    let claim = asked(store).await;
    finish(store, &claim.key, "none").await;
    let data = json!({"form_event_id": "f", "cancelled": true, "values": {"pin": 1234}});
    let new = NewMessage {
        data: Some(data),
        seal: None,
        ..answer("a")
    };
    let begun = send(store, new.clone()).await.unwrap();
    let stored = json!({
        "form_event_id": "f", "cancelled": true, "has_value": ["pin"], "values": {"pin": null},
    });
    assert_eq!(begun.event.data, Some(stored));
    assert_eq!(begun.claim.unwrap().sealed, None);
    assert!(send(store, new).await.unwrap().is_repeated);
}

async fn sealed_answer_is_queued_with_its_turn(store: &AnyStore) {
    let claim = asked(store).await;
    assert!(send(store, answer("a")).await.unwrap().claim.is_none());
    assert_eq!(keys(store).await, ["k2"]);
    let next = finish(store, &claim.key, "r2").await.unwrap();
    assert_eq!(
        (next.key.event_id.as_str(), next.sealed),
        ("a", Some(sealed()))
    );
}

async fn sealed_answer_is_kept_for_a_retry(store: &AnyStore) {
    let retrying = || ClaimOptions {
        retries: 2,
        ..start("r3")
    };
    let claim = asked(store).await;
    finish(store, &claim.key, "none").await;
    let begun = store.begin_turn(&scope(), answer("a"), &retrying()).await;
    let first = begun.unwrap().claim.unwrap();
    let given_back = store
        .retry_turn(&scope(), &first.key, Vec::new(), now())
        .await;
    assert!(!given_back.unwrap().is_cancelled);
    let second = store
        .claim_turn(&scope(), "t", &retrying())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((second.attempt, second.sealed), (2, Some(sealed())));
    // The process of the turn dies.
    let recovered = store.expire_leases(now()).await.unwrap();
    assert_eq!(recovered.retried, 1);
    let third = store
        .claim_turn(&scope(), "t", &retrying())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((third.attempt, third.sealed), (3, Some(sealed())));
}

async fn sealed_answer_is_deleted_when_its_turn_ends(store: &AnyStore) {
    let cancel = || Cancel {
        target: CancelTarget::Event("a".to_owned()),
        run_id: "canceled".to_owned(),
        at: now(),
    };
    let removal = || ThreadEdit::RemoveEvent {
        event_id: "a".to_owned(),
        run_id: "removed".to_owned(),
        at: now(),
    };
    let gone = async |what: &str| {
        assert!(keys(store).await.is_empty(), "{what}");
        store.delete_thread(&scope(), "t").await.unwrap();
    };
    // A deleted thread keeps its client event ids.
    let fresh = |event_id| NewMessage {
        client_event_id: None,
        ..answer(event_id)
    };
    let run = async || {
        let claim = asked(store).await;
        finish(store, &claim.key, "none").await;
        let claim = send(store, fresh("a")).await.unwrap().claim.unwrap();
        assert_eq!(keys(store).await, ["k2"]);
        claim
    };

    let claim = run().await;
    finish(store, &claim.key, "none").await;
    gone("finished").await;

    let claim = run().await;
    let cancelled = store.cancel_turn(None, &cancel()).await.unwrap();
    assert!(matches!(cancelled, Cancelled::Running { .. }));
    let published = store
        .retry_turn(&scope(), &claim.key, Vec::new(), now())
        .await;
    assert!(published.unwrap().is_cancelled);
    gone("cancelled while it ran").await;

    let claim = run().await;
    store.edit_thread(&scope(), "t", removal()).await.unwrap();
    finish(store, &claim.key, "none").await;
    gone("removed while it ran").await;

    run().await;
    let recovered = store.expire_leases(now()).await.unwrap();
    assert_eq!(recovered.interrupted, 1);
    gone("lost").await;

    for (what, is_removed) in [("withdrawn", false), ("removed while it waited", true)] {
        asked(store).await;
        send(store, fresh("a")).await.unwrap();
        assert_eq!(keys(store).await, ["k2"]);
        if is_removed {
            store.edit_thread(&scope(), "t", removal()).await.unwrap();
        } else {
            store.cancel_turn(None, &cancel()).await.unwrap();
        }
        gone(what).await;
    }

    run().await;
    store.delete_thread(&scope(), "t").await.unwrap();
    assert!(keys(store).await.is_empty());
}

async fn repeated_answer_is_compared_by_its_hash(store: &AnyStore) {
    answered(store).await;
    let before = dump(store, &scope()).await;
    let again = send(store, answer("a2")).await.unwrap();
    assert!(again.is_repeated);
    assert_eq!(
        turn_state(store, "t", &again.event.id).await,
        TurnState::Running
    );
    assert_eq!(again.event.data, Some(hidden()));
    let with_digest = |digest| NewMessage {
        seal: Some(AnswerSeal {
            sealed: SealedAnswer { digest, ..sealed() },
            others: vec![sealed().digest],
        }),
        ..answer("a2")
    };
    let other_pin = NewMessage {
        seal: Some(AnswerSeal {
            sealed: SealedAnswer {
                digest: digest("k2", "digest-3"),
                ..sealed()
            },
            others: Vec::new(),
        }),
        ..answer_with("a2", &json!({"name": "Ada", "pin": "hunter-3", "puk": ""}))
    };
    assert_conflict(send(store, other_pin).await);
    // The server has changed its key.
    let rotated = send(store, with_digest(digest("k3", "with the new key"))).await;
    assert!(rotated.unwrap().is_repeated);
    for values in [
        json!({"name": "Eve", "pin": "hunter-2", "puk": ""}),
        json!({"name": "Ada", "puk": ""}),
        json!({"name": "Ada", "pin": "", "puk": ""}),
        json!({"name": "Ada", "pin": "hunter-2", "puk": "1"}),
    ] {
        assert_conflict(send(store, answer_with("a2", &values)).await);
    }
    assert_eq!(dump(store, &scope()).await, before);
}

async fn repeat_after_the_turn_ignores_passwords(store: &AnyStore) {
    let claim = answered(store).await;
    finish(store, &claim.key, "none").await;
    say(store, existing("t"), "next", "r3").await;
    for pin in ["hunter-2", "hunter-3"] {
        let values = json!({"name": "Ada", "pin": pin, "puk": ""});
        let again = send(store, answer_with("a2", &values)).await.unwrap();
        assert!(again.is_repeated);
        assert_eq!(
            turn_state(store, "t", &again.event.id).await,
            TurnState::Ended
        );
        assert_eq!(again.event.data, Some(hidden()));
    }
    let no_pin = answer_with("a2", &json!({"name": "Ada", "puk": ""}));
    assert_conflict(send(store, no_pin).await);
    assert!(keys(store).await.is_empty());
}
