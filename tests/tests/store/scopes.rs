//! Isolation of scopes.

use crate::asserts::{assert_not_found, assert_stale, dump, newest};
use crate::backends::{AnyStore, cases};
use crate::fixtures::{
    ana, answer, begin_thread, ben, existing, finish, form_response, message, new_thread, now,
    private_scope, repeatable, say, scope, start, thread_with_form, written,
};
use dooers::protocol::{FeedbackTarget, FeedbackValue, User};
use dooers::store::{
    Claim, EventPatch, EventQuery, FeedbackPeriod, FeedbackQuery, NewFeedback, NewMessage,
    Participant, RunQuery, Scope, SnapshotFrom, StoreError, ThreadCursor, ThreadEdit, TurnKey,
    Viewer,
};
use dooers_tests::with;
use serde_json::json;

cases![
    no_method_reaches_a_thread_of_another_scope,
    turn_key_is_invalid_in_another_scope,
    thread_id_of_another_scope_cannot_be_created,
    cursor_of_another_scope_reveals_nothing,
    event_of_another_scope_is_not_a_start_position,
    recovery_covers_every_scope,
    private_thread_is_visible_to_its_writers_only,
];

/// Other scopes in which a user could try to reach the thread.
fn others() -> Vec<Scope> {
    let home = scope();
    let with = |change: fn(&mut Scope)| {
        let mut other = scope();
        change(&mut other);
        other
    };
    let mut others = vec![
        with(|scope| scope.agent = "other".to_owned()),
        with(|scope| scope.worker_id = "other".to_owned()),
        with(|scope| scope.organization_id = "other".to_owned()),
        with(|scope| scope.workspace_id = "other".to_owned()),
        // Values that a careless comparison would treat as equal.
        with(|scope| scope.agent = "AGENT".to_owned()),
        with(|scope| scope.worker_id = "Worker".to_owned()),
        with(|scope| scope.worker_id = "worker ".to_owned()),
        with(|scope| scope.organization_id = "%".to_owned()),
        with(|scope| scope.workspace_id = "w_rkspace".to_owned()),
        with(|scope| scope.workspace_id = String::new()),
        with(|scope| scope.organization_id = "organization' OR '1'='1".to_owned()),
        with(|scope| {
            scope.worker_id = "workerorganization".to_owned();
            scope.organization_id = String::new();
        }),
        with!(Scope {
            organization_id: home.workspace_id.clone(),
            workspace_id: home.organization_id.clone(),
            ..scope()
        }),
    ];
    for participant in [
        Participant::user(&ben()),
        Participant::user(&User::new("ANA")),
        Participant::user(&User::new("an_")),
        Participant::user(&User::new("")),
        Participant::connection("ana"),
    ] {
        let viewer = Viewer::Only(participant);
        others.push(with!(Scope { viewer, ..scope() }));
    }
    others
}

/// A message of the scope's user.
fn message_in(scope: &Scope, new: NewMessage) -> NewMessage {
    let participant = match &scope.viewer {
        Viewer::Only(participant) => participant.clone(),
        _ => new.participant.clone(),
    };
    NewMessage { participant, ..new }
}

