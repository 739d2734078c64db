//! Delivery in the order of `rev`, for any order of publishing and any speed of reading.

use super::Hub;
use super::connection::{Backlog, Connection};
use super::frame::Frame;
use super::handle::REPAIR_AFTER;
use super::lock::lock;
use super::outbound::OutboundLimits;
use crate::broker::Watched;
use crate::protocol::{
    Actor, Audience, ContentPart, EventType, Thread, ThreadEvent, User, timestamp,
};
use crate::store::{
    Change, ChangeBody, Participant, Position, Scope, ThreadRecord, Viewer, WorkerKey,
};
use futures::FutureExt;
use proptest::prelude::*;
use std::sync::Arc;

pub(super) const NOTHING: [u64; 0] = [];

pub(super) const ROOMY: OutboundLimits = OutboundLimits {
    frames: 10_000,
    bytes: 10_000_000,
};

impl Hub {
    /// The number of entries for which the hub has allocated memory: threads, scopes, and workers whose settings or
    /// analytics are shown.
    fn capacities(&self) -> [usize; 4] {
        [
            lock(&self.0.feeds).by_thread.capacity(),
            lock(&self.0.rooms).capacity(),
            lock(&self.0.settings).capacity(),
            self.0.analytics.capacity(),
        ]
    }
}

pub(super) fn scope(viewer: Viewer) -> Scope {
    Scope {
        agent: "echo".to_owned(),
        worker_id: "w".to_owned(),
        organization_id: "o".to_owned(),
        workspace_id: "s".to_owned(),
        viewer,
    }
}

pub(super) fn connection(hub: &Hub, limits: OutboundLimits) -> Arc<Connection> {
    let connection = Arc::new(Connection::new(limits, None));
    hub.enter(&connection, scope(Viewer::Everyone));
    connection
}

/// The event at this position, whose text is its `rev`.
pub(super) fn event(seq: u64, rev: u64) -> Change {
    let event = ThreadEvent {
        id: format!("e{seq}"),
        thread_id: "t".to_owned(),
        run_id: None,
        kind: EventType::Message,
        actor: Actor::Assistant,
        author: None,
        user: None,
        content: Some(vec![ContentPart::text(rev.to_string())]),
        data: None,
        created_at: timestamp::now(),
        streaming: None,
        finalized: None,
        delta_seq: None,
        deleted: None,
        client_event_id: None,
        seq,
    };
    Change::of_event(event, rev)
}

pub(super) fn row(rev: u64, participants: Vec<Participant>) -> Change {
    let now = timestamp::now();
    let thread = Thread {
        id: "t".to_owned(),
        worker_id: "w".to_owned(),
        agent_id: "w".to_owned(),
        organization_id: "o".to_owned(),
        workspace_id: "s".to_owned(),
        owner: User::new("u"),
        users: Vec::new(),
        title: Some(rev.to_string()),
        metadata: None,
        created_at: now,
        updated_at: now,
        last_event_at: now,
    };
    let record = ThreadRecord {
        thread,
        agent: "echo".to_owned(),
        participants,
        rev,
    };
    Change::of_thread(record, rev)
}

pub(super) fn at(rev: u64) -> Position {
    Position {
        first_seq: 1,
        last_seq: rev,
        sent_from: 1,
        rev,
        known: None,
    }
}

pub(super) fn subscribed(hub: &Hub, limits: OutboundLimits, rev: u64) -> Arc<Connection> {
    let connection = connection(hub, limits);
    hub.subscribe(&connection, "t").activate([], at(rev));
    connection
}

/// The `rev`s of the frames that wait for the connection.
pub(super) fn revs(connection: &Connection) -> Vec<u64> {
    let mut batch: Vec<Frame> = Vec::new();
    while connection
        .outbound()
        .take(usize::MAX, &mut batch)
        .now_or_never()
        .is_some()
    {}
    batch.into_iter().map(rev_of).collect()
}

fn rev_of(frame: Frame) -> u64 {
    let frame: serde_json::Value = serde_json::from_str(&frame.into_json()).unwrap();
    let payload = &frame["payload"];
    let text = match frame["type"].as_str().unwrap() {
        "event.append" => &payload["events"][0]["content"][0]["text"],
        "thread.upsert" => &payload["thread"]["title"],
        _ => panic!("not expected: {frame}"),
    };
    text.as_str().unwrap().parse().unwrap()
}

