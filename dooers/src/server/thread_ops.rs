//! Changes that the program makes to threads.

use super::server_state::ServerState;
use crate::store::{Admit, Admitted, Change, Edited, Scope, StoreError, ThreadDraft, ThreadEdit};
use std::sync::Arc;

impl ServerState {
    /// Stores a new thread and publishes it.
    pub(super) async fn create_thread(
        self: &Arc<Self>,
        mut scope: Scope,
        draft: ThreadDraft,
    ) -> Result<Change, StoreError> {
        scope.admit()?;
        let draft = Admitted::new(draft)?.into_inner();
        let server = Arc::clone(self);
        let create = async move {
            let thread_id = draft.thread.id.clone();
            let create = server.store.create_thread(&scope, draft);
            let publisher = server.runner.publisher();
            publisher.commit((&scope, &thread_id), create).await
        };
        self.run_detached(create).await
    }

    /// Changes a thread and publishes the changes. Returns them.
    pub(super) async fn edit_thread(
        self: &Arc<Self>,
        scope: Scope,
        thread_id: String,
        edit: ThreadEdit,
    ) -> Result<Vec<Change>, StoreError> {
        let edit = Admitted::new(edit)?.into_inner();
        let server = Arc::clone(self);
        let edit = async move {
            let publisher = server.runner.publisher();
            let may_withdraw = matches!(edit, ThreadEdit::RemoveEvent { .. });
            let report = |edited: &mut Edited| {
                if may_withdraw {
                    publisher.report_withdrawn(&edited.changes);
                }
            };
            let edit = server.store.edit_thread(&scope, &thread_id, edit);
            let Edited {
                changes,
                interrupted,
                waiting,
                unasked,
            } = publisher
                .commit_then((&scope, &thread_id), edit, report)
                .await?;
            if let Some(event_id) = interrupted {
                server.runner.cancel(&event_id);
            }
            if let Some(unasked) = unasked {
                server.runner.unask(&unasked);
            }
            if let Err(error) = server.resume_pending(waiting).await {
                // The change is stored and published. The queued turns start with the next message, or when the server
                // starts next.
                tracing::error!(target: "dooers::server", error = &error as &dyn std::error::Error, thread_id, "a queued turn could not be claimed");
            }
            Ok(changes)
        };
        self.run_detached(edit).await
    }

    /// Deletes a thread, drops the handlers of its turns, and publishes the deletion.
    pub(super) async fn delete_thread(
        self: &Arc<Self>,
        scope: Scope,
        thread_id: String,
    ) -> Result<(), StoreError> {
        let server = Arc::clone(self);
        let delete = async move {
            let delete = server.store.delete_thread(&scope, &thread_id);
            let stop = |_: &mut Change| server.runner.stop(&thread_id);
            let publisher = server.runner.publisher();
            publisher
                .commit_then((&scope, &thread_id), delete, stop)
                .await?;
            Ok(())
        };
        self.run_detached(delete).await
    }

    /// Completes a piece of work even if its caller stops waiting, because a stored change must be published. A server
    /// that stops waits for this work before it lets its turns finish, as it waits for its sessions.
    pub(super) async fn run_detached<T, E>(
        &self,
        work: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let failed = |source| {
            let what = "finish a change";
            Err(E::from(StoreError::Failed { what, source }))
        };
        match self.spawn(work).await {
            Ok(Some(done)) => done,
            Ok(None) => failed("the server has stopped".into()),
            Err(error) => failed(error.into()),
        }
    }
}
