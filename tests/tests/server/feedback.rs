//! The verb `feedback`, the feedback in snapshots, and the program's callback.

use crate::agents::{echo, script};
use crate::asserts::{appended, string};
use dooers::protocol::{FeedbackTarget, FeedbackValue};
use dooers::repository::{FeedbackUpdate, Scope};
use dooers::{WorkerServer, repository::Repository};
use dooers_tests::{Client, Server, gate, in_memory, within};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// Gives feedback that must be accepted.
async fn give(client: &mut Client, payload: Value) {
    let ack = client
        .request("feedback", payload.clone(), "feedback.ack")
        .await;
    let expected = json!({
        "target_type": payload["target_type"],
        "target_id": payload["target_id"],
        "feedback": payload["feedback"],
        "ok": true,
    });
    assert_eq!(ack, expected);
}

fn of(target_type: &str, target_id: &str, feedback: &str) -> Value {
    json!({"target_type": target_type, "target_id": target_id, "feedback": feedback})
}

/// Starts a thread. Returns the ids of the thread, the run, the message and the answer.
async fn begin(client: &mut Client) -> [String; 4] {
    let id = client.send_message(None, "say one").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let events = appended(&frames);
    [
        string(&events[1]["thread_id"]),
        string(&events[1]["run_id"]),
        string(&events[0]["id"]),
        string(&events[1]["id"]),
    ]
}

async fn shown(client: &mut Client, thread_id: &str) -> Value {
    client.subscribe(thread_id).await["feedback"].take()
}

#[tokio::test]
async fn feedback_is_shown_to_its_user_after_a_reload() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let [thread_id, run_id, message_id, answer_id] = begin(&mut ada).await;
    bob.read_pending().await;
    // Without feedback, the member is missing.
    assert_eq!(shown(&mut ada, &thread_id).await, Value::Null);
    assert_eq!(shown(&mut bob, &thread_id).await, Value::Null);

    let mut disliked = of("event", &answer_id, "dislike");
    disliked["reason"] = json!("It is wrong.");
    disliked["classification"] = json!("incorrect");
    give(&mut ada, disliked.clone()).await;
    give(&mut ada, disliked).await;
    give(&mut ada, of("event", &message_id, "like")).await;
    give(&mut ada, of("run", &run_id, "like")).await;
    give(&mut ada, of("thread", &thread_id, "dislike")).await;
    give(&mut bob, of("event", &answer_id, "like")).await;
    // Other subscribers receive nothing.
    ada.expect_nothing().await;
    bob.expect_nothing().await;

    let mut again = server.client("ada").await;
    let liked = of("event", &message_id, "like");
    let expected = json!([liked, of("event", &answer_id, "dislike")]);
    assert_eq!(shown(&mut again, &thread_id).await, expected);
    let expected = json!([of("event", &answer_id, "like")]);
    assert_eq!(shown(&mut bob, &thread_id).await, expected);
    // A changed opinion replaces the earlier one. Only the events that a snapshot shows have feedback in it.
    give(&mut again, of("event", &answer_id, "like")).await;
    let resume = json!({"thread_id": thread_id, "after_event_id": message_id});
    let snapshot = ada
        .request("thread.subscribe", resume, "thread.snapshot")
        .await;
    assert_eq!(
        snapshot["feedback"],
        json!([of("event", &answer_id, "like")])
    );
    server.close([ada, bob, again]).await;
}

