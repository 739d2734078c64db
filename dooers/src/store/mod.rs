//! Where conversations are kept.
//!
//! [`Store`] is what the server needs of a database, in its own words: begin a turn, write in it, finish it, read
//! a thread. Every change of a thread takes the next `rev` of that thread in the transaction that makes it.

mod admission;
mod change;
mod claim;
mod edit;
mod error;
mod limit;
mod list_clock;
mod listing;
mod memory;
mod message;
mod order;
mod page;
mod patch;
#[cfg(feature = "postgres")]
mod postgres;
mod prefix;
mod query;
mod rules;
mod scope;
mod sealed;
mod setting;
mod shown;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod step;
#[cfg(all(test, any(feature = "postgres", feature = "sqlite")))]
mod tests;

pub(crate) use admission::{Admit, Admitted};
pub use change::{Change, ChangeBody, ThreadRecord};
pub use claim::{
    Cancel, CancelTarget, Cancelled, Claim, HeldTurn, LONGEST_BACK_OFF, Recovered, Retried, Start,
    TurnChange, TurnKey, Waiting, Written,
};
pub(crate) use claim::{INTERRUPTED, interrupted_event, system_event, time_until_due};
pub use edit::{Edited, ThreadDraft, ThreadEdit};
pub use error::StoreError;
pub use limit::PageLimit;
pub use listing::{RunQuery, ThreadQuery};
pub use memory::MemoryStore;
pub use message::{Begun, NewMessage, NewThread, ThreadTarget};
pub use order::Order;
pub use page::{
    CatchUp, EventPage, Known, NotACursor, Position, RunCursor, Snapshot, SnapshotFrom,
    ThreadCursor, ThreadPage,
};
pub use patch::{EventPatch, RunPatch, ThreadPatch};
#[cfg(feature = "postgres")]
pub use postgres::{NotAPostgresUrl, NotAnSslMode, PostgresOptions, PostgresStore, SslMode};
pub use prefix::{NotAPrefix, TablePrefix};
pub use query::EventQuery;
pub use scope::{Participant, Scope, Viewer};
pub use sealed::{AnswerSeal, KeyedDigest, SealedAnswer};
pub use setting::{StoredSetting, WorkerKey};
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};

use crate::protocol::{Run, Thread, ThreadEvent};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::time::Duration;

/// A snapshot shows this many events at the most, unless a client of the oldest kind missed more.
pub const SNAPSHOT_EVENTS: usize = 100;

