//! The threads of dispatched messages, and repeated messages.

use crate::agents::{actor, storyteller};
use crate::fixtures::{collect, describe, error_of, message, send, server, server_with};
use dooers::{Database, DispatchError, HandlerErrorKind, WorkerConfig};
use dooers_tests::{Server, SpyStore, gate, within};
use serde_json::json;
use std::error::Error;

#[tokio::test]
async fn thread_is_created_with_a_given_id_and_reused() {
    let server = Server::start(server()).await;
    let first = message::<actor>(server.worker(), "say one")
        .thread("daily")
        .title("Every day")
        .metadata(json!({"source": "timer"}));
    let first = send(first).await;
    assert!(first.is_new_thread());
    assert_eq!(first.thread_id(), "daily");
    within("the turn", first.text()).await.unwrap();

    let second = message::<actor>(server.worker(), "say two")
        .thread("daily")
        .title("Another title");
    let second = send(second).await;
    assert!(!second.is_new_thread());
    within("the turn", second.text()).await.unwrap();

    let mut ada = server.client("ada").await;
    let snapshot = ada.subscribe("daily").await;
    assert_eq!(snapshot["thread"]["title"], "Every day");
    assert_eq!(snapshot["thread"]["metadata"], json!({"source": "timer"}));
    assert_eq!(snapshot["thread"]["owner"]["user_id"], "ada");
    let events = snapshot["events"].as_array().unwrap();
    assert_eq!(events.len(), 4);
    server.close([ada]).await;
}

#[tokio::test]
async fn thread_of_another_scope_is_not_found() {
    let server = server_with(|config| config.private_threads(true));
    let mine = send(message::<actor>(&server, "say mine").thread("t")).await;
    within("the turn", mine.text()).await.unwrap();
    let others = [
        message::<actor>(&server, "say x").worker("w2"),
        message::<actor>(&server, "say x").organization("o2"),
        message::<actor>(&server, "say x").workspace("s2"),
        message::<actor>(&server, "say x").user("ben"),
        message::<actor>(&server, "say x").user(""),
        message::<storyteller>(&server, "x"),
    ];
    for other in others {
        let error = other.thread("t").send().await.unwrap_err();
        assert!(
            matches!(error, DispatchError::NotFound("thread")),
            "{error:?}"
        );
        assert_eq!(
            error.to_string(),
            "there is no such thread for this agent, worker, organization, workspace and user: the id belongs \
             to another scope, or the idempotency key was used in a thread that was deleted; use a new id or key"
        );
    }
    let again = send(message::<actor>(&server, "say again").thread("t")).await;
    assert!(!again.is_new_thread());
    within("the turn", again.text()).await.unwrap();
    server.close().await;
}

#[tokio::test]
async fn repeated_key_is_the_same_message() {
    let server = server();
    let keyed = || message::<actor>(&server, "grow a b\nsay c").idempotency_key("k1");
    let first = send(keyed()).await;
    let (thread_id, event_id) = (first.thread_id().to_owned(), first.event_id().to_owned());
    let first = within("the turn", first.collect()).await.unwrap();

    // The turn is over, and its events are streamed again.
    let again = send(keyed()).await;
    assert!(again.is_repeated() && !again.is_new_thread());
    assert_eq!(again.thread_id(), thread_id);
    assert_eq!(again.event_id(), event_id);
    let again = within("the earlier turn", again.collect()).await.unwrap();
    assert_eq!(again, first);

    // The key with another text, agent or user.
    let other = message::<actor>(&server, "say d").idempotency_key("k1");
    let error = other.send().await.unwrap_err();
    assert!(matches!(error, DispatchError::Conflict), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the idempotency key was used for another message, or with another agent of the worker; make a new key for \
         each message"
    );
    let other = message::<storyteller>(&server, "grow a b\nsay c").idempotency_key("k1");
    let error = other.send().await.unwrap_err();
    assert!(matches!(error, DispatchError::Conflict), "{error:?}");
    let bens = send(keyed().user("ben")).await;
    assert!(!bens.is_repeated());
    within("the turn", bens.text()).await.unwrap();
    server.close().await;
}

#[tokio::test]
async fn client_cannot_use_up_a_key() {
    let server = Server::start(server()).await;
    for (user, key) in [("ada", "k1"), ("", "k2")] {
        let mut client = server.client(user).await;
        let taken = json!({
            "client_event_id": key,
            "event": {"type": "message", "actor": "user", "content": [{"type": "text", "text": "say mine"}]},
        });
        client.send_expecting_ack("event.create", taken).await;
        client.read_turn().await;
        let keyed = || message::<actor>(server.worker(), "say mine").user(user);
        let first = send(keyed().idempotency_key(key)).await;
        assert!(!first.is_repeated());
        assert_eq!(within("the turn", first.text()).await.unwrap(), "mine");
        assert!(send(keyed().idempotency_key(key)).await.is_repeated());
        client.disconnect().await;
    }
    server.close([]).await;
}

#[tokio::test]
async fn anonymous_keys_repeat_in_private_threads() {
    let server = server_with(|config| config.private_threads(true));
    let nobodys = |text| message::<actor>(&server, text).user("");
    let first = send(nobodys("say a").idempotency_key("k")).await;
    let event_id = first.event_id().to_owned();
    assert_eq!(within("the turn", first.text()).await.unwrap(), "a");
    let again = send(nobodys("say a").idempotency_key("k")).await;
    assert!(again.is_repeated());
    assert_eq!(again.event_id(), event_id);

    let daily = send(nobodys("say b").thread("daily")).await;
    assert!(daily.is_new_thread());
    let daily = send(nobodys("say c").thread("daily")).await;
    assert!(!daily.is_new_thread());
    assert_eq!(within("the turn", daily.text()).await.unwrap(), "c");
    server.close().await;
}

