//! Who receives what, when everybody of a workspace sees its threads.

use crate::agents::script;
use crate::asserts::{appended, kinds, string, texts};
use dooers::WorkerServer;
use dooers_tests::{Client, Identity, Server, in_memory};
use serde_json::json;

#[tokio::test]
async fn subscriber_and_sender_get_everything_and_others_of_the_worker_the_threads_row() {
    let server = Server::of::<script>().await;
    let mut sender = server.client("ada").await;
    let mut subscriber = server.client("bob").await;
    let mut other = server.client("eve").await;
    let thread_id = sender.begin("say hello").await;
    assert_eq!(kinds(&subscriber.pending().await), ["thread.upsert"; 2]);
    assert_eq!(kinds(&other.pending().await), ["thread.upsert"; 2]);

    subscriber.subscribe(&thread_id).await;
    let whole = [
        "event.append",
        "run.upsert",
        "event.append",
        "thread.upsert",
        "run.upsert",
    ];
    assert_eq!(kinds(&sender.converse(&thread_id, "say one").await), whole);
    assert_eq!(kinds(&subscriber.turn().await), whole);
    assert_eq!(kinds(&other.pending().await), ["thread.upsert"]);

    subscriber
        .done("thread.unsubscribe", json!({"thread_id": thread_id}))
        .await;
    assert_eq!(kinds(&sender.converse(&thread_id, "say two").await), whole);
    assert_eq!(kinds(&subscriber.pending().await), ["thread.upsert"]);
    assert_eq!(kinds(&other.pending().await), ["thread.upsert"]);
    server.close([sender, subscriber, other]).await;
}

#[tokio::test]
async fn who_sends_to_a_thread_is_subscribed_to_what_follows() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.begin("say hello").await;
    let mut bob = server.client("bob").await;
    let frames = bob.converse(&thread_id, "say one").await;
    assert_eq!(texts(&appended(&frames)), ["say one", "one"]);
    ada.turn().await;
    ada.converse(&thread_id, "say two").await;
    assert_eq!(texts(&appended(&bob.turn().await)), ["say two", "two"]);
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn every_frame_comes_once_however_often_one_subscribes_and_sends() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.begin("say hello").await;
    for events in [2, 4, 6] {
        for _ in 0..3 {
            let snapshot = ada.subscribe(&thread_id).await;
            assert_eq!(crate::asserts::events(&snapshot).len(), events);
        }
        assert_eq!(ada.converse(&thread_id, "say more").await.len(), 5);
        ada.has_nothing().await;
    }
    server.close([ada]).await;
}

/// Another agent of the same program.
#[dooers::agent(default)]
async fn neighbour() -> &'static str {
    "from next door"
}

/// What nobody outside may do with a thread: each answers as if there were no such thread.
pub(crate) async fn sees_nothing(client: &mut Client, thread_id: &str, event_id: &str) {
    let here = json!({"thread_id": thread_id});
    for kind in [
        "thread.subscribe",
        "thread.unsubscribe",
        "thread.delete",
        "event.list",
    ] {
        let code = client.refusal(kind, here.clone()).await;
        assert_eq!(code, "NOT_FOUND", "{kind}");
    }
    let resume = json!({"thread_id": thread_id, "after_event_id": event_id});
    assert_eq!(
        client.refusal("thread.subscribe", resume).await,
        "NOT_FOUND"
    );
    let page = json!({"thread_id": thread_id, "before_event_id": event_id});
    assert_eq!(client.refusal("event.list", page).await, "NOT_FOUND");
    let id = client.message(Some(thread_id), "let me in").await;
    assert_eq!(client.refused(&id).await.0, "NOT_FOUND");
    let list = client
        .ask("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["threads"], json!([]));
    assert_eq!(list["total_count"], 0);
}

#[tokio::test]
async fn who_is_elsewhere_gets_nothing_and_sees_nothing() {
    let worker = WorkerServer::new(in_memory())
        .agent::<script>()
        .agent::<neighbour>();
    let server = Server::start(worker).await;
    let mut here = Client::open(server.address, "/agents/script/ws").await;
    here.connect("ada").await;
    let ada = Identity::of("ada");
    let elsewhere = [
        ("/agents/script/ws", ada.clone().with("agent_id", "w2")),
        (
            "/agents/script/ws",
            ada.clone().with("organization_id", "o2"),
        ),
        ("/agents/script/ws", ada.clone().with("workspace_id", "s2")),
        (
            "/agents/script/ws",
            ada.clone()
                .with("organization_id", "")
                .with("workspace_id", ""),
        ),
        // The parts are not glued together.
        (
            "/agents/script/ws",
            ada.clone()
                .with("agent_id", "w1o1")
                .with("organization_id", ""),
        ),
        ("/agents/neighbour/ws", ada.clone()),
        ("/ws", ada.clone()),
    ];
    let mut clients = Vec::new();
    for (path, identity) in elsewhere {
        let mut client = Client::open(server.address, path).await;
        client.connect(identity).await;
        clients.push(client);
    }
    // One that has not said who it is hears nothing either.
    clients.push(Client::open(server.address, "/agents/script/ws").await);

    let id = here.message(None, "say one\ntitle Secret").await;
    here.accepted(&id).await;
    let frames = here.turn().await;
    let thread_id = string(&frames[0]["payload"]["thread"]["id"]);
    let event_id = string(&appended(&frames)[0]["id"]);
    for client in &mut clients {
        client.has_nothing().await;
    }
    clients.pop().unwrap().leave().await;
    for client in &mut clients {
        sees_nothing(client, &thread_id, &event_id).await;
    }
    // Nothing of that has left a trace.
    let list = here
        .ask(
            "event.list",
            json!({"thread_id": thread_id}),
            "event.list.result",
        )
        .await;
    assert_eq!(
        texts(&crate::asserts::events(&list)),
        ["say one\ntitle Secret", "one"]
    );
    let deletion = here
        .send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    here.expect("thread.deleted").await;
    here.accepted(&deletion).await;
    for client in &mut clients {
        client.has_nothing().await;
    }
    clients.push(here);
    server.close(clients).await;
}
