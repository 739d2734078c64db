//! A server with threads in several places, of which a caller sees only its own.

use dooers::BrokerKind;
use dooers::prelude::*;
use dooers::protocol::{Form, FormElement};
use dooers::repository::{Repository, Scope};
use dooers::store::Store;
use dooers_tests::postgres::{Executed, StatementLog};
use dooers_tests::{Client, Identity, Server, gate, in_memory};
use serde_json::{Value, json};
use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Answers with a form, with a text in pieces, or never.
#[dooers::agent(private_threads)]
pub(crate) async fn desk(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    serve(&request, &response).await
}

/// A second agent of the same program.
#[dooers::agent]
pub(crate) async fn clerk(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    serve(&request, &response).await
}

async fn serve(request: &WorkerRequest, response: &WorkerResponse) -> Result<()> {
    if request.message == "wait" {
        pending::<()>().await;
    }
    if let Some(gate) = request.message.strip_prefix("stream ") {
        let text = response.text_stream();
        text.push("piece");
        gate::pass(gate).await;
        text.finish().await?;
        return Ok(());
    }
    let question = FormElement::text("size", "Size");
    response
        .form(&Form::new("Which one?").element(question))
        .await?;
    Ok(())
}

/// The ids of a thread whose turn has ended, and of a busy thread with a running and a queued turn.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    pub(crate) thread: String,
    pub(crate) event: String,
    pub(crate) form: String,
    pub(crate) run: String,
    pub(crate) sent: String,
    pub(crate) busy_thread: String,
    pub(crate) busy_event: String,
    pub(crate) busy_run: String,
    pub(crate) queued_event: String,
}

impl Ids {
    /// Ids that nothing has.
    pub(crate) fn missing() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let id = |_: &str| {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            format!("00000000-0000-7000-8000-{number:012}")
        };
        Self {
            thread: id("thread"),
            event: id("event"),
            form: id("form"),
            run: id("run"),
            sent: id("sent"),
            busy_thread: id("busy_thread"),
            busy_event: id("busy_event"),
            busy_run: id("busy_run"),
            queued_event: id("queued_event"),
        }
    }

    /// Creates both threads with the messages of a client.
    pub(crate) async fn create(client: &mut Client, sent: &str) -> Self {
        let frame = client.send_message_as(sent, None, "form").await;
        client.expect_ack(&frame).await;
        let frames = client.read_turn().await;
        let (events, run) = (appended(&frames), run_of(&frames));
        let frame = client.send_message(None, "wait").await;
        client.expect_ack(&frame).await;
        let busy = client.read_until("a run", is_run).await;
        let busy_event = appended(&busy).remove(0);
        let busy_thread = string(&busy_event["thread_id"]);
        let frame = client.send_message(Some(&busy_thread), "wait").await;
        client.expect_ack(&frame).await;
        let queued = appended(&client.read_pending().await);
        Self {
            thread: string(&events[0]["thread_id"]),
            event: string(&events[0]["id"]),
            form: string(&events[1]["id"]),
            run,
            sent: sent.to_owned(),
            busy_thread,
            busy_event: string(&busy_event["id"]),
            busy_run: run_of(&busy),
            queued_event: string(&queued[0]["id"]),
        }
    }

    /// Replaces these ids in an answer.
    pub(crate) fn hide(&self, answer: &str) -> String {
        let mut hidden = answer.replace(&self.sent, "ID");
        for id in self.stored() {
            hidden = hidden.replace(id, "ID");
        }
        hidden
    }

    /// Returns true if a frame or an answer contains an id that only those who see the threads know.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        self.stored().iter().any(|id| text.contains(&***id))
    }

    /// The ids that the server has chosen.
    fn stored(&self) -> [&String; 8] {
        [
            &self.thread,
            &self.event,
            &self.form,
            &self.run,
            &self.busy_thread,
            &self.busy_event,
            &self.busy_run,
            &self.queued_event,
        ]
    }
}

/// A server, and a caller among others.
pub(crate) struct Places<'l> {
    server: Server,
    /// The client of the caller.
    pub(crate) client: Client,
    pub(crate) repository: Repository,
    pub(crate) scope: Scope,
    log: Option<&'l StatementLog>,
    /// The threads of the caller.
    pub(crate) home: Ids,
    /// The threads of others, with the difference of their place.
    pub(crate) foreign: Vec<(&'static str, Ids)>,
    others: Vec<Client>,
}

