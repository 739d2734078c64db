//! The recipients of frames when threads are visible to the whole workspace.

use crate::agents::script;
use crate::asserts::{appended, kinds, string, texts};
use dooers::WorkerServer;
use dooers_tests::{Client, Identity, Server, in_memory};
use serde_json::json;

#[tokio::test]
async fn subscribers_get_events_and_others_get_thread_rows() {
    let server = Server::of::<script>().await;
    let mut sender = server.client("ada").await;
    let mut subscriber = server.client("bob").await;
    let mut other = server.client("eve").await;
    let thread_id = sender.start_thread("say hello").await;
    assert_eq!(
        kinds(&subscriber.read_pending().await),
        ["thread.upsert"; 2]
    );
    assert_eq!(kinds(&other.read_pending().await), ["thread.upsert"; 2]);

    subscriber.subscribe(&thread_id).await;
    let whole = [
        "event.append",
        "run.upsert",
        "event.append",
        "thread.upsert",
        "run.upsert",
    ];
    assert_eq!(kinds(&sender.run_turn(&thread_id, "say one").await), whole);
    assert_eq!(kinds(&subscriber.read_turn().await), whole);
    assert_eq!(kinds(&other.read_pending().await), ["thread.upsert"]);

    subscriber
        .send_expecting_ack("thread.unsubscribe", json!({"thread_id": thread_id}))
        .await;
    assert_eq!(kinds(&sender.run_turn(&thread_id, "say two").await), whole);
    assert_eq!(kinds(&subscriber.read_pending().await), ["thread.upsert"]);
    assert_eq!(kinds(&other.read_pending().await), ["thread.upsert"]);
    server.close([sender, subscriber, other]).await;
}

#[tokio::test]
async fn sender_is_subscribed_to_its_thread() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("say hello").await;
    let mut bob = server.client("bob").await;
    let frames = bob.run_turn(&thread_id, "say one").await;
    assert_eq!(texts(&appended(&frames)), ["say one", "one"]);
    ada.read_turn().await;
    ada.run_turn(&thread_id, "say two").await;
    assert_eq!(texts(&appended(&bob.read_turn().await)), ["say two", "two"]);
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn frames_arrive_once_despite_repeated_subscribes() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("say hello").await;
    for events in [2, 4, 6] {
        for _ in 0..3 {
            let snapshot = ada.subscribe(&thread_id).await;
            assert_eq!(crate::asserts::events(&snapshot).len(), events);
        }
        assert_eq!(ada.run_turn(&thread_id, "say more").await.len(), 5);
        ada.expect_nothing().await;
    }
    server.close([ada]).await;
}

/// A second agent of the same program.
#[dooers::agent(default)]
async fn neighbour() -> &'static str {
    "from next door"
}

/// Checks that a client outside the audience gets the errors of a missing thread.
pub(crate) async fn assert_not_visible(client: &mut Client, thread_id: &str, event_id: &str) {
    let here = json!({"thread_id": thread_id});
    for kind in [
        "thread.subscribe",
        "thread.unsubscribe",
        "thread.delete",
        "event.list",
    ] {
        let code = client.send_expecting_error(kind, here.clone()).await;
        assert_eq!(code, "NOT_FOUND", "{kind}");
    }
    for (target_type, id) in [("thread", thread_id), ("event", event_id)] {
        let refused = async |client: &mut Client, id: &str| {
            let like = json!({"target_type": target_type, "target_id": id, "feedback": "like"});
            let sent = client.send("feedback", like).await;
            client.expect_error(&sent).await
        };
        let hidden = refused(client, id).await;
        assert_eq!(hidden.0, "NOT_FOUND", "{target_type}");
        assert_eq!(hidden, refused(client, "nothing").await);
    }
    let resume = json!({"thread_id": thread_id, "after_event_id": event_id});
    assert_eq!(
        client
            .send_expecting_error("thread.subscribe", resume)
            .await,
        "NOT_FOUND"
    );
    let page = json!({"thread_id": thread_id, "before_event_id": event_id});
    assert_eq!(
        client.send_expecting_error("event.list", page).await,
        "NOT_FOUND"
    );
    let id = client.send_message(Some(thread_id), "let me in").await;
    assert_eq!(client.expect_error(&id).await.0, "NOT_FOUND");
    let list = client
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["threads"], json!([]));
    assert_eq!(list["total_count"], 0);
}

#[tokio::test]
async fn other_tenants_receive_and_see_nothing() {
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
        // The parts must not be concatenated.
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
    // A client that has not sent `connect` receives nothing either.
    clients.push(Client::open(server.address, "/agents/script/ws").await);

    let id = here.send_message(None, "say one\ntitle Secret").await;
    here.expect_ack(&id).await;
    let frames = here.read_turn().await;
    let thread_id = string(&frames[0]["payload"]["thread"]["id"]);
    let event_id = string(&appended(&frames)[0]["id"]);
    for client in &mut clients {
        client.expect_nothing().await;
    }
    clients.pop().unwrap().disconnect().await;
    for client in &mut clients {
        assert_not_visible(client, &thread_id, &event_id).await;
    }
    // The rejected requests have changed nothing.
    let list = here
        .request(
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
    here.expect_ack(&deletion).await;
    for client in &mut clients {
        client.expect_nothing().await;
    }
    clients.push(here);
    server.close(clients).await;
}
