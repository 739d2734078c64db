//! The number of round trips of requests with the caller's own ids, which must not grow.

use crate::fixtures::{Places, appended, is_run, string};
use dooers::OnBusy;
use dooers::protocol::{ContentPart, EventType, FeedbackTarget, FeedbackValue, User};
use dooers::store::{
    Cancel, CancelTarget, ClaimOptions, NewFeedback, NewMessage, Participant, PostgresStore, Scope,
    Store, ThreadEdit, ThreadPatch, ThreadTarget,
};
use dooers_tests::postgres::{StatementLog, url};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The costs of the verbs in a thread that the writer remembers.
async fn verbs(places: &mut Places<'_>) -> Vec<(&'static str, usize)> {
    let mut costs = Vec::new();
    places.executed().await;
    let frame = places.client.send_message(None, "wait").await;
    places.client.expect_ack(&frame).await;
    let begun = places.client.read_until("a run", is_run).await;
    costs.push(("new thread", places.executed().await.round_trips));
    let event = appended(&begun).remove(0);
    let (thread, event) = (string(&event["thread_id"]), string(&event["id"]));
    let frame = places.client.send_message(Some(&thread), "wait").await;
    places.client.expect_ack(&frame).await;
    costs.push(("event.create", places.executed().await.round_trips));
    let queued = string(&appended(&places.client.read_pending().await)[0]["id"]);
    let here = json!({"thread_id": thread});
    let like =
        |kind: &str, id: &str| json!({"target_type": kind, "target_id": id, "feedback": "like"});
    let titled = json!({"thread_id": thread, "title": "A title"});
    let requests: [(&'static str, Value); 9] = [
        ("run.cancel", json!({"event_id": queued})),
        ("thread.subscribe", here.clone()),
        ("event.list", here.clone()),
        ("feedback", like("thread", &thread)),
        ("feedback", like("event", &event)),
        ("thread.update", titled.clone()),
        ("thread.update", titled),
        ("thread.unsubscribe", here.clone()),
        ("thread.delete", here),
    ];
    for (kind, payload) in requests {
        places.client.send(kind, payload).await;
        places.client.read_pending().await;
        costs.push((kind, places.executed().await.round_trips));
    }
    costs
}

/// The costs of operations in a thread that the writer does not remember.
async fn operations(
    store: &PostgresStore,
    log: &StatementLog,
    places: &Places<'_>,
) -> Vec<(&'static str, usize)> {
    let scope: &Scope = &places.scope;
    let (at, user) = (chrono::Utc::now(), User::new("ana"));
    let participant = Participant::user(&user);
    let costs = &mut Vec::new();
    let mut count = async |what| {
        let executed = log.take().await.without("max(t.last_event_at)");
        costs.push((what, executed.round_trips));
    };
    let message = NewMessage {
        thread: ThreadTarget::Existing(places.home.busy_thread.clone()),
        event_id: "e".to_owned(),
        kind: EventType::Message,
        content: vec![ContentPart::text("hello")],
        data: None,
        seal: None,
        identity: None,
        is_of_program: false,
        client_event_id: Some("c".to_owned()),
        user,
        participant: participant.clone(),
        at,
    };
    let start = ClaimOptions {
        node: "node".to_owned(),
        run_id: Some("r".to_owned()),
        at,
        lease: Duration::from_secs(3600),
        retries: 0,
        on_busy: OnBusy::Queue { limit: 9 },
        limits: Arc::default(),
    };
    log.take().await;
    store
        .begin_turn(scope, message.clone(), &start)
        .await
        .unwrap();
    count("begin_turn").await;
    assert!(
        store
            .begin_turn(scope, message, &start)
            .await
            .unwrap()
            .is_repeated
    );
    count("begin_turn again").await;
    let given = NewFeedback {
        id: "f".to_owned(),
        target: FeedbackTarget::Event(places.home.event.clone()),
        user_id: "ana".to_owned(),
        participant,
        value: FeedbackValue::Like,
        reason: None,
        classification: None,
        at,
    };
    store.give_feedback(scope, given).await.unwrap();
    count("give_feedback").await;
    let patch = ThreadPatch::default().title("x");
    let edit = ThreadEdit::Patch { patch, at };
    store
        .edit_thread(scope, &places.home.thread, edit)
        .await
        .unwrap();
    count("edit_thread").await;
    let cancel = Cancel {
        target: CancelTarget::Event("e".to_owned()),
        run_id: "c".to_owned(),
        at,
    };
    store.cancel_turn(Some(scope), &cancel).await.unwrap();
    count("cancel_turn").await;
    std::mem::take(costs)
}

#[tokio::test]
async fn own_ids_cost_few_round_trips_on_postgres() {
    let Some(url) = url() else { return };
    let (log, options) = StatementLog::start(&url).await;
    let store = PostgresStore::open(options.clone()).await.unwrap();
    let mut places = Places::start(Arc::new(store), Some(&log)).await;
    // The first messages create the scope.
    verbs(&mut places).await;
    // A read is a transaction. A cancellation and a feedback first look for the thread.
    let expected = [
        ("new thread", 1),
        ("event.create", 1),
        ("run.cancel", 4),
        ("thread.subscribe", 6),
        ("event.list", 5),
        ("feedback", 2),
        ("feedback", 5),
        ("thread.update", 1),
        // The same title again is not stored, but the thread must not have changed.
        ("thread.update", 1),
        ("thread.unsubscribe", 0),
        ("thread.delete", 1),
    ];
    assert_eq!(verbs(&mut places).await, expected);
    let another = PostgresStore::open(options).await.unwrap();
    let expected = [
        ("begin_turn", 3),
        ("begin_turn again", 6),
        ("give_feedback", 7),
        ("edit_thread", 1),
        ("cancel_turn", 4),
    ];
    assert_eq!(operations(&another, &log, &places).await, expected);
    another.close().await;
    places.close().await;
}
