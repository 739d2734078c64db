//! The reports of a process in its database.

use crate::log::Log;
use dooers_tests::{Server, SpyStore, within};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::yield_now;
use tracing::Level;

#[dooers::agent]
async fn silent() {}

/// Waits until the process has reported itself this often.
async fn reported(store: &SpyStore, times: usize) {
    let reports = async {
        while store.calls("report_node") < times {
            yield_now().await;
        }
    };
    within("the reports", reports).await;
}

#[tokio::test]
async fn failed_report_is_logged_and_repeated() {
    let (log, _capture) = Log::capture(Level::WARN);
    let store = SpyStore::memory();
    let lease = Duration::from_millis(150);
    let server = Server::with::<silent>(|config| {
        let shared: Arc<SpyStore> = Arc::clone(&store);
        config.lease(lease).store(shared)
    });
    let server = server.await;
    // One when the server starts, and one when it serves.
    reported(&store, 2).await;
    let before = store.calls("report_node");
    store.fail("report_node", "out of order");
    // By then, the report that failed is complete.
    reported(&store, before + 2).await;
    let text = log.text();
    let warnings =
        text.matches("this process could not report itself in the database; trying again");
    assert_eq!(warnings.count(), 1, "{text}");
    assert!(text.contains("dooers::server"), "{text}");
    server.close([]).await;
}
