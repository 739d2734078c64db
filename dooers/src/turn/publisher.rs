//! The single path through which changes of threads are committed and published.

use super::completions::{TurnCompletion, TurnCompletions};
use super::lost_answers::{LostAnswers, LostIn};
use super::outcome::TurnOutcome;
use crate::broker::{Broker, News, TextPiece, ThreadNotice};
use crate::hub::{ChangeSender, LiveAnalytics};
use crate::protocol::{AnalyticsEvent, RunStatus};
use crate::store::analytics::TurnSource;
use crate::store::{
    BeginOutcome, Cancelled, Change, ChangeBody, Claim, Edited, FinishOutcome, Recovered, Retried,
    Scope, StoreError, ThreadChanges, ThreadRecord,
};
use std::collections::HashMap;
use std::sync::Arc;

/// Commits changes of threads, and publishes them.
///
/// The publisher owns the only [`ChangeSender`] of the hub, so that no change can be published in another way. A change whose
/// answer was lost is neither published nor announced to other nodes. Its thread is added to the [`LostAnswers`], and subscribers read the change from the store.
#[derive(Debug)]
pub(crate) struct Publisher {
    sender: ChangeSender,
    analytics: LiveAnalytics,
    endings: TurnCompletions,
    lost_answers: LostAnswers,
    broker: Arc<dyn Broker>,
    /// The value of [`Store::may_lose_answers`](crate::store::Store::may_lose_answers).
    may_lose_answers: bool,
}

/// The result of a store operation that changed one thread.
pub(crate) trait Committed {
    /// Takes the changes of the thread, in the order of their `rev`.
    fn take_changes(&mut self) -> Vec<Change>;
}

/// The result of a store operation that changed any number of threads.
pub(crate) trait CommittedAnywhere {
    /// Takes the changes of each thread.
    fn take_threads(&mut self) -> Vec<ThreadChanges>;
}

/// The error of a store operation that changes threads.
pub(crate) trait NotCommitted {
    /// Returns true if the changes may have been stored although the operation failed, because the answer was lost.
    fn may_be_stored(&self) -> bool;
}

