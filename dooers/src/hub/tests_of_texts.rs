//! Texts that other nodes stream, over a broker that loses, repeats and reorders their pieces.

mod fixture;

use self::fixture::{Client, Elsewhere, SEQ, SLOW, TEXT, event_of, unavailable, watched};
use super::Hub;
use super::lock::lock;
use super::tests::ROOMY;
use super::text_elsewhere::TextLookUp;
use super::whole_pace::WHOLE_EVERY;
use crate::broker::TextPiece;
use crate::protocol::{ContentPart, ThreadEvent};
use crate::store::StoreError;
use proptest::prelude::*;
use std::time::Duration;

#[tokio::test]
async fn piece_that_overtakes_its_event_is_kept() {
    let (hub, mut store, mut client) = watched();
    // The announcement of the event was lost.
    assert!(hub.grow_elsewhere(&store.piece(3)).is_none());
    client.catch_up(&hub, &store);
    hub.grow_elsewhere(&store.piece(3));
    client.activate(&hub, false);
    hub.grow_elsewhere(&store.piece(3));
    client.receive(usize::MAX);
    assert_eq!(client.text(), &TEXT[..store.sent()]);
    assert_eq!(client.shown.unwrap().next, 2, "an event was sent whole");
}

#[tokio::test]
async fn text_of_another_node_is_sent_in_pieces() {
    let (hub, mut store, mut client) = watched();
    hub.changed_elsewhere("t", store.rev);
    client.catch_up(&hub, &store);
    client.activate(&hub, false);
    for number in 1..=5 {
        let piece = store.piece(2);
        assert!(hub.grow_elsewhere(&piece).is_none());
        assert!(hub.grow_elsewhere(&piece).is_none());
        client.receive(usize::MAX);
        assert_eq!(client.text(), &TEXT[..store.sent()]);
        assert_eq!(client.shown.as_ref().unwrap().next, number);
    }
    // What is known is not read.
    assert!(hub.grow_elsewhere(&store.store()).is_none());
    let end = store.end(false);
    hub.changed_elsewhere("t", end.rev);
    client.catch_up(&hub, &store);
    hub.grow_elsewhere(&store.piece(2));
    client.activate(&hub, false);
    hub.grow_elsewhere(&store.piece(2));
    client.receive(usize::MAX);
    assert!(!client.shown.unwrap().is_open);
    hub.leave(&client.connection);
    assert!(lock(&hub.0.feeds).by_thread.is_empty());
}

#[tokio::test]
async fn own_text_that_another_node_ended_stays_ended() {
    let (hub, mut store, mut client) = watched();
    let begun = event_of(store.changes(1).remove(0));
    hub.publish(store.changes(1));
    let frozen = hub.grow(begun, SEQ);
    frozen.push(&TEXT[..3]);
    client.receive(usize::MAX);
    assert_eq!(client.text(), &TEXT[..3]);
    // This node was frozen, and another one has taken over the turn.
    let end = store.end(true);
    hub.changed_elsewhere("t", end.rev);
    client.catch_up(&hub, &store);
    client.activate(&hub, false);
    frozen.push(&TEXT[3..4]);
    client.receive(usize::MAX);
    let shown = client.shown.unwrap();
    assert!(!shown.is_open && shown.text.is_empty(), "{shown:?}");
}

#[tokio::test]
async fn watcher_in_midstream_waits_for_the_stored_text() {
    let (hub, mut store) = (Hub::default(), Elsewhere::new());
    store.begin();
    store.piece(5);
    store.store();
    store.piece(5);
    let mut client = Client::new(&hub, true, ROOMY);
    client.subscribe(&hub, &store, false);
    client.activate(&hub, false);
    client.receive(usize::MAX);
    let stored = client.text().len();
    for _ in 0..2 {
        assert!(hub.grow_elsewhere(&store.piece(5)).is_none());
    }
    client.receive(usize::MAX);
    assert_eq!(client.text().len(), stored);
    let look_up = hub.grow_elsewhere(&store.store()).unwrap();
    // The event is read once.
    assert!(hub.grow_elsewhere(&store.piece(5)).is_none());
    hub.looked_up(&look_up, store.read());
    client.receive(usize::MAX);
    assert_eq!(client.text(), &TEXT[..store.sent()]);
    hub.grow_elsewhere(&store.piece(5));
    client.receive(usize::MAX);
    assert_eq!(client.text(), &TEXT[..store.sent()]);
}

#[tokio::test]
async fn lost_piece_is_repaired_by_the_stored_text() {
    let (hub, mut store, mut client) = watched();
    client.subscribe(&hub, &store, false);
    client.activate(&hub, false);
    hub.grow_elsewhere(&store.piece(4));
    store.piece(4);
    let known = "The ".len();
    hub.grow_elsewhere(&store.piece(4));
    client.receive(usize::MAX);
    assert_eq!(client.text().len(), known);
    let failed = hub.grow_elsewhere(&store.store()).unwrap();
    hub.looked_up(&failed, Err(unavailable()));
    let look_up = hub.grow_elsewhere(&store.piece(4)).unwrap();
    hub.looked_up(&look_up, store.read());
    client.receive(usize::MAX);
    assert_eq!(client.text(), &TEXT[..store.sent()]);
}

