//! An answer that is read while it streams.

use super::client::{Message, TestClient};
use super::turn::TestTurn;
use std::collections::{HashMap, VecDeque};

/// An answer that is read while it streams, created by [`TestClient::stream`].
#[derive(Debug)]
pub struct TestStream<'a> {
    client: &'a mut TestClient,
    message: Message,
    /// The number of bytes of each text that have been returned, by event id.
    given: HashMap<String, usize>,
    ready: VecDeque<String>,
}

impl<'a> TestStream<'a> {
    pub(super) fn new(client: &'a mut TestClient, event_id: &str) -> Self {
        let message = client.message(event_id);
        Self {
            client,
            message,
            given: HashMap::new(),
            ready: VecDeque::new(),
        }
    }

    /// Returns the next piece of the agent's messages. `None` at the end of the turn.
    ///
    /// A message that is not streamed is one piece. Reasoning is not included.
    ///
    /// # Panics
    ///
    /// If no piece arrives and the turn does not end in time.
    pub async fn next_piece(&mut self) -> Option<String> {
        let mut wait = self.client.wait("the next piece of the answer");
        loop {
            self.look();
            if let Some(piece) = self.ready.pop_front() {
                return Some(piece);
            }
            if self.client.is_over(&self.message) {
                return None;
            }
            self.client.receive(&mut wait).await;
        }
    }

    /// Returns all remaining pieces.
    ///
    /// # Panics
    ///
    /// The same as for [`next_piece`](Self::next_piece).
    pub async fn pieces(&mut self) -> Vec<String> {
        let mut pieces = Vec::new();
        while let Some(piece) = self.next_piece().await {
            pieces.push(piece);
        }
        pieces
    }

    /// Cancels the turn.
    ///
    /// # Panics
    ///
    /// If the server refuses the request.
    pub async fn cancel(&mut self) {
        self.client.cancel_turn_of(&self.message.event_id).await;
    }

    /// Waits for the end of the turn.
    ///
    /// # Panics
    ///
    /// If the turn does not end in time.
    pub async fn turn(self) -> TestTurn {
        self.client.turn_of(&self.message.event_id).await
    }

    /// Collects the new pieces of all texts.
    fn look(&mut self) {
        let events = self.client.events_of(&self.message);
        for event in events.filter(|event| event.is_said()) {
            let text = event.text();
            let given = self.given.entry(event.id.clone()).or_default();
            if let Some(piece) = text.get(*given..).filter(|piece| !piece.is_empty()) {
                self.ready.push_back(piece.to_owned());
                *given = text.len();
            }
        }
    }
}
