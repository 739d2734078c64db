//! Reads the rows that a batch needs.

use super::cache::{Cached, ThreadSlot};
use super::rows::{json_rows, kept_event, kept_run};
use super::scopes::Scopes;
use super::working_set::{Dependency, WorkingSet};
use crate::protocol::FeedbackTarget;
use crate::store::feedback::KeptFeedback;
use crate::store::postgres::connect::execution::Execution;
use crate::store::postgres::connect::statement::{Query, query};
use crate::store::postgres::statements::Statements;
use crate::store::rules::{SentEvent, SentKey, ThreadRow};
use crate::store::sql::{Columns, RowError, WholeThread, day_total, feedback, turn};
use crate::store::state::ThreadState;
use crate::store::usage::{UsageOwner, UsageTotals};
use crate::store::{Participant, Scope, Viewer};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Reads the needed rows.
pub(crate) async fn load(
    connection: &mut PgConnection,
    sql: &Statements,
    execution: &Execution,
    known: &mut WorkingSet,
    scopes: &mut Scopes,
    needs: Vec<Dependency>,
) -> Result<(), RowError> {
    let (mut threads, mut sent) = (Vec::new(), Vec::new());
    let mut lists = Vec::new();
    let (mut thread_ids, mut event_ids, mut run_ids) = (Vec::new(), Vec::new(), Vec::new());
    let mut spent = Vec::new();
    let (mut events, mut answers, mut runs) =
        (Pairs::default(), Pairs::default(), Pairs::default());
    let mut feedback = FeedbackKeys::default();
    for need in needs.iter().filter(|need| need.is_storable()) {
        match need {
            Dependency::Thread { scope, thread_id } => {
                threads.push((scope.clone(), thread_id.clone()));
            }
            Dependency::ThreadId(id) => thread_ids.push(id.clone()),
            Dependency::Event {
                thread_id,
                event_id,
            } => events.push(known, thread_id, event_id),
            Dependency::Answer { thread_id, form_id } => answers.push(known, thread_id, form_id),
            Dependency::Run { thread_id, run_id } => runs.push(known, thread_id, run_id),
            Dependency::Feedback {
                thread_id,
                participant,
                target,
            } => feedback.push(known, thread_id, participant, target),
            Dependency::Sent(key) => sent.push(key.clone()),
            Dependency::EventId(id) => event_ids.push(id.clone()),
            Dependency::RunId(id) => run_ids.push(id.clone()),
            Dependency::List(scope) => lists.push(scope.clone()),
            Dependency::Spent { owner, days } => spent.push((owner.clone(), days.clone())),
        }
    }
    known.asked(needs);
    let mut reader = RowReader {
        connection,
        execution,
    };
    // First, because the threads are found by the keys of their scopes.
    if !lists.is_empty() {
        reader.lists(sql, lists, scopes).await?;
    }
    for cached in reader.threads(sql, threads, scopes).await? {
        known.add_thread(cached, true);
    }
    if !sent.is_empty() {
        for (key, event) in reader.sent(sql, sent).await? {
            known.add_sent(key, event);
        }
    }
    if !spent.is_empty() {
        reader.spent(sql, spent, &mut known.threads.totals).await?;
    }
    if !thread_ids.is_empty() {
        let taken = query(&sql.own.taken_threads).bind(thread_ids);
        for row in reader.rows(taken).await? {
            known.threads.taken.threads.insert(row.text(0)?.to_owned());
        }
    }
    if !event_ids.is_empty() {
        let taken = query(&sql.own.taken_events).bind(event_ids);
        for row in reader.rows(taken).await? {
            let (event_id, thread_id) = (row.text(0)?.to_owned(), row.text(1)?.to_owned());
            known.threads.taken.events.insert(event_id, thread_id);
        }
    }
    if !run_ids.is_empty() {
        let taken = query(&sql.own.taken_runs).bind(run_ids);
        for row in reader.rows(taken).await? {
            known.threads.taken.runs.insert(row.text(0)?.to_owned());
        }
    }
    for (pairs, statement) in [
        (events, &sql.own.load_events),
        (answers, &sql.own.load_answers),
    ] {
        for (row, thread_id) in reader.pairs(statement, pairs, 19).await? {
            known.add_event(&kept_event(&row, &thread_id)?);
        }
    }
    for (row, thread_id) in reader.pairs(&sql.own.load_runs, runs, 10).await? {
        known.add_run(&kept_run(&row, &thread_id)?);
    }
    for kept in reader.feedback(sql, feedback).await? {
        known.add_feedback(&kept);
    }
    Ok(())
}

