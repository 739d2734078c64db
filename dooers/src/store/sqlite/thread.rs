//! One thread while an operation changes it.

use super::database::Database;
use crate::protocol::{Run, Thread, ThreadEvent, User, timestamp};
use crate::store::message::shown;
use crate::store::sql::{self, Columns, Stop, WholeThread, int, json};
use crate::store::{
    Change, NewMessage, Participant, Scope, StoreError, ThreadPatch, ThreadRecord, TurnChange,
    TurnKey,
};
use chrono::{DateTime, Utc};
use rusqlite::params;

/// One thread while an operation changes it. Its own row is written last, by [`save`](Self::save).
#[derive(Debug)]
pub(super) struct OpenThread<'a> {
    pub(super) db: &'a Database,
    pub(super) row: WholeThread,
    stored_rev: u64,
    stored_last_event_at: DateTime<Utc>,
    /// Whether something changed that is not stored by each operation.
    is_redescribed: bool,
    /// Whether the users are among that. They may be many, so they are written only then.
    has_new_users: bool,
}

impl<'a> OpenThread<'a> {
    /// The thread of this id, if it can be seen in this scope.
    pub(super) fn open(db: &'a Database, scope: &Scope, thread_id: &str) -> Result<Self, Stop> {
        let place = params![
            scope.worker_id,
            scope.organization_id,
            scope.workspace_id,
            scope.agent,
            thread_id
        ];
        let row = db.first(&db.sql.reads.thread, place, |row| {
            WholeThread::read(row, scope)
        })?;
        let row = row
            .filter(|row| scope.admits(&row.record.participants))
            .ok_or(StoreError::NotFound("thread"))?;
        Ok(Self::of(db, row))
    }

    /// A new thread, in which its owner takes part, and the change that tells of it.
    pub(super) fn create(
        db: &'a Database,
        scope: &Scope,
        mut thread: Thread,
        owner: Option<&Participant>,
    ) -> Result<(Self, Change), Stop> {
        let (scope_pk, workspace_pk) = scope_pks(db, scope)?;
        thread.last_event_at = db.clock(scope_pk)?.front(thread.last_event_at);
        let pk = db.insert(
            &db.sql.writes.insert_thread,
            params![
                thread.id,
                scope_pk,
                serde_json::to_string(&thread.owner)?,
                serde_json::to_string(&thread.users)?,
                json(&thread.metadata)?,
                thread.created_at.timestamp_micros(),
                thread.title,
                thread.last_event_at.timestamp_micros(),
            ],
        )?;
        db.execute(&db.sql.writes.count_threads, params![scope_pk, 1])?;
        let row = WholeThread {
            pk,
            scope_pk,
            workspace_pk,
            record: ThreadRecord {
                thread,
                agent: scope.agent.clone(),
                participants: Vec::new(),
                rev: 1,
            },
            row_rev: 1,
            last_seq: 0,
        };
        let mut created = Self::of(db, row);
        if let Some(owner) = owner {
            created.admit(owner)?;
        }
        let change = Change::of_thread(created.row.record.clone(), 1);
        Ok((created, change))
    }

    fn of(db: &'a Database, row: WholeThread) -> Self {
        Self {
            db,
            stored_rev: row.record.rev,
            stored_last_event_at: row.record.thread.last_event_at,
            is_redescribed: false,
            has_new_users: false,
            row,
        }
    }

    pub(super) fn id(&self) -> &str {
        self.row.id()
    }

    pub(super) fn event(&self, event_id: &str) -> Result<Option<ThreadEvent>, Stop> {
        let place = params![self.row.pk, event_id];
        self.db.first(&self.db.sql.reads.event, place, |row| {
            Ok(sql::event(row, self.id())?.0)
        })
    }

    /// The event, and the number of the change that made it.
    pub(super) fn event_as_made(&self, event_id: &str) -> Result<Option<(ThreadEvent, u64)>, Stop> {
        let Some(event) = self.event(event_id)? else {
            return Ok(None);
        };
        let place = params![self.row.pk, event_id];
        let rev = self
            .db
            .first(&self.db.sql.reads.event_place, place, |row| row.count(1))?;
        Ok(rev.map(|rev| (event, rev)))
    }

    pub(super) fn has_answer_to(&self, form_event_id: &str) -> Result<bool, Stop> {
        let place = params![self.row.pk, form_event_id];
        let answer = self
            .db
            .first(&self.db.sql.writes.answer, place, |_| Ok(()))?;
        Ok(answer.is_some())
    }

