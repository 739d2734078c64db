//! The threads of a client.

use super::client::TestClient;
use super::conversation::Conversation;
use crate::protocol::{ErrorBody, Thread};
use serde_json::{Value, json};

impl TestClient {
    /// Its next message begins a new thread.
    pub fn new_thread(&mut self) -> &mut Self {
        self.current = None;
        self
    }

    /// Its next message goes to this thread.
    pub fn enter(&mut self, thread_id: impl Into<String>) -> &mut Self {
        self.current = Some(thread_id.into());
        self
    }

    /// The thread in which it goes on.
    ///
    /// # Panics
    ///
    /// If it is in none.
    #[must_use]
    #[track_caller]
    pub fn thread_id(&self) -> &str {
        match &self.current {
            Some(thread_id) => thread_id,
            None => self.fail("the client is in no thread: say something first, or `enter` one"),
        }
    }

    /// What it shows of the thread in which it goes on.
    ///
    /// # Panics
    ///
    /// If it is in none, or was told nothing of it.
    #[must_use]
    #[track_caller]
    pub fn conversation(&self) -> &Conversation {
        let thread_id = self.thread_id();
        match self.conversation_of(thread_id) {
            Some(conversation) => conversation,
            None => self.fail(&format!(
                "the client was told nothing of the thread {thread_id}: `subscribe` to it first"
            )),
        }
    }

    /// What it shows of a thread, if it was told anything of it.
    #[must_use]
    pub fn conversation_of(&self, thread_id: &str) -> Option<&Conversation> {
        self.conversations.get(thread_id)
    }

    /// Subscribes to a thread, perhaps of somebody else, and goes on in it.
    ///
    /// # Errors
    ///
    /// The refusal: `NOT_FOUND` if there is none that this user may see.
    pub async fn subscribe(
        &mut self,
        thread_id: impl Into<String>,
    ) -> Result<&Conversation, ErrorBody> {
        let thread_id = thread_id.into();
        self.subscribe_behind(&thread_id, None).await?;
        self.enter(thread_id);
        Ok(self.conversation())
    }

    /// Subscribes to a thread behind an event that it has.
    pub(super) async fn subscribe_behind(
        &mut self,
        thread_id: &str,
        after_event_id: Option<String>,
    ) -> Result<(), ErrorBody> {
        let payload = json!({"thread_id": thread_id, "after_event_id": after_event_id});
        self.ask("thread.subscribe", payload).await?;
        self.subscribed.insert(thread_id.to_owned());
        Ok(())
    }

    /// Ends the subscription to a thread: it hears no more of it than that it changed.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub async fn unsubscribe(&mut self, thread_id: &str) -> Result<(), ErrorBody> {
        let payload = json!({"thread_id": thread_id});
        self.ask("thread.unsubscribe", payload).await?;
        self.subscribed.remove(thread_id);
        Ok(())
    }

    /// Deletes a thread.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub async fn delete_thread(&mut self, thread_id: &str) -> Result<(), ErrorBody> {
        let payload = json!({"thread_id": thread_id});
        self.ask("thread.delete", payload).await?;
        Ok(())
    }

    /// All threads that it may see, the one that changed last first.
    ///
    /// # Panics
    ///
    /// If the server does not list them.
    pub async fn threads(&mut self) -> Vec<Thread> {
        let mut threads = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let page = self.ask("thread.list", json!({"cursor": cursor})).await;
            let mut page = match page {
                Ok(page) => page,
                Err(refusal) => self.fail(&format!("the server lists no threads: {refusal}")),
            };
            threads.extend(self.parse::<Vec<Thread>>(page["threads"].take()));
            cursor = page["cursor"].take();
            if cursor.is_null() {
                return threads;
            }
        }
    }

    /// Loads up to 50 older events of its thread into the [`conversation`](Self::conversation): whether there are more.
    ///
    /// # Panics
    ///
    /// If it is in no thread, or the server does not list them.
    pub async fn older(&mut self) -> bool {
        let conversation = self.conversation();
        let oldest = conversation.events().first().map(|event| event.id.clone());
        let payload = json!({"thread_id": conversation.thread_id(), "before_event_id": oldest});
        if let Err(refusal) = self.ask("event.list", payload).await {
            self.fail(&format!("the server lists no older events: {refusal}"));
        }
        self.conversation().has_older()
    }
}
