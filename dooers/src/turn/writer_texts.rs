//! The streamed texts of a turn, which grow between the changes that are stored.

use super::published_text::PublishedText;
use super::writer::TurnWriter;
use super::written::stored_text;
use crate::handler::Piece;
use crate::store::{StoreError, TurnChange};
use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

impl TurnWriter<'_> {
    /// Publishes pieces of streamed texts.
    pub(super) fn publish_pieces(&self, pieces: Vec<Piece>) {
        let publisher = &self.context.publisher;
        let has_others = publisher.has_others();
        let mut texts = self.texts();
        for piece in pieces {
            if let Some(text) = texts.get_mut(&piece.event_id) {
                text.growing.push(&piece.text);
                if has_others {
                    publisher.publish_piece(text.elsewhere.next(piece.text));
                }
            }
        }
    }

    /// Stores the progress of streamed texts. An error of the database is logged. The next call after more
    /// progress stores the whole text.
    pub(super) async fn write_texts(&self) -> Result<(), StoreError> {
        let grown = self.grown_texts();
        if grown.is_empty() {
            return Ok(());
        }
        let lengths: Vec<_> = grown.iter().filter_map(stored_text).collect();
        let store = &self.context.store;
        match store.write_turn(&self.scope, &self.claim.key, grown).await {
            Ok(_) => {
                self.announce_stored(&lengths);
                Ok(())
            }
            Err(error) if error.is_of_the_database() => {
                tracing::warn!(target: "dooers::turn", error = &error as &dyn std::error::Error, "the progress of a streamed text could not be stored");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Reports to other nodes how much of the texts is stored, by the ids of their events.
    fn announce_stored(&self, lengths: &[(String, usize)]) {
        let publisher = &self.context.publisher;
        if !publisher.has_others() {
            return;
        }
        let mut texts = self.texts();
        for (event_id, length) in lengths {
            if let Some(text) = texts.get_mut(event_id) {
                text.elsewhere.stored = *length;
                publisher.publish_piece(text.elsewhere.clone());
            }
        }
    }

    fn grown_texts(&self) -> Vec<TurnChange> {
        let mut grown = Vec::new();
        for (event_id, text) in self.texts().iter_mut() {
            let (whole, delta_seq) = text.growing.sent();
            if delta_seq > text.stored {
                text.stored = delta_seq;
                grown.push(TurnChange::Text {
                    event_id: event_id.clone(),
                    text: whole,
                    delta_seq,
                });
            }
        }
        grown
    }

    pub(super) fn texts(&self) -> MutexGuard<'_, HashMap<String, PublishedText>> {
        // No code panics while it holds the lock.
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
