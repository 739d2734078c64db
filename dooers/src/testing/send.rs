//! Sending messages, and the turns that answer them.

use super::client::{Message, TestClient};
use super::conversation::{Conversation, is_open};
use super::message::TestMessage;
use super::stream::TestStream;
use super::turn::TestTurn;
use crate::protocol::{Actor, ErrorBody, EventType, ThreadEvent};
use serde_json::{Value, json};

impl TestClient {
    /// Sends a message in the client's thread and waits for the end of the turn that answers it. The first message
    /// starts a thread.
    ///
    /// # Panics
    ///
    /// If the server refuses the message, or the turn does not end in time.
    pub async fn say(&mut self, message: impl Into<TestMessage>) -> TestTurn {
        let event_id = self.send(message).await;
        self.turn_of(&event_id).await
    }

    /// Switches to this thread and sends a message there.
    ///
    /// # Panics
    ///
    /// The same as for [`say`](Self::say).
    pub async fn say_in(
        &mut self,
        thread_id: impl Into<String>,
        message: impl Into<TestMessage>,
    ) -> TestTurn {
        self.enter(thread_id).say(message).await
    }

    /// Sends a message and waits only until it is stored. Returns the id of the message's event. [`turn`](Self::turn)
    /// waits for the answer.
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

    /// Sends a message that the server may refuse. Returns the id of the message's event, or the refusal.
    ///
    /// # Errors
    ///
    /// The refusal of the server.
    pub async fn try_send(&mut self, message: impl Into<TestMessage>) -> Result<String, ErrorBody> {
        let message = message.into();
        let mut wait = self.wait(format!("{} to be shown", message.summary()));
        let (payload, client_event_id) = message.payload(self.current.as_deref());
        self.try_request("event.create", payload).await?;
        loop {
            if let Some(event) = self.sent_as(&client_event_id) {
                let (thread_id, event_id) = (event.thread_id.clone(), event.id.clone());
                self.subscribed.insert(thread_id.clone());
                self.current = Some(thread_id);
                return Ok(event_id);
            }
            self.receive(&mut wait).await;
        }
    }

    /// Sends a message, and returns a stream of the answer.
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

    /// Answers the newest form of the client's thread, by the names of the form's elements, and waits for the end of
    /// the turn.
    ///
    /// If a running turn [waits](crate::WorkerResponse::ask_form) for the answer to a form, this form is answered, and this turn
    /// is returned when it ends. To answer and go on while the turn runs, [`send`](Self::send) a
    /// [`TestMessage::form_response`].
    ///
    /// # Panics
    ///
    /// If there is no form, the server refuses the answers, or the turn does not end in time.
    pub async fn answer_form(&mut self, values: impl Into<Value>) -> TestTurn {
        let form = self.newest_form();
        let answer = TestMessage::form_response(&form.id, values);
        self.say_to_form(&form, answer).await
    }

    /// Cancels the newest form of the client's thread and waits for the end of the turn, as [`answer_form`](Self::answer_form)
    /// does.
    ///
    /// # Panics
    ///
    /// The same as for [`answer_form`](Self::answer_form).
    pub async fn cancel_form(&mut self) -> TestTurn {
        let form = self.newest_form();
        let cancellation = TestMessage::form_cancelled(&form.id);
        self.say_to_form(&form, cancellation).await
    }

    /// Waits until a turn of the client's thread waits for the answer to a form. Returns the event of the form.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::testing::TestServer;
    /// # use serde_json::json;
    /// #[dooers::agent]
    /// async fn greeter(response: WorkerResponse) -> Result<String> {
    ///     let form = Form::new("Who are you?").element(FormElement::text("name", "Name").required());
    ///     Ok(match response.ask_form(&form).await? {
    ///         FormReply::Answered(answer) => format!("Hello, {}!", answer.text("name").unwrap_or_default()),
    ///         _ => "Hello, stranger!".to_owned(),
    ///     })
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = TestServer::of::<greeter>().await;
    /// let mut ada = server.connect("ada").await;
    /// ada.send("hello").await;
    /// let form = ada.asked_form().await;
    /// assert_eq!(form.data.unwrap()["message"], "Who are you?");
    /// ada.answer_form(json!({"name": "Ada"})).await.assert_text("Hello, Ada!");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If no turn asks a form in time.
    pub async fn asked_form(&mut self) -> ThreadEvent {
        let mut wait = self.wait("a form that a turn asks");
        loop {
            if let Some(form) = self.conversation().asked_form() {
                return form.clone();
            }
            self.receive(&mut wait).await;
        }
    }

    /// Sends an answer to a form. Returns the turn that asked, or the turn of the answer, when it has ended.
    async fn say_to_form(&mut self, form: &ThreadEvent, answer: TestMessage) -> TestTurn {
        if form.asked().is_none() {
            return self.say(answer).await;
        }
        self.send(answer).await;
        let mut runs = self.conversation().runs().iter();
        let run = runs.find(|run| Some(&run.id) == form.run_id.as_ref());
        match run.and_then(|run| run.event_id.clone()) {
            Some(message) => self.turn_of(&message).await,
            None => self.turn().await,
        }
    }