/// Pairs of a thread and the id of a row in it.
#[derive(Debug, Default)]
struct Pairs {
    thread_pks: Vec<i64>,
    ids: Vec<String>,
    threads: HashMap<i64, String>,
}

impl Pairs {
    fn push(&mut self, known: &WorkingSet, thread_id: &str, id: &str) {
        // A new thread has no rows to read.
        if let Some(before) = known.before.get(thread_id) {
            self.thread_pks.push(before.place.pk);
            self.ids.push(id.to_owned());
            self.threads.insert(before.place.pk, thread_id.to_owned());
        }
    }
}

/// Participants and targets in threads.
#[derive(Debug, Default)]
struct FeedbackKeys {
    targets: Pairs,
    participants: Vec<String>,
    target_types: Vec<String>,
}

impl FeedbackKeys {
    fn push(
        &mut self,
        known: &WorkingSet,
        thread_id: &str,
        participant: &Participant,
        target: &FeedbackTarget,
    ) {
        let before = self.targets.ids.len();
        self.targets.push(known, thread_id, target.id());
        if self.targets.ids.len() > before {
            let target_type = target.target_type().as_str().to_owned();
            self.target_types.push(target_type);
            self.participants.push(participant.as_str().to_owned());
        }
    }
}

struct RowReader<'c> {
    connection: &'c mut PgConnection,
    execution: &'c Execution,
}

impl RowReader<'_> {
    async fn rows(&mut self, query: Query) -> Result<Vec<PgRow>, RowError> {
        Ok(self.execution.rows(self.connection, query).await?)
    }

    /// Reads the threads with these ids that are visible in these scopes. A scope without a key has no threads.
    async fn threads(
        &mut self,
        sql: &Statements,
        threads: Vec<(Scope, String)>,
        scopes: &mut Scopes,
    ) -> Result<Vec<Cached>, RowError> {
        let (mut ids, mut scope_pks, mut participants) = (Vec::new(), Vec::new(), Vec::new());
        for (scope, id) in threads {
            if let Some(scope_pk) = scopes.pk(&scope.of_everyone()) {
                let viewer = scope.viewer.participant();
                participants.push(viewer.map(|viewer| viewer.as_str().to_owned()));
                scope_pks.push(scope_pk);
                ids.push(id);
            }
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = query(&sql.own.load_threads).bind(ids);
        let rows = self.rows(query.bind(scope_pks).bind(participants)).await?;
        rows.iter().map(|row| thread(row, scopes)).collect()
    }

    /// Returns the rows of these pairs with the ids of their threads. `pk` is the column of the thread's key.
    async fn pairs(
        &mut self,
        statement: &Arc<str>,
        pairs: Pairs,
        pk: usize,
    ) -> Result<Vec<(PgRow, String)>, RowError> {
        if pairs.ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = query(statement).bind(pairs.thread_pks).bind(pairs.ids);
        let with_thread = |row: PgRow| {
            let thread = pairs.threads.get(&row.number(pk)?);
            let thread = thread.ok_or(OTHER_THREAD)?;
            Ok((row, thread.clone()))
        };
        self.rows(query)
            .await?
            .into_iter()
            .map(with_thread)
            .collect()
    }

    async fn feedback(
        &mut self,
        sql: &Statements,
        keys: FeedbackKeys,
    ) -> Result<Vec<KeptFeedback>, RowError> {
        let Pairs {
            thread_pks,
            ids,
            threads,
        } = keys.targets;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = query(&sql.own.load_feedback)
            .bind(thread_pks)
            .bind(keys.participants)
            .bind(keys.target_types)
            .bind(ids);
        let kept = |row: PgRow| {
            let thread_id = threads.get(&row.number(10)?);
            let thread_id = thread_id.ok_or(OTHER_THREAD)?;
            Ok(KeptFeedback {
                participant: Participant::from_stored(row.text(9)?.to_owned()),
                feedback: feedback(&row, thread_id)?,
            })
        };
        self.rows(query).await?.into_iter().map(kept).collect()
    }

    /// Reads the keys of these scopes, and the newest times in their lists.
    async fn lists(
        &mut self,
        sql: &Statements,
        lists: Vec<Scope>,
        scopes: &mut Scopes,
    ) -> Result<(), RowError> {
        let column = |of: fn(&Scope) -> &str| -> Vec<String> {
            lists.iter().map(|scope| of(scope).to_owned()).collect()
        };
        let query = query(&sql.own.load_lists)
            .bind(column(|scope| &scope.worker_id))
            .bind(column(|scope| &scope.organization_id))
            .bind(column(|scope| &scope.workspace_id))
            .bind(column(|scope| &scope.agent));
        for row in self.rows(query).await? {
            let place = usize::try_from(row.number(0)? - 1)?;
            let scope = lists
                .get(place)
                .ok_or("the database returned an unknown scope")?;
            scopes.found(scope, (row.number(1)?, row.number(2)?));
            let clock = scopes.clock(scope);
            for at in [row.optional_number(3)?, row.optional_number(4)?] {
                at.into_iter().for_each(|at| clock.note(at));
            }
        }
        lists.iter().for_each(|scope| scopes.asked(scope));
        Ok(())
    }

    /// Reads the totals of these owners in these days.
    async fn spent(
        &mut self,
        sql: &Statements,
        keys: Vec<(UsageOwner, RangeInclusive<i64>)>,
        totals: &mut UsageTotals,
    ) -> Result<(), RowError> {
        let column = |at: usize| -> Vec<String> {
            let owners = keys.iter().map(|(owner, _)| owner.columns()[at].to_owned());
            owners.collect()
        };
        let days = |of: fn(&RangeInclusive<i64>) -> &i64| -> Vec<i64> {
            keys.iter().map(|(_, days)| *of(days)).collect()
        };
        let query = query(&sql.own.load_spent)
            .bind(column(0))
            .bind(column(1))
            .bind(column(2))
            .bind(days(RangeInclusive::start))
            .bind(days(RangeInclusive::end));
        for row in self.rows(query).await? {
            let place = usize::try_from(row.number(0)? - 1)?;
            let (owner, _) = keys
                .get(place)
                .ok_or("the database returned an unknown owner")?;
            let (day, currency) = (row.number(1)?, row.text(2)?.to_owned());
            totals.set(owner.clone(), day, currency, day_total(&row, 3)?);
        }
        Ok(())
    }

    async fn sent(
        &mut self,
        sql: &Statements,
        keys: Vec<SentKey>,
    ) -> Result<Vec<(SentKey, SentEvent)>, RowError> {
        let column = |of: fn(&SentKey) -> &str| -> Vec<String> {
            keys.iter().map(|key| of(key).to_owned()).collect()
        };
        let query = query(&sql.own.load_sent)
            .bind(column(|key| &key.worker_id))
            .bind(column(|key| &key.organization_id))
            .bind(column(|key| &key.workspace_id))
            .bind(column(|key| key.participant.as_str()))
            .bind(column(|key| &key.client_event_id));
        let sent = |row: PgRow| {
            let key = usize::try_from(row.number(0)? - 1)?;
            let key = keys
                .get(key)
                .ok_or("the database returned an unknown message")?;
            let event = SentEvent {
                thread_id: row.text(1)?.to_owned(),
                event_id: row.text(2)?.to_owned(),
                // Only a deletion in this batch matters.
                deleted_at: None,
            };
            Ok((key.clone(), event))
        };
        self.rows(query).await?.into_iter().map(sent).collect()
    }
}