impl NotCommitted for StoreError {
    fn may_be_stored(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

impl Publisher {
    pub(super) fn new(
        sender: ChangeSender,
        analytics: LiveAnalytics,
        broker: Arc<dyn Broker>,
        may_lose_answers: bool,
    ) -> Self {
        Self {
            sender,
            analytics,
            endings: TurnCompletions::default(),
            lost_answers: LostAnswers::default(),
            broker,
            may_lose_answers,
        }
    }

    /// The analytics of subscribers.
    pub(crate) fn analytics(&self) -> &LiveAnalytics {
        &self.analytics
    }

    /// The threads in which answers were lost.
    pub(crate) fn lost_answers(&self) -> &LostAnswers {
        &self.lost_answers
    }

    /// Runs a store operation on a thread of this scope, and publishes its changes and the analytics events that follow from
    /// them.
    ///
    /// # Errors
    ///
    /// The error of the operation. Nothing is published then.
    pub(crate) async fn commit<T: Committed, E: NotCommitted>(
        &self,
        place: (&Scope, &str),
        operation: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.commit_then(place, operation, |_| {}).await
    }

    /// Does the same as [`commit`](Self::commit), and calls `before` between the commit and the publication, for
    /// example to acknowledge a message.
    pub(crate) async fn commit_then<T: Committed, E: NotCommitted>(
        &self,
        (scope, thread_id): (&Scope, &str),
        operation: impl Future<Output = Result<T, E>>,
        before: impl FnOnce(&mut T),
    ) -> Result<T, E> {
        let _writing = self.sender.writing(thread_id);
        let mut committed = self.answer_in(thread_id, operation).await?;
        before(&mut committed);
        self.publish(scope, committed.take_changes());
        Ok(committed)
    }

    /// Does the same as [`commit_then`](Self::commit_then) for an operation of a turn that stores these tracked events. The
    /// changes count as caused by the sender of the turn's message.
    pub(super) async fn commit_of_turn<T: Committed, E: NotCommitted>(
        &self,
        claim: &Claim,
        tracked: &[AnalyticsEvent],
        operation: impl Future<Output = Result<T, E>>,
        before: impl FnOnce(&mut T),
    ) -> Result<T, E> {
        let _writing = self.sender.writing(&claim.key.thread_id);
        let mut committed = self.answer_in(&claim.key.thread_id, operation).await?;
        before(&mut committed);
        let user = claim.event.user.as_ref().map(|user| &*user.user_id);
        let changes = committed.take_changes();
        let turn = TurnSource {
            event_id: &claim.key.event_id,
            user_id: user,
            attempt: claim.attempt.into(),
        };
        let thread = &claim.thread;
        let events = self.analytics.of_turn(thread, turn, &changes, tracked);
        self.analytics.publish(events);
        self.announce(&changes);
        self.sender.send_from(user, changes);
        Ok(committed)
    }

    /// Does the same as [`commit_then`](Self::commit_then) for an operation that may change any number of threads.
    pub(crate) async fn commit_anywhere<T: CommittedAnywhere, E: NotCommitted>(
        &self,
        operation: impl Future<Output = Result<T, E>>,
        before: impl FnOnce(&mut T),
    ) -> Result<T, E> {
        let _writing = self.sender.writing_anywhere();
        let noted = |error: &E| self.note_if_lost(error, |answers| answers.note(LostIn::Anywhere));
        let mut committed = operation.await.inspect_err(noted)?;
        before(&mut committed);
        for ThreadChanges { scope, changes } in committed.take_threads() {
            let writing = changes.first();
            let _writing = writing.map(|change| self.sender.writing(&change.thread_id));
            self.publish(&scope, changes);
        }
        Ok(committed)
    }

    /// Publishes changes that are not part of a turn.
    fn publish(&self, scope: &Scope, changes: Vec<Change>) {
        let events = self.analytics.of_changes(scope, &changes);
        self.analytics.publish(events);
        self.announce(&changes);
        self.sender.send(changes);
    }

    /// Announces changes of one thread to the other nodes.
    fn announce(&self, changes: &[Change]) {
        if self.has_others()
            && let Some(notice) = ThreadNotice::of(changes)
        {
            self.broker.publish(News::Thread(notice));
        }
    }

    /// Announces the states of threads to the other nodes, because this node may have changed them.
    pub(crate) fn announce_states(&self, thread_ids: &[String], records: &[ThreadRecord]) {
        let records: HashMap<_, _> = records.iter().map(|it| (&it.thread.id, it)).collect();
        for id in thread_ids {
            let notice = ThreadNotice::of_state(id, records.get(id).copied());
            self.broker.publish(News::Thread(notice));
        }
    }

    /// Announces to the other nodes that any thread may have changed.
    pub(crate) fn announce_everything(&self) {
        self.broker.publish(News::Everything);
    }

    /// Returns `false` if no other node can exist, so that nothing need be announced.
    pub(crate) fn has_others(&self) -> bool {
        self.broker.has_others()
    }

    /// Sends a piece of a streamed text to the other nodes.
    pub(super) fn publish_piece(&self, piece: TextPiece) {
        self.broker.publish(News::Text(piece));
    }

    /// Asks the node that runs the turn of this message to look it up in the store.
    pub(super) fn signal(&self, event_id: &str) {
        self.broker.publish(News::Turn(event_id.to_owned()));
    }

    /// Asks the other nodes to look for queued turns that this node leaves, because it stops.
    pub(super) fn leave_queued(&self) {
        self.broker.publish(News::Waiting);
    }

    /// Reads the rows of threads that other nodes changed, and publishes them to connections that list these threads. Calls
    /// `found` for each thread that exists.
    ///
    /// # Errors
    ///
    /// The error of the read. Nothing is published then.
    pub(crate) async fn publish_rows<E>(
        &self,
        thread_ids: &[String],
        read: impl Future<Output = Result<Vec<ThreadRecord>, E>>,
        mut found: impl FnMut(&ThreadRecord),
    ) -> Result<(), E> {
        // This node may change the threads while their rows are read.
        let writing = thread_ids.iter().map(|id| self.sender.writing(id));
        let _writing: Vec<_> = writing.collect();
        for record in read.await? {
            found(&record);
            self.sender.send_row(record);
        }
        Ok(())
    }

    /// Waits for the answer to an operation on a thread, and records a lost answer.
    async fn answer_in<T, E: NotCommitted>(
        &self,
        thread_id: &str,
        operation: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let noted = |error: &E| self.note_if_lost(error, |answers| answers.note_in(thread_id));
        operation.await.inspect_err(noted)
    }

    /// Calls `note` if the answer to an operation was lost, so that its outcome is unknown.
    fn note_if_lost(&self, error: &impl NotCommitted, note: impl FnOnce(&LostAnswers)) {
        if self.may_lose_answers && error.may_be_stored() {
            note(&self.lost_answers);
        }
    }

    /// Notifies the tasks that wait for the end of this message's turn. `rev` is the number of the turn's last change.
    ///
    /// Call this before the change is published, so that every reader of the change also knows the outcome.
    pub(super) fn report(&self, event_id: &str, outcome: impl Into<Arc<TurnOutcome>>, rev: u64) {
        self.endings.notify(event_id, outcome.into(), rev);
    }

    /// Reports the end of the turns that these changes withdraw from the queue.
    pub(crate) fn report_withdrawn(&self, changes: &[Change]) {
        self.report_all(changes, |status| {
            (status == RunStatus::Canceled).then_some(TurnOutcome::Cancelled)
        });
    }

    /// Reports the end of the turns that these changes end because their process died.
    pub(crate) fn report_lost(&self, changes: &[Change]) {
        self.report_all(changes, TurnOutcome::of_record);
    }

    fn report_all(&self, changes: &[Change], outcome_of: fn(RunStatus) -> Option<TurnOutcome>) {
        for change in changes {
            if let ChangeBody::Run(run) = &change.body
                && let Some(event_id) = &run.event_id
                && let Some(outcome) = outcome_of(run.status)
            {
                self.report(event_id, outcome, change.rev);
            }
        }
    }

    /// Returns a future that resolves when the turn that answers this message ends.
    pub(crate) fn ending_of(&self, event_id: &str) -> TurnCompletion {
        self.endings.watch(event_id)
    }

    /// The tasks that wait for the end of turns.
    pub(crate) fn endings(&self) -> &TurnCompletions {
        &self.endings
    }

    /// Records the events that a turn tracked, for tests. Call this before the end of the attempt is published.
    #[cfg(feature = "testing")]
    pub(super) fn record_tracked(&self, event_id: &str, tracked: &[AnalyticsEvent]) {
        self.endings.record_tracked(event_id, tracked);
    }

    /// Records the end of every turn from now on.
    #[cfg(feature = "testing")]
    pub(crate) fn record_endings(&self, record: &super::EndedTurns) {
        self.endings.record_in(record);
    }
}

impl Committed for BeginOutcome {
    fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }
}

/// A thread that was created or deleted. The change is copied, because the caller also needs it.
impl Committed for Change {
    fn take_changes(&mut self) -> Vec<Change> {
        vec![self.clone()]
    }
}

/// The changes are copied, because the caller also needs them.
impl Committed for Edited {
    fn take_changes(&mut self) -> Vec<Change> {
        self.changes.clone()
    }
}

impl Committed for FinishOutcome {
    fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }
}

impl Committed for Retried {
    fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }
}

impl Committed for Option<Claim> {
    fn take_changes(&mut self) -> Vec<Change> {
        self.as_mut()
            .map(|claim| std::mem::take(&mut claim.changes))
            .unwrap_or_default()
    }
}

impl CommittedAnywhere for Cancelled {
    fn take_threads(&mut self) -> Vec<ThreadChanges> {
        match self {
            Self::Withdrawn { scope, changes, .. } => vec![ThreadChanges {
                scope: (**scope).clone(),
                changes: std::mem::take(changes),
            }],
            Self::Running { .. } | Self::Ended => Vec::new(),
        }
    }
}

impl CommittedAnywhere for Recovered {
    fn take_threads(&mut self) -> Vec<ThreadChanges> {
        std::mem::take(&mut self.changes)
    }
}