#[tokio::test]
async fn invalid_feedback_is_refused_with_the_rule() {
    let server = Server::with::<script>(|config| {
        config.limits(|limits| limits.frame_bytes = 2 * 1024 * 1024)
    })
    .await;
    let mut ada = server.client("ada").await;
    let [thread_id, _, _, answer_id] = begin(&mut ada).await;
    let like = of("event", &answer_id, "like");
    let with = |member: &str, value: Value| {
        let mut payload = like.clone();
        payload[member] = value;
        payload
    };
    let text = |bytes: usize| json!("x".repeat(bytes));
    for (payload, code, message) in [
        (
            with("reason", text(1024 * 1024)),
            "INVALID_PAYLOAD",
            "`payload.reason` is 1048576 bytes long; at most 4096 are allowed; shorten it",
        ),
        (
            with("classification", json!("ä".repeat(65))),
            "INVALID_PAYLOAD",
            "`payload.classification` is 130 bytes long; at most 128 are allowed; shorten it",
        ),
        (
            with("feedback", json!("love")),
            "INVALID_PAYLOAD",
            "`payload.feedback`: unknown variant `love`, expected `like` or `dislike`",
        ),
        (
            with("feedback", json!(null)),
            "INVALID_PAYLOAD",
            "`payload.feedback`",
        ),
        (
            with("target_type", json!("user")),
            "INVALID_PAYLOAD",
            "`payload.target_type`: unknown variant `user`, expected one of `event`, `run`, `thread`",
        ),
        (
            json!({"target_type": "event", "feedback": "like"}),
            "INVALID_PAYLOAD",
            "`payload`: missing field `target_id`",
        ),
        (
            with("target_id", json!(5)),
            "INVALID_PAYLOAD",
            "`payload.target_id`",
        ),
        (
            with("target_id", text(129)),
            "INVALID_PAYLOAD",
            "`payload.target_id` is 129 bytes long; at most 128 are allowed",
        ),
        (
            with("target_id", json!("a\0b")),
            "INVALID_PAYLOAD",
            "`payload.target_id` contains U+0000",
        ),
        (
            with("reason", json!({"text": "x"})),
            "INVALID_PAYLOAD",
            "`payload.reason`",
        ),
        (
            of("run", &answer_id, "like"),
            "NOT_FOUND",
            "there is no such run",
        ),
        (
            of("event", &thread_id, "like"),
            "NOT_FOUND",
            "there is no such event",
        ),
    ] {
        let id = ada.send("feedback", payload).await;
        let refused = ada.expect_error(&id).await;
        assert_eq!(refused.0, code, "{message}");
        assert!(refused.1.starts_with(message), "{refused:?}");
    }
    assert_eq!(shown(&mut ada, &thread_id).await, Value::Null);
    // The limits themselves are admitted, and U+0000 is removed.
    let mut longest = with("reason", json!(format!("\0{}", "x".repeat(4096))));
    longest["classification"] = text(128);
    give(&mut ada, longest).await;
    server.close([ada]).await;
}

async fn with_repository(worker: WorkerServer) -> (Server, Repository, Scope) {
    let server = Server::start(worker.clone()).await;
    let scope = Scope::everyone::<echo>("w1")
        .organization("o1")
        .workspace("s1");
    (server, worker.repository().await.unwrap(), scope)
}

#[tokio::test]
async fn removed_event_and_deleted_thread_are_not_found() {
    let worker = WorkerServer::new(in_memory()).agent::<echo>();
    let (server, repository, scope) = with_repository(worker).await;
    let mut ada = server.client("ada").await;
    let [thread_id, run_id, _, answer_id] = begin(&mut ada).await;
    give(&mut ada, of("event", &answer_id, "like")).await;
    repository
        .remove_event(&scope, &thread_id, &answer_id)
        .await
        .unwrap();
    ada.expect("event.append").await;
    let refused = ada
        .send_expecting_error("feedback", of("event", &answer_id, "like"))
        .await;
    assert_eq!(refused, "NOT_FOUND");
    assert_eq!(shown(&mut ada, &thread_id).await, Value::Null);
    give(&mut ada, of("run", &run_id, "like")).await;
    repository.remove_thread(&scope, &thread_id).await.unwrap();
    ada.expect("thread.deleted").await;
    for target in [
        of("thread", &thread_id, "like"),
        of("run", &run_id, "like"),
        of("event", &answer_id, "like"),
    ] {
        assert_eq!(
            ada.send_expecting_error("feedback", target).await,
            "NOT_FOUND"
        );
    }
    assert_eq!(repository.feedback(&scope).await.unwrap().items, []);
    server.close([ada]).await;
}