const OTHER_THREAD: &str = "the database returned a row of another thread";

fn thread(row: &PgRow, scopes: &mut Scopes) -> Result<Cached, RowError> {
    let scope = Scope {
        agent: row.text(16)?.to_owned(),
        worker_id: row.text(17)?.to_owned(),
        organization_id: row.text(18)?.to_owned(),
        workspace_id: row.text(19)?.to_owned(),
        viewer: Viewer::Everyone,
    };
    let whole = WholeThread::read(row, &scope)?;
    let id = whole.id().to_owned();
    let turns = json_rows(row, 20)?;
    let runs = json_rows(row, 21)?;
    let events = json_rows(row, 22)?;
    let clock = scopes.clock(&scope);
    clock.note(whole.record.thread.last_event_at.timestamp_micros());
    Ok(Cached {
        place: ThreadSlot {
            pk: whole.pk,
            scope_pk: whole.scope_pk,
            workspace_pk: whole.workspace_pk,
            version: row.number(15)?,
        },
        state: ThreadState {
            row: ThreadRow {
                record: whole.record,
                row_rev: whole.row_rev,
                last_seq: whole.last_seq,
            },
            events: events
                .iter()
                .map(|row| kept_event(row, &id))
                .collect::<Result<_, _>>()?,
            runs: runs
                .iter()
                .map(|row| kept_run(row, &id))
                .collect::<Result<_, _>>()?,
            turns: turns.iter().map(turn).collect::<Result<_, _>>()?,
            feedback: Vec::new(),
            clock,
        },
    })
}