#[tokio::test]
async fn anonymous_private_thread_is_hidden_from_clients() {
    let server = Server::start(server_with(|config| config.private_threads(true))).await;
    let mut nobody = server.client("").await;
    let turn = send(message::<actor>(server.worker(), "say a").user("")).await;
    let thread_id = turn.thread_id().to_owned();
    within("the turn", turn.text()).await.unwrap();
    let subscribe = json!({"thread_id": thread_id});
    assert_eq!(
        nobody
            .send_expecting_error("thread.subscribe", subscribe)
            .await,
        "NOT_FOUND"
    );
    server.close([nobody]).await;
}

#[tokio::test]
async fn repeat_streams_a_running_or_failed_turn() {
    let server = server();
    let keyed = || message::<actor>(&server, "say a\nwait keyed\nfail it").idempotency_key("k");
    let first = send(keyed()).await;
    gate::arrived("keyed").await;
    let second = send(keyed()).await;
    assert!(second.is_repeated());
    gate::open("keyed");
    let (first, second) = tokio::join!(collect(first), collect(second));
    // The stream of the first dispatch also includes the new thread.
    assert_eq!(describe(&first).last(), describe(&second).last());
    assert!(describe(&second).contains(&"a".to_owned()));

    let error = error_of(send(keyed()).await).await;
    assert_eq!(error.kind(), HandlerErrorKind::Failed);
    server.close().await;
}

#[tokio::test]
async fn repeated_message_is_sent_to_the_store_once() {
    let store = SpyStore::memory();
    let database = Database::Custom(store.clone());
    let server = server_with(|config| config.database(database));
    let keyed = || message::<actor>(&server, "say once").idempotency_key("k");
    for sent in 1..=3 {
        let turn = send(keyed()).await;
        assert_eq!(within("the turn", turn.text()).await.unwrap(), "once");
        assert_eq!(store.calls("begin_turn"), sent);
    }
    server.close().await;
}

#[tokio::test]
async fn repeated_message_gets_an_end_during_its_read() {
    let store = SpyStore::memory();
    let database = Database::Custom(store.clone());
    let server = server_with(|config| config.database(database));
    let keyed = || message::<actor>(&server, "wait asked\nfail it").idempotency_key("k");
    let first = send(keyed()).await;
    gate::arrived("asked").await;
    // The store answers that the turn runs, and the turn ends before the answer arrives.
    let mut held = store.hold("turn_state");
    let second = tokio::spawn(keyed().send());
    held.reached().await;
    gate::open("asked");
    error_of(first).await;
    held.release();
    let second = within("the repeated message", second).await.unwrap();
    let error = error_of(second.unwrap()).await;
    let source = error.source().expect("the handler ran in this process");
    assert_eq!(source.to_string(), "it");
    server.close().await;
}

#[tokio::test]
async fn stream_that_is_behind_ends_with_its_thread() {
    let config = |config: WorkerConfig| config.limits(|limits| limits.outbound_frames = 2);
    let server = Server::start(server_with(config)).await;
    let burst = message::<actor>(server.worker(), "burst 50\nwait behind").thread("t");
    let turn = send(burst).await;
    gate::arrived("behind").await;
    let mut ada = server.client("ada").await;
    ada.send("thread.delete", json!({"thread_id": "t"})).await;
    let error = error_of(turn).await;
    assert_eq!(error.kind(), HandlerErrorKind::ThreadDeleted);
    server.close([ada]).await;
}

#[tokio::test]
async fn concurrent_repeats_make_one_turn() {
    let server = server();
    let keyed = || message::<actor>(&server, "say once").idempotency_key("k");
    let sent = futures::future::join_all((0..16).map(|_| send(keyed()))).await;
    assert_eq!(sent.iter().filter(|turn| !turn.is_repeated()).count(), 1);
    for turn in sent {
        assert_eq!(within("the turn", turn.text()).await.unwrap(), "once");
    }
    server.close().await;
}

#[tokio::test]
async fn deleted_thread_ends_turns_and_retires_their_keys() {
    let server = Server::start(server()).await;
    let keyed = || {
        message::<actor>(server.worker(), "say a\nwait deleted")
            .thread("t")
            .idempotency_key("k")
    };
    let turn = send(keyed()).await;
    gate::arrived("deleted").await;
    let waiting = send(message::<actor>(server.worker(), "say b").thread("t")).await;
    let mut ada = server.client("ada").await;
    ada.send("thread.delete", json!({"thread_id": "t"})).await;
    for turn in [turn, waiting] {
        assert_eq!(error_of(turn).await.kind(), HandlerErrorKind::ThreadDeleted);
    }
    // The key belongs to a deleted thread, so the repeat is not found. A message without the key creates the
    // thread again.
    let error = keyed().send().await.unwrap_err();
    assert!(matches!(error, DispatchError::NotFound(_)), "{error:?}");
    let anew = send(message::<actor>(server.worker(), "say c").thread("t")).await;
    assert!(anew.is_new_thread());
    within("the turn", anew.text()).await.unwrap();
    server.close([ada]).await;
}
