//! The events of a thread that a memory sees, and their order.

use crate::protocol::Actor;
use std::fmt::Debug;
use std::sync::Arc;

/// All actors except users. After the message of a turn only their events are read, because later messages of users
/// get turns of their own.
const NO_USERS: &[Actor] = &[Actor::Assistant, Actor::System, Actor::Tool];

/// The events of a thread that a memory sees, and their order.
#[derive(Debug, Clone)]
pub(super) enum View {
    /// All events.
    Thread,
    /// The events that belong to a turn: the thread up to the message that the turn answers, and the events that the
    /// turn itself writes. Messages that wait behind the turn do not belong to it.
    ///
    /// The message is placed where its turn begins. Answers to earlier messages are often stored after the message,
    /// because it waited for them. The same applies to answers of earlier attempts of the turn.
    Turn {
        /// The position of the message.
        message: u64,
        /// The position of the last event when the turn was claimed.
        claimed: u64,
        /// The turn's runs, if the turn runs concurrently with other turns of its thread. Answers of other turns are
        /// then excluded.
        own_runs: Option<Arc<dyn OwnRuns>>,
        /// The answers to the forms that the turn asks. They are events of users, but belong to the turn.
        answers: Option<Arc<dyn OwnAnswers>>,
    },
}

/// The runs of one turn.
pub(crate) trait OwnRuns: Debug + Send + Sync {
    /// The ids of the runs that have started so far.
    fn run_ids(&self) -> Vec<String>;
}

/// The answers to the forms that one turn asks.
pub(crate) trait OwnAnswers: Debug + Send + Sync {
    /// The positions of the answers that the turn has received so far, in their order.
    fn positions(&self) -> Vec<u64>;
}

/// The events that belong to a turn in a thread with other turns, as far as they are not known by their positions.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnEvents {
    /// The turn's runs, if the turn runs concurrently with other turns of its thread.
    pub(crate) runs: Option<Arc<dyn OwnRuns>>,
    /// The answers to the forms that the turn asks.
    pub(crate) answers: Option<Arc<dyn OwnAnswers>>,
}

/// Consecutive events of a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Range {
    /// Exclusive lower bound of the positions.
    pub(super) after: u64,
    /// Exclusive upper bound of the positions.
    pub(super) before: u64,
    /// Only events of these actors.
    pub(super) actors: Option<&'static [Actor]>,
    /// Only events of these runs.
    pub(super) run_ids: Option<Vec<String>>,
    /// True if the turn itself writes these events. A limit of the newest events does not count them.
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
    /// The ranges of visible events, in the order in which they are read.
    pub(super) fn ranges(&self) -> Vec<Range> {
        let Self::Turn {
            message,
            claimed,
            own_runs,
            answers,
        } = self
        else {
            return vec![Range::of(0, u64::MAX)];
        };
        let answers = answers.as_ref().map(|answers| answers.positions());
        let answers = answers.unwrap_or_default();
        let run_ids = || own_runs.as_ref().map(|runs| runs.run_ids());
        // The events behind the message, without those of users, but with the answers to the forms of the turn.
        let behind = |mut after: u64, before: u64, is_own: bool| {
            let written = |after, before| Range {
                actors: Some(NO_USERS),
                run_ids: run_ids(),
                is_own,
                ..Range::of(after, before)
            };
            let mut ranges = Vec::new();
            let inside = answers
                .iter()
                .filter(|answer| (after + 1..before).contains(answer));
            for answer in inside.copied().collect::<Vec<_>>() {
                ranges.push(written(after, answer));
                ranges.push(Range {
                    is_own,
                    ..Range::of(answer - 1, answer + 1)
                });
                after = answer;
            }
            ranges.push(written(after, before));
            ranges
        };
        let mut ranges = vec![Range::of(0, message + 1)];
        if claimed != message {
            ranges = vec![Range::of(0, *message)];
            ranges.extend(behind(*message, claimed + 1, false));
            ranges.push(Range::of(message - 1, message + 1));
        }
        ranges.extend(behind(*claimed, u64::MAX, true));
        ranges
    }
}
