//! The repository itself.

use super::RepositoryError;
use super::create::{CreateEvent, CreateRun, CreateThread, Place};
use super::list::List;
use super::lists::{Events, Runs, Threads};
use crate::protocol::{ContentPart, Run, Thread, ThreadEvent, new_id, timestamp};
use crate::reply::Reply;
use crate::server::running::Running;
use crate::store::{
    Change, ChangeBody, EventPatch, EventQuery, RunPatch, RunQuery, Scope, StoreError, ThreadEdit,
    ThreadPatch, ThreadQuery,
};
use std::sync::Arc;

/// The conversations and settings of a server, to read and to change outside of a turn.
///
/// [`WorkerServer::repository`](crate::WorkerServer::repository) gives it. Each call takes a [`Scope`]: what lies outside
/// of it is `NotFound`, as if it did not exist.
///
/// A change is stored, and then told to everybody who may see it, in the order of the thread's other changes: clients
/// that read slowly, or come back, get it as well. It is done to its end also if whoever awaits it stops to.
///
/// ```
/// use dooers::prelude::*;
/// use dooers::repository::Scope;
/// use dooers::protocol::User;
/// use dooers::{Database, WorkerServer};
///
/// #[dooers::agent]
/// async fn support() {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let config = WorkerConfig::new().database(Database::Memory);
/// let server = WorkerServer::new(config).agent::<support>();
/// let repository = server.repository().await?;
/// let scope = Scope::everyone::<support>("w1").organization("o1").workspace("s1");
///
/// let thread = repository.create_thread(&scope).title("Order 7").owner(User::new("ana")).await?;
/// repository.create_event(&scope, &thread.id, Reply::text("Your parcel is on its way.")).await?;
///
/// let page = repository.threads(&scope).user("ana").limit(20).await?;
/// assert_eq!(page.items[0].title.as_deref(), Some("Order 7"));
/// assert_eq!(page.next, None);
/// # server.close().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Repository {
    pub(super) running: Arc<Running>,
}

/// Threads.
impl Repository {
    pub(in crate::server) fn new(running: Arc<Running>) -> Self {
        Self { running }
    }

    /// The threads of the scope, those with the newest events first.
    pub fn threads(&self, scope: &Scope) -> List<Threads> {
        self.list(scope, Threads(ThreadQuery::newest(0)))
    }

    /// A thread.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope.
    pub async fn thread(&self, scope: &Scope, thread_id: &str) -> Result<Thread, RepositoryError> {
        Ok(self.running.store.thread(scope, thread_id).await?.thread)
    }

    /// Makes a thread without a message.
    ///
    /// Awaiting it gives the thread, or `Conflict` for an id that is taken.
    pub fn create_thread(&self, scope: &Scope) -> CreateThread {
        CreateThread::new(self.place(scope))
    }

    /// Changes the title or the metadata of a thread. The result is the thread as it is then.
    ///
    /// ```
    /// # use dooers::prelude::*;
    /// # use dooers::repository::{Repository, Scope};
    /// # async fn f(repository: Repository, scope: Scope) -> Result<()> {
    /// repository.update_thread(&scope, "order-7", |thread| thread.title("Order 7, sent")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope.
    pub async fn update_thread(
        &self,
        scope: &Scope,
        thread_id: &str,
        change: impl FnOnce(ThreadPatch) -> ThreadPatch + Send,
    ) -> Result<Thread, RepositoryError> {
        let patch = change(ThreadPatch::default());
        if patch.is_empty() {
            return self.thread(scope, thread_id).await;
        }
        let at = timestamp::now();
        thread_of(
            self.edit(scope, thread_id, ThreadEdit::Patch { patch, at })
                .await?,
        )
    }

    /// Deletes a thread with all that is in it, and cancels its turns, as `thread.delete` of a client does.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope.
    pub async fn remove_thread(
        &self,
        scope: &Scope,
        thread_id: &str,
    ) -> Result<(), RepositoryError> {
        let deleting = self
            .running
            .delete_thread(scope.clone(), thread_id.to_owned());
        Ok(deleting.await?)
    }

    pub(super) fn place(&self, scope: &Scope) -> Place {
        Place {
            running: Arc::clone(&self.running),
            scope: scope.clone(),
        }
    }

    fn list<L: super::Listed>(&self, scope: &Scope, listed: L) -> List<L> {
        List::new(Arc::clone(&self.running), scope.clone(), listed)
    }

    async fn edit(
        &self,
        scope: &Scope,
        thread_id: &str,
        edit: ThreadEdit,
    ) -> Result<Vec<Change>, RepositoryError> {
        let editing = self
            .running
            .edit_thread(scope.clone(), thread_id.to_owned(), edit);
        Ok(editing.await?)
    }
}

/// Events.
impl Repository {
    /// The events of a thread, the newest first.
    pub fn events(&self, scope: &Scope, thread_id: impl Into<String>) -> List<Events> {
        let listed = Events {
            thread_id: thread_id.into(),
            query: EventQuery::newest(0),
        };
        self.list(scope, listed)
    }

    /// An event of a thread.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, and for an event that is not in it or was removed.
    pub async fn event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<ThreadEvent, RepositoryError> {
        let event = self.running.store.event(scope, thread_id, event_id).await?;
        if event.is_deleted() {
            return Err(RepositoryError::NotFound("event in this thread"));
        }
        Ok(event)
    }

