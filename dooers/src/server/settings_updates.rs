//! Notifications of the program about changed settings.

use crate::settings::{SettingsUpdate, SettingsWatch};
use crate::{AgentError, Result};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

type Callback = dyn Fn(SettingsUpdate) -> BoxFuture<'static, Result<()>> + Send + Sync;

/// The program's callback for changed settings.
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

    /// Calls the callback for each of these changes, one after the other. The writer of a change does not wait for the
    /// callback, so that the callback can make another change.
    pub(super) async fn notify_all(self, mut changes: SettingsWatch) {
        while let Some(update) = changes.next().await {
            self.notify(update).await;
        }
    }

    /// Calls the callback for one change. An error of the callback is logged and does not undo the change.
    async fn notify(&self, update: SettingsUpdate) {
        let field = update.field_id.clone();
        // A panic of the closure before it returns its future is caught as well.
        let call = AssertUnwindSafe(async { (self.0)(update).await }).catch_unwind();
        let result = call.await;
        if let Err(error) =
            result.unwrap_or_else(|_| Err(AgentError::from("the callback panicked")))
        {
            tracing::error!(target: "dooers::settings", field, %error, "the program's callback for changed settings failed; the change stays");
        }
    }
}

impl fmt::Debug for OnSettingsUpdated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnSettingsUpdated(…)")
    }
}
