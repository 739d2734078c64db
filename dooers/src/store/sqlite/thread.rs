//! The rows of one thread, on the writer's connection.

use super::database::WriterDatabase;
use super::outbox;
use crate::protocol::{
    AnalyticsEvent, ContentPart, FeedbackTarget, Run, Thread, ThreadEvent, User,
};
use crate::store::analytics::AnalyticsFilter;
use crate::store::feedback::KeptFeedback;
use crate::store::list_clock::ListClock;
use crate::store::outbox::OutboxEvent;
use crate::store::rules::{NewEvent, ThreadRow, ThreadRows, TurnRow};
use crate::store::sql::{self, Columns, Stop, int, json};
use crate::store::{Feedback, Participant};
use chrono::{DateTime, Utc};
use rusqlite::params;
use std::cell::Cell;
use std::sync::Arc;

/// The rows of one thread, on the writer's connection. [`save`](ThreadRows::save) writes the thread's own row at the
/// end.
#[derive(Debug)]
pub(super) struct SqliteThread<'d> {
    db: &'d WriterDatabase,
    pk: i64,
    scope_pk: i64,
    row: ThreadRow,
    stored_rev: u64,
    stored_last_event_at: DateTime<Utc>,
    /// `true` if columns of the row have changed that only few operations change.
    is_redescribed: bool,
    /// `true` if the users have changed. They may be many, so they are written only in this case.
    has_new_users: bool,
    /// `true` if the thread is known to have no turns, so that a query for them is not needed.
    has_no_turns: Cell<bool>,
    /// `true` if the thread is known to have no runs.
    has_no_runs: bool,
}

impl<'d> SqliteThread<'d> {
    /// A thread that was read.
    pub(super) fn stored(db: &'d WriterDatabase, whole: sql::WholeThread) -> Self {
        let row = ThreadRow {
            record: whole.record,
            row_rev: whole.row_rev,
            last_seq: whole.last_seq,
        };
        Self::of(db, whole.pk, whole.scope_pk, row)
    }

    /// A new thread.
    pub(super) fn new(db: &'d WriterDatabase, pk: i64, scope_pk: i64, row: ThreadRow) -> Self {
        Self {
            has_no_turns: Cell::new(true),
            has_no_runs: true,
            ..Self::of(db, pk, scope_pk, row)
        }
    }

    fn of(db: &'d WriterDatabase, pk: i64, scope_pk: i64, row: ThreadRow) -> Self {
        Self {
            db,
            pk,
            scope_pk,
            stored_rev: row.record.rev,
            stored_last_event_at: row.record.thread.last_event_at,
            is_redescribed: false,
            has_new_users: false,
            has_no_turns: Cell::new(false),
            has_no_runs: false,
            row,
        }
    }

    fn id(&self) -> &str {
        &self.row.record.thread.id
    }
}

