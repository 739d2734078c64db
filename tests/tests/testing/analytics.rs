//! Tracked events in tests.

use crate::agents::assertion_failure;
use dooers::prelude::*;
use dooers::testing::TestServer;
use serde_json::json;

/// Tracks an event in each attempt. The first attempt fails.
#[dooers::agent(retry = 1)]
async fn trying(request: WorkerRequest, analytics: WorkerAnalytics) -> Result<&'static str> {
    analytics.track("tried", json!({ "attempt": request.attempt() }));
    if request.attempt() == 1 {
        return Err(AgentError::retryable("not yet"));
    }
    Ok("Done.")
}

#[tokio::test(start_paused = true)]
async fn turn_shows_the_tracked_events_of_all_attempts() {
    let server = TestServer::of::<trying>().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("go").await;
    turn.assert_succeeded().assert_tracked("tried");
    let attempts: Vec<_> = turn
        .tracked()
        .iter()
        .map(|event| event.data.clone())
        .collect();
    assert_eq!(
        attempts,
        [Some(json!({"attempt": 1})), Some(json!({"attempt": 2}))]
    );
    let run = turn.run().unwrap();
    for event in turn.tracked() {
        assert_eq!(event.run_id.as_ref(), Some(&run.id));
        assert_eq!(event.user_id.as_deref(), Some("ada"));
        assert_eq!(event.event_id.as_deref(), Some(turn.event_id()));
    }
    let text = assertion_failure(|| turn.assert_tracked("bought").clone());
    assert!(
        text.contains("the handler should track: \"bought\""),
        "{text}"
    );
    assert!(text.contains("[\"tried\", \"tried\"]"), "{text}");
    server.close().await;
}