#[tokio::test]
async fn quiet_text_is_read_when_threads_are_compared() {
    let (hub, mut store, mut client) = watched();
    client.subscribe(&hub, &store, false);
    client.activate(&hub, false);
    hub.grow_elsewhere(&store.piece(4));
    store.piece(4);
    store.store();
    assert!(hub.look_up_quiet("t").is_empty());
    let look_up = hub.look_up_quiet("t").pop().unwrap();
    assert!(hub.look_up_quiet("t").is_empty());
    hub.looked_up(&look_up, store.read());
    client.receive(usize::MAX);
    assert_eq!(client.text(), &TEXT[..store.sent()]);
}

#[tokio::test]
async fn resumed_client_is_sent_the_whole_text_first() {
    let (hub, mut store, mut client) = watched();
    store.other();
    client.subscribe(&hub, &store, true);
    client.activate(&hub, false);
    client.receive(usize::MAX);
    assert_eq!(client.shown, None);
    let look_up = hub.grow_elsewhere(&store.piece(4)).unwrap();
    hub.looked_up(&look_up, store.read());
    hub.grow_elsewhere(&store.piece(4));
    client.receive(usize::MAX);
    assert_eq!(client.text(), &TEXT[..store.sent()]);
    // The end overtakes a read, which is obsolete then.
    let mut other = Client::new(&hub, true, ROOMY);
    other.subscribe(&hub, &store, true);
    other.activate(&hub, false);
    let look_up = hub.grow_elsewhere(&store.piece(4)).unwrap();
    let read = store.read();
    let end = store.end(true);
    hub.changed_elsewhere("t", end.rev);
    for client in [&mut client, &mut other] {
        client.catch_up(&hub, &store);
        client.activate(&hub, false);
    }
    hub.looked_up(&look_up, read);
    hub.grow_elsewhere(&store.piece(4));
    for client in [&mut client, &mut other] {
        client.receive(usize::MAX);
        assert!(!client.shown.as_ref().unwrap().is_open);
        assert_eq!(client.text(), "");
    }
}

#[tokio::test]
async fn ended_text_is_looked_up_once() {
    let (hub, mut store) = (Hub::default(), Elsewhere::new());
    store.begin();
    store.other();
    let end = store.end(true);
    let mut client = Client::new(&hub, true, ROOMY);
    client.subscribe(&hub, &store, true);
    client.reading.as_mut().unwrap().events.clear();
    client.activate(&hub, false);
    client.receive(usize::MAX);
    assert_eq!(store.rev, end.rev);
    // A node that was frozen continues to send.
    let look_up = hub.grow_elsewhere(&store.piece(4)).unwrap();
    hub.looked_up(&look_up, store.read());
    for _ in 0..3 {
        assert!(hub.grow_elsewhere(&store.piece(4)).is_none());
    }
    client.receive(usize::MAX);
    assert!(!client.shown.unwrap().is_open);
}

#[tokio::test]
async fn page_with_the_end_of_a_text_ends_it() {
    let (hub, mut store, mut client) = watched();
    client.subscribe(&hub, &store, false);
    client.activate(&hub, false);
    let pieces = [store.piece(4), store.piece(4)];
    let look_up = hub.grow_elsewhere(&store.store()).unwrap();
    let read = store.read();
    store.end(true);
    // The end is not announced yet.
    client.page(&hub, &store);
    hub.looked_up(&look_up, read);
    for piece in pieces {
        if let Some(look_up) = hub.grow_elsewhere(&piece) {
            hub.looked_up(&look_up, store.read());
        }
    }
    client.receive(usize::MAX);
    assert!(!client.shown.unwrap().is_open);
}

#[tokio::test(start_paused = true)]
async fn client_without_pieces_is_sent_whole_texts() {
    let (hub, mut store, mut client) = watched();
    client.connection.set_takes_deltas(false);
    client.subscribe(&hub, &store, false);
    client.activate(&hub, false);
    for _ in 0..10 {
        hub.grow_elsewhere(&store.piece(2));
    }
    client.receive(usize::MAX);
    assert_eq!(client.text(), "Th");
    tokio::time::sleep(2 * WHOLE_EVERY).await;
    client.receive(usize::MAX);
    assert_eq!(client.text(), &TEXT[..store.sent()]);
    hub.close().await;
}

