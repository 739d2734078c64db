//! Requests whose answer of the store is still pending.

use crate::fixtures::{Ids, desk, string};
use dooers_tests::{Identity, Server, SpyStore};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// A connection joins a thread before the store is asked, so that it misses no change. Until the store has agreed, it
/// receives nothing.
#[tokio::test]
async fn foreign_connection_gets_no_live_frames() {
    let store = SpyStore::memory();
    let server = Server::with::<desk>(|config| {
        let config = config.store(Arc::clone(&store) as _);
        config.drain_timeout(Duration::ZERO)
    })
    .await;
    let mut ana = server.client("ana").await;
    let ids = Ids::create(&mut ana, "sent").await;
    let mut eve = server
        .client(Identity::of("eve").with("organization_id", "o2"))
        .await;
    let here = json!({"thread_id": ids.thread});
    let message = json!({
        "thread_id": ids.thread,
        "event": {"type": "message", "actor": "user", "content": [{"type": "text", "text": "hello"}]},
    });
    for (kind, payload, method) in [
        ("thread.subscribe", here.clone(), "snapshot"),
        ("event.list", here, "events"),
        ("event.create", message, "begin_turn"),
    ] {
        let mut held = store.hold(method);
        let frame = eve.send(kind, payload).await;
        held.reached().await;
        let published = ana.run_turn(&ids.thread, "form").await;
        assert!(published.len() > 3, "{published:?}");
        held.release();
        // The next frame is the refusal.
        let (code, text) = eve.expect_error(&frame).await;
        assert_eq!((&*code, &*text), ("NOT_FOUND", "there is no such thread"));
        ana.run_turn(&ids.thread, "form").await;
        eve.expect_nothing().await;
    }
    let snapshot = ana.subscribe(&ids.thread).await;
    assert_eq!(string(&snapshot["thread"]["id"]), ids.thread);
    server.close([ana, eve]).await;
}
