//! What the rows of both SQLite libraries are made into.
//!
//! The writer uses `rusqlite`, the readers `sqlx`. [`Columns`] is what the two have in common, so that each kind of
//! row is understood in one place.

use crate::protocol::{Run, Thread, ThreadEvent, timestamp};
use crate::store::{Participant, Scope, ThreadRecord};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::value::{Error as NameError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::error::Error;

/// What a database says is wrong with it.
pub(super) type RowError = Box<dyn Error + Send + Sync>;

/// The columns of a row.
pub(super) trait Columns {
    fn optional_text(&self, at: usize) -> Result<Option<&str>, RowError>;

    fn optional_number(&self, at: usize) -> Result<Option<i64>, RowError>;

    fn text(&self, at: usize) -> Result<&str, RowError> {
        self.optional_text(at)?.ok_or_else(|| missing(at))
    }

    fn optional_string(&self, at: usize) -> Result<Option<String>, RowError> {
        Ok(self.optional_text(at)?.map(str::to_owned))
    }

    fn number(&self, at: usize) -> Result<i64, RowError> {
        self.optional_number(at)?.ok_or_else(|| missing(at))
    }

    /// A number that counts something.
    fn count(&self, at: usize) -> Result<u64, RowError> {
        Ok(u64::try_from(self.number(at)?)?)
    }

    fn time(&self, at: usize) -> Result<DateTime<Utc>, RowError> {
        Ok(timestamp::from_micros(self.number(at)?))
    }

    fn optional_time(&self, at: usize) -> Result<Option<DateTime<Utc>>, RowError> {
        Ok(self.optional_number(at)?.map(timestamp::from_micros))
    }

    fn json<T: DeserializeOwned>(&self, at: usize) -> Result<T, RowError> {
        Ok(serde_json::from_str(self.text(at)?)?)
    }

    fn optional_json<T: DeserializeOwned>(&self, at: usize) -> Result<Option<T>, RowError> {
        // `Some(null)` is not `None`: both are stored as they are.
        let text = self.optional_text(at)?;
        Ok(text.map(serde_json::from_str).transpose()?)
    }

    /// One of an enumeration's names.
    fn name<T: for<'de> Deserialize<'de>>(&self, at: usize) -> Result<T, RowError> {
        let name: StrDeserializer<'_, NameError> = self.text(at)?.into_deserializer();
        Ok(T::deserialize(name)?)
    }
}

fn missing(at: usize) -> RowError {
    format!("column {at} is null").into()
}

impl Columns for rusqlite::Row<'_> {
    fn optional_text(&self, at: usize) -> Result<Option<&str>, RowError> {
        Ok(self.get_ref(at)?.as_str_or_null()?)
    }

    fn optional_number(&self, at: usize) -> Result<Option<i64>, RowError> {
        Ok(self.get_ref(at)?.as_i64_or_null()?)
    }
}

impl Columns for sqlx::sqlite::SqliteRow {
    fn optional_text(&self, at: usize) -> Result<Option<&str>, RowError> {
        Ok(sqlx::Row::try_get_unchecked(self, at)?)
    }

    fn optional_number(&self, at: usize) -> Result<Option<i64>, RowError> {
        Ok(sqlx::Row::try_get_unchecked(self, at)?)
    }
}

/// What [`thread`] reads.
pub(super) const THREAD_COLUMNS: &str =
    "t.id, t.owner, t.users, t.title, t.metadata, t.created_at, t.updated_at, t.last_event_at";

/// What [`WholeThread::read`] reads.
pub(super) const WHOLE_THREAD_COLUMNS: &str = "{thread}, t.pk, t.scope_pk, s.workspace_pk, t.rev, t.row_rev, \
     t.last_seq, (SELECT json_group_array(p.participant ORDER BY p.place) FROM {prefix}participants p \
     WHERE p.thread_pk = t.pk)";

/// What [`event`] reads.
pub(super) const EVENT_COLUMNS: &str = "e.id, e.seq, e.rev, e.run_id, e.kind, e.actor, e.author, e.sender, \
     e.content, e.data, e.created_at, e.streaming, e.finalized, e.client_event_id, e.delta_seq, e.deleted";

/// What [`run`] reads.
pub(super) const RUN_COLUMNS: &str =
    "r.id, r.rev, r.agent_id, r.status, r.started_at, r.ended_at, r.error, r.event_id";