/// Anonymous users share one feedback, as they share their messages. With private threads, each connection has its own.
#[tokio::test]
async fn anonymous_feedback_is_shared_unless_private() {
    for is_private in [false, true] {
        let worker = WorkerServer::new(in_memory().private_threads(is_private)).agent::<echo>();
        let (server, repository, scope) = with_repository(worker).await;
        let mut nobody = server.client("").await;
        let mut another = server.client("").await;
        let [thread_id, _, _, answer_id] = begin(&mut nobody).await;
        another.read_pending().await;
        give(&mut nobody, of("event", &answer_id, "dislike")).await;
        let like = of("event", &answer_id, "like");
        if is_private {
            let code = another.send_expecting_error("feedback", like).await;
            assert_eq!(code, "NOT_FOUND");
        } else {
            give(&mut another, like).await;
        }
        let value = if is_private { "dislike" } else { "like" };
        let expected = json!([of("event", &answer_id, value)]);
        assert_eq!(shown(&mut nobody, &thread_id).await, expected);
        let listed = repository.feedback(&scope).user("").await.unwrap().items;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].user_id, "");
        server.close([nobody, another]).await;
    }
}

#[tokio::test]
async fn callback_is_called_once_per_change_and_delays_nobody() {
    let (sender, mut updates) = mpsc::unbounded_channel::<FeedbackUpdate>();
    let calls = Arc::new(AtomicU64::new(0));
    let worker = WorkerServer::new(in_memory())
        .agent::<echo>()
        .on_feedback(move |update| {
            let number = calls.fetch_add(1, Ordering::Relaxed);
            let sender = sender.clone();
            async move {
                if number == 0 {
                    gate::pass("the first feedback").await;
                }
                sender.send(update).unwrap();
                match number {
                    0 => Err("the callback fails".into()),
                    1 => panic!("the callback panics"),
                    _ => Ok(()),
                }
            }
        });
    let (server, _, scope) = with_repository(worker).await;
    let mut ada = server.client("ada").await;
    let [thread_id, run_id, message_id, answer_id] = begin(&mut ada).await;
    give(&mut ada, of("event", &answer_id, "like")).await;
    gate::arrived("the first feedback").await;
    // The callback waits, and the connection does not.
    give(&mut ada, of("event", &answer_id, "like")).await;
    give(&mut ada, of("event", &answer_id, "dislike")).await;
    give(&mut ada, of("run", &run_id, "like")).await;
    assert_eq!(
        ada.send_expecting_error("feedback", of("run", "nothing", "like"))
            .await,
        "NOT_FOUND"
    );
    give(&mut ada, of("thread", &thread_id, "like")).await;
    gate::open("the first feedback");
    let mut seen = Vec::new();
    for _ in 0..4 {
        let update = within("the callback", updates.recv()).await.unwrap();
        assert_eq!(update.scope, scope);
        assert_eq!(update.feedback.thread_id, thread_id);
        assert_eq!(update.feedback.user_id, "ada");
        seen.push((
            update.feedback.target,
            update.previous,
            update.feedback.value,
            update.run_id,
            update.event_id,
        ));
    }
    let (like, dislike) = (FeedbackValue::Like, FeedbackValue::Dislike);
    let answer = FeedbackTarget::Event(answer_id.clone());
    let of_answer = (Some(run_id.clone()), Some(answer_id));
    let expected = [
        (
            answer.clone(),
            None,
            like,
            of_answer.0.clone(),
            of_answer.1.clone(),
        ),
        (answer, Some(like), dislike, of_answer.0, of_answer.1),
        (
            FeedbackTarget::Run(run_id.clone()),
            None,
            like,
            Some(run_id),
            Some(message_id),
        ),
        (FeedbackTarget::Thread(thread_id), None, like, None, None),
    ];
    assert_eq!(seen, expected);
    // The last one is still passed on when the server stops.
    give(
        &mut ada,
        of("event", &string(&json!(expected[0].0.id())), "like"),
    )
    .await;
    server.close([ada]).await;
    let last = within("the last callback", updates.recv()).await.unwrap();
    assert_eq!(last.previous, Some(dislike));
    assert!(within("the end", updates.recv()).await.is_none());
}
