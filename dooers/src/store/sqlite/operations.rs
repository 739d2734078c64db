//! What the writer does, operation by operation.
//!
//! Each does all its checks before its first write: see [`batch`](super::batch).

use super::batch::Operation;
use super::database::Database;
use super::thread::OpenThread;
use crate::protocol::timestamp;
use crate::store::claim::end_of_lease;
use crate::store::sql::{
    Begin, ClaimTurn, Columns, DeleteThread, FinishTurn, RetryTurn, Stop, WriteTurn, thread_place,
};
use crate::store::{
    Begun, Cancel, CancelTarget, Cancelled, Change, Claim, HeldTurn, Recovered, Retried, Scope,
    StoreError, StoredSetting, ThreadTarget, WorkerKey, Written, message,
};
use chrono::{DateTime, Utc};
use rusqlite::params;
use std::time::Duration;

impl Operation for Begin {
    type Answer = Begun;
    const WHAT: &'static str = Begin::WHAT;

    fn run(&self, db: &Database) -> Result<Begun, Stop> {
        let new = &self.new;
        if let Some(begun) = self.repeated(db)? {
            return Ok(begun);
        }
        let answer = new.form_answer()?;
        let mut accepted = None;
        let mut changes = Vec::new();
        let has_thread = |id| db.has(&db.sql.writes.has_thread, id);
        let made = match &new.thread {
            ThreadTarget::Existing(_) => None,
            ThreadTarget::New(made) => Some(made),
            ThreadTarget::ExistingOrNew(made) if has_thread(&made.id)? => None,
            ThreadTarget::ExistingOrNew(made) => Some(made),
        };
        let mut thread = match made {
            None => {
                let mut thread = OpenThread::open(db, &self.scope, new.thread.id())?;
                if let Some(answer) = &answer {
                    let form = thread.event(&answer.form_event_id)?;
                    let is_answered = thread.has_answer_to(&answer.form_event_id)?;
                    accepted = Some(new.accepted(answer, form.as_ref(), is_answered)?);
                }
                thread.check_busy(&self.start)?;
                if thread.meet(&new.participant, &new.user, new.at)? {
                    changes.push(thread.redescribe());
                }
                thread.touch(new.at)?;
                thread
            }
            Some(made) => {
                let id = &made.id;
                if answer.is_some() {
                    return Err(StoreError::NotFound("form in this thread").into());
                }
                if has_thread(id)? {
                    // Outside the scope it answers as if it did not exist.
                    OpenThread::open(db, &self.scope, id)?;
                    let text = format!("there is a thread `{id}` already");
                    return Err(StoreError::Conflict(text).into());
                }
                let thread = made.thread(&self.scope, &new.user, new.at);
                let owner = Some(&new.participant);
                let (thread, created) = OpenThread::create(db, &self.scope, thread, owner)?;
                changes.push(created);
                thread
            }
        };
        let new = accepted.as_ref().unwrap_or(new);
        let answers = answer.as_ref().map(|answer| answer.form_event_id.as_str());
        let (event, change) = thread.append_message(new, answers)?;
        let rev = change.rev;
        changes.push(change);
        // Behind the message, which is why it happens.
        let (withdrawn, interrupted) = thread.make_way(&self.start)?;
        changes.extend(withdrawn);
        let mut claim = thread.queue(&event, new.sealed(), &self.start)?;
        if let Some(claim) = &mut claim {
            changes.append(&mut claim.changes);
        }
        if let Some(client_event_id) = &new.client_event_id {
            let sent = params![
                thread.row.workspace_pk,
                new.participant.as_str(),
                client_event_id,
                new.thread.id(),
                new.event_id
            ];
            db.execute(&db.sql.writes.insert_sent, sent)?;
        }
        thread.save()?;
        Ok(Begun {
            event,
            rev,
            is_repeated: false,
            is_over: false,
            changes,
            claim,
            interrupted,
        })
    }
}

