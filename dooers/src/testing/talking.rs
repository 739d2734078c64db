//! What a client says, and the turns that answer it.

use super::client::{Message, TestClient};
use super::conversation::{Conversation, is_open};
use super::message::TestMessage;
use super::stream::TestStream;
use super::turn::TestTurn;
use crate::protocol::{Actor, ErrorBody, EventType, ThreadEvent};
use serde_json::{Value, json};

impl TestClient {
    /// Says something in its thread, of which the first message begins one, and waits for the end of the turn that
    /// answers it.
    ///
    /// # Panics
    ///
    /// If the server refuses the message, or the turn does not end.
    pub async fn say(&mut self, message: impl Into<TestMessage>) -> TestTurn {
        let event_id = self.send(message).await;
        self.turn_of(&event_id).await
    }

    /// Goes on in this thread, and says something there.
    ///
    /// # Panics
    ///
    /// As [`say`](Self::say).
    pub async fn say_in(
        &mut self,
        thread_id: impl Into<String>,
        message: impl Into<TestMessage>,
    ) -> TestTurn {
        self.enter(thread_id).say(message).await
    }

    /// Says something, and waits only until that is stored. [`turn`](Self::turn) then waits for the answer. The result is
    /// the id of the message's event.
    ///
    /// # Panics
    ///
    /// If the server refuses the message.
    pub async fn send(&mut self, message: impl Into<TestMessage>) -> String {
        let message = message.into();
        let summary = message.summary();
        match self.try_send(message).await {
            Ok(event_id) => event_id,
            Err(refusal) => self.fail(&format!(
                "the server refuses {summary}: {refusal} ({:?})",
                refusal.code
            )),
        }
    }

