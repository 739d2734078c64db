//! What a writer does with the operations that wait: batch by batch.
//!
//! It reads what it must know of their threads, does them in memory, and writes what has changed in one statement. What was
//! refused because somebody else was faster is done again. If more waits, who is done hears of it when the next statement
//! is on its way: so the database works meanwhile.

use super::PostgresOptions;
use super::batch::{self, Done, Job};
use super::cache::{Cache, Cached, Place};
use super::commit::Commits;
use super::connect::{self, is_lost_row, is_race_row, query};
use super::difference::difference;
use super::known::{Known, Need};
use super::limit::LAST_TRY;
use super::link::{Link, Outcome};
use super::load::load;
use super::scopes::Scopes;
use super::statements::Statements;
use super::written::Rows;
use crate::crash;
use crate::store::list_clock::ListClock;
use crate::store::sql::{Columns, RowError};
use futures::future::join;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// So many operations share a statement at the most.
const BATCH: usize = 256;

/// So many numbers for new threads are taken at a time: as many as the sequence counts by.
const NUMBERS: i64 = 1024;

/// An operation is tried so many times by itself before the database's error is its answer.
const TRIES: usize = 5;

/// What a writer works with.
#[derive(Debug)]
pub(super) struct Session {
    link: Link,
    sql: Arc<Statements>,
    commits: Commits,
    cache: Cache,
    scopes: Scopes,
    /// For new threads.
    numbers: Range<i64>,
    /// What is done, and whose callers are not told yet.
    done: Vec<Box<dyn Job>>,
}

/// A batch that was done in memory.
struct Pending {
    known: Known,
    done: Done,
    places: HashMap<String, Place>,
    rows: Rows,
    /// The clocks of lists as they were before.
    clocks: Vec<(ListClock, i64)>,
}

impl Session {
    /// Connects.
    pub(super) async fn start(
        options: &PostgresOptions,
        sql: Arc<Statements>,
    ) -> Result<Self, RowError> {
        let mut link = Link::new(options, Arc::clone(&sql));
        link.open(link.end_since(Instant::now())).await?;
        Ok(Self {
            link,
            commits: Commits::new(options.table_prefix.clone()),
            cache: Cache::default(),
            scopes: Scopes::new(Arc::clone(&sql)),
            numbers: 0..0,
            done: Vec::new(),
            sql,
        })
    }

    /// Does what comes, until nothing will come any more.
    pub(super) async fn write_all(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
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

    /// Does these operations, together as far as possible.
    async fn write(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let end = self.link.end_since(Instant::now());
        let mut distrusted = HashSet::new();
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
                "a statement failed; each of its operations is redone by itself"
            );
            for job in jobs {
                self.write_alone(job).await;
            }
            return;
        }
    }

    /// Does an operation by itself, with nothing taken for granted.
    async fn write_alone(&mut self, job: Box<dyn Job>) {
        let end = self.link.end_since(Instant::now());
        let mut distrusted = HashSet::from([job.thread_id().to_owned()]);
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

    /// Does these operations once. Those that are done are gone from the list; the others are to be done again.
    async fn round(
        &mut self,
        jobs: &mut Vec<Box<dyn Job>>,
        distrusted: &mut HashSet<String>,
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
                    // Always: an answer that was given up may still come.
                    self.link.lose(&error);
                    if Instant::now() >= end {
                        return Err(error);
                    }
                }
                other => break other?,
            }
        };
        let Pending {
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
            let told = async { tell(&mut self.done) };
            // The statement is sent before anybody is told.
            let committed = join(commit, told).await.0;
            if !matches!(committed, Ok(Outcome::Done(_))) {
                rewind(&clocks);
            }
            match committed? {
                Outcome::Done(refused) => refused,
                Outcome::NotDone if Instant::now() < end => return Ok(()),
                // It was tried for long enough.
                Outcome::NotDone => return Err(sqlx::Error::PoolTimedOut.into()),
            }
        };
        crash::point("after-writer-commit");
        if !refused.is_empty() {
            // What is done moves the clocks again below.
            rewind(&clocks);
        }
        self.settle(jobs, distrusted, known, &done, &places, &refused);
        Ok(())
    }

    /// Reads what these operations must know, and does them in memory.
    async fn prepare(
        &mut self,
        jobs: &mut [Box<dyn Job>],
        distrusted: &HashSet<String>,
    ) -> Result<Pending, RowError> {
        let execution = self.link.execution();
        let connection = self.link.connection()?;
        let mut known = Known::default();
        known.distrusted.clone_from(distrusted);
        for job in &*jobs {
            let id = job.thread_id();
            if job.is_fresh() || distrusted.contains(id) {
                self.cache.take(id);
            }
        }
        loop {
            for job in &*jobs {
                for id in job.depends_on(&known) {
                    if let Some(cached) = self.cache.take(&id) {
                        known.add_thread(cached, false);
                    }
                }
            }
            let needs = jobs.iter().flat_map(|job| job.needs(&known)).collect();
            let needs = known.open(needs);
            let (fresh, needs): (Vec<_>, Vec<_>) = needs.into_iter().partition(|need| {
                let Need::List(scope) = need else {
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
                let first = rows.first().ok_or("there is no number for a thread")?;
                let first = first.number(0)?;
                self.numbers = first..first + NUMBERS;
            }
            let place = Place {
                pk: self
                    .numbers
                    .next()
                    .ok_or("there is no number for a thread")?,
                scope_pk,
                workspace_pk,
                version: 1,
            };
            places.insert(id.clone(), place);
        }
        let rows = difference(&known, &places)?;
        Ok(Pending {
            known,
            done,
            places,
            rows,
            clocks,
        })
    }

    /// Finds out what is done, and remembers the threads.
    fn settle(
        &mut self,
        jobs: &mut Vec<Box<dyn Job>>,
        distrusted: &mut HashSet<String>,
        mut known: Known,
        done: &Done,
        places: &HashMap<String, Place>,
        refused: &HashSet<i64>,
    ) {
        let mut stale: HashSet<String> = HashSet::new();
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
        distrusted.extend(stale.iter().cloned());
        for (id, state) in known.threads.by_id.drain() {
            if stale.contains(&id) {
                continue;
            }
            state.note_times();
            let place = match (known.before.get(&id), places.get(&id)) {
                (Some(before), _) if before.state == state => before.place,
                (Some(before), _) => Place {
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

/// Operations are done again, and the times that they took are free.
fn rewind(clocks: &[(ListClock, i64)]) {
    for (clock, newest) in clocks {
        clock.rewind(*newest);
    }
}

fn tell(done: &mut Vec<Box<dyn Job>>) {
    done.drain(..).for_each(Job::answer);
}

/// After that time, tells those that were refused again and again that the database has too much to do.
fn give_up(jobs: &mut Vec<Box<dyn Job>>, end: Instant) {
    if Instant::now() >= end {
        let error = sqlx::Error::PoolTimedOut.into();
        jobs.drain(..).for_each(|job| fail(job, &error));
    }
}

fn fail(job: Box<dyn Job>, error: &RowError) {
    job.fail(connect::again(error));
}