/// What [`Turn::read`] reads.
pub(super) const TURN_COLUMNS: &str = "u.seq, u.event_id, u.state, u.fence, u.attempt, u.retries, u.not_before, \
     u.lease_until, u.cancel_requested";

/// A message that waits for an answer or is being answered.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) seq: u64,
    pub(super) event_id: String,
    pub(super) is_running: bool,
    pub(super) fence: u64,
    pub(super) attempt: u64,
    pub(super) retries: u64,
    pub(super) not_before: Option<DateTime<Utc>>,
    pub(super) lease_until: Option<DateTime<Utc>>,
    pub(super) is_cancelled: bool,
}

impl Turn {
    pub(super) fn read(row: &impl Columns) -> Result<Self, RowError> {
        Ok(Self {
            seq: row.count(0)?,
            event_id: row.text(1)?.to_owned(),
            is_running: row.text(2)? == "running",
            fence: row.count(3)?,
            attempt: row.count(4)?,
            retries: row.count(5)?,
            not_before: row.optional_time(6)?,
            lease_until: row.optional_time(7)?,
            is_cancelled: row.number(8)? != 0,
        })
    }
}

/// A thread that lies in this scope.
pub(super) fn thread(row: &impl Columns, scope: &Scope) -> Result<Thread, RowError> {
    Ok(Thread {
        id: row.text(0)?.to_owned(),
        worker_id: scope.worker_id.clone(),
        agent_id: scope.worker_id.clone(),
        organization_id: scope.organization_id.clone(),
        workspace_id: scope.workspace_id.clone(),
        owner: row.json(1)?,
        users: row.json(2)?,
        title: row.optional_string(3)?,
        metadata: row.optional_json(4)?,
        created_at: row.time(5)?,
        updated_at: row.time(6)?,
        last_event_at: row.time(7)?,
    })
}

/// A thread's whole row, with who takes part in it.
#[derive(Debug)]
pub(super) struct WholeThread {
    pub(super) pk: i64,
    pub(super) scope_pk: i64,
    pub(super) workspace_pk: i64,
    pub(super) record: ThreadRecord,
    pub(super) row_rev: u64,
    pub(super) last_seq: u64,
}

impl WholeThread {
    pub(super) fn id(&self) -> &str {
        &self.record.thread.id
    }

    /// A thread that lies in this scope, without regard to who takes part in it.
    pub(super) fn read(row: &impl Columns, scope: &Scope) -> Result<Self, RowError> {
        let participants: Vec<String> = row.json(14)?;
        Ok(Self {
            pk: row.number(8)?,
            scope_pk: row.number(9)?,
            workspace_pk: row.number(10)?,
            record: ThreadRecord {
                thread: thread(row, scope)?,
                agent: scope.agent.clone(),
                participants: participants
                    .into_iter()
                    .map(Participant::from_stored)
                    .collect(),
                rev: row.count(11)?,
            },
            row_rev: row.count(12)?,
            last_seq: row.count(13)?,
        })
    }
}

/// An event of this thread, and the number of its last change.
pub(super) fn event(row: &impl Columns, thread_id: &str) -> Result<(ThreadEvent, u64), RowError> {
    let flag = |at| Ok::<_, RowError>(row.optional_number(at)?.map(|flag| flag != 0));
    let event = ThreadEvent {
        id: row.text(0)?.to_owned(),
        thread_id: thread_id.to_owned(),
        seq: row.count(1)?,
        run_id: row.optional_string(3)?,
        kind: row.name(4)?,
        actor: row.name(5)?,
        author: row.optional_string(6)?,
        user: row.optional_json(7)?,
        content: row.optional_json(8)?,
        data: row.optional_json(9)?,
        created_at: row.time(10)?,
        streaming: flag(11)?,
        finalized: flag(12)?,
        client_event_id: row.optional_string(13)?,
        delta_seq: row.optional_number(14)?.map(u64::try_from).transpose()?,
        deleted: flag(15)?,
    };
    Ok((event, row.count(2)?))
}

/// A run of this thread, and the number of its last change.
pub(super) fn run(row: &impl Columns, thread_id: &str) -> Result<(Run, u64), RowError> {
    let run = Run {
        id: row.text(0)?.to_owned(),
        thread_id: thread_id.to_owned(),
        agent_id: row.optional_string(2)?,
        status: row.name(3)?,
        started_at: row.time(4)?,
        ended_at: row.optional_time(5)?,
        error: row.optional_string(6)?,
        event_id: row.optional_string(7)?,
    };
    Ok((run, row.count(1)?))
}
