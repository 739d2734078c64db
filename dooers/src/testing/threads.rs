//! The threads of a client.

use super::client::TestClient;
use super::conversation::Conversation;
use crate::protocol::{ErrorBody, Thread};
use serde_json::{Value, json};

impl TestClient {
    /// Makes the next message start a new thread.
    pub fn new_thread(&mut self) -> &mut Self {
        self.current = None;
        self
    }

    /// Makes the next message go to this thread.
    pub fn enter(&mut self, thread_id: impl Into<String>) -> &mut Self {
        self.current = Some(thread_id.into());
        self
    }

    /// The id of the client's current thread.
    ///
    /// # Panics
    ///
    /// If the client has no current thread.
    #[must_use]
    #[track_caller]
    pub fn thread_id(&self) -> &str {
        match &self.current {
            Some(thread_id) => thread_id,
            None => {
                self.fail("the client has no current thread: say something first, or `enter` one")
            }
        }
    }

    /// The conversation in the client's current thread.
    ///
    /// # Panics
    ///
    /// If the client has no current thread, or has received nothing about it.
    #[must_use]
    #[track_caller]
    pub fn conversation(&self) -> &Conversation {
        let thread_id = self.thread_id();
        match self.conversation_of(thread_id) {
            Some(conversation) => conversation,
            None => self.fail(&format!(
                "the client has received nothing about the thread {thread_id}: `subscribe` to it first"
            )),
        }
    }

    /// The conversation in a thread, if the client has received anything about it.
    #[must_use]
    pub fn conversation_of(&self, thread_id: &str) -> Option<&Conversation> {
        self.conversations.get(thread_id)
    }

    /// Subscribes to a thread, which may belong to another user, and makes it the current one.
    ///
    /// # Errors
    ///
    /// The refusal of the server: `NOT_FOUND` if this user sees no such thread.
    pub async fn subscribe(
        &mut self,
        thread_id: impl Into<String>,
    ) -> Result<&Conversation, ErrorBody> {
        let thread_id = thread_id.into();
        self.subscribe_behind(&thread_id, None).await?;
        self.enter(thread_id);
        Ok(self.conversation())
    }

    /// Subscribes to a thread, starting after an event that the client has.
    pub(super) async fn subscribe_behind(
        &mut self,
        thread_id: &str,
        after_event_id: Option<String>,
    ) -> Result<(), ErrorBody> {
        let payload = json!({"thread_id": thread_id, "after_event_id": after_event_id});
        self.try_request("thread.subscribe", payload).await?;
        self.subscribed.insert(thread_id.to_owned());
        Ok(())
    }

    /// Ends the subscription to a thread. After that, the client only receives updates of the thread's own row, and
    /// its deletion.
    ///
    /// # Errors
    ///
    /// The refusal of the server.
    pub async fn unsubscribe(&mut self, thread_id: &str) -> Result<(), ErrorBody> {
        let payload = json!({"thread_id": thread_id});
        self.try_request("thread.unsubscribe", payload).await?;
        self.subscribed.remove(thread_id);
        Ok(())
    }

    /// Changes the title of a thread. A blank one removes the title.
    ///
    /// # Errors
    ///
    /// The refusal of the server.
    pub async fn rename_thread(&mut self, thread_id: &str, title: &str) -> Result<(), ErrorBody> {
        let payload = json!({"thread_id": thread_id, "title": title});
        self.try_request("thread.update", payload).await?;
        Ok(())
    }

    /// Deletes a thread.
    ///
    /// # Errors
    ///
    /// The refusal of the server.
    pub async fn delete_thread(&mut self, thread_id: &str) -> Result<(), ErrorBody> {
        let payload = json!({"thread_id": thread_id});
        self.try_request("thread.delete", payload).await?;
        Ok(())
    }

    /// All threads that the user may see, the one with the newest event first.
    ///
    /// # Panics
    ///
    /// If the server refuses to list them.
    pub async fn threads(&mut self) -> Vec<Thread> {
        let mut threads = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let page = self
                .try_request("thread.list", json!({"cursor": cursor}))
                .await;
            let mut page = match page {
                Ok(page) => page,
                Err(refusal) => {
                    self.fail(&format!("the server refuses to list threads: {refusal}"))
                }
            };
            threads.extend(self.parse::<Vec<Thread>>(page["threads"].take()));
            cursor = page["cursor"].take();
            if cursor.is_null() {
                return threads;
            }
        }
    }

    /// Loads up to 50 older events of the current thread into the [`conversation`](Self::conversation). Returns true
    /// if there are more.
    ///
    /// # Panics
    ///
    /// If the client has no current thread, or the server refuses to list the events.
    pub async fn older(&mut self) -> bool {
        let conversation = self.conversation();
        let oldest = conversation.events().first().map(|event| event.id.clone());
        let payload = json!({"thread_id": conversation.thread_id(), "before_event_id": oldest});
        if let Err(refusal) = self.try_request("event.list", payload).await {
            self.fail(&format!(
                "the server refuses to list older events: {refusal}"
            ));
        }
        self.conversation().has_older()
    }
}
