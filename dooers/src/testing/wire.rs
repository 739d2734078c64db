//! The frames that a client sends and receives.

use super::client::{Message, TestClient};
use super::conversation::{Conversation, Delta, ThreadSnapshot, is_open};
use super::timeout::Wait;
use crate::protocol::{ErrorBody, Run, Thread, ThreadEvent, from_own_json};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fmt::Write;

/// A page of older events.
#[derive(Deserialize)]
struct EventPageFrame {
    thread_id: String,
    events: Vec<ThreadEvent>,
    has_more: bool,
}

impl TestClient {
    /// Sends any frame and waits for its response: an `ack`, or the result frame of this type.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::testing::TestServer;
    /// # #[dooers::agent]
    /// # async fn quiet() {}
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let server = TestServer::of::<quiet>().await;
    /// # let mut ada = server.connect("ada").await;
    /// let answer = ada.request("thread.delete", serde_json::json!({"thread_id": "nowhere"})).await;
    /// assert_eq!(answer["payload"]["error"]["code"], "NOT_FOUND");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If no response arrives, or the client is not connected.
    pub async fn request(&mut self, kind: &str, payload: impl Into<Value>) -> Value {
        let mut wait = self.wait(format!("the answer to `{kind}`"));
        self.sent += 1;
        let id = format!("frame-{}", self.sent);
        let frame = json!({"id": id, "type": kind, "payload": payload.into()});
        let Some(link) = &self.link else {
            self.fail("the client is not connected: call `reconnect().await` first");
        };
        match wait.on(link.send(frame.to_string())).await {
            Ok(true) => {}
            Ok(false) => self.fail_closed(&wait),
            Err(why) => self.fail(&why),
        }
        loop {
            let frame = self.receive(&mut wait).await;
            let is_ack = frame["type"] == "ack" && frame["payload"]["ack_id"] == id;
            if is_ack || result_of(kind).is_some_and(|result| frame["type"] == result) {
                return frame;
            }
        }
    }

    /// Sends a frame. Returns the payload of the response, or the refusal.
    pub(super) async fn try_request(
        &mut self,
        kind: &str,
        payload: Value,
    ) -> Result<Value, ErrorBody> {
        let mut answer = self.request(kind, payload).await["payload"].take();
        if answer["ok"] != false {
            return Ok(answer);
        }
        Err(self.parse(answer["error"].take()))
    }

    pub(super) fn wait(&self, what: impl Into<String>) -> Wait {
        Wait::new(what, self.server.timeout())
    }

    /// Waits for the next frame and applies it.
    pub(super) async fn receive(&mut self, wait: &mut Wait) -> Value {
        let Some(link) = &mut self.link else {
            self.fail("the client is not connected: call `reconnect().await` first");
        };
        let text = match wait.on(link.next()).await {
            Ok(Some(text)) => text,
            Ok(None) => self.fail_closed(wait),
            Err(why) => self.fail(&why),
        };
        match from_own_json::<Value>(&text) {
            Ok(frame) => {
                self.frames.push(frame.clone());
                self.take(&frame);
                frame
            }
            Err(error) => self.fail(&format!(
                "the server sent text that is not a frame: {error}"
            )),
        }
    }