pub(super) fn backlog(connection: &Connection) -> Option<Backlog> {
    connection.next_backlog().now_or_never()
}

#[tokio::test]
async fn changes_early_are_held_and_old_ones_dropped() {
    let hub = Hub::default();
    let reader = subscribed(&hub, ROOMY, 4);
    hub.publish(vec![event(7, 7)]);
    hub.publish(vec![event(6, 6)]);
    assert_eq!(revs(&reader), NOTHING);
    hub.publish(vec![event(5, 5)]);
    hub.publish(vec![event(6, 6)]);
    hub.publish(vec![event(3, 3)]);
    assert_eq!(revs(&reader), [5, 6, 7]);
    hub.close().await;
}

#[tokio::test]
async fn changes_while_joining_arrive_exactly_once() {
    let hub = Hub::default();
    let first = subscribed(&hub, ROOMY, 2);
    let second = connection(&hub, ROOMY);
    let join = hub.subscribe(&second, "t");
    hub.publish(vec![event(3, 3), event(4, 4), event(5, 5)]);
    // The store was read at `rev` 4.
    join.activate([], at(4));
    hub.publish(vec![event(6, 6)]);
    assert_eq!(revs(&first), [3, 4, 5, 6]);
    assert_eq!(revs(&second), [5, 6]);
}

#[tokio::test]
async fn subscriber_ahead_of_the_feed_gets_no_duplicates() {
    let hub = Hub::default();
    let first = subscribed(&hub, ROOMY, 2);
    let second = subscribed(&hub, ROOMY, 5);
    hub.publish(vec![event(3, 3), event(4, 4), event(5, 5), event(6, 6)]);
    assert_eq!(revs(&first), [3, 4, 5, 6]);
    assert_eq!(revs(&second), [6]);
}

#[tokio::test]
async fn subscriber_behind_the_first_reads_from_the_store() {
    let hub = Hub::default();
    let [slow, fast] = [connection(&hub, ROOMY), connection(&hub, ROOMY)];
    let slow_join = hub.subscribe(&slow, "t");
    let fast_join = hub.subscribe(&fast, "t");
    // The thread has no subscriber yet, so these changes are held. Change 5 is stored, but not published yet.
    hub.publish(vec![event(3, 3), event(4, 4)]);
    fast_join.activate([], at(5));
    slow_join.activate([], at(2));
    hub.publish(vec![event(5, 5)]);
    hub.publish(vec![event(6, 6)]);
    assert_eq!(revs(&fast), [6]);
    assert_eq!(revs(&slow), NOTHING);
    let expected = Backlog::Thread("t".to_owned(), at(2));
    assert_eq!(backlog(&slow), Some(expected));
    // After reading up to 6, the subscription is live again.
    hub.subscribe(&slow, "t").activate([], at(6));
    hub.publish(vec![event(7, 7)]);
    assert_eq!(revs(&slow), [7]);
}

#[tokio::test]
async fn a_subscription_that_begins_anew_is_another() {
    let hub = Hub::default();
    let reader = subscribed(&hub, ROOMY, 2);
    let first = reader.subscription("t");
    // Continuing from the store keeps the subscription.
    hub.subscribe(&reader, "t").activate([], at(4));
    assert_eq!(reader.subscription("t"), first);
    hub.unsubscribe(&reader, "t");
    assert_eq!(reader.subscription("t"), None);
    hub.subscribe(&reader, "t").activate_lagging([], at(3));
    assert!(reader.subscription("t") > first);
}

#[tokio::test(start_paused = true)]
async fn gap_not_filled_sends_subscribers_to_the_store() {
    let hub = Hub::default();
    let reader = subscribed(&hub, ROOMY, 4);
    hub.publish(vec![event(6, 6)]);
    tokio::time::advance(REPAIR_AFTER / 2).await;
    assert_eq!(backlog(&reader), None);
    let backlog = reader.next_backlog().await;
    assert_eq!(backlog, Backlog::Thread("t".to_owned(), at(4)));
    // After reading up to 6 from the store, the subscription is live again.
    hub.subscribe(&reader, "t").activate([], at(6));
    hub.publish(vec![event(7, 7)]);
    assert_eq!(revs(&reader), [7]);
}