    /// Says something that the server may refuse: the id of the message's event, or the refusal.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub async fn try_send(&mut self, message: impl Into<TestMessage>) -> Result<String, ErrorBody> {
        let message = message.into();
        let mut wait = self.wait(format!("{} to be shown", message.summary()));
        let (payload, client_event_id) = message.payload(self.current.as_deref());
        self.ask("event.create", payload).await?;
        loop {
            if let Some(event) = self.sent_as(&client_event_id) {
                let (thread_id, event_id) = (event.thread_id.clone(), event.id.clone());
                self.subscribed.insert(thread_id.clone());
                self.current = Some(thread_id);
                return Ok(event_id);
            }
            self.hear(&mut wait).await;
        }
    }

    /// Says something, to read the answer as it grows.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::testing::{FakeModel, TestServer};
    /// #[dooers::agent]
    /// async fn writer(State(model): State<FakeModel>) -> TextReply {
    ///     TextReply::stream(model.stream("a story"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let model = FakeModel::new().reply("Once upon a time");
    /// let server = TestServer::of::<writer>().state(model).await;
    /// let mut ada = server.connect("ada").await;
    /// let mut stream = ada.stream("go on").await;
    /// assert_eq!(stream.next_piece().await.as_deref(), Some("Once "));
    /// stream.turn().await.assert_text("Once upon a time");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If the server refuses the message.
    pub async fn stream(&mut self, message: impl Into<TestMessage>) -> TestStream<'_> {
        let event_id = self.send(message).await;
        TestStream::new(self, &event_id)
    }

    /// Answers the newest form of its thread, by the names of the form's elements, and waits for the end of the turn.
    ///
    /// # Panics
    ///
    /// If there is no form, the server refuses the answers, or the turn does not end.
    pub async fn answer_form(&mut self, values: impl Into<Value>) -> TestTurn {
        let form = self.newest_form();
        self.say(TestMessage::form_response(form, values)).await
    }

    /// Cancels the newest form of its thread, and waits for the end of the turn.
    ///
    /// # Panics
    ///
    /// As [`answer_form`](Self::answer_form).
    pub async fn cancel_form(&mut self) -> TestTurn {
        let form = self.newest_form();
        self.say(TestMessage::form_cancelled(form)).await
    }

    /// Waits for the end of the oldest turn of its thread that the test has not taken yet, whoever wrote its message.
    ///
    /// What an agent of `run = "manual"` says outside of its runs counts to the turn that is taken first.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn turn(&mut self) -> TestTurn {
        let mut wait = self.wait("the next message of the thread");
        let event_id = loop {
            let is_here = |message: &&Message| {
                let current = self.current.as_ref();
                current.is_none_or(|current| *current == message.thread_id)
            };
            if let Some(message) = self.untaken.iter().find(is_here) {
                break message.event_id.clone();
            }
            self.hear(&mut wait).await;
        };
        self.turn_of(&event_id).await
    }

    /// Waits for the end of the turn that answers the message of this event.
    ///
    /// # Panics
    ///
    /// If it does not end, or the client knows of no such message.
    pub async fn turn_of(&mut self, event_id: &str) -> TestTurn {
        let message = self.message(event_id);
        let mut wait = self.wait(format!(
            "the end of the turn that answers {}",
            self.quote(&message)
        ));
        while !self.is_over(&message) {
            self.hear(&mut wait).await;
        }
        self.take_turn(&message)
    }

    /// Waits until its thread looks like this; `what` says what is waited for.
    ///
    /// # Panics
    ///
    /// If it never does.
    pub async fn until(
        &mut self,
        what: &str,
        holds: impl Fn(&Conversation) -> bool,
    ) -> &Conversation {
        let mut wait = self.wait(what);
        while !holds(self.conversation()) {
            self.hear(&mut wait).await;
        }
        self.conversation()
    }

    /// Cancels the turn of the newest message in its thread, whether it runs or waits. [`turn`](Self::turn) waits for its
    /// end.
    ///
    /// # Panics
    ///
    /// If there is none, or the server refuses it.
    pub async fn cancel(&mut self) {
        let events = self.conversation().events().iter();
        let Some(event_id) = events.rev().find(|event| event.actor == Actor::User) else {
            self.fail("there is no message whose turn could be cancelled");
        };
        let event_id = event_id.id.clone();
        self.cancel_turn_of(&event_id).await;
    }

    /// Cancels the turn that answers the message of this event.
    ///
    /// # Panics
    ///
    /// If the client knows of no such message, or the server refuses it.
    pub async fn cancel_turn_of(&mut self, event_id: &str) {
        let message = self.message(event_id);
        let run = self.conversations[&message.thread_id].run_of(event_id);
        let payload = match run {
            Some(run) => json!({"run_id": run.id}),
            None => json!({"event_id": event_id}),
        };
        if let Err(refusal) = self.ask("run.cancel", payload).await {
            self.fail(&format!("the server refuses to cancel the turn: {refusal}"));
        }
    }

    /// Its own message that it sent under this id.
    fn sent_as(&self, client_event_id: &str) -> Option<&ThreadEvent> {
        let mut conversations = self.conversations.values();
        conversations.find_map(|conversation| {
            let is_own = |event: &&ThreadEvent| self.user.is(event.user.as_ref());
            conversation.sent_as(client_event_id).filter(is_own)
        })
    }

    fn newest_form(&self) -> String {
        let mut events = self.conversation().events().iter();
        match events.rfind(|event| event.kind == EventType::Form) {
            Some(form) => form.id.clone(),
            None => self.fail("there is no form in the thread that could be answered"),
        }
    }

    /// The message of this event.
    pub(super) fn message(&self, event_id: &str) -> Message {
        let mut conversations = self.conversations.values();
        match conversations.find_map(|conversation| conversation.event(event_id)) {
            Some(event) => Message::of(event),
            None => self.fail(&format!(
                "the client knows no event {event_id}: subscribe to its thread first"
            )),
        }
    }

    fn quote(&self, message: &Message) -> String {
        let event = self.conversations[&message.thread_id].event(&message.event_id);
        event
            .map(|event| format!("{:?}", event.text()))
            .unwrap_or_default()
    }

    /// Whether all of a turn was read.
    pub(super) fn is_over(&self, message: &Message) -> bool {
        let conversation = &self.conversations[&message.thread_id];
        if conversation.is_deleted() {
            return true;
        }
        if self.agent.has_manual_runs() {
            // It may have several runs, or none: only the server knows.
            let link = self.link.as_ref();
            return self
                .server
                .ended(&message.event_id)
                .zip(link)
                .is_some_and(|(ended, link)| link.has_read(&message.thread_id, ended.rev));
        }
        let run = conversation.run_of(&message.event_id);
        run.is_some_and(|run| !is_open(run))
    }

    /// The events of the turn that answers a message, as far as they are told.
    pub(super) fn events_of(&self, message: &Message) -> impl Iterator<Item = &ThreadEvent> {
        let conversation = &self.conversations[&message.thread_id];
        let answers = |run_id: &str| {
            let mut runs = conversation.runs().iter();
            runs.any(|run| {
                run.id == run_id && run.event_id.as_deref() == Some(message.event_id.as_str())
            })
        };
        let begin = conversation
            .event(&message.event_id)
            .map_or(0, |event| event.seq);
        let is_of_turn = move |event: &&ThreadEvent| match event.run_id.as_deref() {
            _ if event.actor == Actor::User => false,
            Some(run_id) => answers(run_id),
            // Who starts its runs itself may also speak outside of them.
            None => {
                self.agent.has_manual_runs() && event.seq > begin && !self.given.contains(&event.id)
            }
        };
        conversation.events().iter().filter(is_of_turn)
    }

    fn take_turn(&mut self, message: &Message) -> TestTurn {
        let events: Vec<_> = self.events_of(message).cloned().collect();
        let without_run = events.iter().filter(|event| event.run_id.is_none());
        self.given.extend(without_run.map(|event| event.id.clone()));
        self.untaken.retain(|untaken| untaken != message);
        let conversation = self.conversations[&message.thread_id].clone();
        let outcome = self.server.ended(&message.event_id);
        TestTurn::new(message.event_id.clone(), events, conversation, outcome)
    }
}