/// What the server needs of a database.
///
/// A method that takes a [`PageLimit`], or a number of bytes, reads no more than that into memory, however much there is.
///
/// Each method is one transaction: it happens whole or not at all, and what it reports as done is durable.
/// A method that touches a thread takes the [`Scope`] of who asks; what lies outside answers
/// [`StoreError::NotFound`], as if it did not exist.
///
/// The server cleans and checks what it gives to a store: texts and ids hold no U+0000, `data` and `metadata` nest at
/// most [`MAX_JSON_DEPTH`](crate::protocol::MAX_JSON_DEPTH) levels, and ids, users, titles and metadata are within the limits
/// of [`protocol`](crate::protocol). A store that is given anything else may store it, or
/// refuse it as [`StoreError::Invalid`].
///
/// # Times
///
/// Times come from the clocks of processes, which may be set back and may differ from each other. A store makes sure of
/// this:
///
/// * A thread that is new, or gets an event, moves to the front of its scope's list. Its `last_event_at` is the time
///   that is given, or one microsecond more than the newest `last_event_at` or `started_at` of the scope if that is
///   later.
/// * A run's `started_at` is never earlier than the newest of these times, and its `ended_at` never earlier than its
///   `started_at`. A thread's `updated_at` never decreases.
/// * A turn that waits for another attempt is due at its `not_before`. It is also due if that is further ahead than
///   [`LONGEST_BACK_OFF`]: no turn waits longer, so the clock was set back.
/// * `created_at` is the time that is given. Events are ordered by their `seq`.
#[async_trait]
pub trait Store: std::fmt::Debug + Send + Sync + 'static {
    /// Stores a user's message, with its thread if that is new, and the turn that will answer it.
    ///
    /// If no turn of the thread runs, the oldest one that waits (most often this one) is claimed in the same
    /// transaction, as by [`claim_turn`](Store::claim_turn). What becomes of the message if one runs, or waits, is said by
    /// [`Start::on_busy`].
    ///
    /// A message whose `client_event_id` is known already changes nothing: the answer is the stored event, with
    /// [`Begun::is_repeated`].
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread (or the form that is answered) outside the scope, `Conflict` for a
    /// `client_event_id` that was used for something else, or with another agent of the worker, or a form that is answered: by an answer whose turn waits, runs or has succeeded, `Busy` for a thread that is
    /// being answered, `Overloaded` for a full queue, `Invalid` for an answer that does not fit its form, or fills a
    /// password field and comes without a [`seal`](NewMessage::seal).
    async fn begin_turn(
        &self,
        scope: &Scope,
        message: NewMessage,
        start: &Start,
    ) -> Result<Begun, StoreError>;

    /// Claims the oldest waiting turn of a thread that has none running, or whose turns run side by side, and starts its
    /// run. Nothing is claimed as long as that turn may not be tried again.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope.
    async fn claim_turn(
        &self,
        scope: &Scope,
        thread_id: &str,
        start: &Start,
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
    async fn resume_turn(&self, scope: &Scope, turn: &TurnKey) -> Result<Claim, StoreError>;

    /// Waits until it is certain which changes of threads were made, among all that were refused as
    /// [`Unavailable`](StoreError::Unavailable) before this call. None of them is made afterwards.
    ///
    /// The default is for stores that are always certain of it.
    ///
    /// # Errors
    ///
    /// `Unavailable` if the database does not answer. Call it again then.
    async fn settled(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Writes what a running turn did.
    ///
    /// # Errors
    ///
    /// `StaleFence` if the turn is no longer this claim's, `NotFound` for a thread outside the scope.
    async fn write_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
    ) -> Result<Vec<Change>, StoreError>;

    /// Writes the last of a turn, ends it, and claims the thread's next waiting turn, all in one. Without a `next` the
    /// turns that wait are left to wait.
    ///
    /// # Errors
    ///
    /// As [`write_turn`](Store::write_turn).
    async fn finish_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        next: Option<&Start>,
    ) -> Result<Written, StoreError>;

    /// Writes the last of an attempt that failed, and lets the turn wait for another one. Its run goes on. A turn that was
    /// cancelled meanwhile ends so. `not_before` is at most [`LONGEST_BACK_OFF`] ahead.
    ///
    /// # Errors
    ///
    /// As [`write_turn`](Store::write_turn).
    async fn retry_turn(
        &self,
        scope: &Scope,
        turn: &TurnKey,
        changes: Vec<TurnChange>,
        not_before: DateTime<Utc>,
    ) -> Result<Retried, StoreError>;

    /// Withdraws a turn that waits, or marks one that runs as to be stopped. Without a scope it is the program itself that
    /// asks.
    ///
    /// # Errors
    ///
    /// `NotFound` for a run or an event outside the scope.
    async fn cancel_turn(
        &self,
        scope: Option<&Scope>,
        cancel: &Cancel,
    ) -> Result<Cancelled, StoreError>;

    /// Ends the turns that a dead process left running, and tells which threads have turns that wait.
    ///
    /// In a store that only one process can open, whatever runs when it is opened was left by a dead one. In one that
    /// several share it is only what [`expire_leases`](Store::expire_leases) finds.
    /// Such a turn waits for another attempt, if it has one. If not, its run becomes `failed` with the error `interrupted`,
    /// and a system event says so; if it was cancelled, the run becomes `canceled`. Call it once, before any other method
    /// of a turn.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    async fn recover(&self) -> Result<Recovered, StoreError>;

    /// Keeps the turns that this process runs for so long from now on. The result is these: a turn that is not among them is no longer
    /// this process's.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    async fn renew_leases(&self, node: &str, lease: Duration) -> Result<Vec<HeldTurn>, StoreError>;

    /// Does what [`recover`](Store::recover) does to the turns whose lease has run out, at a time that is shown, and tells
    /// which of their threads have turns that wait. A store that several processes share also tells of the other threads
    /// in which turns wait and none runs: a dead process may have left them so.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    async fn expire_leases(&self, at: DateTime<Utc>) -> Result<Recovered, StoreError>;

    /// A thread as it stands.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope.
    async fn thread(&self, scope: &Scope, thread_id: &str) -> Result<ThreadRecord, StoreError>;

    /// A page of the scope's threads, those with the newest events first. [`ThreadPage::next`] says whether there are
    /// others.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    async fn threads(
        &self,
        scope: &Scope,
        after: Option<&ThreadCursor>,
        limit: PageLimit,
    ) -> Result<ThreadPage, StoreError>;

    /// The threads of the scope that a query looks for, in its order.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    async fn find_threads(
        &self,
        scope: &Scope,
        query: &ThreadQuery,
    ) -> Result<Vec<Thread>, StoreError>;

    /// A thread with its newest events, or with those after a known one, read at one `rev`.
    ///
    /// The events are bounded by `bytes` as those of a page are, see [`PageLimit`]: of the newest the older ones are left
    /// out, and of those after a known one the newer ones. A snapshot that is to [cover](SnapshotFrom::Covering) more
    /// than that does not go on from the known event.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope.
    async fn snapshot(
        &self,
        scope: &Scope,
        thread_id: &str,
        from: &SnapshotFrom,
        bytes: usize,
    ) -> Result<Snapshot, StoreError>;

    /// A page of a thread's events: the newest, or those before a known one. [`EventPage::has_more`] says whether there
    /// are older ones.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, or an event that is not in it.
    async fn events(
        &self,
        scope: &Scope,
        thread_id: &str,
        before_event_id: Option<&str>,
        limit: PageLimit,
    ) -> Result<EventPage, StoreError>;

    /// The events of a thread that a query looks for, in its order.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope.
    async fn find_events(
        &self,
        scope: &Scope,
        thread_id: &str,
        query: &EventQuery,
    ) -> Result<Vec<ThreadEvent>, StoreError>;

    /// An event of a thread, which may have been removed.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, or an event that is not in it.
    async fn event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<ThreadEvent, StoreError>;

    /// The runs of the scope that a query looks for, in its order.
    ///
    /// # Errors
    ///
    /// `NotFound` if it looks into a thread outside the scope.
    async fn find_runs(&self, scope: &Scope, query: &RunQuery) -> Result<Vec<Run>, StoreError>;

    /// A run of a thread.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, or a run that is not in it.
    async fn run(&self, scope: &Scope, thread_id: &str, run_id: &str) -> Result<Run, StoreError>;

    /// Reads the changes that a reader at this position has not got, in their order. The items of `limit` are new events; its
    /// bytes count new events, edited ones, runs, and the thread's row.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope.
    async fn catch_up(
        &self,
        scope: &Scope,
        thread_id: &str,
        position: &Position,
        limit: PageLimit,
    ) -> Result<CatchUp, StoreError>;

    /// Makes a thread without a message. The change that tells of it is its first.
    ///
    /// # Errors
    ///
    /// `Conflict` if there is a thread of its id, in whatever scope.
    async fn create_thread(&self, scope: &Scope, draft: ThreadDraft) -> Result<Change, StoreError>;

    /// Changes a thread without a turn: what the program does by itself.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, or an event or a run that is not in it; `Conflict` for an id that is
    /// taken, in whatever scope, for a text that still grows, and for a run that goes on.
    async fn edit_thread(
        &self,
        scope: &Scope,
        thread_id: &str,
        edit: ThreadEdit,
    ) -> Result<Edited, StoreError>;

    /// Deletes a thread with its events, runs and turns. The change that tells of it is the thread's last.
    ///
    /// The `client_event_id`s of its messages stay known until [`forget_sent`](Store::forget_sent) removes them: a message
    /// that is sent again is answered with `NotFound`, instead of making a second thread.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope.
    async fn delete_thread(&self, scope: &Scope, thread_id: &str) -> Result<Change, StoreError>;

    /// Forgets the `client_event_id`s of threads that were deleted before this time, with the ids of their users, and
    /// returns how many it has forgotten. It stops at `limit`, so that it never holds up others for long. Several processes
    /// may call it at once.
    ///
    /// A deletion that lies ahead of the clock, because the clock was set back, counts as one that happens now.
    ///
    /// # Errors
    ///
    /// `Failed` or `Unavailable` if the database does not answer.
    async fn forget_sent(
        &self,
        deleted_before: DateTime<Utc>,
        limit: usize,
    ) -> Result<usize, StoreError>;

    /// The settings of a worker that were changed, in the order of their fields.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    async fn settings(&self, worker: &WorkerKey) -> Result<Vec<StoredSetting>, StoreError>;

    /// Stores these settings of a worker and leaves its others as they are. The result is when each counts as stored:
    /// never before the time at which the field was stored last.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    async fn put_settings(
        &self,
        worker: &WorkerKey,
        settings: Vec<StoredSetting>,
    ) -> Result<Vec<DateTime<Utc>>, StoreError>;

    /// Forgets what is stored of a worker's setting, if anything is.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    async fn remove_setting(&self, worker: &WorkerKey, field_id: &str) -> Result<(), StoreError>;

    /// The keys with which stored settings are sealed.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    async fn setting_keys(&self) -> Result<Vec<String>, StoreError>;

    /// The keys with which answers are sealed that wait for their turns, or whose turns run.
    ///
    /// # Errors
    ///
    /// `Failed` if the database does not answer.
    async fn turn_keys(&self) -> Result<Vec<String>, StoreError>;

    /// Asks whether the database answers.
    ///
    /// # Errors
    ///
    /// `Failed` if it does not.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Waits until all that was begun is written, and gives the database free.
    async fn close(&self);
}
