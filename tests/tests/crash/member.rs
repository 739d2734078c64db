//! A client that writes to its own thread and to a shared one.

use crate::client::ResilientClient;
use crate::connection::Disconnected;

/// The verb of its messages.
pub(crate) const SAYS: &str = "says";

/// A client that writes to its own thread and to a shared one.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) client: ResilientClient,
    shared: String,
    /// Maximum number of unacknowledged messages.
    window: usize,
}

impl Member {
    pub(crate) fn new(number: usize, shared: &str) -> Self {
        let shared = shared.to_owned();
        let takes_deltas = (number / 4).is_multiple_of(2);
        let client = ResilientClient::new(format!("member{number}"), takes_deltas, [&shared]);
        Self {
            client,
            shared,
            window: 1 + number % 3,
        }
    }

    /// Sends messages until the connection ends.
    pub(crate) async fn send_messages(&mut self) -> Result<(), Disconnected> {
        loop {
            let window = if self.own().is_none() { 1 } else { self.window };
            // Sends only one message until its own thread is known.
            while self.client.pending.len() < window
                && (self.own().is_some() || self.client.sent == 0)
            {
                let own = self.own();
                let is_shared = own.is_some() && self.client.sent % 2 == 1;
                let thread_id = if is_shared {
                    Some(self.shared.clone())
                } else {
                    own
                };
                let message = self.client.new_message(thread_id, SAYS);
                self.client.send_message(message).await?;
            }
            self.client.read().await?;
        }
    }

    /// Resends unacknowledged messages, and the message that created its own thread if the thread is still
    /// unknown.
    pub(crate) async fn resend(&mut self) -> Result<(), Disconnected> {
        let mut messages: Vec<_> = self.client.pending.iter().cloned().collect();
        if self.own().is_none() && messages.is_empty() {
            messages.extend(self.client.acked.first().cloned());
        }
        for message in messages {
            self.client.send_again(message).await?;
        }
        while !self.client.pending.is_empty() || (self.own().is_none() && self.client.sent > 0) {
            self.client.read().await?;
        }
        Ok(())
    }

    /// Its own thread, once it is known.
    fn own(&self) -> Option<String> {
        let mut threads = self.client.views.keys();
        threads.find(|id| **id != self.shared).cloned()
    }
}
