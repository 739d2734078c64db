//! The operations of the writer.
//!
//! Each operation makes all its checks before its first write: see [`batch`](super::batch).

use super::batch::SqliteOperation;
use super::database::WriterDatabase;
use crate::protocol::timestamp;
use crate::store::claim::end_of_lease;
use crate::store::rules::{self, Rows};
use crate::store::sql::{Columns, Stop, ThreadOperation, held_turn};
use crate::store::{
    Cancel, Cancelled, GivenFeedback, HeldTurn, NewFeedback, Recovered, Scope, StoredSetting,
    WorkerKey,
};
use chrono::{DateTime, Utc};
use rusqlite::params;
use std::time::Duration;

impl<O: ThreadOperation> SqliteOperation for O {
    type Answer = O::Answer;
    const WHAT: &'static str = O::WHAT;

    fn run(&self, mut db: &WriterDatabase) -> Result<O::Answer, Stop> {
        ThreadOperation::run(self, &mut db)
    }
}

/// Withdraws a waiting turn, or marks a running turn as cancelled.
#[derive(Debug)]
pub(super) struct CancelTurn {
    pub(super) scope: Option<Scope>,
    pub(super) cancel: Cancel,
}

impl ThreadOperation for CancelTurn {
    type Answer = Cancelled;
    const WHAT: &'static str = "cancel a turn";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Cancelled, S::Error> {
        rules::cancel(rows, self.scope.as_ref(), &self.cancel)
    }
}

/// Stores a feedback.
#[derive(Debug)]
pub(super) struct GiveFeedback {
    pub(super) scope: Scope,
    pub(super) given: NewFeedback,
}

impl ThreadOperation for GiveFeedback {
    type Answer = GivenFeedback;
    const WHAT: &'static str = "store a feedback";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<GivenFeedback, S::Error> {
        rules::give_feedback(rows, &self.scope, &self.given)
    }
}

/// Ends or requeues the turns that a dead process left running, or only those whose lease ended by a time.
#[derive(Debug)]
pub(super) struct Recover {
    /// The time that the changes show.
    pub(super) at: DateTime<Utc>,
    pub(super) lost_by: Option<DateTime<Utc>>,
}

impl ThreadOperation for Recover {
    type Answer = Recovered;
    const WHAT: &'static str = "recover the turns of a stopped process";

    fn run<S: Rows>(&self, rows: &mut S) -> Result<Recovered, S::Error> {
        rules::recover(rows, self.at, self.lost_by)
    }
}

/// Extends the leases of a process.
#[derive(Debug)]
pub(super) struct RenewLeases {
    pub(super) node: String,
    pub(super) lease: Duration,
}

impl SqliteOperation for RenewLeases {
    type Answer = Vec<HeldTurn>;
    const WHAT: &'static str = "renew leases";

    fn run(&self, db: &WriterDatabase) -> Result<Vec<HeldTurn>, Stop> {
        let lease = params![self.node, end_of_lease(self.lease).timestamp_micros()];
        db.execute(&db.sql.writes.renew_leases, lease)?;
        db.every(&db.sql.writes.held_turns, params![self.node], |row| {
            held_turn(row)
        })
    }
}

/// Removes the keys of messages of deleted threads.
#[derive(Debug)]
pub(super) struct ForgetSent {
    pub(super) deleted_before: DateTime<Utc>,
    pub(super) limit: usize,
}

impl SqliteOperation for ForgetSent {
    type Answer = usize;
    const WHAT: &'static str = "remove the messages of deleted threads";

    fn run(&self, db: &WriterDatabase) -> Result<usize, Stop> {
        let sql = &db.sql.writes;
        let now = timestamp::now().timestamp_micros();
        db.execute(&sql.mark_sent_ahead, params![now])?;
        let before = db.rows_written();
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let due = params![self.deleted_before.timestamp_micros(), limit];
        db.execute(&sql.forget_sent, due)?;
        let forgotten = db.rows_written() - before;
        if forgotten > 0 {
            db.forget_in_log();
        }
        Ok(usize::try_from(forgotten).unwrap_or(usize::MAX))
    }
}

/// Stores settings of a worker.
#[derive(Debug)]
pub(super) struct PutSettings {
    pub(super) worker: WorkerKey,
    pub(super) settings: Vec<StoredSetting>,
}

impl SqliteOperation for PutSettings {
    type Answer = Vec<DateTime<Utc>>;
    const WHAT: &'static str = "store settings";

    fn run(&self, db: &WriterDatabase) -> Result<Vec<DateTime<Utc>>, Stop> {
        let put = |setting: &StoredSetting| {
            if setting.key_id.is_some() && has_plain(db, &self.worker, &setting.field_id)? {
                db.forget_in_log();
            }
            let row = params![
                self.worker.agent,
                self.worker.worker_id,
                setting.field_id,
                serde_json::to_string(&setting.value)?,
                setting.key_id,
                setting.updated_at.timestamp_micros(),
            ];
            let updated_at = db.first(&db.sql.writes.put_setting, row, |row| row.time(0))?;
            updated_at.ok_or_else(|| Stop::Fault("a stored setting is missing".into()))
        };
        self.settings.iter().map(put).collect()
    }
}

/// Returns `true` if the stored value of a setting is not sealed.
fn has_plain(db: &WriterDatabase, worker: &WorkerKey, field_id: &str) -> Result<bool, Stop> {
    let key = params![worker.agent, worker.worker_id, field_id];
    let is_plain = db.first(&db.sql.writes.has_plain_setting, key, |row| {
        Ok(row.number(0)? != 0)
    })?;
    Ok(is_plain.unwrap_or(false))
}

/// Removes a setting of a worker.
#[derive(Debug)]
pub(super) struct RemoveSetting {
    pub(super) worker: WorkerKey,
    pub(super) field_id: String,
}

impl SqliteOperation for RemoveSetting {
    type Answer = ();
    const WHAT: &'static str = "remove a setting";

    fn run(&self, db: &WriterDatabase) -> Result<(), Stop> {
        let key = params![self.worker.agent, self.worker.worker_id, self.field_id];
        // The setting may be a secret.
        db.forget_in_log();
        db.execute(&db.sql.writes.remove_setting, key)
    }
}
