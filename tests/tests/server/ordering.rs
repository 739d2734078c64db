//! Turns of one thread run in sequence. Everything else runs concurrently.

use crate::agents::script;
use crate::asserts::{appended, events, kinds, seqs, string, texts};
use dooers_tests::{Server, gate};
use serde_json::json;

#[tokio::test]
async fn messages_during_a_turn_are_published_and_queued() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let thread_id = ada.start_thread("say hello").await;
    bob.read_pending().await;
    bob.subscribe(&thread_id).await;

    let id = ada
        .send_message(Some(&thread_id), "wait ordering-a\nsay a")
        .await;
    ada.expect_ack(&id).await;
    ada.expect("event.append").await;
    ada.expect("run.upsert").await;
    gate::arrived("ordering-a").await;
    bob.read_pending().await;

    // Acked and published to both, but without a run: the message is queued.
    let id = bob
        .send_message(Some(&thread_id), "wait ordering-b\nsay b")
        .await;
    bob.expect_ack(&id).await;
    let received = bob.read_pending().await;
    assert_eq!(
        kinds(&received),
        ["thread.upsert", "event.append"],
        "bob is a new user of the thread"
    );
    let received = ada.read_pending().await;
    assert_eq!(kinds(&received), ["thread.upsert", "event.append"]);
    let id = ada.send_message(Some(&thread_id), "say c").await;
    ada.expect_ack(&id).await;
    let received = ada.read_pending().await;
    assert_eq!(kinds(&received), ["event.append"]);
    assert_eq!(gate::waiting("ordering-b"), 0);

    gate::open("ordering-a");
    gate::arrived("ordering-b").await;
    let frames = ada.read_turn().await;
    assert_eq!(texts(&appended(&frames)), ["a"]);
    assert_eq!(ada.expect("run.upsert").await["run"]["status"], "running");
    ada.expect_nothing().await;

    gate::open("ordering-b");
    let frames = ada.read_turn().await;
    assert_eq!(texts(&appended(&frames)), ["b"]);
    let frames = ada.read_turn().await;
    assert_eq!(
        kinds(&frames),
        ["run.upsert", "event.append", "thread.upsert", "run.upsert"]
    );
    assert_eq!(texts(&appended(&frames)), ["c"]);

    let list = ada
        .request(
            "event.list",
            json!({"thread_id": thread_id}),
            "event.list.result",
        )
        .await;
    let all = events(&list);
    assert_eq!(seqs(&all), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(texts(&all[5..]), ["a", "b", "c"]);
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn answers_follow_the_stored_order_of_messages() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let thread_id = ada.start_thread("say hello").await;
    // As many messages as the queue of a thread accepts.
    for number in 0..16 {
        ada.send_message(Some(&thread_id), &format!("say a{number}"))
            .await;
        bob.send_message(Some(&thread_id), &format!("stored b{number}"))
            .await;
    }
    let mut ended = 0;
    while ended < 32 {
        ada.read_turn().await;
        ended += 1;
    }
    let list = ada
        .request(
            "event.list",
            json!({"thread_id": thread_id, "limit": 200}),
            "event.list.result",
        )
        .await;
    let all = events(&list);
    let asked: Vec<_> = all
        .iter()
        .skip(2)
        .filter(|event| event["actor"] == "user")
        .map(crate::asserts::text)
        .collect();
    let answered: Vec<_> = all
        .iter()
        .skip(2)
        .filter(|event| event["actor"] == "assistant")
        .map(crate::asserts::text)
        .collect();
    let expected: Vec<_> = asked
        .iter()
        .map(|text| text.split_once(' ').unwrap().1)
        .collect();
    assert_eq!(answered.len(), 32);
    assert_eq!(answered, expected);
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn threads_run_concurrently() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    for number in 0..8 {
        client
            .send_message(None, &format!("wait ordering-side\nsay {number}"))
            .await;
    }
    // All eight handlers run before the first one passes.
    for _ in 0..8 {
        gate::arrived("ordering-side").await;
    }
    for _ in 0..8 {
        gate::open("ordering-side");
    }
    let mut threads = Vec::new();
    for _ in 0..8 {
        let frames = client.read_turn().await;
        threads.push(string(
            &frames.last().unwrap()["payload"]["run"]["thread_id"],
        ));
    }
    threads.sort();
    threads.dedup();
    assert_eq!(threads.len(), 8);
    server.close([client]).await;
}

#[tokio::test]
async fn other_frames_are_answered_while_a_handler_runs() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let id = client.send_message(None, "wait ordering-busy").await;
    client.expect_ack(&id).await;
    let created = client.expect("thread.upsert").await;
    let thread_id = string(&created["thread"]["id"]);
    gate::arrived("ordering-busy").await;
    client.read_pending().await;

    client.expect_nothing().await;
    let list = client
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["total_count"], 1);
    client
        .request(
            "event.list",
            json!({"thread_id": thread_id}),
            "event.list.result",
        )
        .await;
    let snapshot = client.subscribe(&thread_id).await;
    assert_eq!(snapshot["runs"][0]["status"], "running");
    client
        .send_expecting_ack("thread.unsubscribe", json!({"thread_id": thread_id}))
        .await;
    let other = client.send_message(None, "say other").await;
    client.expect_ack(&other).await;
    assert_eq!(client.read_turn().await.len(), 6);

    gate::open("ordering-busy");
    assert_eq!(
        client.expect("thread.upsert").await["thread"]["id"],
        thread_id.as_str()
    );
    server.close([client]).await;
}

#[tokio::test]
async fn disconnect_does_not_stop_a_turn() {
    let server = Server::of::<script>().await;
    let mut leaving = server.client("ada").await;
    let mut watching = server.client("ada").await;
    leaving
        .send_message(None, "wait ordering-left\nsay done")
        .await;
    gate::arrived("ordering-left").await;
    leaving.disconnect().await;
    let created = watching.expect("thread.upsert").await;
    let thread_id = string(&created["thread"]["id"]);
    watching.subscribe(&thread_id).await;
    gate::open("ordering-left");
    let frames = watching.read_turn().await;
    assert_eq!(texts(&appended(&frames)), ["done"]);
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "succeeded"
    );
    server.close([watching]).await;
}