    /// Adds who writes to those who take part. The result is whether clients are to be shown that.
    pub(super) fn meet(
        &mut self,
        participant: &Participant,
        user: &User,
        at: DateTime<Utc>,
    ) -> Result<bool, Stop> {
        if !self.row.record.participants.contains(participant) {
            self.admit(participant)?;
        }
        let Some(user) = shown(user) else {
            return Ok(false);
        };
        let users = &mut self.row.record.thread.users;
        match users.iter_mut().find(|known| known.user_id == user.user_id) {
            Some(known) if known == user => return Ok(false),
            Some(known) => *known = user.clone(),
            None => users.push(user.clone()),
        }
        self.row.record.thread.redescribed(at);
        self.has_new_users = true;
        Ok(true)
    }

    fn admit(&mut self, participant: &Participant) -> Result<(), Stop> {
        self.db.execute(
            &self.db.sql.writes.insert_participant,
            params![
                self.row.pk,
                int(self.row.record.participants.len() as u64),
                participant.as_str(),
                self.row.scope_pk,
                self.row.record.thread.last_event_at.timestamp_micros(),
                self.id(),
            ],
        )?;
        let count = params![self.row.scope_pk, participant.as_str()];
        self.db
            .execute(&self.db.sql.writes.count_participant, count)?;
        self.row.record.participants.push(participant.clone());
        Ok(())
    }

    /// Changes the title or the metadata.
    pub(super) fn patch(&mut self, patch: &ThreadPatch, at: DateTime<Utc>) -> Change {
        patch.clone().apply(&mut self.row.record.thread, at);
        self.redescribe()
    }

    /// Appends a user's message.
    pub(super) fn append_message(
        &mut self,
        new: &NewMessage,
        answers: Option<&str>,
    ) -> Result<(ThreadEvent, Change), Stop> {
        let (event, rev) = self.append(new.event(0), answers, None)?;
        let change = Change::of_event(event.clone(), rev);
        Ok((event, change))
    }

    pub(super) fn apply(
        &mut self,
        turn: &TurnKey,
        changes: &[TurnChange],
    ) -> Result<Vec<Change>, Stop> {
        let turn = turn.event_id.as_str();
        let apply_one = |change: &TurnChange| {
            Ok(match change {
                TurnChange::Event(event) => {
                    let answers = self.first_answer(event)?;
                    let open_in = event.streaming.and(Some(turn));
                    let (event, rev) = self.append((**event).clone(), answers, open_in)?;
                    Some(Change::of_event(event, rev))
                }
                TurnChange::Text {
                    event_id,
                    text,
                    delta_seq,
                } => {
                    self.write_text(turn, event_id, text, *delta_seq)?;
                    None
                }
                TurnChange::Finalize { event_id, text } => {
                    let open = self.open_events(turn)?;
                    let event = open.into_iter().find(|event| event.id == *event_id);
                    event
                        .map(|event| self.finalize(turn, event, Some(text)))
                        .transpose()?
                }
                TurnChange::Patch { patch, at } => Some(self.patch(patch, *at)),
                TurnChange::Touch(at) => {
                    self.touch(*at)?;
                    Some(self.change_row())
                }
                TurnChange::Run(run) => {
                    let mut run = run.clone();
                    run.event_id = Some(turn.to_owned());
                    Some(self.upsert_run(run)?)
                }
                TurnChange::ReopenForm => {
                    self.reopen_form(turn)?;
                    None
                }
            })
        };
        let changes = changes.iter().map(apply_one);
        changes.filter_map(Result::transpose).collect()
    }