/// One step of the other node, the broker, this node or a client. The numbers choose a piece, a client and a size.
fn step(world: &mut World, (kind, which, size): (u8, usize, usize)) {
    let World {
        hub,
        store,
        pieces,
        look_ups,
        clients,
    } = world;
    let count = clients.len();
    let client = &mut clients[which % count];
    let piece = (!pieces.is_empty()).then(|| which % pieces.len());
    match kind {
        0..=2 if store.is_open() => pieces.push(store.piece(1 + size % 9)),
        3 if store.is_open() => pieces.push(store.store()),
        4 if store.is_open() && store.others.len() < 2 => store.other(),
        4 if store.text.is_none() => store.begin(),
        5 if store.is_open() && size == 0 => {
            let end = store.end(which % 2 == 0);
            if which % 3 == 0 {
                // This node has taken the turn over.
                hub.publish(vec![end]);
            }
        }
        // The broker delivers any piece, in two parts or twice, or loses it.
        6..=9 if let Some(at) = piece => {
            let piece = match size {
                0 => pieces[at].clone(),
                1 => {
                    pieces.remove(at);
                    return;
                }
                2 => pieces.swap_remove(at),
                _ => pieces.remove(at),
            };
            look_ups.extend(hub.grow_elsewhere(&piece).map(|look_up| (look_up, None)));
        }
        10 => hub.changed_elsewhere("t", store.rev),
        11 => look_ups.extend(hub.look_up_quiet("t").into_iter().map(|it| (it, None))),
        12..=13 if !look_ups.is_empty() => {
            let at = which % look_ups.len();
            match &mut look_ups[at] {
                (_, read @ None) => *read = Some(store.read()),
                _ => {
                    let (look_up, read) = look_ups.swap_remove(at);
                    hub.looked_up(&look_up, read.unwrap());
                }
            }
        }
        14 if client.reading.is_none() && size < 3 => {
            // A client can resume only behind the text, whose end it has not seen.
            let resumes = store.others.len() == 2 && store.text.is_some();
            let resumes = resumes && size > 0;
            if resumes {
                // The client names what it has received.
                client.receive(usize::MAX);
            }
            client.subscribe(hub, store, resumes);
        }
        15..=16 => client.catch_up(hub, store),
        17..=18 => client.activate(hub, size == 0),
        19 if client.is_subscribed && client.reading.is_none() && size == 0 => {
            if client.connection.is_subscribed("t") && client.connection.behind("t").is_none() {
                client.page(hub, store);
            }
        }
        _ => client.receive(1 + size * 100),
    }
}

/// Lets clients read until nothing is missing.
fn settle(runtime: &tokio::runtime::Runtime, hub: &Hub, store: &Elsewhere, clients: &mut [Client]) {
    for client in clients.iter_mut() {
        client.activate(hub, false);
    }
    for _ in 0..10 {
        hub.changed_elsewhere("t", store.rev);
        runtime.block_on(tokio::time::sleep(2 * WHOLE_EVERY));
        for client in clients.iter_mut() {
            client.receive(usize::MAX);
            client.catch_up(hub, store);
            client.activate(hub, false);
            client.receive(usize::MAX);
        }
    }
}

struct World {
    hub: Hub,
    store: Elsewhere,
    pieces: Vec<TextPiece>,
    look_ups: Vec<(TextLookUp, Option<Result<ThreadEvent, StoreError>>)>,
    clients: Vec<Client>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever happens to the pieces and whenever the store is read, each client shows a beginning of the text, and each delta
    /// continues what the client has. A client has the text so far once it is stored, and in the end the stored text.
    #[test]
    fn texts_of_other_nodes_are_never_wrong(
        steps in prop::collection::vec((0..22u8, 0..1000usize, 0..10usize), 20..300),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let _entered = runtime.enter();
        let hub = Hub::default();
        let clients = vec![
            Client::new(&hub, true, ROOMY),
            Client::new(&hub, true, SLOW),
            Client::new(&hub, false, SLOW),
            Client::new(&hub, true, ROOMY),
        ];
        let mut world = World {
            hub,
            store: Elsewhere::new(),
            pieces: Vec::new(),
            look_ups: Vec::new(),
            clients,
        };
        for one in steps {
            step(&mut world, one);
            if one.0 == 21 {
                runtime.block_on(tokio::time::sleep(Duration::from_millis(60)));
            }
        }
        let World { hub, mut store, mut clients, look_ups, .. } = world;
        clients.retain(|client| client.is_subscribed);
        if store.text.is_none() {
            store.begin();
        }
        for (look_up, read) in look_ups {
            hub.looked_up(&look_up, read.unwrap_or_else(|| store.read()));
        }
        settle(&runtime, &hub, &store, &mut clients);
        if store.is_open() {
            while let Some(look_up) = hub.grow_elsewhere(&store.store()) {
                hub.looked_up(&look_up, store.read());
            }
            settle(&runtime, &hub, &store, &mut clients);
            for client in &clients {
                prop_assert_eq!(client.text(), &TEXT[..store.sent()]);
            }
            store.end(false);
        }
        settle(&runtime, &hub, &store, &mut clients);
        let end = store.read().unwrap();
        for client in clients {
            let shown = client.shown.as_ref().unwrap();
            prop_assert_eq!(&Some(vec![ContentPart::text(&shown.text)]), &end.content);
            prop_assert!(!shown.is_open);
            hub.leave(&client.connection);
        }
        runtime.block_on(hub.close());
        prop_assert!(lock(&hub.0.feeds).by_thread.is_empty());
    }
}
