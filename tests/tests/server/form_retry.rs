//! Forms whose answer failed, and which are answered again.

use crate::asserts::{appended, string, text, texts};
use dooers::prelude::*;
use dooers::store::MemoryStore;
use dooers::{Agent, ChatMessage, Database, WorkerServer};
use dooers_tests::{Client, Server, in_memory};
use serde_json::{Value, json};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

/// Asks with a form, and follows the answer. Any other answer is answered by the texts of the history.
#[dooers::agent]
async fn obeying(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    let Some(form) = request.form() else {
        let question = FormElement::text("wish", "Wish").required();
        drop(response.form(&Form::new("What now?").element(question)));
        return Ok(());
    };
    match form.values.get("wish").and_then(Value::as_str) {
        Some("fail") => Err(AgentError::public("That cannot be.")),
        Some("panic") => panic!("as requested"),
        Some("wait") => pending().await,
        _ => {
            let messages = memory.messages().await?;
            let texts: Vec<_> = messages.iter().map(ChatMessage::text).collect();
            response.text(texts.join(" | ")).await?;
            Ok(())
        }
    }
}

/// Like `obeying`, with a short timeout.
#[dooers::agent(timeout = "50ms")]
async fn hurried(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    obeying(request, response, memory).await
}

/// Like `obeying`, but a later message interrupts the turn.
#[dooers::agent(on_busy = "interrupt")]
async fn interruptible(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    obeying(request, response, memory).await
}

/// Like `obeying`, without runs.
#[dooers::agent(run = "manual")]
async fn without_runs(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    obeying(request, response.clone(), memory).await?;
    response.text("done").await?;
    Ok(())
}

/// A client with an open form.
struct FormClient {
    client: Client,
    thread_id: String,
    form: String,
}

impl FormClient {
    async fn by<A: Agent>() -> (Server, Self) {
        let server = Server::of::<A>().await;
        let asked = Self::on(&server).await;
        (server, asked)
    }

    async fn on(server: &Server) -> Self {
        let mut client = server.client("ada").await;
        let id = client.send_message(None, "hello").await;
        client.expect_ack(&id).await;
        let is_form = |frame: &Value| frame["payload"]["events"][0]["type"] == "form";
        let frames = client.read_until("a form", is_form).await;
        let event = appended(&frames).pop().unwrap();
        Self {
            client,
            thread_id: string(&event["thread_id"]),
            form: string(&event["id"]),
        }
    }

    async fn send(&mut self, wish: &str) -> String {
        let data = json!({"form_event_id": self.form, "values": {"wish": wish}});
        let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
        let answer = json!({"thread_id": self.thread_id, "event": event});
        self.client.send("event.create", answer).await
    }

    /// Sends an answer and waits for the event that follows it.
    async fn answer(&mut self, wish: &str, follows: &'static str) -> Vec<Value> {
        self.skip().await;
        let id = self.send(wish).await;
        self.client.expect_ack(&id).await;
        let is_it = move |frame: &Value| text(&frame["payload"]["events"][0]).contains(follows);
        appended(&self.client.read_until(follows, is_it).await)
    }

    /// Skips the remaining frames of the last turn.
    async fn skip(&mut self) {
        self.client.read_pending().await;
    }

    async fn is_answered(&mut self) {
        self.skip().await;
        let id = self.send("late").await;
        let error = self
            .client
            .read_until("a refusal", is_ack)
            .await
            .pop()
            .unwrap();
        let error = &error["payload"];
        assert_eq!(
            (&error["ack_id"], &error["ok"]),
            (&json!(id), &json!(false))
        );
        assert_eq!(error["error"]["code"], "CONFLICT");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains("this form is answered"), "{message}");
    }
}

fn is_ack(frame: &Value) -> bool {
    frame["type"] == "ack"
}

