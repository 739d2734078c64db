//! Agents with private and with shared threads in one server.

use crate::asserts::{appended, events, kinds, string, texts};
use crate::audience::assert_not_visible;
use crate::private_threads::{begin, list};
use dooers::prelude::*;
use dooers::repository::Scope;
use dooers::store::{MemoryStore, SqliteOptions};
use dooers::{AgentDefinition, Database, DispatchError, WorkerServer};
use dooers_tests::postgres::shared;
use dooers_tests::{Client, Server, in_memory, within};
use serde_json::{Value, json};
use std::sync::Arc;

/// An agent whose threads are private.
#[dooers::agent(private_threads)]
async fn diary(request: WorkerRequest) -> String {
    format!("Dear diary: {}", request.message)
}

/// An agent that leaves its threads to the configuration.
#[dooers::agent]
async fn board(request: WorkerRequest) -> String {
    format!("Pinned: {}", request.message)
}

async fn open(server: &Server, agent: &str, user: &str) -> Client {
    let mut client = Client::open(server.address, &format!("/agents/{agent}/ws")).await;
    client.connect(user).await;
    client
}

/// The ids of the threads that a client sees.
async fn ids(client: &mut Client) -> Vec<String> {
    client.read_pending().await;
    let threads = list(client).await;
    threads.iter().map(|thread| string(&thread["id"])).collect()
}

async fn refusal(client: &mut Client, thread_id: &str) -> String {
    let payload = json!({"thread_id": thread_id});
    client
        .send_expecting_error("thread.subscribe", payload)
        .await
}

fn place(agent: &str) -> Scope {
    Scope::new(agent, "w1").organization("o1").workspace("s1")
}

/// Sends a message of the program. Returns the answer.
async fn dispatch(
    worker: &WorkerServer,
    agent: &str,
    thread_id: &str,
    user: &str,
) -> Result<String, DispatchError> {
    let message = worker
        .dispatch_to(agent)
        .worker("w1")
        .organization("o1")
        .workspace("s1")
        .user(user)
        .thread(thread_id)
        .message("from the program");
    let turn = within("the message", message.send()).await?;
    Ok(within("the turn", turn.text()).await.unwrap())
}

/// Checks that `diary` is private and `board` is shared, for the same worker and the same users.
async fn check(worker: WorkerServer) {
    let repository = worker.repository().await.unwrap();
    let server = Server::start(worker.clone()).await;
    let mut adas = open(&server, "diary", "ada").await;
    let mut bobs = open(&server, "diary", "bob").await;
    let mut anns = open(&server, "board", "ada").await;
    let mut bens = open(&server, "board", "bob").await;

    let (secret, event_id) = begin(&mut adas, "secret").await;
    bobs.expect_nothing().await;
    assert_not_visible(&mut bobs, &secret, &event_id).await;
    bens.expect_nothing().await;
    let (news, event_id) = begin(&mut anns, "news").await;
    assert_eq!(kinds(&bens.read_pending().await), ["thread.upsert"; 2]);
    let frames = bens.run_turn(&news, "seen").await;
    assert_eq!(texts(&appended(&frames)), ["seen", "Pinned: seen"]);
    // The owner of both threads sees each only through its agent.
    assert_not_visible(&mut bobs, &news, &event_id).await;
    assert_eq!(refusal(&mut adas, &news).await, "NOT_FOUND");
    anns.read_pending().await;
    assert_eq!(refusal(&mut anns, &secret).await, "NOT_FOUND");

    let refused = dispatch(&worker, "diary", &secret, "bob").await;
    assert!(
        matches!(refused, Err(DispatchError::NotFound("thread"))),
        "{refused:?}"
    );
    let answer = dispatch(&worker, "diary", &secret, "ada").await.unwrap();
    assert_eq!(answer, "Dear diary: from the program");
    let answer = dispatch(&worker, "board", &news, "carl").await.unwrap();
    assert_eq!(answer, "Pinned: from the program");

    for agent in ["diary", "board"] {
        let created = repository.create_thread(&place(agent)).owner("ada");
        let id = created.await.unwrap().id;
        repository
            .create_event(&place(agent), &id, Reply::text("news"))
            .await
            .unwrap();
    }
    bobs.expect_nothing().await;
    assert_eq!(ids(&mut bobs).await, [""; 0]);
    assert_eq!(ids(&mut adas).await.len(), 2);
    assert_eq!(ids(&mut bens).await, ids(&mut anns).await);
    for agent in ["diary", "board"] {
        let everyones = repository.threads(&place(agent)).await.unwrap();
        assert_eq!(everyones.items.len(), 2);
        let bobs = repository.threads(&place(agent).only_user("bob")).await;
        // A scope of one user shows this user's threads also if they are shared.
        let expected = usize::from(agent == "board");
        assert_eq!(bobs.unwrap().items.len(), expected);
    }
    server.close([adas, bobs, anns, bens]).await;
}