impl Begin {
    /// The stored event of a message that was sent before.
    fn repeated(&self, db: &Database) -> Result<Option<Begun>, Stop> {
        let Some(client_event_id) = &self.new.client_event_id else {
            return Ok(None);
        };
        let key = params![
            self.scope.worker_id,
            self.scope.organization_id,
            self.scope.workspace_id,
            self.new.participant.as_str(),
            client_event_id
        ];
        let sent = db.first(&db.sql.writes.sent, key, |row| {
            Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))
        })?;
        let Some((thread_id, event_id)) = sent else {
            return Ok(None);
        };
        let thread = match OpenThread::open(db, &self.scope, &thread_id) {
            // To its sender everything else of it is known.
            Err(Stop::Refused(_)) if db.has(&db.sql.reads.event_thread, &event_id)? => {
                return Err(message::was_sent_to_another_agent().into());
            }
            thread => thread?,
        };
        let (event, rev) = thread
            .event_as_made(&event_id)?
            .ok_or(StoreError::NotFound("thread"))?;
        let turn = thread.turn_of(&event.id)?;
        let sealed = turn.as_ref().and_then(|turn| turn.sealed.as_ref());
        self.new
            .must_repeat(&event, sealed.map(|sealed| &sealed.digest))?;
        Ok(Some(Begun {
            is_over: turn.is_none(),
            event,
            rev,
            is_repeated: true,
            changes: Vec::new(),
            claim: None,
            interrupted: Vec::new(),
        }))
    }
}

impl Operation for ClaimTurn {
    type Answer = Option<Claim>;
    const WHAT: &'static str = ClaimTurn::WHAT;

    fn run(&self, db: &Database) -> Result<Option<Claim>, Stop> {
        let mut thread = OpenThread::open(db, &self.scope, &self.thread_id)?;
        let claim = thread.claim(&self.start)?;
        thread.save()?;
        Ok(claim)
    }
}

impl Operation for WriteTurn {
    type Answer = Vec<Change>;
    const WHAT: &'static str = WriteTurn::WHAT;

    fn run(&self, db: &Database) -> Result<Vec<Change>, Stop> {
        let mut thread = OpenThread::open(db, &self.scope, &self.turn.thread_id)?;
        thread.check_fence(&self.turn)?;
        let changes = thread.apply(&self.turn, &self.changes)?;
        thread.save()?;
        Ok(changes)
    }
}

impl Operation for FinishTurn {
    type Answer = Written;
    const WHAT: &'static str = FinishTurn::WHAT;

    fn run(&self, db: &Database) -> Result<Written, Stop> {
        let mut thread = OpenThread::open(db, &self.scope, &self.turn.thread_id)?;
        let seq = thread.check_fence(&self.turn)?;
        let mut changes = thread.apply(&self.turn, &self.changes)?;
        changes.extend(thread.finalize_all(&self.turn.event_id)?);
        thread.end_turn(seq)?;
        let mut next = match &self.next {
            Some(start) => thread.claim(start)?,
            None => None,
        };
        if let Some(next) = &mut next {
            changes.append(&mut next.changes);
        }
        thread.save()?;
        Ok(Written { changes, next })
    }
}

impl Operation for RetryTurn {
    type Answer = Retried;
    const WHAT: &'static str = RetryTurn::WHAT;

    fn run(&self, db: &Database) -> Result<Retried, Stop> {
        let mut thread = OpenThread::open(db, &self.scope, &self.turn.thread_id)?;
        thread.check_fence(&self.turn)?;
        let mut changes = thread.apply(&self.turn, &self.changes)?;
        changes.extend(thread.finalize_all(&self.turn.event_id)?);
        let ended = thread.give_back(&self.turn.event_id, self.not_before)?;
        let is_cancelled = ended.is_some();
        changes.extend(ended.into_iter().flatten());
        thread.save()?;
        Ok(Retried {
            changes,
            is_cancelled,
        })
    }
}

/// Withdraws a turn that waits, or marks one that runs.
#[derive(Debug)]
pub(super) struct CancelTurn {
    pub(super) scope: Option<Scope>,
    pub(super) cancel: Cancel,
}

impl Operation for CancelTurn {
    type Answer = Cancelled;
    const WHAT: &'static str = "cancel a turn";

    fn run(&self, db: &Database) -> Result<Cancelled, Stop> {
        let Some((mut thread, event_id)) = self.find(db)? else {
            return Err(self.cancel.target.not_found().into());
        };
        let Some(event_id) = event_id else {
            return Ok(Cancelled::Ended);
        };
        let cancelled = thread.cancel(&event_id, &self.cancel)?;
        thread.save()?;
        Ok(cancelled)
    }
}