#[tokio::test]
async fn form_reopens_after_its_answer_failed() {
    let (server, mut asked) = FormClient::by::<obeying>().await;
    asked.client.read_turn().await;
    for (wish, follows) in [
        ("fail", "That cannot be."),
        ("panic", "Something went wrong"),
        ("fail", "That cannot be."),
    ] {
        let events = asked.answer(wish, follows).await;
        assert_eq!(events[0]["type"], "form.response");
        asked.client.read_turn().await;
    }
    let events = asked.answer("go on", "What now?").await;
    // Each answer is a separate message in the history.
    assert_eq!(
        texts(&events[1..]),
        [
            "hello | What now?\n[form: Wish] | [form answered]\nWish: fail | [form answered]\nWish: panic | [form answered]\nWish: fail | [form answered]\nWish: go on"
        ]
    );
    asked.client.read_turn().await;
    asked.is_answered().await;
    server.close([asked.client]).await;
}

#[tokio::test]
async fn form_reopens_after_a_cancel() {
    let (server, mut asked) = FormClient::by::<obeying>().await;
    asked.client.read_turn().await;
    let id = asked.send("wait").await;
    asked.client.expect_ack(&id).await;
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    let run = asked
        .client
        .read_until("a run", is_run)
        .await
        .pop()
        .unwrap();
    asked.is_answered().await;
    let run = json!({"run_id": run["payload"]["run"]["id"]});
    asked.client.send_expecting_ack("run.cancel", run).await;
    let end = asked.client.read_turn().await.pop().unwrap();
    assert_eq!(end["payload"]["run"]["status"], "canceled");
    asked.answer("go on", "go on").await;
    asked.client.read_turn().await;
    asked.is_answered().await;
    server.close([asked.client]).await;
}

#[tokio::test]
async fn form_reopens_after_a_timeout() {
    let (server, mut asked) = FormClient::by::<hurried>().await;
    asked.client.read_turn().await;
    asked.answer("wait", "took too long").await;
    let end = asked.client.read_turn().await.pop().unwrap();
    assert_eq!(end["payload"]["run"]["error"], "timed out");
    asked.answer("go on", "go on").await;
    asked.client.read_turn().await;
    asked.is_answered().await;
    server.close([asked.client]).await;
}

#[tokio::test]
async fn form_reopens_without_any_run() {
    let (server, mut asked) = FormClient::by::<without_runs>().await;
    // The end of a turn without a run.
    let is_row = |frame: &Value| frame["type"] == "thread.upsert";
    asked.client.read_until("the end of the turn", is_row).await;
    asked.answer("fail", "That cannot be.").await;
    asked.client.read_until("the end of the turn", is_row).await;
    asked.answer("go on", "done").await;
    asked.client.read_until("the end of the turn", is_row).await;
    asked.is_answered().await;
    server.close([asked.client]).await;
}

#[tokio::test]
async fn form_reopens_after_an_interrupt() {
    let (server, mut asked) = FormClient::by::<interruptible>().await;
    asked.client.read_turn().await;
    let id = asked.send("wait").await;
    asked.client.expect_ack(&id).await;
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    asked.client.read_until("a run", is_run).await;
    // The agent sends another form, which is not used here.
    asked.client.run_turn(&asked.thread_id, "hello again").await;
    asked.client.read_turn().await;
    asked.answer("go on", "go on").await;
    asked.client.read_turn().await;
    asked.is_answered().await;
    server.close([asked.client]).await;
}

#[tokio::test]
async fn form_reopens_after_a_stop() {
    let store = Arc::new(MemoryStore::new());
    let worker = || {
        let config = in_memory()
            .database(Database::Custom(Arc::clone(&store) as _))
            .drain_timeout(Duration::ZERO);
        WorkerServer::new(config).agent::<obeying>()
    };
    let server = Server::start(worker()).await;
    let mut asked = FormClient::on(&server).await;
    asked.client.read_turn().await;
    let id = asked.send("wait").await;
    asked.client.expect_ack(&id).await;
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    asked.client.read_until("a run", is_run).await;
    server.close([asked.client]).await;

    let server = Server::start(worker()).await;
    asked.client = server.client("ada").await;
    let snapshot = asked.client.subscribe(&asked.thread_id).await;
    assert!(snapshot.to_string().contains("interrupted"), "{snapshot}");
    asked.answer("go on", "go on").await;
    asked.client.read_turn().await;
    asked.is_answered().await;
    server.close([asked.client]).await;
}