#[tokio::test]
async fn pending_subscription_continues_from_the_store() {
    let hub = Hub::default();
    let live = subscribed(&hub, ROOMY, 3);
    let joining = connection(&hub, ROOMY);
    let pending = hub.subscribe(&joining, "t");
    // The process changed the thread and does not know the changes. The connection may have read it before.
    hub.resync("t");
    pending.activate([], at(3));
    for connection in [&live, &joining] {
        assert_eq!(connection.behind("t"), Some(at(3)));
    }
    let later = subscribed(&hub, ROOMY, 4);
    assert_eq!(later.behind("t"), None);
}

#[tokio::test]
async fn queue_full_delays_no_other_and_gets_a_position() {
    let hub = Hub::default();
    let slow = subscribed(&hub, OutboundLimits { frames: 2, ..ROOMY }, 0);
    let quick = subscribed(&hub, ROOMY, 0);
    hub.publish((1..=5).map(|rev| event(rev, rev)).collect());
    assert_eq!(revs(&quick), [1, 2, 3, 4, 5]);
    assert_eq!(revs(&slow), [1, 2]);
    assert_eq!(backlog(&slow), Some(Backlog::Thread("t".to_owned(), at(2))));
    assert!(slow.is_subscribed("t"));
}

#[tokio::test]
async fn an_edit_goes_only_to_those_who_were_sent_that_part() {
    let hub = Hub::default();
    let reader = connection(&hub, ROOMY);
    let part = Position {
        first_seq: 5,
        ..at(9)
    };
    hub.subscribe(&reader, "t").activate([], part);
    hub.publish(vec![event(4, 10), event(5, 11)]);
    assert_eq!(revs(&reader), [11]);
    extend_back(&hub, &reader, 4, 11);
    hub.publish(vec![event(4, 12), event(3, 13)]);
    assert_eq!(revs(&reader), [12]);
}

fn extend_back(hub: &Hub, connection: &Arc<Connection>, first_seq: u64, rev: u64) {
    let page = Frame::from_static(PAGE);
    hub.subscribe(connection, "t")
        .extend_back(page, first_seq, rev);
    let mut sent = Vec::new();
    connection.outbound().take(1, &mut sent).now_or_never();
    assert_eq!(sent, [PAGE].map(Frame::from_static));
}

const PAGE: &str = "a page of older events";

#[tokio::test]
async fn edit_during_a_page_read_follows_the_page() {
    let hub = Hub::default();
    let reader = connection(&hub, ROOMY);
    let part = Position {
        first_seq: 5,
        ..at(9)
    };
    hub.subscribe(&reader, "t").activate([], part);
    let reading = hub.subscribe(&reader, "t");
    hub.publish(vec![event(4, 10), event(3, 11), event(4, 12), event(6, 13)]);
    assert_eq!(revs(&reader), [13]);
    let page = Frame::from_static(PAGE);
    reading.extend_back(page, 4, 11);
    let mut sent = Vec::new();
    reader.outbound().take(1, &mut sent).now_or_never();
    assert_eq!(sent, [PAGE].map(Frame::from_static));
    assert_eq!(revs(&reader), [12]);
}

#[tokio::test]
async fn older_page_counts_for_a_subscriber_behind() {
    let hub = Hub::default();
    let behind = connection(&hub, ROOMY);
    let part = Position {
        first_seq: 5,
        ..at(9)
    };
    hub.subscribe(&behind, "t")
        .activate_lagging([], part.clone());
    extend_back(&hub, &behind, 2, 9);
    let extended = Position {
        first_seq: 2,
        ..part
    };
    assert_eq!(behind.behind("t"), Some(extended));
}

#[tokio::test]
async fn sent_events_stay_known_while_a_reader_is_behind() {
    let hub = Hub::default();
    let reader = connection(&hub, ROOMY);
    assert!(!hub.was_sent(&reader, "t", 1), "it is not subscribed");
    hub.subscribe(&reader, "t").activate([], at(3));
    hub.publish(vec![event(4, 4)]);
    let sent = |seq| hub.was_sent(&reader, "t", seq);
    assert_eq!([3, 4, 5].map(sent), [true, true, false]);
    hub.unsubscribe(&reader, "t");
    hub.subscribe(&reader, "t").activate_lagging([], at(2));
    assert_eq!([2, 3].map(sent), [true, false]);
    // The same applies while its session reads the store.
    assert!(backlog(&reader).is_some());
    assert_eq!([2, 3].map(sent), [true, false]);
}

