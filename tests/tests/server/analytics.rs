//! Live analytics events, and who receives them.

use crate::agents::script;
use crate::log::Log;
use dooers::prelude::*;
use dooers::protocol::FeedbackTarget;
use dooers::repository::Scope;
use dooers_tests::{Client, Identity, Server, in_memory};
use serde_json::{Value, json};

/// Tracks events for the words of the message.
#[dooers::agent]
async fn shop(
    request: WorkerRequest,
    response: WorkerResponse,
    analytics: WorkerAnalytics,
) -> Result<()> {
    for word in request.message.split_whitespace() {
        match word {
            "like" => {
                let answer = response.text("Do you like it?").await?;
                analytics.like(&answer).await?;
                analytics.like(&answer).await?;
                let explained = analytics.dislike(&answer).reason("dull");
                explained.classification("style").await?;
            }
            "nowhere" => {
                analytics
                    .like(FeedbackTarget::Event("nowhere".to_owned()))
                    .await?;
            }
            _ if word.starts_with("thread:") => {
                analytics
                    .like(FeedbackTarget::Thread(word[7..].to_owned()))
                    .await?;
            }
            "refused" => drop(analytics.track("message.c2s", ())),
            "fails" => return Err("no".into()),
            name => drop(analytics.track(name, json!({ "total": 1.5 }))),
        }
    }
    Ok(())
}

async fn subscribe(client: &mut Client) {
    let payload = json!({"agent_id": "w1"});
    client
        .send_expecting_ack("analytics.subscribe", payload)
        .await;
}

/// The analytics events among the frames that wait for a client.
async fn events(client: &mut Client) -> Vec<Value> {
    let frames = client.read_pending().await.into_iter();
    let events = frames.filter(|frame| frame["type"] == "analytics.event");
    events.map(|mut frame| frame["payload"].take()).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    let names = events.iter().map(|event| event["event"].as_str());
    names.map(Option::unwrap).collect()
}

fn scope() -> Scope {
    Scope::everyone::<shop>("w1")
        .organization("o1")
        .workspace("s1")
}

#[tokio::test]
async fn subscriber_receives_the_events_of_a_turn() {
    let server = Server::of::<shop>().await;
    let mut ada = server.client("ada").await;
    let mut observer = server.client("observer").await;
    subscribe(&mut observer).await;
    let id = ada
        .send_message(None, "order.placed refused order.paid")
        .await;
    ada.expect_ack(&id).await;
    ada.read_turn().await;
    let all = events(&mut observer).await;
    let expected = [
        "thread.created",
        "message.c2s",
        "order.placed",
        "order.paid",
        "run.finished",
    ];
    assert_eq!(names(&all), expected);
    let (placed, finished) = (&all[2], &all[4]);
    for member in [
        "worker_id",
        "agent_id",
        "thread_id",
        "user_id",
        "run_id",
        "event_id",
    ] {
        assert_eq!(placed[member], finished[member], "{member}");
        assert!(placed[member].is_string(), "{member}");
    }
    assert_eq!(
        (&placed["agent_id"], &placed["user_id"]),
        (&json!("w1"), &json!("ada"))
    );
    assert_eq!(placed["data"], json!({ "total": 1.5 }));
    assert_eq!(finished["data"]["attempt"], 1);
    // Only a subscriber receives events.
    assert!(events(&mut ada).await.is_empty());

    observer
        .send_expecting_ack("analytics.unsubscribe", json!({}))
        .await;
    let thread_id = all[0]["thread_id"].as_str().unwrap();
    ada.run_turn(thread_id, "more").await;
    assert!(events(&mut observer).await.is_empty());
    server.close([ada, observer]).await;
}

#[tokio::test]
async fn failed_turn_keeps_its_tracked_events() {
    let server = Server::of::<shop>().await;
    let mut ada = server.client("ada").await;
    subscribe(&mut ada).await;
    let id = ada.send_message(None, "tried fails").await;
    ada.expect_ack(&id).await;
    ada.read_until("the end", |frame| {
        frame["payload"]["event"] == "run.finished"
    })
    .await
    .iter()
    .find(|frame| frame["payload"]["event"] == "tried")
    .unwrap();
    server.close([ada]).await;
}

