//! A server that starts with a clock behind the stored times, as after a rollback of an hour.

use crate::agents::script;
use crate::asserts::texts;
use dooers::OnBusy;
use dooers::protocol::{ContentPart, EventType, User};
use dooers::store::{
    ClaimOptions, MemoryStore, NewMessage, NewThread, Participant, PostgresStore, Scope,
    SqliteOptions, SqliteStore, Store, ThreadTarget,
};
use dooers_tests::Server;
use dooers_tests::postgres::shared;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The scope of the test clients.
fn scope() -> Scope {
    Scope::new("script", "w1")
        .organization("o1")
        .workspace("s1")
}

/// Stores a turn to be retried a second later, written by a process whose clock is an hour ahead.
async fn leave_a_turn(store: &dyn Store) {
    let at = (SystemTime::now() + Duration::from_secs(3600)).into();
    let user = User::new("ada");
    let message = NewMessage {
        thread: ThreadTarget::New(NewThread::new("old")),
        event_id: "e".to_owned(),
        kind: EventType::Message,
        content: vec![ContentPart::text("say done")],
        data: None,
        seal: None,
        identity: None,
        client_event_id: None,
        is_of_program: false,
        participant: Participant::user(&user),
        user,
        at,
    };
    let start = ClaimOptions {
        node: "dead".to_owned(),
        run_id: Some("r".to_owned()),
        at,
        lease: Duration::ZERO,
        retries: 1,
        on_busy: OnBusy::default(),
        limits: Arc::default(),
    };
    let begun = store.begin_turn(&scope(), message, &start).await.unwrap();
    let key = begun.claim.unwrap().key;
    let not_before = at + Duration::from_secs(1);
    let retried = store
        .retry_turn(&scope(), &key, Vec::new(), not_before)
        .await;
    retried.unwrap();
}

/// Checks that the turn runs at once, long before the hour is over, and that a new thread is listed first.
async fn check(store: Arc<dyn Store>) {
    let server = Server::with::<script>(|config| config.store(store)).await;
    let mut client = server.client("ada").await;
    let snapshot = client.subscribe("old").await;
    if snapshot["runs"][0]["status"] == "running" {
        client.read_turn().await;
    }
    let snapshot = client.subscribe("old").await;
    assert_eq!(snapshot["runs"][0]["status"], "succeeded", "{snapshot}");
    let events = snapshot["events"].as_array().unwrap();
    assert_eq!(texts(events), ["say done", "done"]);

    let new = client.start_thread("say hello").await;
    let payload = serde_json::json!({});
    let list = client
        .request("thread.list", payload, "thread.list.result")
        .await;
    let threads = list["threads"].as_array().unwrap();
    let ids: Vec<_> = threads.iter().map(|thread| &thread["id"]).collect();
    assert_eq!(ids, [new.as_str(), "old"]);
    let (created, last) = (&threads[0]["created_at"], &threads[0]["last_event_at"]);
    assert!(created.as_str() < last.as_str(), "{created} {last}");
    server.close([client]).await;
}

#[tokio::test]
async fn due_turn_runs_after_a_rollback_in_memory() {
    let store = Arc::new(MemoryStore::new());
    leave_a_turn(&*store).await;
    check(store).await;
}

#[tokio::test]
async fn due_turn_runs_after_a_rollback_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(directory.path().join("worker.db"));
    let store = SqliteStore::open(options.clone()).await.unwrap();
    leave_a_turn(&store).await;
    store.close().await;
    check(Arc::new(SqliteStore::open(options).await.unwrap())).await;
}

#[tokio::test]
async fn due_turn_runs_after_a_rollback_on_postgres() {
    let Some(options) = shared() else {
        return;
    };
    let store = PostgresStore::open(options.clone()).await.unwrap();
    leave_a_turn(&store).await;
    store.close().await;
    check(Arc::new(PostgresStore::open(options).await.unwrap())).await;
}