    /// Waits for the end of the oldest turn of the client's thread that the test has not taken yet. The message may be
    /// from any user.
    ///
    /// With `run = "manual"`, messages that the agent sends outside of its runs belong to the turn that is taken
    /// first.
    ///
    /// # Panics
    ///
    /// If no such turn ends in time.
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
            self.receive(&mut wait).await;
        };
        self.turn_of(&event_id).await
    }

    /// Waits for the end of the turn that answers the message of this event.
    ///
    /// # Panics
    ///
    /// If the turn does not end in time, or the client does not know the message.
    pub async fn turn_of(&mut self, event_id: &str) -> TestTurn {
        let message = self.message(event_id);
        let mut wait = self.wait(format!(
            "the end of the turn that answers {}",
            self.quote(&message)
        ));
        while !self.is_over(&message) {
            self.receive(&mut wait).await;
        }
        self.take_turn(&message)
    }

    /// Waits until `holds` is true for the client's thread. `what` describes the condition in the error.
    ///
    /// # Panics
    ///
    /// If the condition does not hold in time.
    pub async fn until(
        &mut self,
        what: &str,
        holds: impl Fn(&Conversation) -> bool,
    ) -> &Conversation {
        let mut wait = self.wait(what);
        while !holds(self.conversation()) {
            self.receive(&mut wait).await;
        }
        self.conversation()
    }

    /// Cancels the turn of the newest message in the client's thread, whether the turn is running or queued.
    /// [`turn`](Self::turn) waits for its end.
    ///
    /// # Panics
    ///
    /// If there is no message, or the server refuses the request.
    pub async fn cancel(&mut self) {
        let conversation = self.conversation();
        let mut messages = conversation.events().iter().rev();
        let Some(event_id) = messages.find(|event| conversation.has_turn(event)) else {
            self.fail("there is no message whose turn could be cancelled");
        };
        let event_id = event_id.id.clone();
        self.cancel_turn_of(&event_id).await;
    }

    /// Cancels the turn that answers the message of this event.
    ///
    /// # Panics
    ///
    /// If the client does not know the message, or the server refuses the request.
    pub async fn cancel_turn_of(&mut self, event_id: &str) {
        let message = self.message(event_id);
        let run = self.conversations[&message.thread_id].run_of(event_id);
        let payload = match run {
            Some(run) => json!({"run_id": run.id}),
            None => json!({"event_id": event_id}),
        };
        if let Err(refusal) = self.try_request("run.cancel", payload).await {
            self.fail(&format!("the server refuses to cancel the turn: {refusal}"));
        }
    }

    /// The client's own message that it sent with this client event id.
    fn sent_as(&self, client_event_id: &str) -> Option<&ThreadEvent> {
        let mut conversations = self.conversations.values();
        conversations.find_map(|conversation| {
            let is_own = |event: &&ThreadEvent| self.user.is(event.user.as_ref());
            conversation.sent_as(client_event_id).filter(is_own)
        })
    }

    /// The newest form that a turn waits for, or else the newest form.
    fn newest_form(&self) -> ThreadEvent {
        let conversation = self.conversation();
        let newest = || {
            let mut events = conversation.events().iter();
            events.rfind(|event| event.kind == EventType::Form)
        };
        match conversation.asked_form().or_else(newest) {
            Some(form) => form.clone(),
            None => self.fail("there is no form in the thread that could be answered"),
        }
    }

    /// The message of this event.
    pub(super) fn message(&self, event_id: &str) -> Message {
        let mut conversations = self.conversations.values();
        match conversations.find_map(|conversation| conversation.event(event_id)) {
            Some(event) => Message::of(event),
            None => self.fail(&format!(
                "the client does not know the event {event_id}: subscribe to its thread first"
            )),
        }
    }

    fn quote(&self, message: &Message) -> String {
        let event = self.conversations[&message.thread_id].event(&message.event_id);
        event
            .map(|event| format!("{:?}", event.text()))
            .unwrap_or_default()
    }

    /// Returns true if the client has read the whole turn.
    pub(super) fn is_over(&self, message: &Message) -> bool {
        let conversation = &self.conversations[&message.thread_id];
        if conversation.is_deleted() {
            return true;
        }
        if self.agent.has_manual_runs() {
            // The agent may start several runs or none, so only the server knows when the turn is over.
            let link = self.link.as_ref();
            return self
                .server
                .record(&message.event_id)
                .ended
                .zip(link)
                .is_some_and(|(ended, link)| link.has_read(&message.thread_id, ended.rev));
        }
        let run = conversation.run_of(&message.event_id);
        run.is_some_and(|run| !is_open(run))
    }

    /// The events of the turn that answers a message, as far as the client has received them.
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
            // An agent that starts its runs itself may also send messages outside of them.
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
        let record = self.server.record(&message.event_id);
        TestTurn::new(message.event_id.clone(), events, conversation, record)
    }
}
