//! Clients that send secrets, and let the agents of the server use theirs.

use super::trial::Trial;
use crate::asserts::appended;
use dooers_tests::leaks::Channel;
use dooers_tests::{Client, Identity};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// The messages whose turns fail with a general text for users. The error of each contains the secret of the same name.
const FAILING: &[&str] = &[
    "error", "chain", "context", "wrapped", "bail", "lines", "panic", "stream", "before",
];

/// The text that the server has added to the thread, if there is one.
fn system_text(frames: &[Value]) -> Option<String> {
    let events = appended(frames);
    let mut events = events.iter();
    let event = events.find(|event| event["actor"] == "system")?;
    event["content"][0]["text"].as_str().map(str::to_owned)
}

fn run_of(frames: &[Value]) -> &Value {
    &frames.last().expect("a run")["payload"]["run"]
}

impl Trial {
    /// Lets clients use the whole server.
    pub(super) async fn talk(&mut self) {
        let retried = self.begin_retried().await;
        let mut ada = self.connect_with_tokens().await;
        let mut eve = self.client("/ws", "eve").await;
        eve.send_expecting_ack("analytics.subscribe", json!({"worker_id": "w1"}))
            .await;
        let mallory = Identity::of("mallory").with("organization_id", "other");
        let mallory = self.client("/ws", mallory).await;
        self.change_settings(&mut ada).await;
        let secret = self.secrets.text("message");
        let thread = ada.start_thread(&secret).await;
        let mut bob = self.client("/ws", "bob").await;
        bob.subscribe(&thread).await;
        self.run_turns(&mut ada, &thread).await;
        bob.read_pending().await;
        bob.subscribe(&thread).await;
        self.list(&mut ada).await;
        self.give_feedback(&mut ada, &thread, "like").await;
        self.thread = thread;
        for client in [ada, bob, eve, mallory] {
            self.collect(client).await;
        }
        self.fail_with_a_string().await;
        self.answer_forms().await;
        self.send_bad_frames().await;
        self.end_retried(retried).await;
    }

    pub(super) async fn client(&self, path: &str, identity: impl Into<Identity>) -> Client {
        let mut client = Client::open(self.address, path).await;
        client.connect(identity).await;
        client
    }

    /// Connects with a token in every place that a client can choose.
    async fn connect_with_tokens(&mut self) -> Client {
        let mut token = |name: &str| match self.secrets.get(name) {
            Some(token) => token,
            None => self.secrets.token(name),
        };
        let path = format!("/ws?token={}", token("query token"));
        let bearer = format!("Bearer {}", token("header token"));
        let protocols = format!("dooers.v1, dooers.bearer.{}", token("subprotocol token"));
        let cookie = format!("session={}", token("cookie"));
        let headers = [
            ("Authorization", &*bearer),
            ("Cookie", &cookie),
            ("Sec-WebSocket-Protocol", &protocols),
        ];
        let (mut client, answer) = Client::open_with(self.address, &path, &headers).await;
        self.evidence.add(Channel::Http, format!("{answer:?}"));
        let owner = json!({"user_id": "ada", "organization_role": "owner"});
        let ada = Identity::of("ada").with("user", owner);
        client
            .connect(ada.with("auth_token", token("connect token")))
            .await;
        client
    }

    /// Sets a secret, and tries values that are refused.
    async fn change_settings(&mut self, ada: &mut Client) {
        ada.send("settings.public_schema", json!({})).await;
        ada.expect("settings.public_schema.result").await;
        let creator = json!({"worker_id": "w1", "audience": "creator"});
        ada.send("settings.subscribe", creator).await;
        ada.expect("settings.snapshot").await;
        ada.read_pending().await;
        let patched = self.secrets.text("patched");
        let patch = json!({"field_id": "patched", "value": patched});
        ada.send_expecting_ack("settings.patch", patch).await;
        ada.expect("settings.patch").await;
        let refused = self.secrets.text("refused");
        for (field, value, code) in [
            ("refused", json!(refused), "INVALID_VALUE"),
            ("patched", json!([refused]), "INVALID_VALUE"),
            ("patched", json!({ "key": refused }), "INVALID_VALUE"),
            ("by_default", json!(&refused[..7]), "INVALID_VALUE"),
            ("by_program", json!(refused), "INTERNAL"),
            ("none", json!(refused), "NOT_FOUND"),
        ] {
            let patch = json!({"field_id": field, "value": value});
            let answer = ada.send_expecting_error("settings.patch", patch).await;
            assert_eq!(answer, code, "{field}");
        }
    }

