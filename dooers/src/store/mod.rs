//! Storage of conversations.
//!
//! [`Store`] is the server's interface to a database, in terms of the protocol: begin a turn, write in it, finish it,
//! read a thread. Every change of a thread takes the next `rev` of that thread, in the transaction that makes the
//! change.

mod admission;
pub(crate) mod analytics;
mod catch_up_step;
mod change;
mod claim;
mod edit;
mod error;
pub(crate) mod feedback;
mod limit;
mod list_clock;
mod listing;
mod memory;
mod message;
pub(crate) mod node;
mod node_store;
pub(crate) mod on_busy;
mod order;
pub(crate) mod outbox;
mod outbox_store;
pub(crate) mod own;
mod page;
mod page_runs;
pub(crate) mod patch;
#[cfg(feature = "postgres")]
mod postgres;
mod prefix;
mod query;
mod question;
mod rules;
pub(crate) mod scope;
mod sealed;
mod setting;
#[cfg(feature = "postgres")]
mod shared_database;
mod snapshot_window;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod store_trait;
#[cfg(all(test, any(feature = "postgres", feature = "sqlite")))]
mod tests;
mod title_search;
pub(crate) mod usage;
pub(crate) mod usage_limit;

pub(crate) use admission::{Admit, Admitted};
pub(crate) use claim::{
    INTERRUPTED, TIMED_OUT, failure_event, interrupted_event, system_event, time_until_due,
};
pub use error::StoreError;
pub use memory::MemoryStore;
#[cfg(feature = "postgres")]
pub(crate) use postgres::Notifications;
#[cfg(feature = "nats")]
pub(crate) use postgres::place_of_tables;
#[cfg(feature = "postgres")]
pub use postgres::{InvalidPostgresUrl, InvalidSslMode, PostgresOptions, PostgresStore, SslMode};
pub use prefix::{InvalidPrefix, TablePrefix};
#[cfg(feature = "postgres")]
pub(crate) use shared_database::SharedDatabase;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteOptions, SqliteStore};
pub use store_trait::Store;

// The vocabulary of the hidden methods of `Store`. Only the server and the tests of this repository use it, so these types
// are not part of the public API. The ones that programs meet are documented in `repository`.
#[doc(hidden)]
pub use analytics::AnalyticsFilter;
#[doc(hidden)]
pub use change::{Change, ChangeBody, Origin, ThreadRecord};
#[doc(hidden)]
pub use claim::{
    Cancel, CancelTarget, Cancelled, Claim, ClaimOptions, FinishOutcome, HeldTurn,
    LONGEST_BACK_OFF, PendingThread, Recovered, Retried, ThreadChanges, TurnChange, TurnKey,
    TurnState,
};
#[doc(hidden)]
pub use edit::{Edited, ThreadDraft, ThreadEdit, UnaskedQuestion};
#[doc(hidden)]
pub use feedback::{
    Feedback, FeedbackCursor, FeedbackDay, FeedbackPeriod, FeedbackQuery, FeedbackUpdate,
    GivenFeedback, NewFeedback,
};
#[doc(hidden)]
pub use limit::PageLimit;
#[doc(hidden)]
pub use listing::{RunQuery, ThreadQuery};
#[doc(hidden)]
pub use message::{AnsweredQuestion, BeginOutcome, NewMessage, NewThread, ThreadTarget};
#[doc(hidden)]
pub use node::{NodeBroker, NodeInfo, NodeReport, NodeState};
#[doc(hidden)]
pub use node_store::NodeStore;
pub(crate) use on_busy::{DEFAULT_QUEUE, OnBusy};
#[doc(hidden)]
pub use order::Order;
#[doc(hidden)]
pub use outbox::{BatchClaim, LONGEST_BATCH_WAIT, OutboxBatch};
#[doc(hidden)]
pub use outbox_store::OutboxStore;
pub(crate) use own::OwnStore;
#[doc(hidden)]
pub use page::{
    CatchUp, ClientCheckpoint, EventPage, InvalidCursor, Position, RunCursor, SNAPSHOT_EVENTS,
    ShownFeedback, Snapshot, SnapshotFrom, ThreadCursor, ThreadPage,
};
#[doc(hidden)]
pub use patch::{EventPatch, RunPatch, ThreadPatch};
#[doc(hidden)]
pub use query::EventQuery;
#[doc(hidden)]
pub use question::{GivenAnswer, Question};
#[doc(hidden)]
pub use scope::{Participant, Scope, Viewer};
#[doc(hidden)]
pub use sealed::{AnswerSeal, KeyedDigest, SealedAnswer};
#[doc(hidden)]
pub use setting::{StoredSetting, WorkerKey};
#[doc(hidden)]
pub use title_search::TitleSearch;
#[doc(hidden)]
pub use usage::{TurnUsage, UsageQuery, UsageSum};
pub(crate) use usage_limit::UsageLimit;
