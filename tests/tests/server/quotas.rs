//! Quotas of clients: what is over them is refused, for all connections of a user and no other.

use crate::agents::script;
use crate::asserts::kinds;
use dooers::auth::{ConnectRequest, Identity, IdentityLimits, Refusal};
use dooers::{Quota, Quotas, WorkerServer};
use dooers_tests::{Client, Server, gate, in_memory, within};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, advance};

/// Time that passes only when a test says so. A paused clock would otherwise advance whenever the test waits for a socket.
pub(crate) struct FrozenTime(
    #[expect(dead_code, reason = "held, not read")] std::sync::mpsc::Sender<()>,
);

impl FrozenTime {
    pub(crate) fn begin() -> Self {
        tokio::time::pause();
        // The clock does not advance by itself while blocking work is in progress.
        let (sender, dropped) = std::sync::mpsc::channel();
        tokio::task::spawn_blocking(move || dropped.recv());
        Self(sender)
    }
}

/// Believes a token of the form `USER` or `USER {LIMITS}`. The user `-` is anonymous, and `nobody` is refused.
async fn by_token(request: ConnectRequest) -> Result<Identity, Refusal> {
    let token = request.token().unwrap_or("nobody");
    let (user, limits) = token.split_once(' ').unwrap_or((token, "{}"));
    let limits: IdentityLimits =
        serde_json::from_str(limits).map_err(|error| Refusal::unauthorized(error.to_string()))?;
    match user {
        "nobody" => Err(Refusal::unauthorized("log in first")),
        "-" => Ok(Identity::new("").limits(|own| *own = limits)),
        _ => Ok(Identity::new(user)
            .organization("o1")
            .rights(|rights| rights.settings = true)
            .limits(|own| *own = limits)),
    }
}

pub(crate) async fn server(change: impl FnOnce(&mut Quotas)) -> Server {
    let config = in_memory().quotas(change);
    let worker = WorkerServer::new(config).agent::<script>();
    Server::start(worker.authenticator(by_token)).await
}

pub(crate) fn identity(token: &str) -> dooers_tests::Identity {
    dooers_tests::Identity::of("stated").with("auth_token", token)
}

