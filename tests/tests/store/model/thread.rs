//! The expected state of a thread.

use chrono::{DateTime, Utc};
use dooers::protocol::{ContentPart, Run, ThreadEvent, User};
use dooers::store::{Change, ChangeBody, Claim, TurnKey};
use std::collections::VecDeque;

/// The expected state of a thread.
pub(super) struct ModelThread {
    pub(super) id: String,
    pub(super) tenant: usize,
    pub(super) users: Vec<User>,
    pub(super) title: Option<String>,
    pub(super) last_event_at: DateTime<Utc>,
    pub(super) rev: u64,
    pub(super) events: Vec<ThreadEvent>,
    pub(super) runs: Vec<Run>,
    /// The ids of streaming texts.
    pub(super) open: Vec<String>,
    /// The messages of queued turns.
    pub(super) waiting: VecDeque<String>,
    pub(super) held: Option<TurnKey>,
    /// Keys of earlier turns.
    pub(super) stale: Vec<TurnKey>,
    pub(super) is_deleted: bool,
}

impl ModelThread {
    /// Applies changes and checks that their revisions are consecutive.
    pub(super) fn take(&mut self, changes: &[Change]) {
        for change in changes {
            assert_eq!((&change.thread_id, change.rev), (&self.id, self.rev + 1));
            self.rev = change.rev;
            match &change.body {
                ChangeBody::Thread(record) => {
                    assert_eq!(record.thread.users, self.users);
                    assert_eq!(record.thread.title, self.title);
                }
                ChangeBody::Event(event) => match self.open.iter().position(|id| *id == event.id) {
                    Some(open) => {
                        assert_eq!((event.streaming, event.finalized), (None, Some(true)));
                        self.open.remove(open);
                        self.events[event.seq as usize - 1] = (**event).clone();
                    }
                    None => {
                        assert_eq!(event.seq, self.events.len() as u64 + 1);
                        self.open
                            .extend(event.streaming.and(Some(event.id.clone())));
                        self.events.push((**event).clone());
                    }
                },
                ChangeBody::Run(run) => {
                    match self.runs.iter_mut().find(|known| known.id == run.id) {
                        Some(known) => {
                            assert_eq!(known.started_at, run.started_at);
                            *known = run.clone();
                        }
                        None => self.runs.push(run.clone()),
                    }
                }
                other => panic!("unexpected change: {other:?}"),
            }
        }
    }

    /// Records the claim of the oldest queued turn.
    pub(super) fn take_claim(&mut self, claim: Option<Claim>) {
        let Some(claim) = claim else { return };
        assert!(self.held.is_none());
        assert_eq!(Some(&claim.key.event_id), self.waiting.front());
        assert_eq!(claim.thread.rev, self.rev);
        self.waiting.pop_front();
        self.held = Some(claim.key);
    }

    /// Extends a streaming text.
    pub(super) fn grow(&mut self, event_id: &str, text: &str, delta_seq: u64) {
        let event = self.events.iter_mut().find(|event| event.id == event_id);
        let event = event.expect("the streaming event exists");
        event.content = Some(vec![ContentPart::text(text)]);
        event.delta_seq = Some(delta_seq);
    }

    pub(super) fn end_turn(&mut self) {
        self.stale.extend(self.held.take());
    }
}
