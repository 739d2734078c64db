//! Conversion of rows into values.
//!
//! [`Columns`] is the common interface to the rows of all libraries, so that each kind of row is converted in one
//! place. Each database replaces the parts in braces in the lists of columns: see [`Dialect`](super::Dialect).

use crate::protocol::{FeedbackTarget, Run, Thread, ThreadEvent, from_own_json, timestamp};
use crate::store::{Feedback, Participant, Scope, ThreadRecord, Viewer};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::value::{Error as NameError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};
use std::error::Error;

/// The error of a database.
pub(crate) type RowError = Box<dyn Error + Send + Sync>;

/// The columns of a row.
pub(crate) trait Columns {
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

    /// Reads a number that is not negative.
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
        Ok(from_own_json(self.text(at)?)?)
    }

    fn optional_json<T: DeserializeOwned>(&self, at: usize) -> Result<Option<T>, RowError> {
        // `Some(null)` is not `None`: both are stored unchanged.
        let text = self.optional_text(at)?;
        Ok(text.map(from_own_json).transpose()?)
    }

    /// Reads the name of an enumeration's variant.
    fn name<T: for<'de> Deserialize<'de>>(&self, at: usize) -> Result<T, RowError> {
        let name: StrDeserializer<'_, NameError> = self.text(at)?.into_deserializer();
        Ok(T::deserialize(name)?)
    }
}

fn missing(at: usize) -> RowError {
    format!("column {at} is null").into()
}

/// The columns that [`thread`] reads.
pub(crate) const THREAD_COLUMNS: &str = "t.id, {json t.owner}, {json t.users}, t.title, {json t.metadata}, {micros t.created_at}, \
     {micros t.updated_at}, {micros t.last_event_at}";

/// The columns that [`WholeThread::read`] reads.
pub(crate) const WHOLE_THREAD_COLUMNS: &str = "{thread}, t.pk, t.scope_pk, s.workspace_pk, t.rev, t.row_rev, \
     t.last_seq, (SELECT {array p.participant ORDER BY p.place} FROM {prefix}participants p \
     WHERE p.thread_pk = t.pk)";

/// The columns that [`event`] reads.
pub(crate) const EVENT_COLUMNS: &str = "e.id, e.seq, e.rev, e.run_id, e.kind, e.actor, e.author, \
     {json e.sender}, {json e.content}, {json e.data}, {micros e.created_at}, {flag e.streaming}, \
     {flag e.finalized}, e.client_event_id, e.delta_seq, {flag e.deleted}";

/// The columns that [`run`] reads.
pub(crate) const RUN_COLUMNS: &str = "r.id, r.rev, r.agent_id, r.status, {micros r.started_at}, {micros r.ended_at}, r.error, r.event_id, \
     {json r.usage}";

/// The columns that [`feedback`] reads.
pub(crate) const FEEDBACK_COLUMNS: &str = "f.id, f.target_type, f.target_id, f.opinion, f.reason, f.classification, f.user_id, \
     {micros f.created_at}, {micros f.updated_at}";

/// Reads a thread that lies in this scope.
pub(crate) fn thread(row: &impl Columns, scope: &Scope) -> Result<Thread, RowError> {
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

/// A thread's complete row, with its participants.
#[derive(Debug)]
pub(crate) struct WholeThread {
    pub(crate) pk: i64,
    pub(crate) scope_pk: i64,
    pub(crate) workspace_pk: i64,
    pub(crate) record: ThreadRecord,
    pub(crate) row_rev: u64,
    pub(crate) last_seq: u64,
}

impl WholeThread {
    pub(crate) fn id(&self) -> &str {
        &self.record.thread.id
    }

    /// Reads a thread that lies in this scope.
    pub(crate) fn read(row: &impl Columns, scope: &Scope) -> Result<Self, RowError> {
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

/// Reads an event of this thread, and the `rev` of its last change.
pub(crate) fn event(row: &impl Columns, thread_id: &str) -> Result<(ThreadEvent, u64), RowError> {
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

/// Reads a run of this thread, and the `rev` of its last change.
pub(crate) fn run(row: &impl Columns, thread_id: &str) -> Result<(Run, u64), RowError> {
    let run = Run {
        id: row.text(0)?.to_owned(),
        thread_id: thread_id.to_owned(),
        agent_id: row.optional_string(2)?,
        status: row.name(3)?,
        started_at: row.time(4)?,
        ended_at: row.optional_time(5)?,
        error: row.optional_string(6)?,
        event_id: row.optional_string(7)?,
        usage: row.optional_json(8)?.unwrap_or_default(),
    };
    Ok((run, row.count(1)?))
}

/// Returns the value of a run's column `usage`.
pub(crate) fn usage_column(run: &Run) -> Result<Option<String>, serde_json::Error> {
    let usage = (!run.usage.is_empty()).then_some(&run.usage);
    usage.map(serde_json::to_string).transpose()
}

/// Reads a feedback in this thread.
pub(crate) fn feedback(row: &impl Columns, thread_id: &str) -> Result<Feedback, RowError> {
    Ok(Feedback {
        id: row.text(0)?.to_owned(),
        thread_id: thread_id.to_owned(),
        target: FeedbackTarget::new(row.name(1)?, row.text(2)?),
        value: row.name(3)?,
        reason: row.optional_string(4)?,
        classification: row.optional_string(5)?,
        user_id: row.text(6)?.to_owned(),
        created_at: row.time(7)?,
        updated_at: row.time(8)?,
    })
}

/// Reads the id and the scope of a thread from the first five columns.
pub(crate) fn thread_place(row: &impl Columns) -> Result<(Scope, String), RowError> {
    let scope = Scope {
        agent: row.text(1)?.to_owned(),
        worker_id: row.text(2)?.to_owned(),
        organization_id: row.text(3)?.to_owned(),
        workspace_id: row.text(4)?.to_owned(),
        viewer: Viewer::Everyone,
    };
    Ok((scope, row.text(0)?.to_owned()))
}