#[tokio::test]
async fn feedback_of_a_handler_is_the_feedback_of_its_user() {
    let server = Server::of::<shop>().await;
    let mut ada = server.client("ada").await;
    let mut observer = server.client("observer").await;
    subscribe(&mut observer).await;
    let id = ada.send_message(None, "like").await;
    ada.expect_ack(&id).await;
    let frames = ada.read_turn().await;
    let thread_id = crate::asserts::string(&frames[0]["payload"]["thread"]["id"]);
    let all = events(&mut observer).await;
    let given: Vec<_> = names(&all)
        .into_iter()
        .filter(|name| name.starts_with("feedback"))
        .collect();
    // The second like changes nothing.
    assert_eq!(given, ["feedback.like", "feedback.dislike"]);
    let shown = ada.subscribe(&thread_id).await["feedback"].take();
    assert_eq!(shown[0]["feedback"], "dislike");
    let repository = server.worker().repository().await.unwrap();
    let stored = repository.feedback(&scope()).await.unwrap().items;
    assert_eq!((stored.len(), &*stored[0].user_id), (1, "ada"));
    assert_eq!(stored[0].reason.as_deref(), Some("dull"));
    assert_eq!(stored[0].classification.as_deref(), Some("style"));

    // A client's feedback and an unknown target.
    let target = stored[0].target.id().to_owned();
    let like = json!({"target_type": "event", "target_id": target, "feedback": "like"});
    ada.request("feedback", like, "feedback.ack").await;
    assert_eq!(names(&events(&mut observer).await), ["feedback.like"]);
    ada.run_turn(&thread_id, "nowhere").await;
    // A handler does not give feedback in threads in which its user has not written.
    let mut bob = server.client("bob").await;
    bob.start_thread(&format!("thread:{thread_id}")).await;
    let all = events(&mut observer).await;
    let failed = names(&all)
        .into_iter()
        .filter(|name| *name == "error.occurred");
    assert_eq!(failed.count(), 2, "{all:?}");
    assert!(!names(&all).contains(&"feedback.like"));
    server.close([ada, bob, observer]).await;
}

#[tokio::test]
async fn program_tracks_events_and_gives_feedback() {
    let server = Server::of::<shop>().await;
    let mut observer = server.client("observer").await;
    let thread_id = observer.start_thread("first").await;
    let analytics = server.worker().analytics(&scope()).await.unwrap();
    // Without a subscriber, nothing happens.
    analytics.track("early", ()).await.unwrap();
    subscribe(&mut observer).await;
    let bobs = analytics.user("bob").thread(&thread_id);
    bobs.track("parcel.sent", json!({"days": 2})).await.unwrap();
    bobs.like(FeedbackTarget::Thread(thread_id.clone()))
        .await
        .unwrap();
    for elsewhere in [
        Scope::everyone::<shop>("w2"),
        Scope::everyone::<script>("w1"),
    ] {
        let elsewhere = elsewhere.organization("o1").workspace("s1");
        let elsewhere = server.worker().analytics(&elsewhere).await.unwrap();
        elsewhere.track("elsewhere", ()).await.unwrap();
        let foreign = elsewhere.like(FeedbackTarget::Thread(thread_id.clone()));
        let error = foreign.await.unwrap_err();
        assert!(error.store_error().is_some(), "{error}");
    }
    let all = events(&mut observer).await;
    assert_eq!(names(&all), ["parcel.sent", "feedback.like"]);
    for event in &all {
        assert_eq!(
            (&event["user_id"], &event["thread_id"]),
            (&json!("bob"), &json!(thread_id))
        );
    }
    let long = analytics
        .like(FeedbackTarget::Thread(thread_id))
        .reason("x".repeat(1024 * 1024));
    assert!(long.await.unwrap_err().is_refused());
    let nul = analytics
        .user("u\0")
        .like(FeedbackTarget::Run("r".to_owned()))
        .await;
    assert!(nul.unwrap_err().is_refused());
    for refused in ["", "run.finished"] {
        assert!(analytics.track(refused, ()).await.unwrap_err().is_refused());
    }
    assert!(
        analytics
            .user("u\0")
            .track("a", ())
            .await
            .unwrap_err()
            .is_refused()
    );
    server.close([observer]).await;
}

#[tokio::test]
async fn event_that_is_not_awaited_is_logged_if_it_fails() {
    let (log, _logging) = Log::capture(tracing::Level::WARN);
    let server = Server::of::<shop>().await;
    let invalid = Scope::everyone::<shop>("w\0");
    let analytics = server.worker().analytics(&invalid).await.unwrap();
    drop(analytics.track("parcel.sent", ()));
    let refused = analytics.track("parcel.lost", ()).await.unwrap_err();
    assert!(refused.to_string().contains("U+0000"), "{refused}");
    let log = log.text();
    assert_eq!(log.matches("an event was not tracked").count(), 2, "{log}");
    server.close([]).await;
}

