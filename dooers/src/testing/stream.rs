//! An answer, read as it grows.

use super::client::{Message, TestClient};
use super::turn::TestTurn;
use std::collections::{HashMap, VecDeque};

/// An answer, read as it grows: made by [`TestClient::stream`].
#[derive(Debug)]
pub struct TestStream<'a> {
    client: &'a mut TestClient,
    message: Message,
    /// How much of each text was given out, in bytes.
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

    /// What comes next to the texts of the agent's messages. None at the end of the turn.
    ///
    /// A text that does not grow comes as one piece. What the model thought is not in it.
    ///
    /// # Panics
    ///
    /// If nothing comes, and the turn does not end.
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
            self.client.hear(&mut wait).await;
        }
    }

    /// All pieces that are still to come.
    ///
    /// # Panics
    ///
    /// As [`next_piece`](Self::next_piece).
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
    /// If the server refuses it.
    pub async fn cancel(&mut self) {
        self.client.cancel_turn_of(&self.message.event_id).await;
    }

    /// Waits for the end of the turn.
    ///
    /// # Panics
    ///
    /// If it does not end.
    pub async fn turn(self) -> TestTurn {
        self.client.turn_of(&self.message.event_id).await
    }

    /// Finds what is new in the texts.
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
