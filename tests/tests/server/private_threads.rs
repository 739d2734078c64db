//! The recipients of frames when threads are private.

use crate::agents::script;
use crate::asserts::{appended, kinds, string, texts};
use crate::audience::assert_not_visible;
use dooers_tests::{Client, Server};
use serde_json::{Value, json};

async fn server() -> Server {
    Server::with::<script>(|config| config.private_threads(true)).await
}

/// The threads that a client sees. Their number must be the total.
pub(crate) async fn list(client: &mut Client) -> Vec<Value> {
    let list = client
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    let threads = list["threads"].as_array().unwrap().clone();
    assert_eq!(list["total_count"], threads.len());
    threads
}

/// Starts a thread. Returns its id and the id of its first event.
pub(crate) async fn begin(client: &mut Client, text: &str) -> (String, String) {
    let id = client.send_message(None, text).await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let thread_id = string(&frames[0]["payload"]["thread"]["id"]);
    (thread_id, string(&appended(&frames)[0]["id"]))
}

#[tokio::test]
async fn other_users_receive_and_see_nothing() {
    let server = server().await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let (thread_id, event_id) = begin(&mut ada, "say secret").await;
    bob.expect_nothing().await;
    assert_not_visible(&mut bob, &thread_id, &event_id).await;
    let deletion = ada
        .send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    ada.expect("thread.deleted").await;
    ada.expect_ack(&deletion).await;
    bob.expect_nothing().await;
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn same_user_sees_the_thread_on_every_connection() {
    let server = server().await;
    let mut ada = server.client("ada").await;
    let mut again = server.client("ada").await;
    let (thread_id, _) = begin(&mut ada, "say one").await;
    assert_eq!(kinds(&again.read_pending().await), ["thread.upsert"; 2]);
    assert_eq!(list(&mut again).await.len(), 1);
    let frames = again.run_turn(&thread_id, "say two").await;
    assert_eq!(texts(&appended(&frames)), ["say two", "two"]);
    assert_eq!(texts(&appended(&ada.read_turn().await)), ["say two", "two"]);
    server.close([ada, again]).await;
}

#[tokio::test]
async fn reconnect_as_another_user_drops_old_threads() {
    let server = server().await;
    let mut changing = server.client("ada").await;
    let mut ada = server.client("ada").await;
    let (thread_id, event_id) = begin(&mut changing, "say one").await;
    ada.read_pending().await;
    changing.connect("bob").await;
    assert_not_visible(&mut changing, &thread_id, &event_id).await;
    ada.run_turn(&thread_id, "say two").await;
    changing.expect_nothing().await;
    server.close([changing, ada]).await;
}

#[tokio::test]
async fn anonymous_user_sees_threads_of_its_connection() {
    let server = server().await;
    let mut nobody = server.client("").await;
    let mut another = server.client("").await;
    let (thread_id, event_id) = begin(&mut nobody, "say one").await;
    another.expect_nothing().await;
    assert_not_visible(&mut another, &thread_id, &event_id).await;
    assert_eq!(list(&mut nobody).await.len(), 1);
    assert_eq!(list(&mut nobody).await[0]["users"], json!([]));
    let frames = nobody.run_turn(&thread_id, "say two").await;
    assert_eq!(texts(&appended(&frames)), ["say two", "two"]);

    // A connection with an identity is not anonymous any more. If it becomes anonymous again, it is a different
    // anonymous user.
    nobody.connect("ada").await;
    assert_not_visible(&mut nobody, &thread_id, &event_id).await;
    nobody.connect("").await;
    assert_not_visible(&mut nobody, &thread_id, &event_id).await;
    server.close([nobody, another]).await;
}

#[tokio::test]
async fn user_id_cannot_impersonate_a_connection() {
    let server = server().await;
    let mut nobody = server.client("").await;
    let (thread_id, event_id) = begin(&mut nobody, "say one").await;
    for user_id in ["user:", "connection:", "*", " ", "null"] {
        let mut client = server.client(user_id).await;
        assert_not_visible(&mut client, &thread_id, &event_id).await;
        client.disconnect().await;
    }
    server.close([nobody]).await;
}
