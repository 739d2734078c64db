//! Threads with more users than a frame lists. Visibility does not depend on the listed users.

use crate::fixtures::{ServerFixture, cases, scope, writer};
use dooers::prelude::*;
use dooers::repository::Repository;
use dooers::{Database, DispatchEvent, WorkerServer};
use dooers_tests::{Client, Server, in_memory, within};
use futures::StreamExt;
use serde_json::{Value, json};
use std::slice::from_ref;
use std::sync::Arc;

cases![
    private_thread_is_visible_to_participant_150,
    message_is_published_to_participant_150,
    frame_includes_owner_and_sender,
    repository_returns_all_users,
];

const USERS: usize = 150;

/// A server on the same store with private threads, and a thread in which 150 users have written. The first user
/// owns it.
struct Private {
    server: Server,
    repository: Repository,
    thread: String,
}

impl Private {
    async fn on(fixture: &ServerFixture) -> Self {
        let config = in_memory().database(Database::Custom(Arc::clone(&fixture.store)));
        let worker = WorkerServer::new(config.private_threads(true)).agent::<writer>();
        let server = Server::start(worker.clone()).await;
        let repository = worker.repository().await.unwrap();
        // The owner is not the first writer.
        let made = repository.create_thread(&scope()).owner(user(USERS - 20));
        let thread = made.await.unwrap().id;
        let private = Self {
            server,
            repository,
            thread,
        };
        for number in 0..USERS {
            private.add(number).await;
        }
        private
    }

    /// Sends a message of this user to the thread.
    async fn add(&self, number: usize) {
        let said = Reply::text(format!("{number}"));
        let scope = scope();
        let said = self.repository.create_event(&scope, &self.thread, said);
        said.user(user(number)).await.unwrap();
    }

    async fn client(&self, number: usize) -> Client {
        self.server.client(&*user(number)).await
    }
}

fn user(number: usize) -> String {
    format!("user-{number}")
}

/// The ids of the listed users of a thread in a frame.
fn shown(thread: &Value) -> Vec<&str> {
    let users = thread["users"].as_array().unwrap();
    let users: Vec<_> = users
        .iter()
        .map(|user| user["user_id"].as_str().unwrap())
        .collect();
    assert_eq!(users.len(), 100);
    assert_eq!(thread["owner"]["user_id"], json!(user(USERS - 20)));
    assert!(users.contains(&&*user(USERS - 20)), "{users:?}");
    users
}

async fn private_thread_is_visible_to_participant_150(fixture: &ServerFixture) {
    let private = Private::on(fixture).await;
    let mut last = private.client(USERS - 1).await;
    let list = last
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["total_count"], 1);
    let thread = &list["threads"][0];
    assert_eq!(thread["users_total"], USERS);
    assert!(!shown(thread).contains(&&*user(USERS - 1)));
    let snapshot = last.subscribe(&private.thread).await;
    assert_eq!(snapshot["thread"]["users_total"], USERS);
    assert!(!shown(&snapshot["thread"]).contains(&&*user(USERS - 1)));
    let oldest = &snapshot["events"][0];
    let page = json!({"thread_id": private.thread, "before_event_id": oldest["id"]});
    let page = last.request("event.list", page, "event.list.result").await;
    assert_eq!(page["events"].as_array().unwrap().len(), USERS - 100);
    // A resumed subscription continues after the given event.
    let again = json!({"thread_id": private.thread, "after_event_id": oldest["id"]});
    let again = last
        .request("thread.subscribe", again, "thread.snapshot")
        .await;
    assert_eq!(again["recovered"], true);

    let mut stranger = private.client(USERS).await;
    let list = stranger
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(
        (&list["total_count"], &list["threads"]),
        (&json!(0), &json!([]))
    );
    let thread = json!({"thread_id": private.thread});
    assert_eq!(
        stranger
            .send_expecting_error("thread.subscribe", thread.clone())
            .await,
        "NOT_FOUND"
    );
    last.send_expecting_ack("thread.unsubscribe", thread.clone())
        .await;
    let id = last.send("thread.delete", thread).await;
    last.expect("thread.deleted").await;
    last.expect_ack(&id).await;
    stranger.expect_nothing().await;
    private.server.close([last, stranger]).await;
}