/// Checks the visibility of stored threads after `board` was made private and then shared again.
async fn check_switching(database: Database) {
    let start = async |private: bool| {
        let config = in_memory().database(database.clone());
        let worker = WorkerServer::new(config)
            .agent_with::<board>(|agent| agent.with_private_threads(private));
        Server::start(worker).await
    };
    let server = start(false).await;
    let mut ada = server.client("ada").await;
    let (shared, event_id) = begin(&mut ada, "one").await;
    let mut carl = server.client("carl").await;
    carl.run_turn(&shared, "two").await;
    let mut bob = server.client("bob").await;
    assert_eq!(events(&bob.subscribe(&shared).await).len(), 4);
    let mut nobody = server.client("").await;
    let (nobodys, nobodys_event) = begin(&mut nobody, "three").await;
    server.close([ada, bob, carl, nobody]).await;

    let server = start(true).await;
    let (mut ada, mut carl) = (server.client("ada").await, server.client("carl").await);
    assert_eq!(ids(&mut ada).await, [shared.as_str()]);
    assert_eq!(ids(&mut carl).await, [shared.as_str()]);
    let resume = json!({"thread_id": shared, "after_event_id": event_id});
    let snapshot = ada
        .request("thread.subscribe", resume, "thread.snapshot")
        .await;
    let resumed = events(&snapshot);
    assert_eq!(texts(&resumed), ["Pinned: one", "two", "Pinned: two"]);
    // Bob has only read the thread.
    let mut bob = server.client("bob").await;
    assert_not_visible(&mut bob, &shared, &event_id).await;
    assert_not_visible(&mut bob, &nobodys, &nobodys_event).await;
    let mut nobody = server.client("").await;
    assert_not_visible(&mut nobody, &nobodys, &nobodys_event).await;
    let answer = dispatch(server.worker(), "board", &nobodys, "").await;
    assert_eq!(answer.unwrap(), "Pinned: from the program");
    let (private, _) = begin(&mut nobody, "four").await;
    bob.expect_nothing().await;
    server.close([ada, bob, carl, nobody]).await;

    let server = start(false).await;
    let mut bob = server.client("bob").await;
    assert_eq!(ids(&mut bob).await, [private.clone(), nobodys, shared]);
    let snapshot: Value = bob.subscribe(&private).await;
    assert_eq!(texts(&events(&snapshot)), ["four", "Pinned: four"]);
    server.close([bob]).await;
}

async fn check_on(database: Database) {
    let config = in_memory().database(database.clone());
    check(WorkerServer::new(config).agent::<diary>().agent::<board>()).await;
}

#[tokio::test]
async fn option_beats_the_configuration() {
    let config = in_memory().private_threads(true);
    // This one has no option.
    let diary = AgentDefinition::from_fn("diary", diary);
    let worker = WorkerServer::new(config)
        .add_agent(diary)
        .agent_with::<board>(|agent| agent.with_private_threads(false));
    check(worker).await;
}

#[tokio::test]
async fn variable_beats_the_option_and_configuration() {
    let config = in_memory().private_threads(true).agent_variables([
        ("WORKER_AGENT_DIARY_PRIVATE_THREADS", "true"),
        ("WORKER_AGENT_BOARD_PRIVATE_THREADS", "false"),
    ]);
    let worker = WorkerServer::new(config)
        .agent_with::<diary>(|agent| agent.with_private_threads(false))
        .agent::<board>();
    check(worker).await;
}

#[tokio::test]
async fn agents_differ_in_memory() {
    check_on(Database::Memory).await;
    check_switching(Database::Custom(Arc::new(MemoryStore::new()))).await;
}

#[tokio::test]
async fn agents_differ_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let database = |name| Database::Sqlite(SqliteOptions::new(directory.path().join(name)));
    check_on(database("differ.db")).await;
    check_switching(database("switch.db")).await;
}

#[tokio::test]
async fn agents_differ_on_postgres() {
    let (Some(differ), Some(switch)) = (shared(), shared()) else {
        return;
    };
    check_on(Database::Postgres(differ)).await;
    check_switching(Database::Postgres(switch)).await;
}
