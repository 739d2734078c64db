//! Delivery of changes that other nodes have made.

use super::Hub;
use super::connection::Backlog;
use super::outbound::OutboundLimits;
use super::tests::{NOTHING, ROOMY, at, backlog, connection, event, revs, row, scope, subscribed};
use crate::broker::{ParticipantKey, PlaceKey, ThreadNotice, Watched};
use crate::protocol::User;
use crate::store::{ChangeBody, Participant, ThreadRecord, Viewer};
use futures::FutureExt;

fn behind(rev: u64) -> Option<Backlog> {
    Some(Backlog::Thread("t".to_owned(), at(rev)))
}

fn record(rev: u64, participants: Vec<Participant>) -> ThreadRecord {
    match row(rev, participants).body {
        ChangeBody::Thread(record) => *record,
        other => panic!("not expected: {other:?}"),
    }
}

/// The types of the frames that wait for a connection.
fn kinds(connection: &super::connection::Connection) -> Vec<String> {
    let mut batch = Vec::new();
    let taken = connection.outbound().take(usize::MAX, &mut batch);
    taken.now_or_never();
    let kind = |frame: super::frame::Frame| {
        let frame: serde_json::Value = serde_json::from_str(&frame.into_json()).unwrap();
        frame["type"].as_str().unwrap().to_owned()
    };
    batch.into_iter().map(kind).collect()
}

#[tokio::test]
async fn announced_change_is_read_from_the_store_once() {
    let hub = Hub::default();
    let reader = subscribed(&hub, ROOMY, 4);
    // Announcements of changes that were sent, and of other threads.
    hub.changed_elsewhere("t", 3);
    hub.changed_elsewhere("t", 4);
    hub.changed_elsewhere("other", 9);
    assert_eq!(backlog(&reader), None);
    hub.changed_elsewhere("t", 6);
    assert_eq!(backlog(&reader), behind(4));
    // A repeated or earlier announcement, while the store is read.
    hub.changed_elsewhere("t", 6);
    hub.changed_elsewhere("t", 5);
    assert_eq!(backlog(&reader), None);
    hub.subscribe(&reader, "t")
        .activate([event(5, 5), event(6, 6)].map(frame), at(6));
    hub.changed_elsewhere("t", 6);
    hub.publish(vec![event(5, 5)]);
    hub.publish(vec![event(7, 7)]);
    assert_eq!(backlog(&reader), None);
    assert_eq!(revs(&reader), [5, 6, 7]);
}

fn frame(change: crate::store::Change) -> super::frame::Frame {
    super::frame::Frame::from(super::frame::Update::Change(change, None))
}

#[tokio::test]
async fn announcement_during_a_read_causes_another_read() {
    let hub = Hub::default();
    let reader = connection(&hub, ROOMY);
    let join = hub.subscribe(&reader, "t");
    // The store may have been read before this change.
    hub.changed_elsewhere("t", 5);
    join.activate([], at(4));
    assert_eq!(backlog(&reader), behind(4));
    hub.subscribe(&reader, "t").activate([], at(5));
    hub.publish(vec![event(6, 6)]);
    assert_eq!(revs(&reader), [6]);
}

#[tokio::test]
async fn local_change_behind_an_announced_one_waits() {
    let hub = Hub::default();
    let reader = subscribed(&hub, ROOMY, 4);
    hub.publish(vec![event(6, 6)]);
    assert_eq!(revs(&reader), NOTHING);
    hub.changed_elsewhere("t", 5);
    assert_eq!(backlog(&reader), behind(4));
    hub.subscribe(&reader, "t")
        .activate([event(5, 5)].map(frame), at(5));
    assert_eq!(revs(&reader), [5, 6]);
    hub.close().await;
}

#[tokio::test]
async fn comparison_finds_missed_changes_and_deletions() {
    let (hub, sender) = Hub::new(Watched::default());
    let reader = subscribed(&hub, ROOMY, 4);
    assert_eq!(hub.subscribed_after("", 10), ["t"]);
    assert_eq!(hub.subscribed_after("t", 10), Vec::<String>::new());
    hub.compare("t", Some(4));
    assert_eq!(backlog(&reader), None);
    // This node has stored a change and not published it yet.
    let writing = sender.writing("t");
    hub.compare("t", Some(5));
    hub.compare("t", None);
    assert_eq!(backlog(&reader), None);
    drop(writing);
    hub.compare("t", Some(5));
    assert_eq!(backlog(&reader), behind(4));
    // A connection that reads the store is not looked up.
    assert_eq!(hub.subscribed_after("", 10), Vec::<String>::new());
    hub.subscribe(&reader, "t").activate([], at(5));
    hub.compare("t", None);
    assert_eq!(backlog(&reader), behind(5));
}

#[tokio::test]
async fn row_read_for_lists_is_never_older_than_the_last() {
    let (hub, sender) = Hub::new(Watched::default());
    let (reader, list) = (subscribed(&hub, ROOMY, 4), connection(&hub, ROOMY));
    let place = PlaceKey::of(&scope(Viewer::Everyone));
    assert!(hub.lists(place, "t"));
    let writing = sender.writing("t");
    sender.send_row(record(6, Vec::new()));
    sender.send_row(record(6, Vec::new()));
    // A local writer was overtaken between its commit and its publication.
    hub.publish(vec![row(5, Vec::new())]);
    sender.send_row(record(7, Vec::new()));
    drop(writing);
    assert_eq!(revs(&list), [6, 7]);
    assert_eq!(revs(&reader), [5]);
    hub.leave(&list);
    assert!(
        !hub.lists(place, "t"),
        "the only other connection is subscribed"
    );
    hub.close().await;
}

#[tokio::test]
async fn deletion_elsewhere_reaches_those_who_saw_the_thread() {
    let hub = Hub::default();
    let of = |id: &str| Participant::user(&User::new(id));
    let place = PlaceKey::of(&scope(Viewer::Everyone));
    let everyone = connection(&hub, ROOMY);
    let viewer = |id: &str| {
        let connection = connection(&hub, ROOMY);
        hub.enter(&connection, scope(Viewer::Only(of(id))));
        connection
    };
    let (ann, bob) = (viewer("ann"), viewer("bob"));
    let full = connection(&hub, OutboundLimits { frames: 0, ..ROOMY });
    full.outbound().pause();
    let reader = subscribed(&hub, ROOMY, 4);
    hub.deleted_elsewhere(&ThreadNotice {
        thread_id: "t".to_owned(),
        rev: 5,
        place: Some(place),
        deleted_for: Some(vec![ParticipantKey::of(&of("ann"))]),
    });
    hub.changed_elsewhere("t", 5);
    for connection in [&everyone, &ann] {
        assert_eq!(kinds(connection), ["thread.deleted"]);
    }
    assert_eq!(kinds(&bob), Vec::<String>::new());
    assert_eq!(backlog(&full), Some(Backlog::Row("t".to_owned())));
    // A subscriber finds out from the store, in order.
    assert_eq!(kinds(&reader), Vec::<String>::new());
    assert_eq!(backlog(&reader), behind(4));
    hub.close().await;
}