    /// Adds an event to a thread, behind those that are there.
    ///
    /// It begins no turn, whoever says it. A form can be answered by a user as one of a handler can.
    ///
    /// Awaiting it gives the event; `NotFound` for a thread outside the scope, a run that is not in it or a file that was
    /// never uploaded; `Conflict` for an id that is taken; `Invalid` for a message without content.
    pub fn create_event(
        &self,
        scope: &Scope,
        thread_id: impl Into<String>,
        event: Reply,
    ) -> CreateEvent {
        CreateEvent::new(self.place(scope), thread_id.into(), event)
    }

    /// Changes what an event says. Its place stays. The result is the event as it is then.
    ///
    /// A turn that answers it already has read what it said before.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, and for an event that is not in it or was removed; `Conflict` for a text
    /// that still grows; `Invalid` for no content at all.
    pub async fn update_event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
        change: impl FnOnce(EventPatch) -> EventPatch + Send,
    ) -> Result<ThreadEvent, RepositoryError> {
        let patch = change(EventPatch::default());
        if let Some(content) = patch.new_content() {
            check_content(content)?;
        }
        if patch == EventPatch::default() {
            return self.event(scope, thread_id, event_id).await;
        }
        let event_id = event_id.to_owned();
        let edit = ThreadEdit::UpdateEvent { event_id, patch };
        event_of(self.edit(scope, thread_id, edit).await?)
    }

    /// Removes an event: what it said is gone, and its place stays, with an empty message that is
    /// [`deleted`](ThreadEvent::deleted).
    ///
    /// If it is a message that waits for its answer, or is being answered, that is cancelled. A form that was not answered
    /// cannot be any more.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, and for an event that is not in it or was removed already; `Conflict` for
    /// a text that still grows.
    pub async fn remove_event(
        &self,
        scope: &Scope,
        thread_id: &str,
        event_id: &str,
    ) -> Result<(), RepositoryError> {
        let edit = ThreadEdit::RemoveEvent {
            event_id: event_id.to_owned(),
            run_id: new_id(),
            at: timestamp::now(),
        };
        self.edit(scope, thread_id, edit).await?;
        Ok(())
    }
}

/// Runs.
impl Repository {
    /// The runs of the scope, those that began last first.
    pub fn runs(&self, scope: &Scope) -> List<Runs> {
        self.list(scope, Runs(RunQuery::newest(0)))
    }

    /// A run of a thread.
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
        Ok(self.running.store.run(scope, thread_id, run_id).await?)
    }

    /// Starts a run in a thread, for work that the program does itself.
    ///
    /// It is `running` until [`update_run`](Self::update_run) ends it: it has no turn, so that no restart ends it and
    /// nobody can cancel it.
    ///
    /// Awaiting it gives the run; `NotFound` for a thread outside the scope, `Conflict` for an id that is taken.
    pub fn create_run(&self, scope: &Scope, thread_id: impl Into<String>) -> CreateRun {
        CreateRun::new(self.place(scope), thread_id.into())
    }

    /// Ends a run, or changes how it has ended. The result is the run as it is then.
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
    /// `NotFound` for a thread outside the scope, or a run that is not in it; `Conflict` for a run that its handler will end.
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

    /// Removes a run that has ended. Its events stay, with its id.
    ///
    /// Clients that were sent the run keep it.
    ///
    /// # Errors
    ///
    /// `NotFound` for a thread outside the scope, or a run that is not in it; `Conflict` for a run that goes on.
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

/// Refuses content that nobody could read.
pub(super) fn check_content(content: &[ContentPart]) -> Result<(), RepositoryError> {
    if content.is_empty() {
        return Err(RepositoryError::Invalid(
            "`content` is empty, and an event says something; to take away what it says, remove it"
                .to_owned(),
        ));
    }
    if content
        .iter()
        .any(|part| part.unresolved_upload().is_some())
    {
        return Err(RepositoryError::NotFound("upload"));
    }
    Ok(())
}

/// The thread among what changed.
pub(super) fn thread_of(changes: Vec<Change>) -> Result<Thread, RepositoryError> {
    found(changes, |body| match body {
        ChangeBody::Thread(record) => Some(record.thread),
        _ => None,
    })
}

/// The event among what changed.
pub(super) fn event_of(changes: Vec<Change>) -> Result<ThreadEvent, RepositoryError> {
    found(changes, |body| match body {
        ChangeBody::Event(event) => Some(*event),
        _ => None,
    })
}

/// The run among what changed.
pub(super) fn run_of(changes: Vec<Change>) -> Result<Run, RepositoryError> {
    found(changes, |body| match body {
        ChangeBody::Run(run) => Some(run),
        _ => None,
    })
}

fn found<T>(
    changes: Vec<Change>,
    pick: impl Fn(ChangeBody) -> Option<T>,
) -> Result<T, RepositoryError> {
    let found = changes.into_iter().find_map(|change| pick(change.body));
    found.ok_or_else(|| {
        RepositoryError::Store(StoreError::Failed {
            what: "say what it changed",
            source: "the change is not among its answer".into(),
        })
    })
}