/// Calls every method for thread `t` in a scope that must not see it.
async fn call_every_method(store: &AnyStore, other: &Scope, turn: &TurnKey) {
    let starting = start("stolen");
    let begin = |new| store.begin_turn(other, message_in(other, new), &starting);
    let sent = NewMessage {
        client_event_id: Some("c2".to_owned()),
        ..message(existing("t"), "stolen", &ana())
    };
    assert_not_found(begin(message(existing("t"), "stolen", &ana())).await);
    assert_not_found(begin(sent).await);
    let data = json!({"form_event_id": "f", "values": {"size": "L"}});
    assert_not_found(begin(form_response("t", "stolen", data)).await);

    assert_not_found(store.claim_turn(other, "t", &start("stolen")).await);
    for changes in [Vec::new(), vec![written("t", "stolen", None)]] {
        assert_not_found(store.write_turn(other, turn, changes.clone()).await);
        assert_not_found(
            store
                .finish_turn(other, turn, changes, Some(&start("stolen")))
                .await,
        );
    }
    assert_not_found(store.thread(other, "t").await);
    for from in [
        SnapshotFrom::Newest,
        SnapshotFrom::After("f".to_owned()),
        SnapshotFrom::Covering("f".to_owned()),
    ] {
        assert_not_found(store.snapshot(other, "t", &from, usize::MAX).await);
    }
    for before in [None, Some("f"), Some("nothing")] {
        assert_not_found(store.events(other, "t", before, 10.into()).await);
    }
    for query in [EventQuery::newest(10), EventQuery::oldest(10)] {
        assert_not_found(store.find_events(other, "t", &query).await);
    }
    let position = newest(store, &scope(), "t").await.position;
    assert_not_found(store.catch_up(other, "t", &position, 10.into()).await);
    assert_not_found(store.delete_thread(other, "t").await);
    assert_not_found(store.event(other, "t", "f").await);
    assert_not_found(store.run(other, "t", "t-run").await);
    let runs = RunQuery {
        thread_id: Some("t".to_owned()),
        ..RunQuery::newest(10)
    };
    assert_not_found(store.find_runs(other, &runs).await);
    let event_id = "f".to_owned();
    let patch = EventPatch::default().text("stolen");
    let edit = ThreadEdit::UpdateEvent { event_id, patch };
    assert_not_found(store.edit_thread(other, "t", edit).await);
    let edit = ThreadEdit::CreateEvent(Box::new(answer("t", "stolen", None)));
    assert_not_found(store.edit_thread(other, "t", edit).await);
    for target in [
        FeedbackTarget::Event("f".to_owned()),
        FeedbackTarget::Run("t-run".to_owned()),
        FeedbackTarget::Thread("t".to_owned()),
    ] {
        assert_not_found(store.give_feedback(other, liked(target)).await);
    }
    let feedback = FeedbackQuery::newest(10);
    assert_eq!(store.find_feedback(other, &feedback).await.unwrap(), []);
    let days = store.count_feedback(other, FeedbackPeriod::default()).await;
    assert_eq!(days.unwrap(), []);
    let feedback = FeedbackQuery {
        thread_id: Some("t".to_owned()),
        ..feedback
    };
    assert_not_found(store.find_feedback(other, &feedback).await);
    let listed = store.threads(other, None, 100.into()).await.unwrap();
    assert!(listed.threads.iter().all(|thread| thread.id != "t"));
}

/// A like of Ana.
fn liked(target: FeedbackTarget) -> NewFeedback {
    NewFeedback {
        id: "liked".to_owned(),
        target,
        user_id: ana().user_id,
        participant: Participant::user(&ana()),
        value: FeedbackValue::Like,
        reason: None,
        classification: None,
        at: now(),
    }
}

async fn no_method_reaches_a_thread_of_another_scope(store: &AnyStore) {
    let claim = thread_with_form(store, "t", "f").await;
    say(store, existing("t"), "waiting", "none").await;
    let sent = repeatable(existing("t"), "sent", "c");
    store
        .begin_turn(&scope(), sent, &start("none"))
        .await
        .unwrap();
    let target = FeedbackTarget::Event("f".to_owned());
    store.give_feedback(&scope(), liked(target)).await.unwrap();
    let before = dump(store, &scope()).await;
    for other in others() {
        call_every_method(store, &other, &claim.key).await;
        let listed = store.threads(&other, None, 100.into()).await.unwrap();
        assert_eq!((listed.total_count, listed.next), (0, None), "{other:?}");
        assert_eq!(dump(store, &scope()).await, before, "{other:?}");
    }
    // The other users see their own threads, and still not this one.
    for (number, other) in others().into_iter().enumerate() {
        let id = format!("own-{number}");
        let new = message_in(&other, message(new_thread(&id), &format!("{id}-e"), &ana()));
        let others_claim = store
            .begin_turn(&other, new, &start(&format!("{id}-r")))
            .await;
        assert!(others_claim.unwrap().claim.is_some());
        call_every_method(store, &other, &claim.key).await;
        let listed = store.threads(&other, None, 100.into()).await.unwrap();
        assert_eq!(
            (listed.total_count, listed.threads.len()),
            (1, 1),
            "{other:?}"
        );
        assert_eq!(listed.threads[0].id, id);
    }
    // The running turn is still held, and the queued turn is the next.
    let next = finish(store, &claim.key, "next")
        .await
        .expect("two turns are queued");
    assert_eq!((next.key.event_id.as_str(), next.attempt), ("waiting", 1));
    assert_eq!(
        finish(store, &next.key, "last").await.unwrap().key.event_id,
        "sent"
    );
}

async fn turn_key_is_invalid_in_another_scope(store: &AnyStore) {
    let Claim { key, .. } = begin_thread(store, "t", "r").await;
    let other = with!(Scope {
        worker_id: "other".to_owned(),
        ..scope()
    });
    let new = message(new_thread("own"), "own-e", &ana());
    store
        .begin_turn(&other, new, &start("own-r"))
        .await
        .unwrap();
    let before = dump(store, &other).await;
    // The thread is visible to this scope, but the event and the fence belong to another thread.
    let mixed = TurnKey {
        thread_id: "own".to_owned(),
        ..key.clone()
    };
    let changes = vec![written("own", "stolen", None)];
    assert_stale(store.write_turn(&other, &mixed, changes.clone()).await);
    assert_stale(
        store
            .finish_turn(&other, &mixed, changes, Some(&start("stolen")))
            .await,
    );
    let foreign = TurnKey {
        event_id: "own-e".to_owned(),
        ..key
    };
    assert_not_found(store.write_turn(&other, &foreign, Vec::new()).await);
    assert_stale(store.write_turn(&scope(), &foreign, Vec::new()).await);
    assert_eq!(dump(store, &other).await, before);
}