    /// The form that an event answers, unless there is an answer that counts already.
    pub(super) fn first_answer<'e>(&self, event: &'e ThreadEvent) -> Result<Option<&'e str>, Stop> {
        match event.answered_form() {
            Some(form) if !self.has_answer_to(form)? => Ok(Some(form)),
            _ => Ok(None),
        }
    }

    pub(super) fn next_rev(&mut self) -> u64 {
        self.row.record.rev += 1;
        self.row.record.rev
    }

    /// Moves the thread to the front of its list.
    pub(super) fn touch(&mut self, at: DateTime<Utc>) -> Result<(), Stop> {
        let clock = self.db.clock(self.row.scope_pk)?;
        self.row.record.thread.last_event_at = clock.front(at);
        Ok(())
    }

    pub(super) fn change_row(&mut self) -> Change {
        self.row.row_rev = self.next_rev();
        Change::of_thread(self.row.record.clone(), self.row.row_rev)
    }

    pub(super) fn redescribe(&mut self) -> Change {
        self.is_redescribed = true;
        self.change_row()
    }

    pub(super) fn append(
        &mut self,
        mut event: ThreadEvent,
        answers: Option<&str>,
        open_in: Option<&str>,
    ) -> Result<(ThreadEvent, u64), Stop> {
        self.row.last_seq += 1;
        event.seq = self.row.last_seq;
        let rev = self.next_rev();
        self.db.execute(
            &self.db.sql.writes.insert_event,
            params![
                event.id,
                self.row.pk,
                int(event.seq),
                int(rev),
                event.run_id,
                event.kind.as_str(),
                event.actor.as_str(),
                event.author,
                json(&event.user)?,
                json(&event.content)?,
                json(&event.data)?,
                event.created_at.timestamp_micros(),
                event.streaming,
                event.finalized,
                event.client_event_id,
                answers,
                event.delta_seq.map(int),
                open_in,
            ],
        )?;
        Ok((event, rev))
    }

    pub(super) fn upsert_run(&mut self, mut run: Run) -> Result<Change, Stop> {
        let rev = self.next_rev();
        let clock = self.db.clock(self.row.scope_pk)?;
        run.started_at = clock.start(run.started_at);
        let known = self.db.first(
            &self.db.sql.writes.upsert_run,
            params![
                self.row.pk,
                run.id,
                run.event_id,
                int(rev),
                run.agent_id,
                run.status.as_str(),
                run.started_at.timestamp_micros(),
                run.ended_at.map(|at| at.timestamp_micros()),
                run.error,
                self.row.scope_pk,
            ],
            |row| Ok((row.time(0)?, row.optional_string(1)?)),
        )?;
        // A run that is known began when it began, and answers what it answered.
        if let Some((started_at, event_id)) = known {
            run.started_at = started_at;
            run.event_id = event_id;
        }
        run.end_after_start();
        clock.note(run.started_at.timestamp_micros());
        Ok(Change::of_run(run, rev))
    }

    /// Writes the thread's own row.
    pub(super) fn save(&self) -> Result<(), Stop> {
        let (db, row, thread) = (self.db, &self.row, &self.row.record.thread);
        let (rev, row_rev, last_seq) = (int(row.record.rev), int(row.row_rev), int(row.last_seq));
        if thread.last_event_at != self.stored_last_event_at {
            let at = thread.last_event_at.timestamp_micros();
            let values = params![row.pk, rev, row_rev, last_seq, at];
            db.execute(&db.sql.writes.touch_thread, values)?;
            db.execute(&db.sql.writes.touch_participants, params![row.pk, at])?;
        } else if row.record.rev != self.stored_rev {
            let values = params![row.pk, rev, row_rev, last_seq];
            db.execute(&db.sql.writes.advance_thread, values)?;
        }
        if self.is_redescribed {
            let users = self.has_new_users.then_some(&thread.users);
            db.execute(
                &db.sql.writes.describe_thread,
                params![
                    row.pk,
                    users.map(serde_json::to_string).transpose()?,
                    thread.title,
                    json(&thread.metadata)?,
                    thread.updated_at.timestamp_micros(),
                ],
            )?;
        }
        Ok(())
    }

    /// Notes of the messages that can be sent again that their thread is deleted now.
    fn mark_sent(&self) -> Result<(), Stop> {
        let sql = &self.db.sql.writes;
        let at = timestamp::now().timestamp_micros();
        let sent = self.db.every(&sql.sent_in, params![self.row.pk], |row| {
            Ok((row.text(0)?.to_owned(), row.optional_string(1)?))
        })?;
        for (client_event_id, user_id) in sent {
            let participants = &self.row.record.participants;
            for sender in Participant::senders(user_id.as_deref(), participants) {
                let key = params![
                    self.row.workspace_pk,
                    sender.as_str(),
                    client_event_id,
                    self.id(),
                    at
                ];
                self.db.execute(&sql.mark_sent, key)?;
            }
        }
        Ok(())
    }

    /// Deletes the thread with all that is in it.
    pub(super) fn delete(self) -> Result<Change, Stop> {
        let (db, scope_pk) = (self.db, self.row.scope_pk);
        self.mark_sent()?;
        for participant in &self.row.record.participants {
            let key = params![scope_pk, participant.as_str()];
            db.execute(&db.sql.writes.uncount_participant, key)?;
            db.execute(&db.sql.writes.forget_participant, key)?;
        }
        db.execute(&db.sql.writes.count_threads, params![scope_pk, -1])?;
        db.execute(&db.sql.writes.delete_thread, params![self.row.pk])?;
        Ok(Change::of_deletion(self.row.record))
    }
}

/// The `pk` of a scope, which may be new, and of its workspace.
fn scope_pks(db: &Database, scope: &Scope) -> Result<(i64, i64), Stop> {
    let place = params![
        scope.worker_id,
        scope.organization_id,
        scope.workspace_id,
        scope.agent
    ];
    let find = || {
        db.first(&db.sql.reads.scope, place, |row| {
            Ok((row.number(0)?, row.number(2)?))
        })
    };
    if let Some(pks) = find()? {
        return Ok(pks);
    }
    db.execute(&db.sql.writes.insert_workspace, &place[..3])?;
    db.execute(&db.sql.writes.insert_scope, place)?;
    find()?.ok_or_else(|| Stop::Fault("a new scope is not there".into()))
}
