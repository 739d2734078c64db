//! Who receives what, when threads are private.

use crate::agents::script;
use crate::asserts::{appended, kinds, string, texts};
use crate::audience::sees_nothing;
use dooers_tests::{Client, Server};
use serde_json::{Value, json};

async fn server() -> Server {
    Server::with::<script>(|config| config.private_threads(true)).await
}

async fn list(client: &mut Client) -> Vec<Value> {
    let list = client
        .ask("thread.list", json!({}), "thread.list.result")
        .await;
    let threads = list["threads"].as_array().unwrap().clone();
    assert_eq!(list["total_count"], threads.len());
    threads
}

async fn begin(client: &mut Client, text: &str) -> (String, String) {
    let id = client.message(None, text).await;
    client.accepted(&id).await;
    let frames = client.turn().await;
    let thread_id = string(&frames[0]["payload"]["thread"]["id"]);
    (thread_id, string(&appended(&frames)[0]["id"]))
}

#[tokio::test]
async fn another_user_gets_nothing_and_sees_nothing() {
    let server = server().await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let (thread_id, event_id) = begin(&mut ada, "say secret").await;
    bob.has_nothing().await;
    sees_nothing(&mut bob, &thread_id, &event_id).await;
    let deletion = ada
        .send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    ada.expect("thread.deleted").await;
    ada.accepted(&deletion).await;
    bob.has_nothing().await;
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn the_same_user_sees_the_thread_on_every_connection() {
    let server = server().await;
    let mut ada = server.client("ada").await;
    let mut again = server.client("ada").await;
    let (thread_id, _) = begin(&mut ada, "say one").await;
    assert_eq!(kinds(&again.pending().await), ["thread.upsert"; 2]);
    assert_eq!(list(&mut again).await.len(), 1);
    let frames = again.converse(&thread_id, "say two").await;
    assert_eq!(texts(&appended(&frames)), ["say two", "two"]);
    assert_eq!(texts(&appended(&ada.turn().await)), ["say two", "two"]);
    server.close([ada, again]).await;
}

#[tokio::test]
async fn a_connection_that_becomes_another_user_loses_the_first_ones_threads() {
    let server = server().await;
    let mut changing = server.client("ada").await;
    let mut ada = server.client("ada").await;
    let (thread_id, event_id) = begin(&mut changing, "say one").await;
    ada.pending().await;
    changing.connect("bob").await;
    sees_nothing(&mut changing, &thread_id, &event_id).await;
    ada.converse(&thread_id, "say two").await;
    changing.has_nothing().await;
    server.close([changing, ada]).await;
}

#[tokio::test]
async fn nobody_sees_only_the_threads_of_their_own_connection() {
    let server = server().await;
    let mut nobody = server.client("").await;
    let mut another = server.client("").await;
    let (thread_id, event_id) = begin(&mut nobody, "say one").await;
    another.has_nothing().await;
    sees_nothing(&mut another, &thread_id, &event_id).await;
    assert_eq!(list(&mut nobody).await.len(), 1);
    assert_eq!(list(&mut nobody).await[0]["users"], json!([]));
    let frames = nobody.converse(&thread_id, "say two").await;
    assert_eq!(texts(&appended(&frames)), ["say two", "two"]);

    // Who says who they are is nobody no more, and nobody again is another nobody.
    nobody.connect("ada").await;
    sees_nothing(&mut nobody, &thread_id, &event_id).await;
    nobody.connect("").await;
    sees_nothing(&mut nobody, &thread_id, &event_id).await;
    server.close([nobody, another]).await;
}

#[tokio::test]
async fn no_user_id_makes_anybody_someone_elses_connection() {
    let server = server().await;
    let mut nobody = server.client("").await;
    let (thread_id, event_id) = begin(&mut nobody, "say one").await;
    for user_id in ["user:", "connection:", "*", " ", "null"] {
        let mut client = server.client(user_id).await;
        sees_nothing(&mut client, &thread_id, &event_id).await;
        client.leave().await;
    }
    server.close([nobody]).await;
}