    /// Runs the turns of all cases.
    async fn run_turns(&mut self, ada: &mut Client, thread: &str) {
        for case in FAILING {
            let frames = ada.run_turn(thread, case).await;
            let text = system_text(&frames).expect("a text for users");
            self.internal.push((text, Some(case)));
        }
        // The log does not have these texts.
        for case in ["slow", "payload", "title"] {
            let frames = ada.run_turn(thread, case).await;
            let text = system_text(&frames).expect("a text for users");
            assert_eq!(text.contains("took too long"), case == "slow", "{text}");
            self.internal.push((text, None));
        }
        for case in ["behind", "public"] {
            let frames = ada.run_turn(thread, case).await;
            let text = system_text(&frames).expect("a text for users");
            assert!(!text.contains(" (error "), "{text}");
            // The text is that of the agent, and the run names the message.
            let id = run_of(&frames)["event_id"].as_str().expect("an id");
            self.internal.push((format!(" (error {id})"), Some(case)));
        }
        for case in ["tool", "set", "track", "after"] {
            let frames = ada.run_turn(thread, case).await;
            assert_eq!(run_of(&frames)["status"], "succeeded", "{case}");
        }
    }

    /// Lists the threads. The store in memory fails at first.
    async fn list(&mut self, ada: &mut Client) {
        if self.readiness == 503 {
            let id = ada.send("thread.list", json!({})).await;
            let (code, text) = ada.expect_error(&id).await;
            assert_eq!(code, "INTERNAL_ERROR");
            self.internal.push((text, Some("store")));
            let feedback = json!({"target_type": "thread", "target_id": "t", "feedback": "like"});
            let id = ada.send("feedback", feedback).await;
            let (code, text) = ada.expect_error(&id).await;
            assert_eq!(code, "OVERLOADED");
            self.internal.push((text, None));
        }
        ada.request("thread.list", json!({}), "thread.list.result")
            .await;
    }

    async fn give_feedback(&mut self, ada: &mut Client, thread: &str, feedback: &str) {
        let reason = self.secrets.text("feedback reason");
        let feedback = json!({
            "target_type": "thread", "target_id": thread, "feedback": feedback, "reason": reason,
        });
        ada.request("feedback", feedback, "feedback.ack").await;
    }

    /// Gives feedback while the database fails.
    pub(super) async fn fail_feedback(&mut self) {
        let mut ada = self.client("/ws", "ada").await;
        let feedback = json!({
            "target_type": "thread", "target_id": self.thread, "feedback": "dislike",
        });
        let id = ada.send("feedback", feedback).await;
        let (code, text) = ada.expect_error(&id).await;
        assert_eq!(code, "INTERNAL_ERROR");
        self.internal.push((text, None));
        self.collect(ada).await;
    }

    async fn fail_with_a_string(&mut self) {
        let mut ada = self.client("/agents/stringly/ws", "ada").await;
        ada.send_message(None, "fail").await;
        let frames = ada.read_turn().await;
        let text = system_text(&frames).expect("a text for users");
        self.internal.push((text, Some("string")));
        self.collect(ada).await;
    }