impl CancelTurn {
    /// The thread of what is named, and the message whose turn is meant, unless the run that is named has ended.
    fn find<'a>(&self, db: &'a Database) -> Result<Option<(OpenThread<'a>, Option<String>)>, Stop> {
        let (place, id) = match &self.cancel.target {
            CancelTarget::Run(id) => (&db.sql.reads.run_place, id),
            CancelTarget::Event(id) => (&db.sql.reads.event_thread, id),
        };
        let places = db.every(place, [id], |row| {
            Ok((thread_place(row)?, row.optional_string(5)?))
        })?;
        for ((scope, thread_id), event_id) in places {
            let scope = self.scope.as_ref().unwrap_or(&scope);
            match OpenThread::open(db, scope, &thread_id) {
                Ok(thread) => return Ok(Some((thread, event_id))),
                Err(Stop::Refused(StoreError::NotFound(_))) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(None)
    }
}

/// Keeps the turns of a process for longer.
#[derive(Debug)]
pub(super) struct RenewLeases {
    pub(super) node: String,
    pub(super) lease: Duration,
}

impl Operation for RenewLeases {
    type Answer = Vec<HeldTurn>;
    const WHAT: &'static str = "renew leases";

    fn run(&self, db: &Database) -> Result<Vec<HeldTurn>, Stop> {
        let lease = params![self.node, end_of_lease(self.lease).timestamp_micros()];
        db.every(&db.sql.writes.renew_leases, lease, |row| {
            Ok(HeldTurn {
                event_id: row.text(0)?.to_owned(),
                is_cancelled: row.number(1)? != 0,
            })
        })
    }
}

/// Ends the turns that a dead process left running, or only those whose lease ran out by a time.
#[derive(Debug)]
pub(super) struct Recover {
    /// The time that is shown.
    pub(super) at: DateTime<Utc>,
    pub(super) by: Option<DateTime<Utc>>,
}

impl Operation for Recover {
    type Answer = Recovered;
    const WHAT: &'static str = "recover the turns of a stopped process";

    fn run(&self, db: &Database) -> Result<Recovered, Stop> {
        let with_turns = match self.by {
            None => db.every(&db.sql.writes.threads_with_turns, [], |row| {
                thread_place(row)
            })?,
            Some(by) => {
                let by = params![by.timestamp_micros()];
                db.every(&db.sql.writes.threads_with_lost_turns, by, |row| {
                    thread_place(row)
                })?
            }
        };
        let mut recovered = Recovered::default();
        for (scope, thread_id) in with_turns {
            let mut thread = OpenThread::open(db, &scope, &thread_id)?;
            if let Some(interrupted) = thread.interrupt(self.at, self.by)? {
                recovered.interrupted += interrupted.failed;
                recovered.retried += interrupted.retried;
                recovered.changes.push(interrupted.changes);
                thread.save()?;
            }
            recovered.waiting.extend(thread.waiting()?);
        }
        Ok(recovered)
    }
}

impl Operation for DeleteThread {
    type Answer = Change;
    const WHAT: &'static str = DeleteThread::WHAT;

    fn run(&self, db: &Database) -> Result<Change, Stop> {
        OpenThread::open(db, &self.scope, &self.thread_id)?.delete()
    }
}

/// Forgets messages of deleted threads.
#[derive(Debug)]
pub(super) struct ForgetSent {
    pub(super) deleted_before: DateTime<Utc>,
    pub(super) limit: usize,
}

impl Operation for ForgetSent {
    type Answer = usize;
    const WHAT: &'static str = "forget messages of deleted threads";

    fn run(&self, db: &Database) -> Result<usize, Stop> {
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

impl Operation for PutSettings {
    type Answer = Vec<DateTime<Utc>>;
    const WHAT: &'static str = "store settings";

    fn run(&self, db: &Database) -> Result<Vec<DateTime<Utc>>, Stop> {
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
            updated_at.ok_or_else(|| Stop::Fault("a setting that was stored is not there".into()))
        };
        self.settings.iter().map(put).collect()
    }
}

/// Whether a stored value of a setting is as it was typed, and not sealed.
fn has_plain(db: &Database, worker: &WorkerKey, field_id: &str) -> Result<bool, Stop> {
    let key = params![worker.agent, worker.worker_id, field_id];
    let is_plain = db.first(&db.sql.writes.has_plain_setting, key, |row| {
        Ok(row.number(0)? != 0)
    })?;
    Ok(is_plain.unwrap_or(false))
}
