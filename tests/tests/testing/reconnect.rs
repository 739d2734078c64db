//! Clients that disconnect and reconnect.

use crate::agents::{echo, model};
use dooers::testing::{FakeModel, FakeReply, TestServer, TestUser};
use std::time::Duration;

#[tokio::test]
async fn reconnect_adds_missed_events_to_the_view() {
    let server = TestServer::of::<echo>().await;
    for user in [TestUser::new("ada"), TestUser::new("ada").at_old_client()] {
        let mut ada = server.connect(user).await;
        let mut bob = server.connect("bob").await;
        let thread_id = ada.say("hello").await.thread_id().to_owned();
        ada.disconnect();
        for text in ["one", "two"] {
            bob.say_in(&thread_id, text).await.assert_succeeded();
        }
        assert_eq!(ada.conversation().events().len(), 2);
        ada.reconnect().await;
        ada.catch_up().await;
        let texts = ada.conversation().texts();
        assert_eq!(texts[..2], ["hello", "You said: hello"]);
        assert_eq!(texts[4..], ["two", "You said: two"]);
        ada.say("again").await.assert_text("You said: again");
    }
}

#[tokio::test]
async fn reconnect_after_a_long_absence_misses_nothing() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    let mut bob = server.connect("bob").await;
    let thread_id = ada.say("hello").await.thread_id().to_owned();
    ada.disconnect();
    for number in 0..120 {
        bob.say_in(&thread_id, number.to_string())
            .await
            .assert_succeeded();
    }
    ada.reconnect().await;
    ada.say("again").await.assert_text("You said: again");
    bob.catch_up().await;
    let seen_by = |events: &[dooers::protocol::ThreadEvent]| -> Vec<u64> {
        events.iter().map(|event| event.seq).collect()
    };
    assert_eq!(
        seen_by(ada.conversation().events()),
        (1..=244).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn unread_client_misses_nothing() {
    let server = TestServer::of::<echo>()
        .config(|config| config.limits(|limits| limits.outbound_frames = 4))
        .await;
    let mut ada = server.connect("ada").await;
    let mut bob = server.connect("bob").await;
    let thread_id = ada.say("hello").await.thread_id().to_owned();
    bob.subscribe(thread_id).await.unwrap();
    for number in 0..60 {
        ada.say(number.to_string()).await.assert_succeeded();
    }
    bob.catch_up().await;
    ada.catch_up().await;
    assert_eq!(bob.conversation().events(), ada.conversation().events());
}

#[tokio::test(start_paused = true)]
async fn turn_continues_while_its_client_is_away() {
    let slow = FakeReply::new()
        .delay(Duration::from_secs(1))
        .text("one two three four");
    let server = TestServer::of::<model>()
        .state(FakeModel::new().reply(slow))
        .await;
    let mut ada = server.connect("ada").await;
    let mut stream = ada.stream("count").await;
    assert_eq!(stream.next_piece().await.as_deref(), Some("one "));
    ada.disconnect();
    tokio::time::advance(Duration::from_millis(1500)).await;
    ada.reconnect().await;
    ada.turn()
        .await
        .assert_text("one two three four")
        .assert_succeeded();
}

#[tokio::test]
async fn reconnect_drops_a_deleted_thread() {
    let server = TestServer::of::<echo>().await;
    let mut ada = server.connect("ada").await;
    let thread_id = ada.say("hello").await.thread_id().to_owned();
    ada.disconnect();
    let mut bob = server.connect("bob").await;
    bob.delete_thread(&thread_id).await.unwrap();
    ada.reconnect().await;
    assert!(ada.conversation().is_deleted());
    ada.new_thread().say("hello").await.assert_succeeded();
}
