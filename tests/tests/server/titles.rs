//! Titles that clients give to threads.

use crate::agents::script;
use crate::asserts::{kinds, string};
use dooers_tests::{Client, Server, gate};
use futures::future::join_all;
use serde_json::{Value, json};

/// Renames a thread, and expects its new row and then the `ack`.
async fn rename(client: &mut Client, thread_id: &str, title: &str) -> Value {
    let payload = json!({"thread_id": thread_id, "title": title});
    let id = client.send("thread.update", payload).await;
    let upsert = client.expect("thread.upsert").await;
    client.expect_ack(&id).await;
    upsert["thread"].clone()
}

async fn listed(client: &mut Client) -> Value {
    let list = client.request("thread.list", json!({}), "thread.list.result");
    list.await["threads"][0].clone()
}

/// The titles of the thread that these frames show.
fn titles(frames: &[Value]) -> Vec<Value> {
    let upserts = frames
        .iter()
        .filter(|frame| frame["type"] == "thread.upsert");
    upserts
        .map(|frame| frame["payload"]["thread"]["title"].clone())
        .collect()
}

#[tokio::test]
async fn title_is_published_to_all_clients_of_the_thread() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut subscriber = server.client("bob").await;
    let mut other = server.client("eve").await;
    let thread_id = ada.start_thread("say one").await;
    subscriber.read_pending().await;
    other.read_pending().await;
    subscriber.subscribe(&thread_id).await;
    let before = listed(&mut ada).await;
    assert_eq!(before["title"], json!(null));

    // White space at the ends and U+0000 are removed. The rest stays as it is.
    let most = "x".repeat(1024);
    for (given, title) in [
        (" \u{3000}My\0 \u{202e}title\n", json!("My \u{202e}title")),
        ("two\nlines 👩‍👩‍👧", json!("two\nlines 👩‍👩‍👧")),
        (&format!("  {most}\0  "), json!(most)),
        ("", json!(null)),
        ("again", json!("again")),
        (" \t\u{200b}\u{feff}", json!(null)),
        ("again", json!("again")),
    ] {
        let thread = rename(&mut ada, &thread_id, given).await;
        assert_eq!(thread["title"], title);
        assert!(string(&thread["updated_at"]) > string(&before["updated_at"]));
        // A title does not move the thread in the list.
        assert_eq!(thread["last_event_at"], before["last_event_at"]);
        assert_eq!(listed(&mut ada).await, thread);
        for client in [&mut subscriber, &mut other] {
            assert_eq!(client.expect("thread.upsert").await["thread"], thread);
        }
    }
    // The title that the thread has is acknowledged and not published.
    for same in ["again", " again "] {
        let payload = json!({"thread_id": thread_id, "title": same});
        ada.send_expecting_ack("thread.update", payload).await;
    }
    // Users who did not start the thread may write in it.
    rename(&mut other, &thread_id, "By Eve").await;
    for client in [&mut ada, &mut subscriber] {
        assert_eq!(titles(&client.read_pending().await), ["By Eve"]);
    }
    server.close([ada, subscriber, other]).await;
}

#[tokio::test]
async fn threads_are_searched_by_title() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut known = Vec::new();
    for title in ["Order 7", "Änderung 100%", "order 8", "A letter"] {
        known.push(ada.start_thread(&format!("title {title}")).await);
    }
    ada.start_thread("say one").await;
    let found = async |ada: &mut Client, payload: Value| {
        let page = ada
            .request("thread.list", payload, "thread.list.result")
            .await;
        let threads = page["threads"].as_array().unwrap();
        let place = |thread: &Value| known.iter().position(|id| thread["id"] == **id);
        let found: Vec<_> = threads.iter().map(place).collect();
        (found, page["total_count"].clone(), page["cursor"].clone())
    };
    let most = "x".repeat(128);
    for (query, expected) in [
        (" ORDER ", vec![Some(2), Some(0)]),
        ("er", vec![Some(3), Some(2), Some(1), Some(0)]),
        ("ä\0nderung", vec![Some(1)]),
        ("0%", vec![Some(1)]),
        ("%", vec![Some(1)]),
        (&most, vec![]),
    ] {
        let (found, count, cursor) = found(&mut ada, json!({"query": query})).await;
        assert_eq!((&count, &cursor), (&json!(expected.len()), &json!(null)));
        assert_eq!(found, expected, "{query}");
    }
    let (first, count, cursor) = found(&mut ada, json!({"query": "order", "limit": 1})).await;
    assert_eq!((first, count), (vec![Some(2)], json!(2)));
    let rest = json!({"query": "order", "limit": 1, "cursor": cursor});
    let rest = found(&mut ada, rest).await;
    assert_eq!(rest, (vec![Some(0)], json!(0), json!(null)));
    // A blank query does not filter.
    for blank in [json!(null), json!(""), json!(" \t\u{200b}")] {
        let (found, count, _) = found(&mut ada, json!({"query": blank})).await;
        assert_eq!((found.len(), count), (5, json!(5)));
    }
    for (query, text) in [
        (
            json!(7),
            "`payload.query`: invalid type: integer `7`, expected a string",
        ),
        (
            json!(most + "x"),
            "`payload.query` is 129 bytes long; at most 128 are allowed; shorten it",
        ),
    ] {
        let id = ada.send("thread.list", json!({"query": query})).await;
        let refused = ada.expect_error(&id).await;
        assert_eq!(refused, ("INVALID_PAYLOAD".to_owned(), text.to_owned()));
    }
    server.close([ada]).await;
}

