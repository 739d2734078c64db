//! The interface of the stores.

#[cfg(feature = "postgres")]
use super::SharedDatabase;
use super::setting::version_of;
use super::{
    BeginOutcome, Cancel, Cancelled, CatchUp, Change, Claim, ClaimOptions, Edited, EventPage,
    EventQuery, Feedback, FeedbackDay, FeedbackPeriod, FeedbackQuery, FinishOutcome, GivenFeedback,
    HeldTurn, NewFeedback, NewMessage, NodeStore, OutboxStore, OwnStore, PageLimit, Participant,
    Position, Recovered, Retried, RunQuery, Scope, Snapshot, SnapshotFrom, StoreError,
    StoredSetting, ThreadCursor, ThreadDraft, ThreadEdit, ThreadPage, ThreadQuery, ThreadRecord,
    TitleSearch, TurnChange, TurnKey, TurnState, UsageQuery, UsageSum, WorkerKey,
};
use crate::protocol::{Run, Thread, ThreadEvent};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// The server's interface to a database.
///
/// A method that takes a [`PageLimit`], or a number of bytes, reads at most that much into memory, however much is
/// stored.
///
/// Each method is one transaction: it happens completely or not at all, and its result is durable. A method that
/// touches a thread takes the [`Scope`] of the caller. Anything outside of the scope is [`StoreError::NotFound`], as if
/// it did not exist.
///
/// The server cleans and checks all values before it passes them to a store: texts and ids do not contain U+0000,
/// `data` and `metadata` nest at most [`MAX_JSON_DEPTH`](crate::protocol::MAX_JSON_DEPTH) levels, and ids, users,
/// titles and metadata are within the limits of [`protocol`](crate::protocol). A store may store other values, or
/// refuse them as [`StoreError::Invalid`].
///
/// # Times
///
/// Times come from the clocks of processes, which may be set back and may differ from each other. A store guarantees:
///
/// * A thread that is new, or gets an event, moves to the front of its scope's list. Its `last_event_at` is the given
///   time, or one microsecond more than the newest `last_event_at` or `started_at` of the scope if that is later.
/// * A run's `started_at` is never earlier than the newest of these times, and its `ended_at` is never earlier than its
///   `started_at`. A thread's `updated_at` never decreases.
/// * A turn that waits for another attempt is due at its `not_before`. It is also due if `not_before` is further ahead
///   than [`LONGEST_BACK_OFF`](super::LONGEST_BACK_OFF): no turn waits longer, so the clock was set back.
/// * `created_at` is the given time. Events are ordered by their `seq`.
///
/// # Sealed
///
/// Only the stores of dooers implement this trait, and its methods are hidden: they belong to the server and may change in
/// any release. The rules of a thread are inside of the stores, and each new rule would otherwise break every store of
/// another crate. Programs read and write conversations with [`Repository`](crate::repository::Repository). They use this
/// trait to name a store that they have opened, for [`WorkerConfig::store`](crate::WorkerConfig::store).
#[async_trait]
pub trait Store:
    OwnStore + OutboxStore + NodeStore + std::fmt::Debug + Send + Sync + 'static
{
    /// Stores a user's message, with its thread if that is new, and the turn that will answer the message.
    ///
    /// If no turn of the thread runs, the oldest waiting turn (usually the new one) is claimed in the same transaction,
    /// as by [`claim_turn`](Store::claim_turn). If a turn runs or waits, [`ClaimOptions::on_busy`] decides.
    ///
    /// A message whose `client_event_id` is already known changes nothing: the result is the stored event, with
    /// [`BeginOutcome::is_repeated`].
    ///
    /// # Errors
    ///
    /// * `NotFound` if the thread, or the form that the message answers, is outside of the scope.
    /// * `Conflict` if the `client_event_id` was used for another message or with another agent of the worker, or if
    ///   the form already has an answer whose turn waits, runs or has succeeded.
    /// * `Busy` if the thread is being answered and the agent refuses messages in the meantime.
    /// * `Overloaded` if the queue of the thread is full.
    /// * `RateLimited` if one of [`ClaimOptions::limits`] is reached.
    /// * `Invalid` if the answer does not fit its form, or fills a password field without a [`seal`](NewMessage::seal).
    #[doc(hidden)]
    async fn begin_turn(
        &self,
        scope: &Scope,
        message: NewMessage,
        start: &ClaimOptions,
    ) -> Result<BeginOutcome, StoreError>;

    /// Claims the oldest waiting turn of a thread and starts its run, if no turn of the thread runs or if its turns run
    /// concurrently. Nothing is claimed until the turn may be attempted again.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside of the scope.
    #[doc(hidden)]
    async fn claim_turn(
        &self,
        scope: &Scope,
        thread_id: &str,
        start: &ClaimOptions,
    ) -> Result<Option<Claim>, StoreError>;

    /// Returns the claim of a running turn again, for a process whose answer to the claim was lost. Nothing changes.
    ///
    /// The answer to [`begin_turn`](Self::begin_turn), [`claim_turn`](Self::claim_turn) or
    /// [`finish_turn`](Self::finish_turn) may be lost after the turn was claimed. [`renew_leases`](Self::renew_leases) then
    /// returns a turn that the process does not run. [`Claim::run`] is the open run of the message, if there is one.
    ///
    /// # Errors
    ///
    /// As [`write_turn`](Store::write_turn).
    #[doc(hidden)]
    async fn resume_turn(&self, scope: &Scope, turn: &TurnKey) -> Result<Claim, StoreError>;

    /// Returns `true` if a change that is refused as [`Unavailable`](StoreError::Unavailable) may have been made.
    #[doc(hidden)]
    fn may_lose_answers(&self) -> bool {
        false
    }

    /// Waits until the outcome is certain of every change of a thread that was refused as
    /// [`Unavailable`](StoreError::Unavailable) before this call. None of these changes is made afterwards.
    ///
    /// By default the outcome is always certain.
    ///
    /// # Errors
    ///
    /// `Unavailable` if the database does not answer. Call it again later.
    #[doc(hidden)]
    async fn settled(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Writes changes of a running turn.
    ///
    /// # Errors
    ///
    /// `StaleFence` if this claim no longer holds the turn, `NotFound` for a thread outside of the scope.
    #[doc(hidden)]
    async fn write_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
    ) -> Result<Vec<Change>, StoreError>;

    /// Writes the last changes of a turn, ends the turn, and claims the thread's next waiting turn, all in one
    /// transaction. Without `next`, waiting turns keep waiting.
    ///
    /// # Errors
    ///
    /// As [`write_turn`](Store::write_turn).
    #[doc(hidden)]
    async fn finish_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        next: Option<&ClaimOptions>,
    ) -> Result<FinishOutcome, StoreError>;

    /// Writes the last changes of a failed attempt, and requeues the turn for another attempt. Its run continues. A
    /// turn that was cancelled in the meantime ends as cancelled instead. `not_before` is at most [`LONGEST_BACK_OFF`](super::LONGEST_BACK_OFF)
    /// ahead.
    ///
    /// # Errors
    ///
    /// As [`write_turn`](Store::write_turn).
    #[doc(hidden)]
    async fn retry_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        not_before: DateTime<Utc>,
    ) -> Result<Retried, StoreError>;

    /// Withdraws a waiting turn, or marks a running turn as cancelled. Without a scope, the program itself is the
    /// caller.
    ///
    /// # Errors
    ///
    /// `NotFound` for a run or an event outside of the scope.
    #[doc(hidden)]
    async fn cancel_turn(
        &self,
        scope: Option<&Scope>,
        cancel: &Cancel,
    ) -> Result<Cancelled, StoreError>;

    /// Returns the state of the turn that answers a message.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, or an event that is not in it.
    #[doc(hidden)]
    async fn turn_state(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<TurnState, StoreError>;

    /// Ends the turns that a dead process left running, and returns the threads that have waiting turns.
    ///
    /// If only one process can open the store, every turn that runs when it is opened was left by a dead process. If
    /// several processes share the store, only the turns that [`expire_leases`](Store::expire_leases) finds were left
    /// by one. Such a turn waits for another attempt, if it has attempts left. Otherwise its run becomes `failed` with
    /// the error `interrupted`, and a system event is added to the thread. If the turn was cancelled, its run becomes
    /// `canceled`. Call this method once, before any other method that concerns turns.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn recover(&self) -> Result<Recovered, StoreError>;

    /// Extends the leases of the turns that the process `node` runs, to `lease` from now, and returns these turns. The
    /// process no longer holds any turn that is missing from the result.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn renew_leases(&self, node: &str, lease: Duration) -> Result<Vec<HeldTurn>, StoreError>;

    /// Does the same as [`recover`](Store::recover) for turns whose lease has run out. `at` is the time that the ended
    /// runs and new events show. A store that several processes share also returns other threads in which turns wait
    /// and none runs, because a dead process may have left them.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn expire_leases(&self, at: DateTime<Utc>) -> Result<Recovered, StoreError>;

    /// Reads a thread's own row.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside of the scope.
    #[doc(hidden)]
    async fn thread(&self, scope: &Scope, thread_id: &str) -> Result<ThreadRecord, StoreError>;

    /// Reads the rows of these threads, whatever their scopes, in any order. Threads that do not exist are missing in the
    /// result.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn thread_rows(&self, thread_ids: &[String]) -> Result<Vec<ThreadRecord>, StoreError>;

    /// Reads the `rev` of the last change of each of these threads. Threads that do not exist are missing in the result.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn thread_revs(&self, thread_ids: &[String]) -> Result<HashMap<String, u64>, StoreError>;

    /// Returns those of these messages whose turns have not ended, whatever their scopes.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn open_turns(&self, event_ids: &[String]) -> Result<HashSet<String>, StoreError>;

    /// Returns the database through which several processes reach each other. `None` if only this process uses the store.
    #[cfg(feature = "postgres")]
    #[doc(hidden)]
    fn shared_database(&self) -> Option<SharedDatabase<'_>> {
        None
    }

    /// Reads a page of the scope's threads, those with the newest events first. [`ThreadPage::next`] is set if there
    /// are more.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn threads(
        &self,
        scope: &Scope,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Result<ThreadPage, StoreError>;

    /// Reads a page of those of the scope's threads that a search finds, those with the newest events first. A page scans a
    /// limited number of threads, so it may have fewer threads than the limit, or none, although
    /// [`ThreadPage::next`] is set.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn search_threads(
        &self,
        scope: &Scope,
        search: &TitleSearch,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Result<ThreadPage, StoreError>;

    /// Reads the threads of the scope that match a query, in its order.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn find_threads(
        &self,
        scope: &Scope,
        query: &ThreadQuery,
    ) -> Result<Vec<Thread>, StoreError>;

    /// Reads a thread with its newest events, or with the events after a known one, at one `rev`.
    ///
    /// `bytes` limits the events as in a page, see [`PageLimit`]. If the newest events exceed it, the oldest of them
    /// are left out. If the events after a known one exceed it, the newest of them are left out. If a snapshot would
    /// have to [cover](SnapshotFrom::Covering) more than `bytes`, it does not continue from the known event.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside of the scope.
    #[doc(hidden)]
    async fn snapshot(
        &self,
        scope: &Scope,
        thread_id: &str,
        from: &SnapshotFrom,
        bytes: usize,
    ) -> Result<Snapshot, StoreError> {
        let snapshot = self.snapshot_for(scope, None, thread_id, from, bytes);
        snapshot.await
    }

    /// Reads a [`snapshot`](Self::snapshot) with the feedback of this reader on its events.
    ///
    /// # Errors
    ///
    /// As [`snapshot`](Self::snapshot).
    #[doc(hidden)]
    async fn snapshot_for(
        &self,
        scope: &Scope,
        reader: Option<&Participant>,
        thread_id: &str,
        from: &SnapshotFrom,
        bytes: usize,
    ) -> Result<Snapshot, StoreError>;

    /// Reads a page of a thread's events: the newest, or those before a known one. [`EventPage::has_more`] is set if
    /// there are older events.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside of the scope, or an event that is not in the thread.
    #[doc(hidden)]
    async fn events(
        &self,
        scope: &Scope,
        thread_id: &str,
        before_event_id: Option<&str>,
        limit: PageLimit,
    ) -> Result<EventPage, StoreError>;

    /// Reads the events of a thread that match a query, in its order.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside of the scope.
    #[doc(hidden)]
    async fn find_events(
        &self,
        scope: &Scope,
        thread_id: &str,
        query: &EventQuery,
    ) -> Result<Vec<ThreadEvent>, StoreError>;

    /// Reads an event of a thread. The event may have been removed.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside of the scope, or an event that is not in the thread.
    #[doc(hidden)]
    async fn event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<ThreadEvent, StoreError>;

    /// Reads the runs of the scope that match a query, in its order.
    ///
    /// # Errors
    ///
    /// `NotFound` if the query names a thread outside of the scope.
    #[doc(hidden)]
    async fn find_runs(&self, scope: &Scope, query: &RunQuery) -> Result<Vec<Run>, StoreError>;

    /// Reads a run of a thread.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside of the scope, or a run that is not in the thread.
    #[doc(hidden)]
    async fn run(&self, scope: &Scope, thread_id: &str, run_id: &str) -> Result<Run, StoreError>;

    /// Reads the changes that a reader at this position has not received, in their order. The items of `limit` are new
    /// events. Its bytes count new events, edited events, runs, and the thread's row.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside of the scope.
    #[doc(hidden)]
    async fn catch_up(
        &self,
        scope: &Scope,
        thread_id: &str,
        position: &Position,
        limit: PageLimit,
    ) -> Result<CatchUp, StoreError>;

    /// Creates a thread without a message. The returned change is the first of the thread.
    ///
    /// # Errors
    ///
    /// `Conflict` if a thread with this id exists in any scope.
    #[doc(hidden)]
    async fn create_thread(&self, scope: &Scope, draft: ThreadDraft) -> Result<Change, StoreError>;

    /// Changes a thread without a turn, on behalf of the program itself.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside of the scope, or an event or a run that is not in the thread. `Conflict` if an
    /// id is taken in any scope, if an event is still streaming, or if a run has not ended.
    #[doc(hidden)]
    async fn edit_thread(
        &self,
        scope: &Scope,
        thread_id: &str,
        edit: ThreadEdit,
    ) -> Result<Edited, StoreError>;

    /// Stores the feedback of a user. It replaces the user's earlier feedback on the same target. The same feedback again
    /// changes nothing.
    ///
    /// Feedback is not a change of the thread: it has no `rev`. It is deleted with its thread, and when the program removes
    /// its event or run.
    ///
    /// # Errors
    ///
    /// `NotFound` for a target outside of the scope, and for a removed event.
    #[doc(hidden)]
    async fn give_feedback(
        &self,
        scope: &Scope,
        given: NewFeedback,
    ) -> Result<GivenFeedback, StoreError>;

    /// Reads the feedback of the scope that matches a query, in its order.
    ///
    /// # Errors
    ///
    /// `NotFound` if the query names a thread outside of the scope.
    #[doc(hidden)]
    async fn find_feedback(
        &self,
        scope: &Scope,
        query: &FeedbackQuery,
    ) -> Result<Vec<Feedback>, StoreError>;

    /// Counts the feedback of the scope by day, the oldest first. Days without feedback are left out.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn count_feedback(
        &self,
        scope: &Scope,
        period: FeedbackPeriod,
    ) -> Result<Vec<FeedbackDay>, StoreError>;

    /// Sums up the usage that turns of the scope have reported, ordered by thread, user, model and day. The usage of
    /// deleted threads is included.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn sum_usage(
        &self,
        scope: &Scope,
        query: &UsageQuery,
    ) -> Result<Vec<UsageSum>, StoreError>;

    /// Returns `true` if a usage with this id is stored.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn has_usage(&self, usage_id: &str) -> Result<bool, StoreError>;

    /// Deletes a thread with its events, runs, turns and feedback. The returned change is the last of the thread. The
    /// usage of its turns stays, so that limits are not reset.
    ///
    /// The `client_event_id`s of its messages stay known until [`forget_sent`](Store::forget_sent) removes them. A
    /// message that is sent again is therefore refused with `NotFound`, instead of creating a second thread.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside of the scope.
    #[doc(hidden)]
    async fn delete_thread(&self, scope: &Scope, thread_id: &str) -> Result<Change, StoreError>;

    /// Removes the `client_event_id`s of threads that were deleted before this time, with the ids of their users, and
    /// returns the number of removed ids. It removes at most `limit`, so that other operations do not wait for long.
    /// Several processes may call it at once.
    ///
    /// If the clock was set back and a deletion lies in the future, the deletion counts as one that happens now.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn forget_sent(
        &self,
        deleted_before: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError>;

    /// Reads the stored settings of a worker, in the order of their fields.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn settings(&self, worker: &WorkerKey) -> Result<Vec<StoredSetting>, StoreError>;

    /// Reads the versions of the settings of these workers. Every change of a worker's settings changes their version, whatever
    /// the clocks of the processes are. Workers without settings are missing in the result.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    #[doc(hidden)]
    async fn setting_versions(
        &self,
        workers: &[WorkerKey],
    ) -> Result<HashMap<WorkerKey, u64>, StoreError> {
        let mut versions = HashMap::new();
        for worker in workers {
            let settings = self.settings(worker).await?;
            if !settings.is_empty() {
                versions.insert(worker.clone(), version_of(&settings));
            }
        }
        Ok(versions)
    }

    /// Stores these settings of a worker and leaves its other settings unchanged. Returns the `updated_at` of each
    /// setting, which is never earlier than the previous `updated_at` of the field.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn put_settings(
        &self,
        worker: &WorkerKey,
        settings: Vec<StoredSetting>,
    ) -> Result<Vec<DateTime<Utc>>, StoreError>;

    /// Removes the stored value of a worker's setting, if there is one.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn remove_setting(&self, worker: &WorkerKey, field_id: &str) -> Result<(), StoreError>;

    /// Lists the ids of the keys that seal stored settings.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn setting_keys(&self) -> Result<Vec<String>, StoreError>;

    /// Lists the ids of the keys that seal the answers of waiting and running turns.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    #[doc(hidden)]
    async fn turn_keys(&self) -> Result<Vec<String>, StoreError>;

    /// Checks that the database answers.
    ///
    /// # Errors
    ///
    /// `Failed` if it does not.
    #[doc(hidden)]
    async fn ping(&self) -> Result<(), StoreError>;

    /// Waits until all operations that have begun are written, and releases the database.
    #[doc(hidden)]
    async fn close(&self);
}