    fn take(&mut self, frame: &Value) {
        let payload = || frame["payload"].clone();
        match frame["type"].as_str() {
            Some("thread.snapshot") => {
                let snapshot: ThreadSnapshot = self.parse(payload());
                self.take_snapshot(snapshot);
            }
            Some("event.list.result") => {
                let page: EventPageFrame = self.parse(payload());
                self.conversation_mut(&page.thread_id)
                    .take_page(page.events, page.has_more);
            }
            Some("event.append") => {
                let events: Vec<ThreadEvent> = self.parse(payload()["events"].take());
                events.into_iter().for_each(|event| self.take_event(event));
            }
            Some("event.delta") => {
                let delta: Delta = self.parse(payload());
                if let Err(why) = self.conversation_mut(&delta.thread_id).take_delta(&delta) {
                    self.fail(&format!("the server violated the protocol: {why}"));
                }
            }
            Some("thread.upsert") => {
                let thread: Thread = self.parse(payload()["thread"].take());
                let thread_id = thread.id.clone();
                self.conversation_mut(&thread_id).take_thread(thread);
            }
            Some("thread.deleted") => {
                let thread_id = frame["payload"]["thread_id"].as_str().unwrap_or_default();
                self.forget(thread_id);
            }
            Some("run.upsert") => {
                let run: Run = self.parse(payload()["run"].take());
                let thread_id = run.thread_id.clone();
                self.conversation_mut(&thread_id).take_run(run);
            }
            Some("settings.snapshot" | "settings.patch") => self.take_settings(&payload()),
            _ => {}
        }
    }

    fn take_snapshot(&mut self, snapshot: ThreadSnapshot) {
        let keeps = self.user.keeps_its_events();
        let thread_id = snapshot.thread.id.clone();
        let conversation = self.conversation_mut(&thread_id);
        let known = conversation.events().iter().map(|event| event.id.clone());
        let known: HashSet<_> = known.collect();
        conversation.take_snapshot(snapshot, keeps);
        // Messages count from the first one whose turn is still running. Only the server knows whether earlier
        // messages were answered.
        let messages = conversation
            .events()
            .iter()
            .filter(|event| conversation.has_turn(event));
        let is_answered =
            |event: &&ThreadEvent| !conversation.run_of(&event.id).is_some_and(is_open);
        let unanswered = messages.skip_while(is_answered);
        let new = unanswered.filter(|event| !known.contains(&event.id));
        let new: Vec<_> = new.map(Message::of).collect();
        self.untaken.extend(new);
    }

    fn take_event(&mut self, event: ThreadEvent) {
        let conversation = self.conversation_mut(&event.thread_id);
        let is_new = conversation.event(&event.id).is_none();
        let has_turn = is_new && conversation.has_turn(&event);
        let message = has_turn.then(|| Message::of(&event));
        conversation.take_events([event]);
        self.untaken.extend(message);
    }

    pub(super) fn conversation_mut(&mut self, thread_id: &str) -> &mut Conversation {
        let new = || Conversation::new(thread_id.to_owned());
        self.conversations
            .entry(thread_id.to_owned())
            .or_insert_with(new)
    }

    /// Marks a thread as deleted.
    pub(super) fn forget(&mut self, thread_id: &str) {
        self.subscribed.remove(thread_id);
        if let Some(conversation) = self.conversations.get_mut(thread_id) {
            conversation.delete();
        }
    }

    /// Parses JSON that the server sent.
    pub(super) fn parse<T: DeserializeOwned>(&self, value: Value) -> T {
        match serde_json::from_value(value) {
            Ok(value) => value,
            Err(error) => self.fail(&format!(
                "the server sent a frame that clients cannot read: {error}"
            )),
        }
    }

    fn fail_closed(&mut self, wait: &Wait) -> ! {
        self.link = None;
        self.fail(&format!(
            "waited for {}, and the server has closed the connection: after a restart call `reconnect().await`",
            wait.what()
        ))
    }

    /// Fails the test and prints the conversation.
    #[track_caller]
    pub(super) fn fail(&self, why: &str) -> ! {
        let mut text = why.to_owned();
        let is_shown = |id: &String| self.current.as_ref().is_none_or(|current| current == id);
        for (_, conversation) in self.conversations.iter().filter(|(id, _)| is_shown(id)) {
            let _ = write!(text, "\n\n{conversation}");
        }
        panic!("{text}");
    }
}

/// The type of the response to this frame, if it is not an `ack`.
fn result_of(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "ping" => "pong",
        "thread.list" => "thread.list.result",
        "thread.subscribe" => "thread.snapshot",
        "event.list" => "event.list.result",
        "settings.public_schema" => "settings.public_schema.result",
        "feedback" => "feedback.ack",
        _ => return None,
    })
}
