//! The task that writes, on a connection of its own.
//!
//! It puts what waits into one batch: reads what it must know, does the operations in memory, and writes what has changed
//! in one statement. What was refused because another process was faster is done again.
//!
//! **No statement is done twice, and none is lost.** A writer has a row in the database with the number of its last
//! statement, and each statement raises it by one, or does nothing. When a connection is lost in the middle of a statement,
//! the next connection raises the row's epoch first: that waits for a late statement, and bars one that has not begun. The
//! number tells then whether the statement was done.

use super::PostgresOptions;
use super::batch::{self, Done, Job, Waiting};
use super::cache::{Cache, Cached, Place};
use super::commit::Commits;
use super::connect::{self, connect, is_lost_row, is_race_row, local, query};
use super::difference::difference;
use super::known::Known;
use super::load::load;
use super::operations::Operation;
use super::scopes::Scopes;
use super::statements::Statements;
use super::written::Rows;
use crate::crash;
use crate::protocol::new_id;
use crate::store::sql::{Columns, RowError, int};
use crate::store::{StoreError, TurnKey};
use sqlx::postgres::{PgArguments, PgConnectOptions};
use sqlx::{Arguments, Connection, PgConnection};
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// So many operations share a statement at the most.
const BATCH: usize = 256;

/// So many operations wait for the writer before callers have to wait for room.
const QUEUE: usize = 1024;

/// So many numbers for new threads are taken at a time: as many as the sequence counts by.
const NUMBERS: i64 = 1024;

/// An operation is tried so many times by itself before the database's error is its answer.
const TRIES: usize = 5;

/// Who has long waited for the database is told so after one more try.
const LAST_TRY: Duration = Duration::from_millis(250);

/// The task that writes.
#[derive(Debug)]
pub(super) struct Writer {
    /// None once it is closed.
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Connects, and starts the task.
    pub(super) async fn start(
        options: &PostgresOptions,
        sql: Arc<Statements>,
    ) -> Result<Self, RowError> {
        let mut session = Session {
            connect: connect::connect_options(options),
            is_pooled: options.is_pooled(),
            patience: options.patience(),
            scopes: Scopes::new(Arc::clone(&sql)),
            sql,
            commits: Commits::new(options.table_prefix.clone()),
            connection: None,
            id: new_id(),
            statements: 0,
            epoch: 0,
            is_registered: false,
            cache: Cache::default(),
            numbers: 0..0,
            unresolved: None,
            orphans: Vec::new(),
        };
        session
            .connection(Instant::now() + session.patience)
            .await?;
        let (queue, jobs) = mpsc::channel(QUEUE);
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            task: tokio::sync::Mutex::new(Some(tokio::spawn(session.write_all(jobs)))),
        })
    }

    /// Does an operation. Once this has begun to wait for the answer, the operation is done even if nobody waits for
    /// it any more.
    pub(super) async fn run<O: Operation>(&self, operation: O) -> Result<O::Answer, StoreError> {
        let closed = || StoreError::Failed {
            what: O::WHAT,
            source: "the store is closed".into(),
        };
        let queue = unpoisoned(&self.queue).clone().ok_or_else(closed)?;
        let (waiting, answer) = Waiting::new(operation);
        queue.send(Box::new(waiting)).await.map_err(|_| closed())?;
        drop(queue);
        answer.await.map_err(|_| closed())?
    }

    /// Waits until all that was begun is written.
    pub(super) async fn close(&self) {
        unpoisoned(&self.queue).take();
        let mut task = self.task.lock().await;
        if let Some(task) = task.take() {
            // The task cannot panic; if it does, the database tidies up behind it.
            let _ = task.await;
        }
    }
}

/// What the task works with.
#[derive(Debug)]
struct Session {
    connect: PgConnectOptions,
    is_pooled: bool,
    patience: Duration,
    sql: Arc<Statements>,
    commits: Commits,
    /// None after it was lost.
    connection: Option<PgConnection>,
    /// Under which the database knows this writer.
    id: String,
    /// The number of its last statement.
    statements: i64,
    /// Raised by each of its connections: who writes with an older one is refused.
    epoch: i64,
    is_registered: bool,
    cache: Cache,
    scopes: Scopes,
    /// For new threads.
    numbers: Range<i64>,
    /// The number of a statement of which nobody could be told how it ended, and the turns that it claims.
    unresolved: Option<(i64, Vec<TurnKey>)>,
    /// Turns that were claimed by such a statement: nobody runs them.
    orphans: Vec<TurnKey>,
}

/// A batch that was done in memory.
struct Pending {
    known: Known,
    done: Done,
    places: HashMap<String, Place>,
    rows: Rows,
}

/// How a statement ended whose answer was lost.
enum Outcome {
    /// It was done, except for these threads.
    Done(HashSet<i64>),
    /// It was not done and never will be.
    NotDone,
}

