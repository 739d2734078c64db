//! Telling the program of changed settings.

use crate::settings::SettingsUpdate;
use crate::{AgentError, Result};
use futures::FutureExt;
use futures::future::BoxFuture;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tokio::sync::mpsc;

/// So many changes wait for the program before whoever makes another has to wait.
const WAITING: usize = 256;

type Callback = dyn Fn(SettingsUpdate) -> BoxFuture<'static, Result<()>> + Send + Sync;

/// What the program does when settings were changed.
#[derive(Clone)]
pub(super) struct OnSettingsUpdated(Arc<Callback>);

impl OnSettingsUpdated {
    pub(super) fn new<F, R>(callback: F) -> Self
    where
        F: Fn(SettingsUpdate) -> R + Send + Sync + 'static,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        Self(Arc::new(move |update| Box::pin(callback(update))))
    }

    /// Where changes are sent, and what tells the program of them: one after the other, until nobody can send any more.
    pub(super) fn start(
        self,
    ) -> (
        mpsc::Sender<SettingsUpdate>,
        impl Future<Output = ()> + Send,
    ) {
        let (updates, mut waiting) = mpsc::channel(WAITING);
        let tell_all = async move {
            while let Some(update) = waiting.recv().await {
                self.tell(update).await;
            }
        };
        (updates, tell_all)
    }

    /// What the program makes of it does not undo the change.
    async fn tell(&self, update: SettingsUpdate) {
        let field = update.field_id.clone();
        // Also what the closure does before it gives its future.
        let told = AssertUnwindSafe(async { (self.0)(update).await }).catch_unwind();
        let told = told.await;
        if let Err(error) = told.unwrap_or_else(|_| Err(AgentError::from("it panicked"))) {
            tracing::error!(target: "dooers::settings", field, %error, "the program's callback for changed settings failed; the change stays");
        }
    }
}

impl fmt::Debug for OnSettingsUpdated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnSettingsUpdated(…)")
    }
}
