//! The rows of all threads, on the writer's connection.

use super::database::WriterDatabase;
use super::thread::SqliteThread;
use crate::protocol::{Thread, timestamp};
use crate::store::rules::{Rows, SentEvent, SentKey, ThreadRow};
use crate::store::sql::{
    Columns, Stop, WholeThread, amount_columns, day_total, int, json, thread_place,
};
use crate::store::usage::{Spent, UsageOwner, UsageRow, UsageTotals};
use crate::store::{CancelTarget, Participant, Scope};
use chrono::{DateTime, Utc};
use rusqlite::params;
use std::ops::RangeInclusive;

impl<'d> Rows for &'d WriterDatabase {
    type Error = Stop;
    type Thread<'a>
        = SqliteThread<'d>
    where
        Self: 'a;

    fn has_thread(&self, thread_id: &str) -> Result<bool, Stop> {
        self.has(&self.sql.writes.has_thread, thread_id)
    }

    fn has_event(&self, event_id: &str) -> Result<bool, Stop> {
        self.has(&self.sql.writes.has_event, event_id)
    }

    fn has_run(&self, run_id: &str) -> Result<bool, Stop> {
        self.has(&self.sql.writes.has_run, run_id)
    }

    fn thread(&mut self, scope: &Scope, thread_id: &str) -> Result<Option<SqliteThread<'d>>, Stop> {
        let whole = self.whole_thread(scope, thread_id)?;
        Ok(whole.map(|whole| SqliteThread::stored(self, whole)))
    }

    fn insert_thread(&mut self, scope: &Scope, thread: Thread) -> Result<SqliteThread<'d>, Stop> {
        let scope_pk = self.scope_pk(scope)?;
        let row = ThreadRow::new(scope, thread, &self.clock(scope_pk)?);
        let thread = &row.record.thread;
        let pk = self.insert(
            &self.sql.writes.insert_thread,
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
        self.execute(&self.sql.writes.count_threads, params![scope_pk, 1])?;
        Ok(SqliteThread::new(self, pk, scope_pk, row))
    }

    fn delete_thread(&mut self, scope: &Scope, thread_id: &str) -> Result<(), Stop> {
        let Some(whole) = self.whole_thread(scope, thread_id)? else {
            return Ok(());
        };
        self.mark_sent(&whole)?;
        for participant in &whole.record.participants {
            let key = params![whole.scope_pk, participant.as_str()];
            self.execute(&self.sql.writes.uncount_participant, key)?;
            self.execute(&self.sql.writes.forget_participant, key)?;
        }
        self.execute(&self.sql.writes.count_threads, params![whole.scope_pk, -1])?;
        self.execute(&self.sql.writes.delete_thread, params![whole.pk])
    }

    fn sent(&self, key: &SentKey) -> Result<Option<SentEvent>, Stop> {
        let key = params![
            key.worker_id,
            key.organization_id,
            key.workspace_id,
            key.participant.as_str(),
            key.client_event_id
        ];
        self.first(&self.sql.writes.sent, key, |row| {
            Ok(SentEvent {
                thread_id: row.text(0)?.to_owned(),
                event_id: row.text(1)?.to_owned(),
                deleted_at: None,
            })
        })
    }

    fn is_stored(&self, sent: &SentEvent) -> Result<bool, Stop> {
        let target = CancelTarget::Event(sent.event_id.clone());
        let threads = self.threads_of(None, &target)?;
        Ok(threads.iter().any(|(_, id)| *id == sent.thread_id))
    }

    fn insert_sent(&mut self, key: SentKey, sent: SentEvent) -> Result<(), Stop> {
        let row = params![
            key.worker_id,
            key.organization_id,
            key.workspace_id,
            key.participant.as_str(),
            key.client_event_id,
            sent.thread_id,
            sent.event_id
        ];
        self.execute(&self.sql.writes.insert_sent, row)
    }

    fn insert_usage(&mut self, rows: Vec<UsageRow>) -> Result<(), Stop> {
        let sql = &self.sql.writes;
        for row in &rows {
            let (used, usage) = (&row.used, &row.used.usage);
            let (units, picos) = amount_columns(row.amount());
            self.execute(
                &sql.insert_usage,
                params![
                    used.id,
                    self.scope_pk(&row.scope)?,
                    row.thread_id,
                    used.run_id,
                    used.user_id,
                    usage.model,
                    int(usage.input_tokens),
                    int(usage.output_tokens),
                    int(usage.cached_tokens),
                    row.currency(),
                    units,
                    picos,
                    used.at.timestamp_micros(),
                ],
            )?;
        }
        for (owner, day, currency, total) in UsageTotals::of(&rows).iter() {
            let [owner_type, owner_id, user_id] = owner.columns();
            let (units, picos) = amount_columns(total.amount);
            let tokens = int(total.tokens);
            let values = params![
                owner_type, owner_id, user_id, day, currency, tokens, units, picos
            ];
            self.execute(&sql.add_total, values)?;
        }
        Ok(())
    }

    fn spent(&self, owner: &UsageOwner, days: &RangeInclusive<i64>) -> Result<Spent, Stop> {
        let [owner_type, owner_id, user_id] = owner.columns();
        let key = params![owner_type, owner_id, user_id, days.start(), days.end()];
        let totals = self.every(&self.sql.writes.spent, key, |row| {
            Ok((row.text(0)?.to_owned(), day_total(row, 1)?))
        })?;
        let mut spent = Spent::default();
        for (currency, total) in &totals {
            spent.add(currency, total);
        }
        Ok(spent)
    }

    fn threads_of(
        &self,
        scope: Option<&Scope>,
        target: &CancelTarget,
    ) -> Result<Vec<(Scope, String)>, Stop> {
        let (sql, id) = match target {
            CancelTarget::Run(id) => (&self.sql.reads.run_place, id),
            CancelTarget::Event(id) => (&self.sql.reads.event_thread, id),
        };
        let within = params![
            id,
            scope.map(|scope| &scope.worker_id),
            scope.map(|scope| &scope.organization_id),
            scope.map(|scope| &scope.workspace_id),
            scope.map(|scope| &scope.agent),
            scope
                .and_then(|scope| scope.viewer.participant())
                .map(Participant::as_str),
        ];
        self.every(sql, within, |row| thread_place(row))
    }

    fn threads_with_turns(
        &self,
        lost_by: Option<DateTime<Utc>>,
    ) -> Result<Vec<(Scope, String)>, Stop> {
        let Some(by) = lost_by else {
            let sql = &self.sql.writes.threads_with_turns;
            return self.every(sql, [], |row| thread_place(row));
        };
        let (sql, by) = (
            &self.sql.writes.threads_with_lost_turns,
            by.timestamp_micros(),
        );
        self.every(sql, [by], |row| thread_place(row))
    }
}

