//! Analytics events for fast and slow subscribers.

use super::Hub;
use super::analytics::LiveAnalytics;
use super::analytics_queue::{WAITING_BYTES, WAITING_EVENTS};
use super::connection::{Backlog, Connection};
use super::outbound::OutboundLimits;
use super::tests::connection;
use crate::broker::Watched;
use crate::protocol::{AnalyticsEvent, timestamp};
use crate::store::{AnalyticsFilter, Scope, Viewer};
use futures::FutureExt;
use serde_json::{Value, json};
use std::sync::Arc;

const LIMITS: OutboundLimits = OutboundLimits {
    frames: 4,
    bytes: 1_000_000,
};

fn scope(worker_id: &str, organization_id: &str) -> Scope {
    Scope {
        agent: "echo".to_owned(),
        worker_id: worker_id.to_owned(),
        organization_id: organization_id.to_owned(),
        workspace_id: "s".to_owned(),
        viewer: Viewer::Everyone,
    }
}

fn live(hub: &Hub) -> LiveAnalytics {
    LiveAnalytics::new(hub.clone(), AnalyticsFilter::default())
}

fn track(live: &LiveAnalytics, scope: &Scope, name: &str, data: Value) {
    let mut event = AnalyticsEvent::new(name, &scope.worker_id, timestamp::now());
    event.data = Some(data);
    live.publish(live.of_program(scope, &event));
}

/// Takes all frames that wait for a connection. Returns the names of the events, and the number of dropped events before
/// each.
fn received(connection: &Connection) -> Vec<(String, u64)> {
    let mut frames = Vec::new();
    while !connection.outbound().is_empty() {
        let taken = connection.outbound().take(1_000_000, &mut frames);
        taken.now_or_never().expect("a frame waits");
        connection.outbound().sent();
        if let Some(backlog) = connection.next_backlog().now_or_never() {
            assert_eq!(backlog, Backlog::Analytics);
            connection.send_analytics();
        }
    }
    let frames = frames.into_iter().map(|frame| {
        let frame: Value = serde_json::from_str(&frame.into_json()).unwrap();
        let payload = &frame["payload"];
        let name = payload["event"].as_str().unwrap().to_owned();
        (name, payload["dropped"].as_u64().unwrap_or_default())
    });
    frames.collect()
}

#[tokio::test]
async fn slow_reader_loses_its_oldest_events_counted() {
    let (hub, _changes) = Hub::new(Watched::default());
    let (slow, fast) = (connection(&hub, LIMITS), connection(&hub, LIMITS));
    let (live, scope) = (live(&hub), scope("w", "o"));
    for member in [&slow, &fast] {
        hub.subscribe_analytics(member, &scope);
    }
    let total = WAITING_EVENTS + 10;
    for number in 0..total {
        track(&live, &scope, &number.to_string(), json!(number));
        assert_eq!(received(&fast), [(number.to_string(), 0)]);
    }
    // The outbound queue takes frames until it is more than half full. The others wait beside it.
    let taken = LIMITS.frames / 2 + 1;
    let dropped = total - taken - WAITING_EVENTS;
    let all = received(&slow);
    assert_eq!(all.len(), total - dropped);
    let expected = (taken + dropped).to_string();
    assert_eq!(all[taken], (expected, dropped as u64));
    assert_eq!(all.last(), Some(&((total - 1).to_string(), 0)));
    assert!(all.iter().filter(|(_, dropped)| *dropped > 0).count() == 1);
}

#[tokio::test]
async fn waiting_events_are_limited_in_bytes() {
    let (hub, _changes) = Hub::new(Watched::default());
    let slow = connection(&hub, LIMITS);
    let (live, scope) = (live(&hub), scope("w", "o"));
    hub.subscribe_analytics(&slow, &scope);
    let large = json!("x".repeat(WAITING_BYTES / 4));
    for number in 0..20 {
        track(&live, &scope, &number.to_string(), large.clone());
    }
    let taken = LIMITS.frames / 2 + 1;
    assert_eq!(received(&slow).len(), taken + 3);
}

#[tokio::test]
async fn events_reach_their_worker_and_organization_only() {
    let (hub, _changes) = Hub::new(Watched::default());
    let live = live(&hub);
    let all = [
        scope("w", "o"),
        scope("w", "p"),
        scope("wo", ""),
        scope("v", "o"),
    ];
    let members = all.each_ref().map(|scope| {
        let member = connection(&hub, LIMITS);
        hub.subscribe_analytics(&member, scope);
        member
    });
    let silent = connection(&hub, LIMITS);
    track(&live, &all[0], "a", Value::Null);
    let counts = members.each_ref().map(|member| received(member).len());
    assert_eq!(counts, [1, 0, 0, 0]);
    assert!(received(&silent).is_empty());

    // A connection that moved between the look-up and the publication does not receive the event.
    let event = AnalyticsEvent::new("b", "w", timestamp::now());
    let events = live.of_program(&all[0], &event);
    hub.subscribe_analytics(&members[0], &all[3]);
    live.publish(events);
    assert!(received(&members[0]).is_empty());
    track(&live, &all[3], "c", Value::Null);
    assert_eq!(received(&members[0]).len(), 1);

    // Nothing is left when all have gone.
    for member in &members {
        hub.leave(member);
    }
    assert_eq!(hub.0.analytics.capacity(), 0);
    track(&live, &all[3], "d", Value::Null);
    assert!(received(&members[0]).is_empty());
}

#[tokio::test]
async fn disabled_event_is_not_published() {
    let (hub, _changes) = Hub::new(Watched::default());
    let member: Arc<Connection> = connection(&hub, LIMITS);
    let filter = AnalyticsFilter {
        is_off: false,
        disabled: ["a".to_owned()].into(),
    };
    let live = LiveAnalytics::new(hub.clone(), filter);
    let scope = scope("w", "o");
    hub.subscribe_analytics(&member, &scope);
    track(&live, &scope, "a", Value::Null);
    track(&live, &scope, "b", Value::Null);
    assert_eq!(received(&member), [("b".to_owned(), 0)]);
}
