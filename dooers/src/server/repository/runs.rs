//! The runs of a [`Repository`].

use super::handle::{check_id, found};
use super::list::{FindError, Part, Sealed};
use super::target::Target;
use super::{List, Listed, Repository, RepositoryError};
use crate::protocol::{Run, RunStatus, new_id, timestamp};
use crate::store::{Change, ChangeBody, RunCursor, RunPatch, RunQuery, Scope, Store, ThreadEdit};
use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;

/// Methods for runs.
impl Repository {
    /// Lists the runs of the scope, the one that started last first.
    pub fn runs(&self, scope: &Scope) -> List<Runs> {
        self.list(scope, Runs(RunQuery::newest(0)))
    }

    /// Reads a run of a thread.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, or a run that is not in it.
    pub async fn run(
        &self,
        scope: &Scope,
        thread_id: &str,
        run_id: &str,
    ) -> Result<Run, RepositoryError> {
        let place = self.place(scope);
        let (server, scope) = place.open()?;
        Ok(server.store.run(scope, thread_id, run_id).await?)
    }

    /// Starts a run in a thread, for work that the program does itself.
    ///
    /// The run is `running` until [`update_run`](Self::update_run) ends it. It has no turn, so no restart ends it and
    /// no user can cancel it.
    ///
    /// # Errors
    ///
    /// Awaiting it returns the run, or `NotFound` for a thread outside the scope, or `Conflict` for an id that is
    /// taken.
    pub fn create_run(&self, scope: &Scope, thread_id: impl Into<String>) -> CreateRun {
        CreateRun::new(self.place(scope), thread_id.into())
    }

    /// Ends a run, or changes its result. Returns the changed run.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::repository::{Repository, RunPatch, Scope};
    /// # async fn f(repository: Repository, scope: Scope) -> Result<()> {
    /// let run = repository.create_run(&scope, "order-7").await?;
    /// repository.create_event(&scope, "order-7", Reply::text("Packed.")).run(&run.id).await?;
    /// repository.update_run(&scope, "order-7", &run.id, RunPatch::succeeded).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, or a run that is not in it; `Conflict` for a run that its handler
    /// will end.
    pub async fn update_run(
        &self,
        scope: &Scope,
        thread_id: &str,
        run_id: &str,
        change: impl FnOnce(RunPatch) -> RunPatch + Send,
    ) -> Result<Run, RepositoryError> {
        let patch = change(RunPatch::default());
        if patch == RunPatch::default() {
            return self.run(scope, thread_id, run_id).await;
        }
        let edit = ThreadEdit::UpdateRun {
            run_id: run_id.to_owned(),
            patch,
            at: timestamp::now(),
        };
        run_of(self.edit(scope, thread_id, edit).await?)
    }

    /// Removes a run that has ended. Its events stay, and keep the id of the run.
    ///
    /// Clients that have received the run keep it.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, or a run that is not in it; `Conflict` for a run that has not ended.
    pub async fn remove_run(
        &self,
        scope: &Scope,
        thread_id: &str,
        run_id: &str,
    ) -> Result<(), RepositoryError> {
        let edit = ThreadEdit::RemoveRun(run_id.to_owned());
        self.edit(scope, thread_id, edit).await?;
        Ok(())
    }
}

/// The runs of a scope, ordered by their start.
#[derive(Debug, Clone)]
pub struct Runs(RunQuery);

impl List<Runs> {
    /// Lists only runs of this thread.
    pub fn thread(mut self, thread_id: impl Into<String>) -> Self {
        self.listed.0.thread_id = Some(thread_id.into());
        self
    }

    /// Lists only runs that answer the message with this id.
    pub fn answering(mut self, event_id: impl Into<String>) -> Self {
        self.listed.0.event_id = Some(event_id.into());
        self
    }

    /// Lists only runs with this status. It can be called several times, and then accepts any of the statuses.
    pub fn status(mut self, status: RunStatus) -> Self {
        self.listed.0.statuses.push(status);
        self
    }

    /// Lists only runs that started at this time or later.
    pub fn started_since(mut self, at: DateTime<Utc>) -> Self {
        self.listed.0.started_since = Some(at);
        self
    }

    /// Lists only runs that started before this time.
    pub fn started_before(mut self, at: DateTime<Utc>) -> Self {
        self.listed.0.started_before = Some(at);
        self
    }
}

impl Sealed for Runs {}

impl Listed for Runs {
    type Item = Run;

    fn find<'a>(
        &'a self,
        store: &'a dyn Store,
        scope: &'a Scope,
        part: Part<'a>,
    ) -> BoxFuture<'a, Result<Vec<Run>, FindError>> {
        async move {
            let query = RunQuery {
                order: part.order,
                after: part.after.map(str::parse).transpose()?,
                limit: part.limit,
                ..self.0.clone()
            };
            Ok(store.find_runs(scope, &query).await?)
        }
        .boxed()
    }

    fn cursor(run: &Run) -> String {
        RunCursor {
            started_at: run.started_at,
            run_id: run.id.clone(),
        }
        .to_string()
    }
}
/// The builder of a run. Awaiting it stores and publishes the run.
#[derive(Debug)]
#[must_use = "nothing is stored until it is awaited"]
pub struct CreateRun {
    place: Target,
    run: Run,
}

impl CreateRun {
    pub(super) fn new(place: Target, thread_id: String) -> Self {
        let run = Run {
            id: new_id(),
            thread_id,
            event_id: None,
            agent_id: Some(place.agent().to_owned()),
            status: RunStatus::Running,
            started_at: timestamp::now(),
            ended_at: None,
            error: None,
            usage: Vec::new(),
        };
        Self { place, run }
    }

    /// Sets the id, of 1 to 128 bytes, which no other run may have. By default, an id is generated.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.run.id = id.into();
        self
    }

    /// Sets the name of the agent that runs, if it is not the agent of the scope.
    pub fn agent(mut self, name: impl Into<String>) -> Self {
        self.run.agent_id = Some(name.into());
        self
    }
}

impl IntoFuture for CreateRun {
    type Output = Result<Run, RepositoryError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        async move {
            check_id("a run", &self.run.id)?;
            let (server, scope) = self.place.open()?;
            let thread_id = self.run.thread_id.clone();
            let edit = ThreadEdit::CreateRun(Run {
                started_at: timestamp::now(),
                ..self.run
            });
            run_of(server.edit_thread(scope.clone(), thread_id, edit).await?)
        }
        .boxed()
    }
}

/// Finds the run among the changes.
fn run_of(changes: Vec<Change>) -> Result<Run, RepositoryError> {
    found(changes, |body| match body {
        ChangeBody::Run(run) => Some(run),
        _ => None,
    })
}