impl WriterDatabase {
    /// Returns the thread with this id, if it is visible in this scope.
    fn whole_thread(&self, scope: &Scope, thread_id: &str) -> Result<Option<WholeThread>, Stop> {
        let place = params![
            scope.worker_id,
            scope.organization_id,
            scope.workspace_id,
            scope.agent,
            thread_id,
            scope.viewer.participant().map(Participant::as_str),
        ];
        self.first(&self.sql.reads.thread, place, |row| {
            WholeThread::read(row, scope)
        })
    }

    /// Marks the messages of a thread as those of a deleted thread, if they may be sent again.
    fn mark_sent(&self, thread: &WholeThread) -> Result<(), Stop> {
        let sql = &self.sql.writes;
        let at = timestamp::now().timestamp_micros();
        let sent = self.every(&sql.sent_in, params![thread.pk], |row| {
            Ok((row.text(0)?.to_owned(), row.optional_string(1)?))
        })?;
        for (client_event_id, user_id) in sent {
            let participants = &thread.record.participants;
            for owner in Participant::owners_of_ids(user_id.as_deref(), participants) {
                let key = params![
                    thread.workspace_pk,
                    owner.as_str(),
                    client_event_id,
                    thread.id(),
                    at
                ];
                self.execute(&sql.mark_sent, key)?;
            }
        }
        Ok(())
    }

    /// Returns the `pk` of a scope, which is created if it does not exist.
    fn scope_pk(&self, scope: &Scope) -> Result<i64, Stop> {
        let place = params![
            scope.worker_id,
            scope.organization_id,
            scope.workspace_id,
            scope.agent
        ];
        let find = || self.first(&self.sql.reads.scope, place, |row| row.number(0));
        if let Some(pk) = find()? {
            return Ok(pk);
        }
        self.execute(&self.sql.writes.insert_workspace, &place[..3])?;
        self.execute(&self.sql.writes.insert_scope, place)?;
        find()?.ok_or_else(|| Stop::Fault("a new scope is missing".into()))
    }
}