#[tokio::test]
async fn thread_row_reaches_each_reader_once() {
    let hub = Hub::default();
    let subscriber = subscribed(&hub, ROOMY, 0);
    let bystander = connection(&hub, ROOMY);
    let me = Participant::user(&User::new("me"));
    let private = Arc::new(Connection::new(ROOMY, None));
    hub.enter(&private, scope(Viewer::Only(me.clone())));
    let elsewhere = Arc::new(Connection::new(ROOMY, None));
    let mut other = scope(Viewer::Everyone);
    other.workspace_id = "other".to_owned();
    hub.enter(&elsewhere, other);

    hub.publish(vec![row(1, vec![])]);
    hub.publish(vec![row(2, vec![me])]);
    assert_eq!(revs(&subscriber), [1, 2]);
    assert_eq!(revs(&bystander), [1, 2]);
    assert_eq!(revs(&private), [2]);
    assert_eq!(revs(&elsewhere), NOTHING);
}

#[tokio::test]
async fn row_skips_a_connection_that_has_moved() {
    let hub = Hub::default();
    let connection = connection(&hub, ROOMY);
    let here = scope(Viewer::Everyone);
    let elsewhere = |change: fn(&mut Scope)| {
        let mut scope = here.clone();
        change(&mut scope);
        scope
    };
    for place in [
        elsewhere(|scope| scope.agent = "other".to_owned()),
        elsewhere(|scope| scope.worker_id = "w2".to_owned()),
        elsewhere(|scope| scope.organization_id = "o2".to_owned()),
        elsewhere(|scope| scope.workspace_id = "s2".to_owned()),
    ] {
        // The publisher has read the members of the room before the client sends `connect` again.
        connection.set_scope(Some(place));
        hub.publish(vec![row(1, Vec::new())]);
        assert_eq!(revs(&connection), NOTHING);
    }
    connection.set_scope(Some(here));
    hub.publish(vec![row(2, Vec::new())]);
    assert_eq!(revs(&connection), [2]);
}

#[tokio::test]
async fn a_row_that_did_not_fit_is_read_later() {
    let hub = Hub::default();
    let bystander = connection(&hub, OutboundLimits { frames: 1, ..ROOMY });
    hub.publish(vec![row(1, vec![]), row(2, vec![])]);
    assert_eq!(revs(&bystander), [1]);
    assert_eq!(backlog(&bystander), Some(Backlog::Row("t".to_owned())));
    assert_eq!(backlog(&bystander), None);
}

#[tokio::test]
async fn subscriber_that_left_gets_no_more_frames() {
    let hub = Hub::default();
    let readers: Vec<_> = (0..3).map(|_| subscribed(&hub, ROOMY, 0)).collect();
    hub.unsubscribe(&readers[0], "t");
    hub.leave(&readers[1]);
    hub.enter(&readers[2], scope(Viewer::Everyone));
    hub.publish(vec![event(1, 1)]);
    for reader in readers {
        assert_eq!(revs(&reader), NOTHING);
        assert!(!reader.is_subscribed("t"));
    }
    assert!(lock(&hub.0.feeds).by_thread.is_empty());
}