#[tokio::test]
async fn subscription_covers_the_own_worker_only() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let others = [
        Identity::of("ada").with("agent_id", "w2"),
        Identity::of("ada").with("organization_id", "o2"),
        Identity::of("ada")
            .with("agent_id", "w1o1")
            .with("organization_id", ""),
    ];
    let mut clients = Vec::new();
    for identity in others {
        let mut client = server.client(identity).await;
        client
            .send_expecting_ack("analytics.subscribe", json!({}))
            .await;
        clients.push(client);
    }
    for kind in ["analytics.subscribe", "analytics.unsubscribe"] {
        let foreign = ada.send(kind, json!({"agent_id": "w2"})).await;
        let (code, text) = ada.expect_error(&foreign).await;
        assert_eq!(code, "FORBIDDEN");
        assert!(text.contains("for another worker"), "{text}");
        let wrong = ada.send_expecting_error(kind, json!({"agent_id": 7})).await;
        assert_eq!(wrong, "INVALID_PAYLOAD");
    }
    let mut nobody = server.open().await;
    let early = nobody
        .send_expecting_error("analytics.subscribe", json!({}))
        .await;
    assert_eq!(early, "NOT_CONNECTED");
    // Another workspace of the organization, and a second subscription.
    let other_workspace = Identity::of("boss").with("workspace_id", "s2");
    let mut boss = server.client(other_workspace).await;
    subscribe(&mut boss).await;
    subscribe(&mut boss).await;
    ada.start_thread("say one").await;
    assert_eq!(events(&mut boss).await.len(), 4);
    for client in &mut clients {
        client.expect_nothing().await;
    }
    // A new `connect` ends the subscription.
    boss.connect("boss").await;
    ada.start_thread("say one").await;
    assert!(events(&mut boss).await.is_empty());
    clients.extend([ada, boss, nobody]);
    server.close(clients).await;
}

#[tokio::test]
async fn events_and_analytics_can_be_turned_off() {
    let without = "message.c2s, thread.created".parse().unwrap();
    let server = Server::with::<shop>(|config| config.disabled_analytics_events(without)).await;
    let mut ada = server.client("ada").await;
    subscribe(&mut ada).await;
    let id = ada.send_message(None, "tracked").await;
    ada.expect_ack(&id).await;
    let frames = ada
        .read_until("the end", |frame| {
            frame["payload"]["event"] == "run.finished"
        })
        .await;
    let events = frames
        .iter()
        .filter(|frame| frame["type"] == "analytics.event");
    assert_eq!(events.count(), 2);
    server.close([ada]).await;

    let server = Server::with::<shop>(|config| config.analytics(false)).await;
    let mut ada = server.client("ada").await;
    let code = ada
        .send_expecting_error("analytics.subscribe", json!({}))
        .await;
    assert_eq!(code, "NOT_CONFIGURED");
    ada.start_thread("tracked").await;
    server.close([ada]).await;
}

#[tokio::test]
async fn withdrawn_and_deleted_turns_reach_subscribers() {
    let worker = WorkerServer::new(in_memory()).agent::<script>();
    let server = Server::start(worker).await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("say one").await;
    let mut observer = server.client("observer").await;
    subscribe(&mut observer).await;
    let id = ada.send_message(Some(&thread_id), "wait withdrawn").await;
    ada.expect_ack(&id).await;
    let queued = ada.send_message(Some(&thread_id), "say two").await;
    let frames = ada
        .read_until("the ack", |frame| frame["payload"]["ack_id"] == *queued)
        .await;
    drop(frames);
    let shown = ada.expect("event.append").await;
    let event_id = shown["events"][0]["id"].clone();
    let cancel = ada.send("run.cancel", json!({"event_id": event_id})).await;
    ada.expect_ack(&cancel).await;
    let all = events(&mut observer).await;
    let last = all.last().unwrap();
    assert_eq!(
        (&last["event"], &last["event_id"]),
        (&json!("run.finished"), &event_id)
    );
    assert_eq!(last["data"]["status"], "canceled");
    assert_eq!(last["data"]["attempt"], 0);
    dooers_tests::gate::open("withdrawn");
    server.close([ada, observer]).await;
}