impl Session {
    async fn write_all(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        let mut batch = Vec::with_capacity(BATCH);
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            self.write(std::mem::take(&mut batch)).await;
        }
        self.close().await;
    }

    /// Does these operations, together as far as possible, and answers.
    async fn write(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let mut distrusted = HashSet::new();
        while !jobs.is_empty() {
            let Err(error) = self.round(&mut jobs, &mut distrusted).await else {
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
        let mut distrusted = HashSet::from([job.thread_id().to_owned()]);
        let mut jobs = vec![job];
        for tries in 1.. {
            match self.round(&mut jobs, &mut distrusted).await {
                Ok(()) if jobs.is_empty() => return,
                Ok(()) => {}
                Err(error) if tries >= TRIES || !is_race_row(&error) => {
                    jobs.into_iter().for_each(|job| fail(job, &error));
                    return;
                }
                Err(_) => {}
            }
        }
    }

    /// Does these operations once. Those that are answered are gone from the list; the others are to be done again.
    async fn round(
        &mut self,
        jobs: &mut Vec<Box<dyn Job>>,
        distrusted: &mut HashSet<String>,
    ) -> Result<(), RowError> {
        let oldest = jobs.iter().map(|job| job.since()).min();
        let end = oldest.unwrap_or_else(Instant::now) + self.patience;
        let end = end.max(Instant::now() + LAST_TRY);
        let pending = loop {
            self.connection(end).await?;
            match self.prepare(jobs, distrusted).await {
                Err(error) if is_lost_row(&error) && Instant::now() < end => self.lose(&error),
                other => break other?,
            }
        };
        let Pending {
            known,
            done,
            places,
            rows,
        } = pending;
        let shape = rows.shape();
        let refused = if shape.is_empty() {
            HashSet::new()
        } else {
            let mut arguments = PgArguments::default();
            arguments.add(self.id.clone())?;
            arguments.add(self.statements + 1)?;
            arguments.add(self.epoch)?;
            rows.add_to(&mut arguments)?;
            let done = jobs.iter().zip(&done.depends_on);
            let done = done.filter(|(_, depends_on)| depends_on.is_some());
            let claims = done.filter_map(|(job, _)| job.claim()).collect();
            let statement = self.commits.statement(shape);
            match self.commit(&statement, arguments, claims, end).await? {
                Outcome::Done(refused) => refused,
                Outcome::NotDone if Instant::now() < end => return Ok(()),
                // It was tried for long enough.
                Outcome::NotDone => return Err(sqlx::Error::PoolTimedOut.into()),
            }
        };
        crash::point("after-writer-commit");
        self.settle(jobs, distrusted, known, &done, &places, &refused);
        Ok(())
    }

    /// Reads what these operations must know, and does them in memory.
    async fn prepare(
        &mut self,
        jobs: &mut [Box<dyn Job>],
        distrusted: &HashSet<String>,
    ) -> Result<Pending, RowError> {
        let connection = self.connection.as_mut().ok_or(NOT_CONNECTED)?;
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
            if needs.is_empty() {
                break;
            }
            load(connection, &self.sql, self.is_pooled, &mut known, needs).await?;
        }
        let done = batch::run(jobs, &mut known);
        let is_new = |id: &&String| !known.before.contains_key(*id);
        let mut places = HashMap::new();
        for id in known.threads.by_id.keys().filter(is_new) {
            let scope = known.threads.by_id[id].record().scope();
            let (scope_pk, workspace_pk) = self
                .scopes
                .place_of(connection, self.is_pooled, scope)
                .await?;
            if self.numbers.is_empty() {
                let mut local = local(connection, self.is_pooled).await?;
                let next = query(&self.sql.own.next_thread_pks).persistent(!self.is_pooled);
                let first = next.fetch_one(local.connection()).await?.number(0)?;
                local.end().await?;
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
        })
    }

    /// Executes the statement that writes. If its answer is lost, finds out how it ended.
    async fn commit(
        &mut self,
        statement: &Arc<str>,
        arguments: PgArguments,
        claims: Vec<TurnKey>,
        end: Instant,
    ) -> Result<Outcome, RowError> {
        let error = match timeout(self.patience, self.execute(statement, arguments)).await {
            Ok(Ok(Some(refused))) => {
                self.statements += 1;
                return Ok(Outcome::Done(refused));
            }
            Ok(Ok(None)) => {
                // Somebody has removed this writer's row. Nothing was written.
                self.is_registered = false;
                return Ok(Outcome::NotDone);
            }
            Ok(Err(error)) if !is_lost_row(&error) => return Err(error),
            Ok(Err(error)) => error,
            Err(_) => sqlx::Error::PoolTimedOut.into(),
        };
        self.lose(&error);
        let number = self.statements + 1;
        match self.connection(end).await {
            Ok(Some((last, refused))) if last == number => Ok(Outcome::Done(refused)),
            Ok(_) => Ok(Outcome::NotDone),
            Err(error) => {
                self.unresolved = Some((number, claims));
                Err(error)
            }
        }
    }

    /// The result is which threads were refused; none if it was not this statement's turn.
    async fn execute(
        &mut self,
        statement: &Arc<str>,
        arguments: PgArguments,
    ) -> Result<Option<HashSet<i64>>, RowError> {
        let connection = self.connection.as_mut().ok_or(NOT_CONNECTED)?;
        let mut local = local(connection, self.is_pooled).await?;
        let statement = connect::query_with(statement, arguments).persistent(!self.is_pooled);
        let row = statement.fetch_optional(local.connection()).await?;
        local.end().await?;
        row.map(|row| refused(&row, 0)).transpose()
    }

    /// Answers what is done, and remembers the threads.
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
                job.answer();
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

    /// Connects if the connection was lost, and tries until that time. The result of a new connection is the number of the
    /// last statement that was done, and which threads it refused.
    async fn connection(&mut self, end: Instant) -> Result<Option<(i64, HashSet<i64>)>, RowError> {
        if self.connection.is_some() && self.is_registered {
            return Ok(None);
        }
        let mut pause = connect::FIRST_PAUSE;
        loop {
            let error = match timeout(self.patience, self.try_connection(end)).await {
                Ok(Ok(last)) => return Ok(last),
                Ok(Err(error)) => error,
                Err(_) => sqlx::Error::PoolTimedOut.into(),
            };
            self.connection = None;
            if !is_lost_row(&error) || Instant::now() + pause >= end {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
            pause = connect::LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn try_connection(
        &mut self,
        end: Instant,
    ) -> Result<Option<(i64, HashSet<i64>)>, RowError> {
        let patience = end.saturating_duration_since(Instant::now()).max(LAST_TRY);
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.connect, patience).await?,
        };
        let mut last = None;
        let mut local = local(&mut connection, self.is_pooled).await?;
        if self.is_registered {
            let fence = query(&self.sql.own.fence_writer).bind(self.id.clone());
            let row = fence
                .persistent(!self.is_pooled)
                .fetch_optional(local.connection())
                .await?;
            match row {
                Some(row) => {
                    self.epoch = row.number(0)?;
                    last = Some((row.number(1)?, refused(&row, 2)?));
                }
                None => self.is_registered = false,
            }
        }
        if !self.is_registered {
            // Never one that was known before: a late statement of it would be taken for a new one.
            self.id = new_id();
            self.epoch = 0;
            let insert = query(&self.sql.own.insert_writer).bind(self.id.clone());
            insert
                .persistent(!self.is_pooled)
                .execute(local.connection())
                .await?;
        }
        local.end().await?;
        if let Some((number, claims)) = self.unresolved.take()
            && last.as_ref().is_some_and(|(last, _)| *last == number)
        {
            self.orphans.extend(claims);
        }
        self.statements = last.as_ref().map_or(0, |(number, _)| *number);
        self.is_registered = true;
        if !self.orphans.is_empty() {
            let (ids, fences) = self
                .orphans
                .iter()
                .map(|key| (key.event_id.clone(), int(key.fence)))
                .unzip::<_, _, Vec<_>, Vec<_>>();
            let mut local = connect::local(&mut connection, self.is_pooled).await?;
            let release = query(&self.sql.own.end_leases).bind(ids).bind(fences);
            let release = release.persistent(!self.is_pooled);
            release.execute(local.connection()).await?;
            local.end().await?;
            self.orphans.clear();
        }
        self.connection = Some(connection);
        Ok(last)
    }

    /// Gives a connection up that is lost.
    fn lose(&mut self, error: &RowError) {
        tracing::warn!(target: "dooers::store", error = &**error, "the connection to the database was lost");
        self.connection = None;
    }

    /// Ends in order.
    async fn close(mut self) {
        let Some(mut connection) = self.connection.take() else {
            return;
        };
        let remove = query(&self.sql.own.remove_writer)
            .bind(self.id.clone())
            .persistent(!self.is_pooled);
        let all = async {
            let mut local = local(&mut connection, self.is_pooled).await?;
            remove.execute(local.connection()).await?;
            local.end().await?;
            connection.close().await
        };
        // It is removed some day in any case.
        if let Ok(Err(error)) | Err(error) = timeout(LAST_TRY, all)
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)
        {
            tracing::debug!(target: "dooers::store", %error, "a writer could not be closed in order");
        }
    }
}

const NOT_CONNECTED: &str = "there is no connection to the database";

fn refused(row: &sqlx::postgres::PgRow, at: usize) -> Result<HashSet<i64>, RowError> {
    let threads: Vec<i64> = sqlx::Row::try_get(row, at)?;
    Ok(threads.into_iter().collect())
}

fn fail(job: Box<dyn Job>, error: &RowError) {
    job.fail(connect::again(error));
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