/// Thread ids are unique in the whole store. The error reveals only that the id is taken.
async fn thread_id_of_another_scope_cannot_be_created(store: &AnyStore) {
    begin_thread(store, "t", "r").await;
    let before = dump(store, &scope()).await;
    for other in others() {
        let new = message_in(&other, message(new_thread("t"), "stolen", &ana()));
        let refused = store.begin_turn(&other, new, &start("stolen")).await;
        assert!(
            matches!(
                refused,
                Err(StoreError::Conflict(_) | StoreError::NotFound(_))
            ),
            "{refused:?}"
        );
        assert_eq!(dump(store, &scope()).await, before);
        assert_eq!(
            store
                .threads(&other, None, 10.into())
                .await
                .unwrap()
                .total_count,
            0
        );
    }
}

async fn cursor_of_another_scope_reveals_nothing(store: &AnyStore) {
    let other = with!(Scope {
        workspace_id: "other".to_owned(),
        ..scope()
    });
    for number in 0..6 {
        let (scope, id) = (
            if number % 2 == 0 {
                scope()
            } else {
                other.clone()
            },
            format!("t{number}"),
        );
        let new = message(new_thread(&id), &format!("{id}-e"), &ana());
        store
            .begin_turn(&scope, new, &start(&format!("{id}-r")))
            .await
            .unwrap();
    }
    let cursor: ThreadCursor = store
        .threads(&scope(), None, 1.into())
        .await
        .unwrap()
        .next
        .unwrap();
    assert_eq!(cursor.thread_id, "t4");
    let page = store
        .threads(&other, Some(&cursor), 10.into())
        .await
        .unwrap();
    let ids: Vec<_> = page
        .threads
        .iter()
        .map(|thread| thread.id.as_str())
        .collect();
    assert_eq!(ids, ["t3", "t1"]);
}

async fn event_of_another_scope_is_not_a_start_position(store: &AnyStore) {
    let other = with!(Scope {
        organization_id: "other".to_owned(),
        ..scope()
    });
    begin_thread(store, "t", "r").await;
    let new = message(new_thread("own"), "own-e", &ana());
    store
        .begin_turn(&other, new, &start("own-r"))
        .await
        .unwrap();
    for from in [SnapshotFrom::After, SnapshotFrom::Covering] {
        let snapshot = store
            .snapshot(&other, "own", &from("t-question".to_owned()), usize::MAX)
            .await
            .unwrap();
        assert!(!snapshot.recovered);
        assert_eq!((snapshot.events.len(), snapshot.runs.len()), (1, 1));
    }
    assert_not_found(
        store
            .events(&other, "own", Some("t-question"), 10.into())
            .await,
    );
}

async fn recovery_covers_every_scope(store: &AnyStore) {
    let all = others();
    for (number, other) in all.iter().enumerate() {
        let id = format!("t{number}");
        let new = message_in(other, message(new_thread(&id), &format!("{id}-e"), &ana()));
        store
            .begin_turn(other, new, &start(&format!("{id}-r")))
            .await
            .unwrap();
    }
    assert_eq!(store.recover().await.unwrap().interrupted, all.len());
    for (number, other) in all.iter().enumerate() {
        let snapshot = newest(store, other, &format!("t{number}")).await;
        assert_eq!(snapshot.runs[0].error.as_deref(), Some("interrupted"));
    }
}

async fn private_thread_is_visible_to_its_writers_only(store: &AnyStore) {
    let new = message(new_thread("t"), "e", &ana());
    let begun = store
        .begin_turn(&private_scope(&ana()), new, &start("r"))
        .await
        .unwrap();
    let key = begun.claim.unwrap().key;
    let of_ana = private_scope(&ana());
    assert_eq!(store.thread(&of_ana, "t").await.unwrap().thread.id, "t");
    assert_eq!(newest(store, &of_ana, "t").await.events.len(), 1);
    store
        .write_turn(&of_ana, &key, vec![written("t", "a", None)])
        .await
        .unwrap();
    assert_eq!(
        store
            .events(&of_ana, "t", None, 10.into())
            .await
            .unwrap()
            .events
            .len(),
        2
    );
    store
        .finish_turn(&of_ana, &key, Vec::new(), Some(&start("none")))
        .await
        .unwrap();
    assert_not_found(store.delete_thread(&private_scope(&ben()), "t").await);
    store.delete_thread(&of_ana, "t").await.unwrap();
    assert_not_found(store.thread(&scope(), "t").await);
}
