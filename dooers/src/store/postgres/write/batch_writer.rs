//! The work of the writer, batch by batch.
//!
//! The writer reads the rows that the waiting operations need, executes the operations in memory, and writes the
//! changes in one statement. Operations that were refused because another process was faster are executed again. If
//! more operations wait, callers receive their results only after the next statement was sent, so that the database
//! works in the meantime.

use super::batch::{self, Done, Job};
use super::cache::{Cache, Cached, ThreadSlot};
use super::commit::Commits;
use super::diff::diff;
use super::load::load;
use super::scopes::Scopes;
use super::working_set::{Dependency, Distrusted, WorkingSet};
use super::write_set::Rows;
use super::writer_connection::{StatementOutcome, WriterConnection};
use crate::crash;
use crate::store::Scope;
use crate::store::list_clock::ListClock;
use crate::store::outbox::OutboxSwitch;
use crate::store::postgres::PostgresOptions;
use crate::store::postgres::connect::error::{again, is_lost_row, is_race_row};
use crate::store::postgres::connect::limit::LAST_TRY;
use crate::store::postgres::connect::statement::query;
use crate::store::postgres::statements::Statements;
use crate::store::sql::{Columns, RowError};
use futures::future::join;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Maximum number of operations in a statement.
const BATCH: usize = 256;

/// The number of thread numbers that are taken at a time. It equals the increment of the sequence.
const NUMBERS: i64 = 1024;

/// Maximum number of attempts of a single operation, before it fails with the database's error.
const TRIES: usize = 5;

/// The state of a writer.
#[derive(Debug)]
pub(crate) struct BatchWriter {
    link: WriterConnection,
    sql: Arc<Statements>,
    commits: Commits,
    cache: Cache,
    scopes: Scopes,
    /// Unused numbers for new threads.
    numbers: Range<i64>,
    /// Finished operations whose callers have not received the results yet.
    done: Vec<Box<dyn Job>>,
    outbox: OutboxSwitch,
}

/// A batch that was executed in memory.
struct ExecutedBatch {
    known: WorkingSet,
    done: Done,
    places: HashMap<String, ThreadSlot>,
    rows: Rows,
    /// The clocks of the lists, with their times before the batch.
    clocks: Vec<(ListClock, i64)>,
}

impl BatchWriter {
    /// Connects to the database.
    pub(crate) async fn start(
        options: &PostgresOptions,
        sql: Arc<Statements>,
        outbox: OutboxSwitch,
    ) -> Result<Self, RowError> {
        let mut link = WriterConnection::new(options, Arc::clone(&sql));
        link.open(link.end_since(Instant::now())).await?;
        Ok(Self {
            link,
            commits: Commits::new(options.table_prefix.clone()),
            cache: Cache::default(),
            scopes: Scopes::new(Arc::clone(&sql)),
            numbers: 0..0,
            done: Vec::new(),
            outbox,
            sql,
        })
    }