/// Reads the next frame, which must refuse this frame as `RATE_LIMITED`. Returns the delay, and checks the text.
pub(crate) async fn limited(client: &mut Client, id: &str, text: &str) -> Option<Duration> {
    let ack = client.expect("ack").await;
    assert_eq!(ack["ack_id"], id, "{ack}");
    let error = &ack["error"];
    assert_eq!(error["code"], "RATE_LIMITED", "{ack}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(text), "{message}");
    error["retry_after_ms"].as_u64().map(Duration::from_millis)
}

async fn say(client: &mut Client, text: &str) {
    let id = client.send_message(None, text).await;
    client.expect_ack(&id).await;
    client.read_turn().await;
}

async fn refused(client: &mut Client, text: &str) -> Option<Duration> {
    let id = client.send_message(None, "say no").await;
    limited(client, &id, text).await
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn messages_are_limited_for_all_connections() {
    let time = FrozenTime::begin();
    let server = server(|quotas| {
        quotas.messages_per_minute = Quota::at_most(60);
        quotas.message_burst = 3;
    })
    .await;
    let mut one = server.client(identity("ana")).await;
    let mut other = server.client(identity("ana")).await;
    let mut bob = server.client(identity("bob")).await;
    say(&mut one, "say 1").await;
    say(&mut one, "say 2").await;
    other.read_pending().await;
    say(&mut other, "say 3").await;
    one.read_pending().await;
    let wait = refused(&mut one, "more messages than one user may").await;
    assert_eq!(wait, Some(SECOND));
    // A new connection of the user is over the quota, too, and nothing was stored.
    one.disconnect().await;
    other.disconnect().await;
    let mut again = server.client(identity("ana")).await;
    assert_eq!(refused(&mut again, "more messages").await, Some(SECOND));
    let list = again
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["total_count"], 3);
    bob.read_pending().await;
    say(&mut bob, "say other").await;
    again.read_pending().await;
    advance(SECOND - Duration::from_millis(1)).await;
    let wait = refused(&mut again, "more messages").await;
    assert_eq!(wait, Some(Duration::from_millis(1)));
    // A client that waits exactly as long as it is told to is admitted, once.
    advance(Duration::from_millis(1)).await;
    say(&mut again, "say 4").await;
    assert_eq!(refused(&mut again, "more messages").await, Some(SECOND));
    drop(time);
    server.close([again, bob]).await;
}

#[tokio::test]
async fn repeated_message_does_not_count_again() {
    let time = FrozenTime::begin();
    let server = server(|quotas| {
        quotas.message_burst = 2;
        quotas.threads_per_day = Quota::at_most(2);
    })
    .await;
    let mut client = server.client(identity("ana")).await;
    for id in ["m1", "m2"] {
        let id = client.send_message_as(id, None, "say 1").await;
        client.expect_ack(&id).await;
        client.read_turn().await;
    }
    client.disconnect().await;
    let mut client = server.client(identity("ana")).await;
    for id in ["m1", "m2"] {
        let id = client.send_message_as(id, None, "say 1").await;
        client.expect_ack(&id).await;
        client.expect("event.append").await;
        client.read_pending().await;
    }
    let id = client.send_message_as("m3", None, "say 1").await;
    limited(&mut client, &id, "as many threads").await;
    // Another worker has its own ids.
    let mut elsewhere = server.client(identity("ana").with("agent_id", "w2")).await;
    let id = elsewhere.send_message_as("m1", None, "say 1").await;
    limited(&mut elsewhere, &id, "as many threads").await;
    drop(time);
    server.close([client, elsewhere]).await;
}

#[tokio::test]
async fn identity_overrides_the_quotas() {
    let time = FrozenTime::begin();
    let server = server(|quotas| quotas.message_burst = 1).await;
    let mut ana = server.client(identity("ana")).await;
    let mut bob = server
        .client(identity(
            r#"bob {"message_burst": 2, "messages_per_minute": 6}"#,
        ))
        .await;
    let mut eve = server
        .client(identity(r#"eve {"messages_per_minute": "off"}"#))
        .await;
    say(&mut ana, "say 1").await;
    assert_eq!(refused(&mut ana, "more messages").await, Some(SECOND));
    bob.read_pending().await;
    say(&mut bob, "say 1").await;
    say(&mut bob, "say 2").await;
    assert_eq!(refused(&mut bob, "more messages").await, Some(10 * SECOND));
    eve.read_pending().await;
    for _ in 0..30 {
        say(&mut eve, "say 1").await;
    }
    // Another token of the same user continues what the user has spent.
    ana.disconnect().await;
    let mut ana = server.client(identity(r#"ana {"message_burst": 2}"#)).await;
    say(&mut ana, "say 2").await;
    assert_eq!(refused(&mut ana, "more messages").await, Some(SECOND));
    drop(time);
    server.close([ana, bob, eve]).await;
}

#[tokio::test]
async fn open_server_has_no_quotas_unless_they_are_set() {
    let time = FrozenTime::begin();
    let free = Server::of::<script>().await;
    let mut client = free.client("ada").await;
    for _ in 0..300 {
        client.send("ping", json!({})).await;
    }
    for _ in 0..300 {
        client.expect("pong").await;
    }
    for _ in 0..40 {
        say(&mut client, "say 1").await;
    }
    let set =
        Server::with::<script>(|config| config.quotas(|quotas| quotas.message_burst = 1)).await;
    let mut bound = set.client("ada").await;
    say(&mut bound, "say 1").await;
    assert_eq!(refused(&mut bound, "more messages").await, Some(SECOND));
    drop(time);
    free.close([client]).await;
    set.close([bound]).await;
}

#[tokio::test]
async fn messages_of_the_program_have_no_quota() {
    let server = server(|quotas| quotas.message_burst = 1).await;
    for _ in 0..5 {
        let turn = server
            .worker()
            .dispatch::<script>()
            .worker("w1")
            .organization("o1")
            .user("ana");
        let turn = within("a message", turn.message("say 1").send())
            .await
            .unwrap();
        assert_eq!(within("the turn", turn.text()).await.unwrap(), "1");
    }
    let mut ana = server.client(identity("ana")).await;
    say(&mut ana, "say 1").await;
    server.close([ana]).await;
}

#[tokio::test]
async fn anonymous_users_are_limited_by_address() {
    let time = FrozenTime::begin();
    let server = server(|quotas| quotas.message_burst = 1).await;
    let mut one = server.client(identity("-")).await;
    let mut other = server.client(identity("-")).await;
    say(&mut one, "say 1").await;
    other.read_pending().await;
    assert_eq!(refused(&mut other, "more messages").await, Some(SECOND));
    drop(time);
    server.close([one, other]).await;
}

#[tokio::test]
async fn frames_are_limited_and_polite_clients_stay() {
    let time = FrozenTime::begin();
    let server = server(|quotas| {
        quotas.frames_per_second = Quota::at_most(10);
        quotas.frame_burst = 3;
    })
    .await;
    let mut client = server.client(identity("ana")).await;
    let pause = Duration::from_millis(100);
    // For longer than a flood is tolerated, the client sends what it may and waits as long as it is told to.
    for _ in 0..3 {
        client.expect_nothing().await;
    }
    for _ in 0..400 {
        let id = client.send("ping", json!({})).await;
        let wait = limited(&mut client, &id, "more frames").await.unwrap();
        assert_eq!(wait, pause);
        advance(wait).await;
        client.expect_nothing().await;
    }
    // A text that is not a frame, and a binary message, count as well.
    client.send_text("?").await;
    limited(&mut client, "", "more frames").await;
    advance(pause).await;
    client.expect_nothing().await;
    advance(pause * 3).await;
    let binary = tokio_tungstenite::tungstenite::Message::binary(vec![1]);
    for _ in 0..3 {
        client.send_raw(binary.clone()).await;
        assert_eq!(client.expect_error("").await.0, "INVALID_FRAME");
    }
    client.send_raw(binary).await;
    limited(&mut client, "", "more frames").await;
    drop(time);
    server.close([client]).await;
}

#[tokio::test]
async fn pings_and_frames_before_connect_count() {
    let time = FrozenTime::begin();
    let server = server(|quotas| {
        quotas.frames_per_second = Quota::at_most(1);
        quotas.frame_burst = 0;
    })
    .await;
    let (mut one, mut other) = (server.open().await, server.open().await);
    for client in [&mut one, &mut other] {
        for _ in 0..10 {
            client.expect_nothing().await;
        }
    }
    // After these, both count for their address.
    one.expect_nothing().await;
    let id = other.send("ping", json!({})).await;
    assert_eq!(limited(&mut other, &id, "more frames").await, Some(SECOND));
    // A client that does not wait is not read, and then connected.
    let id = other.send("connect", identity("ana").payload()).await;
    advance(SECOND + Duration::from_millis(1)).await;
    other.expect_ack(&id).await;
    // A burst of 0 is one of 1, and a ping of WebSocket takes it.
    let ping = tokio_tungstenite::tungstenite::Message::Ping(vec![].into());
    other.send_raw(ping).await;
    let id = other.send("ping", json!({})).await;
    assert_eq!(limited(&mut other, &id, "more frames").await, Some(SECOND));
    drop(time);
    server.close([one, other]).await;
}

/// Sends this many pings at once and returns the ids.
async fn flood(client: &mut Client, frames: usize) {
    for _ in 0..frames {
        client.send("ping", json!({})).await;
    }
}

#[tokio::test]
async fn flood_is_read_slowly_and_then_closed() {
    let time = FrozenTime::begin();
    let config = in_memory()
        .quotas(|quotas| {
            quotas.frames_per_second = Quota::at_most(1);
            quotas.frame_burst = 1;
        })
        // The client cannot answer a ping while the server does not read.
        .limits(|limits| {
            limits.ping_interval = Duration::from_millis(2_500);
            limits.pong_timeout = Duration::from_millis(100);
        });
    let worker = WorkerServer::new(config).agent::<script>();
    let server = Server::start(worker.authenticator(by_token)).await;
    let mut client = server.client(identity("ana")).await;
    flood(&mut client, 40).await;
    client.expect("pong").await;
    // The second frame is refused. The others are answered as slowly as the quota allows, for 30 s.
    assert_eq!(
        limited(&mut client, "frame-3", "more frames").await,
        Some(SECOND)
    );
    let began = Instant::now();
    let (frames, mut answers) = mpsc::unbounded_channel();
    let reading = tokio::spawn(async move {
        let (mut pongs, mut client) = (0, client);
        loop {
            match client.next_or_close().await {
                Ok(frame) => {
                    assert_eq!(kinds(&[frame]), ["pong"]);
                    pongs += 1;
                    frames.send(pongs).unwrap();
                }
                Err(close) => return (pongs, close),
            }
        }
    });
    // The first of them waits for the frame that was answered and for that which is next.
    for seconds in 1..=40_u32 {
        advance(SECOND).await;
        // Wakes timers of whole milliseconds.
        advance(Duration::from_millis(1)).await;
        if began.elapsed() >= Duration::from_millis(30_500) {
            break;
        }
        let answered = within("an answer each second", answers.recv()).await;
        assert_eq!(answered, Some(seconds as usize));
    }
    let (pongs, close) = within("the end of the flood", reading).await.unwrap();
    assert!((29..=30).contains(&pongs), "{pongs}");
    assert_eq!(
        close,
        (1013, "too many frames were sent for too long".to_owned())
    );
    // The user is over the quota with a new connection, too, and is served as soon as it waits.
    let mut again = server.client(identity("ana")).await;
    advance(2 * SECOND).await;
    again.expect_nothing().await;
    drop(time);
    server.close([again]).await;
}

#[tokio::test]
async fn connections_of_a_user_are_limited() {
    let server = server(|quotas| quotas.connections = Quota::at_most(2)).await;
    let mut one = server.client(identity("ana")).await;
    let two = server.client(identity("ana")).await;
    let mut bob = server.client(identity("bob")).await;
    let mut three = server.open().await;
    let id = three.send("connect", identity("ana").payload()).await;
    let wait = limited(&mut three, &id, "one user may have 2 connections").await;
    assert_eq!(wait, Some(SECOND));
    assert_eq!(
        three.send_expecting_error("thread.list", json!({})).await,
        "NOT_CONNECTED"
    );
    // A connection keeps its place when its user sends `connect` again, and its identity if another has no place for it.
    one.connect(identity("ana")).await;
    let id = bob.send("connect", identity("ana").payload()).await;
    limited(&mut bob, &id, "2 connections").await;
    bob.request("thread.list", json!({}), "thread.list.result")
        .await;
    // A connection that becomes another user's releases its place.
    one.connect(identity("bob")).await;
    three.connect(identity("ana")).await;
    // And so does one that ends. The server notices it in its own time.
    two.disconnect().await;
    let mut four = server.open().await;
    loop {
        let id = four.send("connect", identity("ana").payload()).await;
        let ack = four.expect("ack").await;
        assert_eq!(ack["ack_id"], id);
        if ack["ok"] == true {
            break;
        }
    }
    server.close([one, bob, three, four]).await;
}

#[tokio::test]
async fn subscriptions_of_a_connection_are_limited() {
    let server = server(|quotas| quotas.subscriptions = Quota::at_most(2)).await;
    let mut client = server.client(identity("ana")).await;
    let first = client.start_thread("say 1").await;
    let second = client.start_thread("say 1").await;
    let text = "may be subscribed to 2 threads";
    assert_eq!(refused(&mut client, text).await, None);
    // A thread that is subscribed already needs no other subscription.
    client.subscribe(&first).await;
    client.run_turn(&second, "say 2").await;
    let mut other = server.client(identity("ana")).await;
    let third = other.start_thread("say 1").await;
    client.read_pending().await;
    let id = client
        .send("thread.subscribe", json!({"thread_id": third}))
        .await;
    assert_eq!(limited(&mut client, &id, text).await, None);
    client
        .send_expecting_ack("thread.unsubscribe", json!({"thread_id": first}))
        .await;
    client.subscribe(&third).await;
    server.close([client, other]).await;
}

#[tokio::test]
async fn waiting_turns_of_a_user_are_limited() {
    let server = server(|quotas| quotas.waiting_turns = Quota::at_most(2)).await;
    let mut client = server.client(identity("ana")).await;
    for _ in 0..2 {
        let id = client.send_message(None, "wait quota-turns").await;
        client.expect_ack(&id).await;
        gate::arrived("quota-turns").await;
        client.read_pending().await;
    }
    let wait = refused(&mut client, "2 of your messages wait").await;
    assert_eq!(wait, Some(SECOND));
    let mut bob = server.client(identity("bob")).await;
    say(&mut bob, "say 1").await;
    client.read_pending().await;
    gate::open("quota-turns");
    client.read_turn().await;
    say(&mut client, "say 1").await;
    gate::open("quota-turns");
    client.read_turn().await;
    server.close([client, bob]).await;
}

#[tokio::test]
async fn threads_titles_and_settings_patches_are_limited() {
    let time = FrozenTime::begin();
    let server = server(|quotas| {
        quotas.threads_per_day = Quota::at_most(2);
        quotas.settings_patches_per_minute = Quota::at_most(2);
        quotas.thread_updates_per_minute = Quota::at_most(2);
    })
    .await;
    let mut client = server.client(identity("ana")).await;
    let thread = client.start_thread("say 1").await;
    client.start_thread("say 1").await;
    let day = Duration::from_secs(86_400);
    assert_eq!(refused(&mut client, "as many threads").await, Some(day / 2));
    client.run_turn(&thread, "say 2").await;
    let patch = json!({"field_id": "f", "value": 1});
    for _ in 0..2 {
        let code = client
            .send_expecting_error("settings.patch", patch.clone())
            .await;
        assert_eq!(code, "NOT_CONFIGURED");
    }
    let id = client.send("settings.patch", patch.clone()).await;
    let wait = limited(&mut client, &id, "change settings more often").await;
    assert_eq!(wait, Some(30 * SECOND));
    // A change that is refused, or changes nothing, counts as well.
    for (thread_id, is_ok) in [("nothing", false), (&*thread, true)] {
        let update = json!({"thread_id": thread_id, "title": " "});
        let id = client.send("thread.update", update).await;
        assert_eq!(client.expect("ack").await["ok"], is_ok, "{id}");
    }
    let update = json!({"thread_id": thread, "title": "A title"});
    let id = client.send("thread.update", update).await;
    let wait = limited(&mut client, &id, "change titles of threads more often").await;
    assert_eq!(wait, Some(30 * SECOND));
    drop(time);
    server.close([client]).await;
}

#[tokio::test]
async fn refused_authentications_are_limited() {
    let time = FrozenTime::begin();
    let server = server(|quotas| {
        quotas.failed_authentications_per_minute = Quota::at_most(3);
    })
    .await;
    let mut ana = server.client(identity("ana")).await;
    let mut client = server.open().await;
    let attempt = async |client: &mut Client, token: &str| {
        let id = client.send("connect", identity(token).payload()).await;
        let ack: Value = client.expect("ack").await;
        assert_eq!(ack["ack_id"], id);
        ack
    };
    for _ in 0..3 {
        let ack = attempt(&mut client, "nobody").await;
        assert_eq!(ack["error"]["code"], "UNAUTHORIZED");
    }
    // Another connection from the same address is limited, too, but a good token is accepted.
    let mut other = server.open().await;
    for client in [&mut client, &mut other] {
        let ack = attempt(client, "nobody").await;
        assert_eq!(ack["error"]["code"], "RATE_LIMITED");
        assert_eq!(ack["error"]["retry_after_ms"], 20_000);
    }
    assert_eq!(attempt(&mut other, "bob").await["ok"], true);
    // A connected client renews its own identity.
    assert_eq!(attempt(&mut ana, "ana").await["ok"], true);
    drop(time);
    server.close([ana, client, other]).await;
}