#[tokio::test]
async fn invalid_title_is_refused() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("title First").await;
    let long = "ä".repeat(512) + "x";
    for (title, text) in [
        (
            json!(null),
            "`payload.title` must be a text, because nothing else can be changed; a blank text removes the title",
        ),
        (
            json!(5),
            "`payload.title`: invalid type: integer `5`, expected a string",
        ),
        (
            json!(["x"]),
            "`payload.title`: invalid type: sequence, expected a string",
        ),
        (
            json!(long),
            "`payload.title` is 1025 bytes long; at most 1024 are allowed, because every list of threads contains it; shorten it",
        ),
    ] {
        let payload = json!({"thread_id": thread_id, "title": title});
        let id = ada.send("thread.update", payload).await;
        let refused = ada.expect_error(&id).await;
        assert_eq!(refused, ("INVALID_PAYLOAD".to_owned(), text.to_owned()));
    }
    for payload in [
        json!({"thread_id": thread_id}),
        json!({"title": "x"}),
        json!({"thread_id": null, "title": "x"}),
        json!({"thread_id": "x".repeat(129), "title": "x"}),
    ] {
        let code = ada.send_expecting_error("thread.update", payload).await;
        assert_eq!(code, "INVALID_PAYLOAD");
    }
    let missing = json!({"thread_id": "nothing", "title": "x"});
    assert_eq!(
        ada.send_expecting_error("thread.update", missing).await,
        "NOT_FOUND"
    );
    assert_eq!(listed(&mut ada).await["title"], "First");
    ada.send("thread.delete", json!({"thread_id": thread_id}))
        .await;
    ada.read_pending().await;
    for title in ["Second", ""] {
        let deleted = json!({"thread_id": thread_id, "title": title});
        assert_eq!(
            ada.send_expecting_error("thread.update", deleted).await,
            "NOT_FOUND"
        );
    }
    server.close([ada]).await;
}

#[tokio::test]
async fn title_can_change_during_a_turn() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let mut bob = server.client("bob").await;
    let sent = ada.send_message(None, "wait rename\nsay one").await;
    ada.expect_ack(&sent).await;
    let created = ada.expect("thread.upsert").await;
    let thread_id = string(&created["thread"]["id"]);
    gate::arrived("rename").await;
    ada.read_pending().await;
    rename(&mut ada, &thread_id, "During the turn").await;
    // A client that is away sees the title when it reconnects.
    bob.read_pending().await;
    bob.disconnect().await;
    gate::open("rename");
    let ended = ada.read_turn().await;
    assert_eq!(titles(&ended), ["During the turn"]);
    let mut bob = server.client("bob").await;
    let snapshot = bob.subscribe(&thread_id).await;
    assert_eq!(snapshot["thread"]["title"], "During the turn");
    // The last title counts, also if a turn of the agent sets it.
    ada.run_turn(&thread_id, "title By the agent").await;
    rename(&mut ada, &thread_id, "By Ada").await;
    let shown = titles(&bob.read_pending().await);
    assert_eq!(shown.last(), Some(&json!("By Ada")));
    server.close([ada, bob]).await;
}

#[tokio::test]
async fn concurrent_titles_have_one_order_for_all() {
    let server = Server::of::<script>().await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("say one").await;
    let mut clients = vec![ada];
    for user in ["bob", "eve", "kim"] {
        let mut client = server.client(user).await;
        client.subscribe(&thread_id).await;
        clients.push(client);
    }
    let renaming = clients.iter_mut().enumerate().map(|(writer, client)| {
        let thread_id = &thread_id;
        async move {
            for number in 0..10 {
                let title = format!("{writer} {number}");
                let payload = json!({"thread_id": thread_id, "title": title});
                client.send("thread.update", payload).await;
            }
        }
    });
    join_all(renaming).await;
    let mut orders = Vec::new();
    for client in &mut clients {
        let mut shown = Vec::new();
        let mut acks = 0;
        while shown.len() < 40 || acks < 10 {
            let frame = client.next().await;
            match frame["type"].as_str() {
                Some("ack") => acks += usize::from(frame["payload"]["ok"] == true),
                _ => shown.extend(titles(&[frame])),
            }
        }
        orders.push(shown);
    }
    assert!(orders.iter().all(|order| *order == orders[0]), "{orders:?}");
    let last = listed(&mut clients[0]).await["title"].clone();
    assert_eq!(orders[0].last(), Some(&last));
    assert!(kinds(&clients[1].read_pending().await).is_empty());
    server.close(clients).await;
}