impl ThreadRows for SqliteThread<'_> {
    type Error = Stop;

    fn row(&self) -> &ThreadRow {
        &self.row
    }

    fn row_mut(&mut self) -> &mut ThreadRow {
        &mut self.row
    }

    fn description_mut(&mut self) -> &mut Thread {
        self.is_redescribed = true;
        &mut self.row.record.thread
    }

    fn users_mut(&mut self) -> &mut Vec<User> {
        self.has_new_users = true;
        &mut self.description_mut().users
    }

    fn save(&mut self) -> Result<(), Stop> {
        let (db, row, thread) = (self.db, &self.row, &self.row.record.thread);
        let (rev, row_rev, last_seq) = (int(row.record.rev), int(row.row_rev), int(row.last_seq));
        if thread.last_event_at != self.stored_last_event_at {
            let at = thread.last_event_at.timestamp_micros();
            let values = params![self.pk, rev, row_rev, last_seq, at];
            db.execute(&db.sql.writes.touch_thread, values)?;
            db.execute(&db.sql.writes.touch_participants, params![self.pk, at])?;
        } else if row.record.rev != self.stored_rev {
            let values = params![self.pk, rev, row_rev, last_seq];
            db.execute(&db.sql.writes.advance_thread, values)?;
        }
        if self.is_redescribed {
            let users = self.has_new_users.then_some(&thread.users);
            db.execute(
                &db.sql.writes.describe_thread,
                params![
                    self.pk,
                    users.map(serde_json::to_string).transpose()?,
                    thread.title,
                    json(&thread.metadata)?,
                    thread.updated_at.timestamp_micros(),
                ],
            )?;
        }
        Ok(())
    }

    fn outbox(&self) -> Option<Arc<AnalyticsFilter>> {
        self.db.outbox.filter()
    }

    fn insert_outbox(&mut self, events: &[AnalyticsEvent]) -> Result<(), Stop> {
        let rows = events.iter().map(OutboxEvent::of);
        let rows: Vec<_> = rows.collect::<Result<_, _>>()?;
        outbox::insert(self.db, &rows)
    }

    fn clock(&self) -> Result<ListClock, Stop> {
        self.db.clock(self.scope_pk)
    }

    fn insert_participant(&mut self, participant: &Participant) -> Result<(), Stop> {
        self.db.execute(
            &self.db.sql.writes.insert_participant,
            params![
                self.pk,
                int(self.row.record.participants.len() as u64),
                participant.as_str(),
                self.scope_pk,
                self.row.record.thread.last_event_at.timestamp_micros(),
                self.id(),
            ],
        )?;
        let count = params![self.scope_pk, participant.as_str()];
        self.db
            .execute(&self.db.sql.writes.count_participant, count)?;
        self.row.record.participants.push(participant.clone());
        Ok(())
    }

    fn event(&self, event_id: &str) -> Result<Option<ThreadEvent>, Stop> {
        let place = params![self.pk, event_id];
        self.db.first(&self.db.sql.reads.event, place, |row| {
            Ok(sql::event(row, self.id())?.0)
        })
    }

    fn first_rev(&self, event_id: &str) -> Result<Option<u64>, Stop> {
        let place = params![self.pk, event_id];
        self.db
            .first(&self.db.sql.reads.event_place, place, |row| row.count(1))
    }

    fn has_answer_to(&self, form_event_id: &str) -> Result<bool, Stop> {
        let place = params![self.pk, form_event_id];
        let answer = self
            .db
            .first(&self.db.sql.writes.answer, place, |_| Ok(()))?;
        Ok(answer.is_some())
    }

    fn reopen_form(&mut self, event_id: &str) -> Result<(), Stop> {
        let place = params![self.pk, event_id];
        self.db.execute(&self.db.sql.writes.reopen_form, place)
    }

    fn open_events(&self, turn: &str) -> Result<Vec<ThreadEvent>, Stop> {
        let place = params![self.pk, turn];
        self.db
            .every(&self.db.sql.writes.open_events, place, |row| {
                Ok(sql::event(row, self.id())?.0)
            })
    }

    fn insert_event(&mut self, new: NewEvent<'_>) -> Result<(), Stop> {
        let event = new.event;
        self.db.execute(
            &self.db.sql.writes.insert_event,
            params![
                event.id,
                self.pk,
                int(event.seq),
                int(new.rev),
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
                new.answers,
                event.delta_seq.map(int),
                new.open_in,
            ],
        )
    }

    fn replace_event(&mut self, event: &ThreadEvent, rev: u64) -> Result<(), Stop> {
        let values = params![
            self.pk,
            int(event.seq),
            int(rev),
            event.kind.as_str(),
            json(&event.content)?,
            json(&event.data)?,
            event.deleted,
        ];
        self.db.execute(&self.db.sql.writes.replace_event, values)
    }

    fn write_text(
        &mut self,
        turn: &str,
        event_id: &str,
        text: &str,
        delta_seq: u64,
    ) -> Result<(), Stop> {
        let content = json(&Some([ContentPart::text(text)]))?;
        let values = params![self.pk, turn, event_id, content, int(delta_seq)];
        self.db.execute(&self.db.sql.writes.write_text, values)
    }

    fn finalize_event(&mut self, turn: &str, event: &ThreadEvent, rev: u64) -> Result<(), Stop> {
        let content = json(&event.content)?;
        let values = params![self.pk, turn, event.id, content, int(rev)];
        self.db.execute(&self.db.sql.writes.finalize_event, values)
    }

    fn run(&self, run_id: &str) -> Result<Option<Run>, Stop> {
        if self.has_no_runs {
            return Ok(None);
        }
        let place = params![self.pk, run_id];
        self.db.first(&self.db.sql.reads.run, place, |row| {
            Ok(sql::run(row, self.id())?.0)
        })
    }

    fn open_runs(&self, event_id: &str) -> Result<Vec<Run>, Stop> {
        let place = params![self.pk, event_id];
        self.db.every(&self.db.sql.writes.open_runs, place, |row| {
            Ok(sql::run(row, self.id())?.0)
        })
    }

    fn insert_run(&mut self, run: &Run, rev: u64) -> Result<(), Stop> {
        self.has_no_runs = false;
        self.db.execute(
            &self.db.sql.writes.insert_run,
            params![
                self.pk,
                run.id,
                run.event_id,
                int(rev),
                run.agent_id,
                run.status.as_str(),
                run.started_at.timestamp_micros(),
                run.ended_at.map(|at| at.timestamp_micros()),
                run.error,
                self.scope_pk,
                sql::usage_column(run)?,
            ],
        )
    }

    fn update_run(&mut self, run: &Run, rev: u64) -> Result<(), Stop> {
        let values = params![
            self.pk,
            run.id,
            int(rev),
            run.agent_id,
            run.status.as_str(),
            run.ended_at.map(|at| at.timestamp_micros()),
            run.error,
            sql::usage_column(run)?,
        ];
        self.db.execute(&self.db.sql.writes.update_run, values)
    }

    fn delete_run(&mut self, run_id: &str) -> Result<(), Stop> {
        let place = params![self.pk, run_id];
        self.db.execute(&self.db.sql.writes.delete_run, place)
    }

    fn turn_of(&self, event_id: &str) -> Result<Option<TurnRow>, Stop> {
        let key = params![self.pk, event_id];
        self.db
            .first(&self.db.sql.writes.turn_of, key, |row| sql::turn(row))
    }

    fn message_of(&self, turn: &TurnRow) -> Result<ThreadEvent, Stop> {
        let place = params![self.pk, int(turn.seq)];
        let event = self.db.first(&self.db.sql.writes.event_at, place, |row| {
            Ok(sql::event(row, self.id())?.0)
        })?;
        event.ok_or_else(|| Stop::Fault("a turn has no event".into()))
    }

    fn oldest_turn(&self) -> Result<Option<TurnRow>, Stop> {
        if self.has_no_turns.get() {
            return Ok(None);
        }
        let place = params![self.pk];
        let oldest = self
            .db
            .first(&self.db.sql.writes.oldest_turn, place, |row| sql::turn(row))?;
        self.has_no_turns.set(oldest.is_none());
        Ok(oldest)
    }

    fn waiting_turns(&self) -> Result<Vec<TurnRow>, Stop> {
        let place = params![self.pk];
        self.db
            .every(&self.db.sql.writes.waiting_turns, place, |row| {
                sql::turn(row)
            })
    }

    fn count_waiting(&self) -> Result<usize, Stop> {
        let place = params![self.pk];
        let count = self
            .db
            .first(&self.db.sql.writes.count_waiting, place, |row| {
                row.number(0)
            })?;
        Ok(usize::try_from(count.unwrap_or_default()).unwrap_or(usize::MAX))
    }

    fn running_turns(&self) -> Result<Vec<TurnRow>, Stop> {
        let place = params![self.pk];
        let running = self
            .db
            .every(&self.db.sql.writes.running_turns, place, |row| {
                sql::turn(row)
            });
        let mut running = running?;
        // The index orders turns by their slots.
        running.sort_unstable_by_key(|turn| turn.seq);
        Ok(running)
    }

    fn insert_turn(&mut self, turn: TurnRow) -> Result<(), Stop> {
        self.has_no_turns.set(false);
        let held = turn.held.as_ref();
        self.db.execute(
            &self.db.sql.writes.insert_turn,
            params![
                self.pk,
                int(turn.seq),
                turn.event_id,
                sql::turn_state(&turn),
                int(turn.attempt),
                int(turn.fence),
                held.map(|held| &held.node),
                held.map(|held| held.until.timestamp_micros()),
                int(turn.retries),
                sql::turn_slot(&turn),
                sql::sealed_column(turn.sealed.as_ref())?,
                turn.identity,
            ],
        )
    }

    fn update_turn(&mut self, turn: &TurnRow) -> Result<(), Stop> {
        let held = turn.held.as_ref();
        let values = params![
            self.pk,
            int(turn.seq),
            sql::turn_state(turn),
            int(turn.attempt),
            int(turn.fence),
            held.map(|held| &held.node),
            held.map(|held| held.until.timestamp_micros()),
            int(turn.retries),
            sql::turn_slot(turn),
            turn.not_before.map(|at| at.timestamp_micros()),
            turn.is_cancelled,
            sql::questions_column(&turn.questions)?,
        ];
        self.db.execute(&self.db.sql.writes.update_turn, values)
    }

    fn delete_turn(&mut self, turn: &TurnRow) -> Result<(), Stop> {
        let place = params![self.pk, int(turn.seq)];
        self.db.execute(&self.db.sql.writes.delete_turn, place)
    }

    fn feedback(
        &self,
        participant: &Participant,
        target: &FeedbackTarget,
    ) -> Result<Option<Feedback>, Stop> {
        let key = params![
            self.pk,
            participant.as_str(),
            target.target_type().as_str(),
            target.id()
        ];
        let sql = &self.db.sql.writes.feedback_of;
        self.db.first(sql, key, |row| sql::feedback(row, self.id()))
    }

    fn put_feedback(&mut self, kept: &KeptFeedback) -> Result<(), Stop> {
        let feedback = &kept.feedback;
        self.db.execute(
            &self.db.sql.writes.put_feedback,
            params![
                self.pk,
                kept.participant.as_str(),
                feedback.target.target_type().as_str(),
                feedback.target.id(),
                feedback.id,
                self.scope_pk,
                feedback.user_id,
                feedback.value.as_str(),
                feedback.reason,
                feedback.classification,
                feedback.created_at.timestamp_micros(),
                feedback.updated_at.timestamp_micros(),
            ],
        )
    }

    fn delete_feedback(&mut self, target: &FeedbackTarget) -> Result<(), Stop> {
        let key = params![self.pk, target.target_type().as_str(), target.id()];
        self.db.execute(&self.db.sql.writes.delete_feedback, key)
    }
}