impl<'l> Places<'l> {
    pub(crate) async fn start(store: Arc<dyn Store>, log: Option<&'l StatementLog>) -> Self {
        let config = in_memory()
            // The statements of other tasks would count as those of requests.
            .broker(BrokerKind::None)
            .store(store)
            .private_threads(true)
            .drain_timeout(Duration::ZERO);
        let worker = WorkerServer::new(config).agent::<desk>().agent::<clerk>();
        let server = Server::start(worker).await;
        let open = async |path: &str, identity: Identity| {
            let mut client = Client::open(server.address, path).await;
            client.connect(identity).await;
            client
        };
        let ana = || Identity::of("ana");
        let mut client = open("/agents/desk/ws", ana()).await;
        let home = Ids::create(&mut client, "home").await;
        let elsewhere = [
            (
                "another organization",
                "desk",
                ana().with("organization_id", "o2"),
            ),
            (
                "another workspace",
                "desk",
                ana().with("workspace_id", "s2"),
            ),
            ("another worker", "desk", ana().with("agent_id", "w2")),
            ("another agent", "clerk", ana()),
            ("another user", "desk", Identity::of("ben")),
        ];
        let (mut foreign, mut others) = (Vec::new(), Vec::new());
        for (place, agent, identity) in elsewhere {
            let mut other = open(&format!("/agents/{agent}/ws"), identity).await;
            let mut ids = Ids::create(&mut other, place).await;
            if agent == "clerk" {
                // A user's message to another agent of the workspace is not foreign to the user.
                ids.sent = Ids::missing().sent;
            }
            foreign.push((place, ids));
            others.push(other);
        }
        let repository = server.worker().repository().await.expect("a server");
        let scope = Scope::user::<desk>("w1", "ana")
            .organization("o1")
            .workspace("s1");
        Self {
            server,
            client,
            repository,
            scope,
            log,
            home,
            foreign,
            others,
        }
    }

    /// The statements since the last call. The list clock is read by time and not by request.
    pub(crate) async fn executed(&self) -> Executed {
        match self.log {
            Some(log) => log.take().await.without("max(t.last_event_at)"),
            None => Executed::default(),
        }
    }

    /// Checks that all threads and turns are still there, by cancelling the turns.
    pub(crate) async fn check_unchanged(&mut self) {
        let foreign = self.foreign.iter().map(|(_, ids)| ids);
        let own = [&self.home].into_iter().chain(foreign);
        let clients = [&mut self.client].into_iter().chain(&mut self.others);
        for (ids, client) in own.zip(clients) {
            for event_id in [&ids.queued_event, &ids.busy_event] {
                client
                    .send("run.cancel", json!({"event_id": event_id}))
                    .await;
                let ended = client.read_turn().await;
                let run = &ended.last().expect("a run")["payload"]["run"];
                assert_eq!(
                    (&run["status"], &run["event_id"]),
                    (&json!("canceled"), &json!(event_id))
                );
            }
            let like =
                json!({"target_type": "thread", "target_id": ids.thread, "feedback": "like"});
            client.request("feedback", like, "feedback.ack").await;
        }
    }

    pub(crate) async fn close(mut self) {
        self.others.push(self.client);
        self.server.close(self.others).await;
    }
}

/// The answer to a request, and what the database did for it.
#[derive(PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) request: String,
    pub(crate) answer: String,
    pub(crate) executed: Executed,
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let executed = self.executed.summary();
        write!(f, "{}\n{}\n{executed}\n", self.request, self.answer)
    }
}

pub(crate) fn is_run(frame: &Value) -> bool {
    frame["type"] == "run.upsert"
}

pub(crate) fn appended(frames: &[Value]) -> Vec<Value> {
    let appends = frames
        .iter()
        .filter(|frame| frame["type"] == "event.append");
    let events = appends.flat_map(|frame| frame["payload"]["events"].as_array().cloned());
    events.flatten().collect()
}

pub(crate) fn string(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn run_of(frames: &[Value]) -> String {
    let run = frames.iter().find(|frame| is_run(frame)).expect("a run");
    string(&run["payload"]["run"]["id"])
}