    /// Executes operations until the queue is closed.
    pub(crate) async fn write_all(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        let mut batch = Vec::with_capacity(BATCH);
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            self.write(std::mem::take(&mut batch)).await;
            if jobs.is_empty() {
                tell(&mut self.done);
            }
        }
        tell(&mut self.done);
        self.link.close().await;
    }

    /// Executes these operations, together if possible.
    async fn write(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let end = self.link.end_since(Instant::now());
        let mut distrusted = Distrusted::default();
        while !jobs.is_empty() {
            let Err(error) = self.round(&mut jobs, &mut distrusted).await else {
                give_up(&mut jobs, end);
                continue;
            };
            if is_lost_row(&error) {
                jobs.into_iter().for_each(|job| fail(job, &error));
                return;
            }
            let operations = jobs.len();
            tracing::warn!(
                target: "dooers::store", error = &*error, operations,
                "a statement failed; each of its operations is repeated in its own statement"
            );
            for job in jobs {
                self.write_alone(job).await;
            }
            return;
        }
    }

    /// Executes an operation alone, without trusting the cache.
    async fn write_alone(&mut self, job: Box<dyn Job>) {
        let end = self.link.end_since(Instant::now());
        let mut distrusted = Distrusted::default();
        if let Some((scope, thread_id)) = job.thread() {
            distrusted.insert(scope, thread_id);
        }
        let mut jobs = vec![job];
        for tries in 1.. {
            match self.round(&mut jobs, &mut distrusted).await {
                Ok(()) if jobs.is_empty() => return,
                Ok(()) => give_up(&mut jobs, end),
                Err(error) if tries >= TRIES || !is_race_row(&error) => {
                    jobs.into_iter().for_each(|job| fail(job, &error));
                    return;
                }
                Err(_) => {}
            }
        }
    }

    /// Executes these operations once. Finished operations are removed from the list, and the others must be executed
    /// again.
    async fn round(
        &mut self,
        jobs: &mut Vec<Box<dyn Job>>,
        distrusted: &mut Distrusted,
    ) -> Result<(), RowError> {
        let oldest = jobs.iter().map(|job| job.since()).min();
        let end = self.link.end_since(oldest.unwrap_or_else(Instant::now));
        let end = end.max(Instant::now() + LAST_TRY);
        let pending = loop {
            if !self.link.is_open() {
                tell(&mut self.done);
            }
            self.link.open(end).await?;
            match self.prepare(jobs, distrusted).await {
                Err(error) if is_lost_row(&error) => {
                    // The connection is dropped in any case, because a late answer may still arrive.
                    self.link.lose(&error);
                    if Instant::now() >= end {
                        return Err(error);
                    }
                }
                other => break other?,
            }
        };
        let ExecutedBatch {
            known,
            done,
            places,
            rows,
            clocks,
        } = pending;
        let shape = rows.shape();
        let refused = if shape.is_empty() {
            HashSet::new()
        } else {
            let statement = self.commits.statement(shape);
            let commit = self.link.commit(&statement, rows, end);
            let answered = async { tell(&mut self.done) };
            // The statement is sent before the callers receive their results.
            let committed = join(commit, answered).await.0;
            if !matches!(committed, Ok(StatementOutcome::Done(_))) {
                rewind(&clocks);
            }
            match committed? {
                StatementOutcome::Done(refused) => refused,
                StatementOutcome::NotDone if Instant::now() < end => return Ok(()),
                // The time for attempts has passed.
                StatementOutcome::NotDone => return Err(sqlx::Error::PoolTimedOut.into()),
            }
        };
        crash::point("after-writer-commit");
        if !refused.is_empty() {
            // `activate` advances the clocks again for the finished operations.
            rewind(&clocks);
        }
        self.activate(jobs, distrusted, known, &done, &places, &refused);
        Ok(())
    }

    /// Reads the rows that these operations need, and executes the operations in memory.
    async fn prepare(
        &mut self,
        jobs: &mut [Box<dyn Job>],
        distrusted: &Distrusted,
    ) -> Result<ExecutedBatch, RowError> {
        let execution = self.link.execution();
        let connection = self.link.connection()?;
        let mut known = WorkingSet::default();
        known.distrusted.clone_from(distrusted);
        known.threads.outbox.filter = self.outbox.filter();
        for (job, scope, id) in with_threads(jobs) {
            if job.is_fresh() || distrusted.contains(scope, id) {
                self.cache.take(scope, id);
            }
        }
        loop {
            for (job, scope, _) in with_threads(jobs) {
                for id in job.depends_on(&known) {
                    if let Some(cached) = self.cache.take(scope, &id) {
                        known.add_thread(cached, false);
                    }
                }
            }
            let needs = jobs.iter().flat_map(|job| job.needs(&known)).collect();
            let needs = known.open(needs);
            let (fresh, needs): (Vec<_>, Vec<_>) = needs.into_iter().partition(|need| {
                let Dependency::List(scope) = need else {
                    return false;
                };
                let clock = self.scopes.clock(scope);
                known.threads.clocks.insert(scope.clone(), clock);
                self.scopes.is_fresh(scope)
            });
            known.asked(fresh);
            if needs.is_empty() {
                break;
            }
            tell(&mut self.done);
            let scopes = &mut self.scopes;
            load(connection, &self.sql, &execution, &mut known, scopes, needs).await?;
        }
        let clocks = known.threads.clocks.times();
        let done = batch::run(jobs, &mut known);
        let is_new = |id: &&String| !known.before.contains_key(*id);
        let mut places = HashMap::new();
        for id in known.threads.by_id.keys().filter(is_new) {
            let scope = known.threads.by_id[id].record().scope();
            let (scope_pk, workspace_pk) =
                self.scopes.place_of(connection, &execution, scope).await?;
            if self.numbers.is_empty() {
                let next = query(&self.sql.own.next_thread_pks);
                let rows = execution.rows(connection, next).await?;
                let first = rows
                    .first()
                    .ok_or("the sequence of thread numbers is empty")?;
                let first = first.number(0)?;
                self.numbers = first..first + NUMBERS;
            }
            let place = ThreadSlot {
                pk: self
                    .numbers
                    .next()
                    .ok_or("the sequence of thread numbers is empty")?,
                scope_pk,
                workspace_pk,
                version: 1,
            };
            places.insert(id.clone(), place);
        }
        let rows = diff(&known, &places)?;
        Ok(ExecutedBatch {
            known,
            done,
            places,
            rows,
            clocks,
        })
    }

    /// Separates finished operations from refused ones, and puts the threads into the cache.
    fn activate(
        &mut self,
        jobs: &mut Vec<Box<dyn Job>>,
        distrusted: &mut Distrusted,
        mut known: WorkingSet,
        done: &Done,
        places: &HashMap<String, ThreadSlot>,
        refused: &HashSet<i64>,
    ) {
        let mut stale = std::mem::take(&mut known.outdated);
        let before = known
            .before
            .iter()
            .map(|(id, before)| (id, before.place.pk));
        let new = places.iter().map(|(id, place)| (id, place.pk));
        for (id, pk) in before.chain(new) {
            if refused.contains(&pk) {
                stale.insert(id.clone());
            }
        }
        let mut left = Vec::new();
        for (job, depends_on) in std::mem::take(jobs).into_iter().zip(&done.depends_on) {
            let is_done = depends_on
                .as_ref()
                .is_some_and(|threads| threads.iter().all(|id| !stale.contains(id)));
            if is_done {
                self.done.push(job);
            } else {
                left.push(job);
            }
        }
        *jobs = left;
        distrusted.clone_from(&known.distrusted);
        for (_, scope, id) in with_threads(jobs) {
            if stale.contains(id) {
                distrusted.insert(scope, id);
            }
        }
        for (id, state) in known.threads.by_id.drain() {
            if stale.contains(&id) {
                continue;
            }
            state.note_times();
            let place = match (known.before.get(&id), places.get(&id)) {
                (Some(before), _) if before.state == state => before.place,
                (Some(before), _) => ThreadSlot {
                    version: before.place.version + 1,
                    ..before.place
                },
                (None, Some(place)) => *place,
                (None, None) => continue,
            };
            self.cache.put(Cached { place, state });
        }
    }
}

/// Returns the operations on threads, with their scopes and threads.
fn with_threads(
    jobs: &[Box<dyn Job>],
) -> impl Iterator<Item = (&(dyn Job + 'static), &Scope, &str)> {
    jobs.iter()
        .filter_map(|job| job.thread().map(|(scope, id)| (&**job, scope, id)))
}

/// Resets the clocks, because the operations are repeated.
fn rewind(clocks: &[(ListClock, i64)]) {
    for (clock, newest) in clocks {
        clock.rewind(*newest);
    }
}

fn tell(done: &mut Vec<Box<dyn Job>>) {
    done.drain(..).for_each(Job::answer);
}

/// After `end`, fails the operations that were refused again and again.
fn give_up(jobs: &mut Vec<Box<dyn Job>>, end: Instant) {
    if Instant::now() >= end {
        let error = sqlx::Error::PoolTimedOut.into();
        jobs.drain(..).for_each(|job| fail(job, &error));
    }
}

fn fail(job: Box<dyn Job>, error: &RowError) {
    job.fail(again(error));
}