#[tokio::test]
async fn a_deletion_ends_the_subscriptions() {
    let hub = Hub::default();
    let reader = subscribed(&hub, ROOMY, 3);
    let ChangeBody::Thread(record) = row(3, vec![]).body else {
        panic!("not a row");
    };
    hub.publish(vec![Change::of_deletion(*record)]);
    let mut batch = Vec::new();
    reader.outbound().take(usize::MAX, &mut batch).await;
    assert_eq!(batch.len(), 1);
    let deleted = batch.remove(0).into_json();
    assert!(deleted.contains("thread.deleted"));
    assert!(!reader.is_subscribed("t"));
    assert!(lock(&hub.0.feeds).by_thread.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// A reader joins at any moment. It has read the store at any later state, while changes are published in any
    /// order. It receives every change above that state once and in order.
    #[test]
    fn changes_after_a_snapshot_arrive_once_in_order(
        order in Just((1..=20u64).collect::<Vec<_>>()).prop_shuffle(),
        joined in 0..20usize,
        settled in 0..20usize,
        ahead in 0..20u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        let hub = Hub::default();
        let (joined, settled) = (joined.min(settled), joined.max(settled));
        let before = subscribed(&hub, ROOMY, 0);
        let reader = connection(&hub, ROOMY);
        for rev in &order[..joined] {
            hub.publish(vec![event(*rev, *rev)]);
        }
        // Every published change is committed, and so are all changes below it.
        let committed = order[..joined].iter().copied().max().unwrap_or(0);
        let read_at = (committed + ahead).min(20);
        let join = hub.subscribe(&reader, "t");
        for rev in &order[joined..settled] {
            hub.publish(vec![event(*rev, *rev)]);
        }
        join.activate([], at(read_at));
        for rev in &order[settled..] {
            hub.publish(vec![event(*rev, *rev)]);
        }
        prop_assert_eq!(revs(&before), (1..=20).collect::<Vec<_>>());
        prop_assert_eq!(revs(&reader), (read_at + 1..=20).collect::<Vec<_>>());
    }
}

#[test]
fn hub_without_connections_holds_no_memory() {
    const MANY: usize = 2_000;
    let hub = Hub::default();
    let connections: Vec<_> = (0..MANY)
        .map(|number| {
            let connection = Arc::new(Connection::new(ROOMY, None));
            let worker_id = format!("w{number}");
            let scope = Scope {
                worker_id: worker_id.clone(),
                ..scope(Viewer::Everyone)
            };
            hub.enter(&connection, scope.clone());
            hub.subscribe_analytics(&connection, &scope);
            hub.subscribe(&connection, &worker_id).activate([], at(1));
            hub.subscribe(&connection, "of all").activate([], at(1));
            let worker = WorkerKey {
                agent: "echo".to_owned(),
                worker_id,
            };
            hub.subscribe_settings(
                &connection,
                worker,
                Audience::User,
                Frame::from_static("{}"),
            );
            connection
        })
        .collect();
    assert!(hub.capacities().iter().all(|capacity| *capacity >= MANY));
    for connection in &connections {
        hub.leave(connection);
    }
    assert_eq!(hub.capacities(), [0; 4]);
    // No other part holds a reference to a connection that has left.
    assert!(
        connections
            .iter()
            .all(|connection| Arc::strong_count(connection) == 1)
    );
}

#[tokio::test]
async fn reader_in_the_process_is_limited_in_bytes() {
    let hub = Hub::default();
    let limits = OutboundLimits {
        bytes: 4096,
        ..ROOMY
    };
    let slow = subscribed(&hub, limits, 0);
    hub.publish((1..=20).map(|rev| event(rev, rev)).collect());
    let Some(Backlog::Thread(_, behind)) = backlog(&slow) else {
        panic!("all of them fit");
    };
    assert!((1..10).contains(&behind.rev), "{behind:?}");
    assert_eq!(revs(&slow), (1..=behind.rev).collect::<Vec<_>>());
}

/// Clients can name threads that do not exist, also while an operation may change any thread.
#[tokio::test]
async fn feeds_of_missing_threads_are_not_kept() {
    let (hub, sender) = Hub::new(Watched::default());
    let (viewer, reader) = (connection(&hub, ROOMY), connection(&hub, ROOMY));
    let anywhere = sender.writing_anywhere();
    for number in 0..100 {
        let id = format!("missing {number}");
        drop(hub.subscribe(&reader, &id));
        drop(sender.writing(&id));
    }
    assert_eq!(lock(&hub.0.feeds).by_thread.len(), 0);
    assert_eq!(lock(&hub.0.feeds).kept.len(), 0);
    // The row of a thread is remembered, so that a slower operation sends no older one.
    let writing = sender.writing("t");
    sender.send(vec![row(5, Vec::new())]);
    drop(writing);
    sender.send(vec![row(4, Vec::new())]);
    assert_eq!(revs(&viewer), [5]);
    drop(anywhere);
    assert_eq!(lock(&hub.0.feeds).by_thread.len(), 0);
}
