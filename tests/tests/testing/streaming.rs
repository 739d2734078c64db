//! Streaming answers.

use crate::agents::{echo, model};
use dooers::testing::{FakeModel, FakeReply, TestServer, TestUser};

#[tokio::test]
async fn answer_streams_word_by_word() {
    let fake = FakeModel::new().reply("Once upon a time");
    let server = TestServer::of::<model>().state(fake).await;
    let mut ada = server.connect("ada").await;
    let mut stream = ada.stream("a story").await;
    assert_eq!(stream.next_piece().await.as_deref(), Some("Once "));
    assert_eq!(stream.pieces().await, ["upon ", "a ", "time"]);
    assert_eq!(stream.next_piece().await, None);
    stream
        .turn()
        .await
        .assert_text("Once upon a time")
        .assert_succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_of_another_thread_streams_word_by_word() {
    let words: Vec<_> = (0..50).map(|number| format!("{number} ")).collect();
    let fake = FakeModel::new().reply(words.concat());
    let server = TestServer::of::<model>().state(fake).await;
    let mut ada = server.connect("ada").await;
    let mut stream = ada.stream("count").await;
    assert_eq!(stream.pieces().await, words);
    stream.turn().await.assert_succeeded();
}

#[tokio::test]
async fn client_without_deltas_reads_the_same_text() {
    let fake = FakeModel::new().reply("Once upon a time");
    let server = TestServer::of::<model>().state(fake).await;
    let mut ada = server.connect(TestUser::new("ada").without_deltas()).await;
    let mut stream = ada.stream("a story").await;
    assert_eq!(stream.pieces().await.concat(), "Once upon a time");
    stream.turn().await.assert_text("Once upon a time");
    let kinds = ada
        .frames()
        .iter()
        .map(|frame| frame["type"].as_str().unwrap());
    assert_eq!(kinds.filter(|kind| *kind == "event.delta").count(), 0);
}

#[tokio::test]
async fn text_without_streaming_is_one_piece() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    let mut stream = ada.stream("hello").await;
    assert_eq!(stream.pieces().await, ["You said: hello"]);
}

#[tokio::test(start_paused = true)]
async fn canceled_answer_keeps_its_text() {
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let slow = FakeReply::new().delay(day).text("It all began when");
    let server = TestServer::of::<model>()
        .state(FakeModel::new().reply(slow))
        .await;
    let mut ada = server.connect("ada").await;
    let mut stream = ada.stream("a story").await;
    assert_eq!(stream.next_piece().await.as_deref(), Some("It "));
    stream.cancel().await;
    stream.turn().await.assert_canceled().assert_text("It ");
}
