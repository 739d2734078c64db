//! A client without a socket.

use super::conversation::Conversation;
use super::server::TestServer;
use super::settings::SettingsView;
use super::user::TestUser;
use crate::handler::AgentDefinition;
use crate::protocol::{Audience, ErrorCode, ThreadEvent};
use crate::server::LocalClient;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::fmt;
use std::time::Instant;

/// A client of a [`TestServer`], which talks to an agent as one user.
///
/// It sends and receives the same frames as a real client, without a socket. From these frames it builds a
/// [`Conversation`] for each thread, as a user would see it. It reads only while the test waits for something. A
/// client that the test does not use is therefore a slow reader, but it does not miss anything.
///
/// Every method that waits panics after 10 s of real time, or after the time set with
/// [`timeout`](super::TestServerBuilder::timeout), and prints the conversation.
pub struct TestClient {
    pub(super) server: TestServer,
    pub(super) agent: AgentDefinition,
    pub(super) user: TestUser,
    /// `None` while the client is not connected.
    pub(super) link: Option<LocalClient>,
    pub(super) conversations: BTreeMap<String, Conversation>,
    pub(super) subscribed: BTreeSet<String>,
    /// The thread of the next message. `None` starts a new thread.
    pub(super) current: Option<String>,
    /// The messages whose turns the test has not taken.
    pub(super) untaken: VecDeque<Message>,
    /// The ids of events without a run that belong to a turn that was taken.
    pub(super) given: HashSet<String>,
    pub(super) settings: Option<SettingsView>,
    pub(super) settings_audience: Option<Audience>,
    pub(super) frames: Vec<Value>,
    pub(super) sent: u64,
}

/// A user's message in a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) thread_id: String,
    pub(super) event_id: String,
}

impl Message {
    pub(super) fn of(event: &ThreadEvent) -> Self {
        Self {
            thread_id: event.thread_id.clone(),
            event_id: event.id.clone(),
        }
    }
}

impl TestClient {
    pub(super) async fn connect(
        server: TestServer,
        agent: AgentDefinition,
        user: TestUser,
    ) -> Self {
        let mut client = Self {
            server,
            agent,
            user,
            link: None,
            conversations: BTreeMap::new(),
            subscribed: BTreeSet::new(),
            current: None,
            untaken: VecDeque::new(),
            given: HashSet::new(),
            settings: None,
            settings_audience: None,
            frames: Vec::new(),
            sent: 0,
        };
        client.open().await;
        client
    }

    /// Breaks the connection, as a network failure does. Frames that were not read are lost.
    pub fn disconnect(&mut self) {
        self.link = None;
    }

    /// Connects again and resumes, as a real client does. The client subscribes to each of its threads after the last
    /// event that it has, and adds the events that it missed. It also subscribes to the settings again, if it was
    /// subscribed before.
    ///
    /// # Panics
    ///
    /// If the server refuses the connection or a subscription.
    pub async fn reconnect(&mut self) {
        self.open().await;
        for thread_id in self.subscribed.clone() {
            let known = self.conversations.get(&thread_id);
            let last = known.and_then(|known| known.events().last());
            let last = last.map(|event| event.id.clone());
            match self.subscribe_behind(&thread_id, last).await {
                Ok(()) => {}
                Err(refusal) if refusal.code == ErrorCode::NotFound => self.forget(&thread_id),
                Err(refusal) => self.fail(&format!(
                    "the server refuses to resume the thread {thread_id}: {refusal}"
                )),
            }
        }
        if let Some(audience) = self.settings_audience {
            self.settings_as(audience).await;
        }
    }

    /// All frames that the client has received, the oldest first.
    #[must_use]
    pub fn frames(&self) -> &[Value] {
        &self.frames
    }

    /// Reads everything that the server has sent so far, including changes that the client was too slow for.
    ///
    /// Call this before you look at the [`conversation`](Self::conversation) of a client that has not waited for
    /// anything in the meantime.
    ///
    /// # Panics
    ///
    /// If the client is not connected.
    pub async fn catch_up(&mut self) {
        let begin = Instant::now();
        loop {
            // Frames that were sent before come before the response.
            self.request("ping", json!({})).await;
            if !self.is_behind() {
                return;
            }
            if begin.elapsed() > self.server.timeout() {
                self.fail("waited in vain for changes that the client was too slow for");
            }
        }
    }

    /// Returns true if a thread has changes that must still be read from the store.
    fn is_behind(&self) -> bool {
        let mut threads = self.subscribed.iter();
        let link = self.link.as_ref();
        link.is_some_and(|link| threads.any(|thread_id| link.is_behind(thread_id)))
    }

    async fn open(&mut self) {
        self.link = None;
        match self.server.open(self.agent.clone()).await {
            Ok(link) => self.link = Some(link),
            Err(error) => self.fail(&format!("cannot connect: {error}")),
        }
        let payload = self.user.connect_payload();
        if let Err(refusal) = self.try_request("connect", payload).await {
            self.fail(&format!("the server refuses the `connect`: {refusal}"));
        }
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient")
            .field("agent", &self.agent.name())
            .field("user", &self.user)
            .field("is_connected", &self.link.is_some())
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}