    /// Answers a form with wrong and with right values. The turn of the last answer fails.
    async fn answer_forms(&mut self) {
        let mut ada = self.client("/agents/asking/ws", "ada").await;
        ada.send_message(None, "ask").await;
        let events = appended(&ada.read_turn().await);
        let form = events.iter().find(|event| event["type"] == "form");
        let form = form.expect("a form");
        let pin = self.secrets.text("form password");
        let answer_to = |form_id: &Value, cancelled: bool, values: Value| {
            let data = json!({"form_event_id": form_id, "cancelled": cancelled, "values": values});
            let event =
                json!({"type": "form.response", "actor": "user", "content": [], "data": data});
            json!({"thread_id": form["thread_id"], "event": event})
        };
        let answer = |values| answer_to(&form["id"], false, values);
        let foreign = answer_to(&json!("none"), false, json!({"pin": pin}));
        let code = ada.send_expecting_error("event.create", foreign).await;
        assert_eq!(code, "NOT_FOUND");
        // The turn of a cancelled answer fails as well, so the form stays open.
        let cancelled = answer_to(&form["id"], true, json!({"pin": pin}));
        ada.send_expecting_ack("event.create", cancelled).await;
        ada.read_turn().await;
        for values in [json!({"pin": [pin]}), json!({"pin": {"text": pin}})] {
            let code = ada
                .send_expecting_error("event.create", answer(values))
                .await;
            assert_eq!(code, "INVALID_PAYLOAD");
        }
        ada.send_expecting_ack("event.create", answer(json!({"pin": pin})))
            .await;
        let text = system_text(&ada.read_turn().await).expect("a text for users");
        self.internal.push((text, None));
        let thread = form["thread_id"].as_str().expect("an id");
        ada.subscribe(thread).await;
        self.collect(ada).await;
    }

    /// Sends tokens in frames that are refused.
    async fn send_bad_frames(&mut self) {
        let token = self.secrets.get("connect token").expect("it is planted");
        let mut client = Client::open(self.address, "/ws").await;
        for payload in [
            json!({"worker_id": "w1", "auth_token": [token]}),
            json!({"worker_id": "w1", "auth_token": {"token": token}}),
            json!({"auth_token": token}),
            json!({"worker_id": "w".repeat(200), "auth_token": token}),
        ] {
            client.send("connect", payload).await;
        }
        client.read_pending().await;
        for frame in [
            format!(r#"{{"id":"1","type":"connect","payload":{{"auth_token":"{token}""#),
            format!(r#"{{"id":"2","payload":{{"auth_token":"{token}"}}}}"#),
            format!(r#"["connect", "{token}"]"#),
            format!(r#"{{"id":"3","type":"connect","payload":["{token}"]}}"#),
        ] {
            client.send_text(frame).await;
            assert_eq!(client.expect("ack").await["ok"], false);
        }
        let reason = CloseFrame {
            code: CloseCode::Normal,
            reason: token.into(),
        };
        client.send_raw(Message::Close(Some(reason))).await;
        assert_eq!(client.expect_close().await, 1000);
        let received = client.received().iter();
        let frames = received.filter(|frame| frame.starts_with('{'));
        self.evidence.extend(Channel::Frames, frames.cloned());
    }

    /// Starts a turn whose first attempt fails.
    async fn begin_retried(&self) -> Client {
        let mut client = self.client("/agents/retrying/ws", "ada").await;
        let id = client.send_message(None, "retry").await;
        client.expect_ack(&id).await;
        client
    }

    async fn end_retried(&mut self, mut client: Client) {
        let text = system_text(&client.read_turn().await).expect("a text for users");
        self.internal.push((text, Some("retry")));
        self.collect(client).await;
    }

    /// Starts a turn that never ends, so that the server interrupts it when it stops.
    pub(super) async fn hang(&mut self) {
        let mut client = self.client("/agents/hanging/ws", "ada").await;
        client.send_message(None, "hang").await;
        let is_running = |frame: &Value| frame["type"] == "run.upsert";
        let frames = client.read_until("a run", is_running).await;
        let id = run_of(&frames)["event_id"].as_str().expect("an id");
        self.interrupted = format!("Please send the message again. (error {id})");
        self.internal.push((self.interrupted.clone(), None));
        self.collect(client).await;
    }
}
