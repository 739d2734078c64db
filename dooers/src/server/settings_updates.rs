//! Notifications of the program about changed settings.

use super::callback::Callback;
use crate::settings::{SettingsUpdate, SettingsWatch};
use futures::StreamExt;

/// Calls the program's callback for each of these changes, one after the other. The writer of a change does not wait for
/// the callback, so that the callback can make another change. An error of the callback is logged and does not undo the
/// change.
pub(super) async fn notify_all(callback: Callback<SettingsUpdate>, mut changes: SettingsWatch) {
    while let Some(update) = changes.next().await {
        let field = update.field_id.clone();
        if let Err(error) = callback.call(update).await {
            tracing::error!(target: "dooers::settings", field, %error, "the program's callback for changed settings failed; the change stays");
        }
    }
}