async fn message_is_published_to_participant_150(fixture: &ServerFixture) {
    let private = Private::on(fixture).await;
    let mut last = private.client(USERS - 1).await;
    let mut other = private.client(USERS - 2).await;
    let mut stranger = private.client(USERS).await;
    let mut sender = private.client(USERS - 3).await;
    last.subscribe(&private.thread).await;
    sender.run_turn(&private.thread, "hello").await;
    let events: Vec<_> = last.read_turn().await;
    let said = events
        .iter()
        .filter(|frame| frame["type"] == "event.append");
    assert_eq!(said.count(), 2);
    // A client without a subscription receives the thread row.
    let row = other.expect("thread.upsert").await;
    assert!(!shown(&row["thread"]).contains(&&*user(USERS - 2)));
    assert!(row.to_string().len() < 100 * 200, "{row}");
    other.expect_nothing().await;
    stranger.expect_nothing().await;
    // A user who is not listed in the frames of others can write, too.
    let frames = last.run_turn(&private.thread, "hello").await;
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "succeeded"
    );
    private.server.close([last, other, stranger, sender]).await;
}

async fn frame_includes_owner_and_sender(fixture: &ServerFixture) {
    let private = Private::on(fixture).await;
    let mut owner = private.client(USERS - 20).await;
    let mut sender = private.client(USERS - 1).await;
    let sent = json!({"user": {"user_id": user(USERS - 1), "user_name": "Ada"}});
    sender
        .connect(dooers_tests::Identity::of(user(USERS - 1)).with("user", sent["user"].clone()))
        .await;
    sender.run_turn(&private.thread, "hello").await;
    // Once for the sender's new name, and once at the end of the turn.
    for _ in 0..2 {
        let row = owner.expect("thread.upsert").await;
        let thread = &row["thread"];
        assert!(shown(thread).contains(&&*user(USERS - 1)));
        assert_eq!(thread["users"][99]["user_name"], "Ada");
        assert_eq!(thread["users_total"], USERS);
    }
    owner.expect_nothing().await;
    private.add(USERS).await;
    let row = owner.expect("thread.upsert").await;
    assert_eq!(row["thread"]["users_total"], USERS + 1);
    assert!(shown(&row["thread"]).contains(&&*user(USERS)));
    // Changes by the program have no sender.
    private
        .repository
        .update_thread(&scope(), &private.thread, |thread| thread.title("T"))
        .await
        .unwrap();
    let row = owner.expect("thread.upsert").await;
    assert_eq!(row["thread"]["users_total"], USERS + 1);
    assert_eq!(shown(&row["thread"])[99], user(98));
    private.server.close([owner, sender]).await;
}

async fn repository_returns_all_users(fixture: &ServerFixture) {
    let private = Private::on(fixture).await;
    let repository = &private.repository;
    let thread = repository.thread(&scope(), &private.thread).await.unwrap();
    assert_eq!(thread.users.len(), USERS);
    let last = repository.threads(&scope()).user(user(USERS - 1)).limit(10);
    assert_eq!(last.await.unwrap().items, from_ref(&thread));
    let updated = repository
        .update_thread(&scope(), &thread.id, |thread| thread.title("T"))
        .await;
    assert_eq!(updated.unwrap().users, thread.users);
    // Handlers receive all users. The stream of a dispatch contains frames.
    let dispatch = fixture.dispatch().user(&*user(USERS - 1));
    let mut turn = dispatch
        .thread(&thread.id)
        .message("users")
        .send()
        .await
        .unwrap();
    let (mut texts, mut rows) = (Vec::new(), Vec::new());
    while let Some(event) = within("an event", turn.next()).await {
        match event.unwrap() {
            DispatchEvent::Event(event) => texts.extend(event.content),
            DispatchEvent::Thread(thread) => rows.push(thread.users.len()),
            _ => {}
        }
    }
    assert_eq!(json!(texts)[0][0]["text"], json!(USERS.to_string()));
    assert_eq!(rows, [100]);
    private.server.close([]).await;
}
