//! Which events of a thread a memory sees, and in which order.

use crate::protocol::Actor;
use std::fmt::Debug;
use std::sync::Arc;

/// Everyone but the users: what is read behind the message of a turn, since users' messages there wait for turns of
/// their own.
const NO_USERS: &[Actor] = &[Actor::Assistant, Actor::System, Actor::Tool];

/// Which events of a thread a memory sees, and in which order.
#[derive(Debug, Clone)]
pub(super) enum View {
    /// All of them.
    Thread,
    /// What belongs to a turn: the thread up to the message that it answers, and what it writes itself. Messages that
    /// wait behind it do not.
    ///
    /// The message stands where its turn begins. Answers to earlier messages are often stored behind it, because it
    /// waited for them; so are those of its own earlier attempts.
    Turn {
        /// The place of the message.
        message: u64,
        /// The place of the last event when the turn was claimed.
        claimed: u64,
        /// Its runs, if it runs beside other turns of its thread, whose answers are not for it.
        own_runs: Option<Arc<dyn OwnRuns>>,
    },
}

/// The runs of one turn.
pub(crate) trait OwnRuns: Debug + Send + Sync {
    /// Their ids, as far as they have begun.
    fn run_ids(&self) -> Vec<String>;
}

/// Some events of a thread that lie side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    /// Those behind this place …
    pub(super) after: u64,
    /// … and before this one.
    pub(super) before: u64,
    /// Of these actors only.
    pub(super) actors: Option<&'static [Actor]>,
    /// Of these runs only.
    pub(super) run_ids: Option<Vec<String>>,
    /// The turn itself writes these events: they come on top of a limit of the newest events.
    pub(super) is_own: bool,
}

impl Range {
    fn of(after: u64, before: u64) -> Self {
        Self {
            after,
            before,
            actors: None,
            run_ids: None,
            is_own: false,
        }
    }
}

impl View {
    /// What is seen, from the first to the last.
    pub(super) fn ranges(&self) -> Vec<Range> {
        let Self::Turn {
            message,
            claimed,
            own_runs,
        } = self
        else {
            return vec![Range::of(0, u64::MAX)];
        };
        let behind = |after, before| Range {
            actors: Some(NO_USERS),
            run_ids: own_runs.as_ref().map(|runs| runs.run_ids()),
            ..Range::of(after, before)
        };
        let own = Range {
            is_own: true,
            ..behind(*claimed, u64::MAX)
        };
        if claimed == message {
            return vec![Range::of(0, message + 1), own];
        }
        vec![
            Range::of(0, *message),
            behind(*message, claimed + 1),
            Range::of(message - 1, message + 1),
            own,
        ]
    }
}
