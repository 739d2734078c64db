//! What the program changes in threads: stored, and then told.

use super::running::Running;
use crate::store::{Admit, Admitted, Change, Edited, Scope, StoreError, ThreadDraft, ThreadEdit};
use std::sync::Arc;

impl Running {
    /// Makes a thread, and tells of it.
    pub(super) async fn create_thread(
        self: &Arc<Self>,
        mut scope: Scope,
        draft: ThreadDraft,
    ) -> Result<Change, StoreError> {
        scope.admit()?;
        let draft = Admitted::new(draft)?.into_inner();
        let running = Arc::clone(self);
        let create = async move {
            let thread_id = draft.thread.id.clone();
            let create = running.store.create_thread(&scope, draft);
            running.runner.publisher().commit(&thread_id, create).await
        };
        self.to_the_end(create).await
    }

    /// Changes a thread, and tells of it. The result is what changed.
    pub(super) async fn edit_thread(
        self: &Arc<Self>,
        scope: Scope,
        thread_id: String,
        edit: ThreadEdit,
    ) -> Result<Vec<Change>, StoreError> {
        let edit = Admitted::new(edit)?.into_inner();
        let running = Arc::clone(self);
        let edit = async move {
            let publisher = running.runner.publisher();
            let may_withdraw = matches!(edit, ThreadEdit::RemoveEvent { .. });
            let report = |edited: &mut Edited| {
                if may_withdraw {
                    publisher.report_withdrawn(&edited.changes);
                }
            };
            let edit = running.store.edit_thread(&scope, &thread_id, edit);
            let Edited {
                changes,
                interrupted,
                waiting,
            } = publisher.commit_then(&thread_id, edit, report).await?;
            if let Some(event_id) = interrupted {
                running.runner.cancel(&event_id);
            }
            if let Err(error) = running.go_on(waiting).await {
                // The change is made and told: what waits begins with the next message, or at the next start.
                tracing::error!(target: "dooers::server", error = &error as &dyn std::error::Error, thread_id, "a turn that waits could not be claimed");
            }
            Ok(changes)
        };
        self.to_the_end(edit).await
    }

    /// Deletes a thread, drops the handlers of its turns, and tells of it.
    pub(super) async fn delete_thread(
        self: &Arc<Self>,
        scope: Scope,
        thread_id: String,
    ) -> Result<(), StoreError> {
        let running = Arc::clone(self);
        let delete = async move {
            let delete = running.store.delete_thread(&scope, &thread_id);
            let stop = |_: &mut Change| running.runner.stop(&thread_id);
            let publisher = running.runner.publisher();
            publisher.commit_then(&thread_id, delete, stop).await?;
            Ok(())
        };
        self.to_the_end(delete).await
    }

    /// Does something to its end, also if whoever waits for it stops waiting: what is stored must be told. A server that
    /// stops waits for it, as for what its sessions do, before it lets its turns finish.
    pub(super) async fn to_the_end<T, E>(
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
