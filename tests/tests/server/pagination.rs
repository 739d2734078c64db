//! Pages of threads and of events.

use crate::agents::{quiet, script};
use crate::asserts::{events, seqs, string};
use dooers_tests::{Client, Server};
use serde_json::{Value, json};

async fn threads(client: &mut Client, payload: Value) -> Value {
    client
        .request("thread.list", payload, "thread.list.result")
        .await
}

fn ids(page: &Value) -> Vec<String> {
    let threads = page["threads"].as_array().unwrap();
    threads.iter().map(|thread| string(&thread["id"])).collect()
}

#[tokio::test]
async fn threads_are_paged_by_newest_event() {
    let server = Server::of::<quiet>().await;
    let mut client = server.client("ada").await;
    let empty = threads(&mut client, json!({})).await;
    assert_eq!(
        empty,
        json!({"threads": [], "cursor": null, "total_count": 0})
    );

    let mut known = Vec::new();
    for _ in 0..35 {
        known.push(client.start_thread("hello").await);
    }
    // The first thread becomes the newest.
    client.run_turn(&known[0], "again").await;
    let first = known.remove(0);
    known.push(first);
    known.reverse();

    let page = threads(&mut client, json!({})).await;
    assert_eq!(ids(&page), known[..30]);
    assert_eq!(page["total_count"], 35);
    let rest = threads(&mut client, json!({"cursor": page["cursor"]})).await;
    assert_eq!(ids(&rest), known[30..]);
    assert_eq!(rest["cursor"], json!(null));
    assert_eq!(rest["total_count"], 0);

    let mut walked = Vec::new();
    let mut cursor = json!(null);
    loop {
        let page = threads(&mut client, json!({"cursor": cursor, "limit": 7})).await;
        walked.extend(ids(&page));
        cursor = page["cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(walked, known);
    let all = threads(&mut client, json!({"limit": 100})).await;
    assert_eq!(all["threads"].as_array().unwrap().len(), 35);
    server.close([client]).await;
}

#[tokio::test]
async fn limit_below_1_is_rejected_and_large_is_capped() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("burst 250").await;
    for _ in 0..104 {
        client.start_thread("hello").await;
    }
    for limit in [json!(0), json!(-1), json!("10"), json!(1.5), json!([])] {
        let code = client
            .send_expecting_error("thread.list", json!({"limit": limit}))
            .await;
        assert_eq!(code, "INVALID_PAYLOAD", "{limit}");
        let payload = json!({"thread_id": thread_id, "limit": limit});
        let code = client.send_expecting_error("event.list", payload).await;
        assert_eq!(code, "INVALID_PAYLOAD", "{limit}");
    }
    for limit in [
        json!(101),
        json!(1_000_000),
        json!(i64::MAX),
        json!(u64::MAX),
    ] {
        let page = threads(&mut client, json!({"limit": limit})).await;
        assert_eq!(ids(&page).len(), 100, "{limit}");
        assert_eq!(page["total_count"], 105);
        let payload = json!({"thread_id": thread_id, "limit": limit});
        let page = client
            .request("event.list", payload, "event.list.result")
            .await;
        assert_eq!(
            events(&page).len(),
            if limit == json!(101) { 101 } else { 200 }
        );
    }
    for limit in [json!(1), json!(null)] {
        let page = threads(&mut client, json!({"limit": limit})).await;
        assert_eq!(ids(&page).len(), if limit.is_null() { 30 } else { 1 });
    }
    server.close([client]).await;
}

#[tokio::test]
async fn limit_accepts_any_notation_of_an_integer() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("burst 5").await;
    client.start_thread("hello").await;
    client.start_thread("hello").await;
    for limit in ["2", "2.0", "2e0", "20e-1"] {
        let limit: Value = serde_json::from_str(limit).unwrap();
        let page = threads(&mut client, json!({"limit": limit})).await;
        assert_eq!(ids(&page).len(), 2, "{limit}");
        let payload = json!({"thread_id": thread_id, "limit": limit});
        let page = client
            .request("event.list", payload, "event.list.result")
            .await;
        assert_eq!(events(&page).len(), 2, "{limit}");
    }
    for (limit, count) in [(json!(100.0), 3), (json!(1e300), 3), (json!(1.0), 1)] {
        let page = threads(&mut client, json!({"limit": limit})).await;
        assert_eq!(ids(&page).len(), count, "{limit}");
    }
    for limit in [
        json!(0.0),
        json!(-1.0),
        json!(-1e300),
        json!(0.5),
        json!("2.0"),
    ] {
        let code = client
            .send_expecting_error("thread.list", json!({"limit": limit}))
            .await;
        assert_eq!(code, "INVALID_PAYLOAD", "{limit}");
    }
    server.close([client]).await;
}

#[tokio::test]
async fn a_made_up_cursor_is_refused() {
    let server = Server::of::<quiet>().await;
    let mut client = server.client("ada").await;
    client.start_thread("hello").await;
    for cursor in [
        json!(""),
        json!("garbage"),
        json!("12"),
        json!("99999999999999999999999.x"),
        json!("' OR 1=1 --"),
        json!(5),
        json!({}),
    ] {
        let code = client
            .send_expecting_error("thread.list", json!({"cursor": cursor}))
            .await;
        assert_eq!(code, "INVALID_PAYLOAD", "{cursor}");
    }
    server.close([client]).await;
}

#[tokio::test]
async fn event_pages_go_backwards_and_are_oldest_first() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("burst 130").await;
    let payload = |before: &Value, limit: Option<u32>| json!({"thread_id": thread_id, "before_event_id": before, "limit": limit});
    let page = client
        .request(
            "event.list",
            payload(&json!(null), None),
            "event.list.result",
        )
        .await;
    assert_eq!(page["thread_id"], thread_id.as_str());
    assert_eq!(seqs(&events(&page)), (82..=131).collect::<Vec<_>>());
    assert_eq!(page["has_more"], true);
    assert_eq!(page["cursor"], page["events"][0]["id"]);
    let page = client
        .request(
            "event.list",
            payload(&page["cursor"], Some(60)),
            "event.list.result",
        )
        .await;
    assert_eq!(seqs(&events(&page)), (22..=81).collect::<Vec<_>>());
    let page = client
        .request(
            "event.list",
            payload(&page["cursor"], Some(21)),
            "event.list.result",
        )
        .await;
    assert_eq!(seqs(&events(&page)), (1..=21).collect::<Vec<_>>());
    assert_eq!(page["has_more"], false);
    assert_eq!(page["cursor"], json!(null));
    let first = payload(&page["events"][0]["id"], None);
    let page = client
        .request("event.list", first, "event.list.result")
        .await;
    assert_eq!(page["events"], json!([]));
    assert_eq!(page["has_more"], false);
    assert_eq!(page["cursor"], json!(null));
    server.close([client]).await;
}

#[tokio::test]
async fn event_page_has_the_runs_of_its_events() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("burst 3").await;
    for text in ["burst 2", "say three"] {
        client.run_turn(&thread_id, text).await;
    }
    let payload = |before: &Value, limit: u32| json!({"thread_id": thread_id, "before_event_id": before, "limit": limit});
    let mut page = async |before: &Value, limit| {
        let page = client.request("event.list", payload(before, limit), "event.list.result");
        page.await
    };
    let all = page(&json!(null), 50).await;
    let runs = all["runs"].as_array().unwrap();
    let messages = events(&all)
        .into_iter()
        .filter(|event| event["actor"] == "user");
    let answered: Vec<_> = runs.iter().map(|run| run["event_id"].clone()).collect();
    let messages: Vec<_> = messages.map(|event| event["id"].clone()).collect();
    assert_eq!(answered, messages);
    assert!(runs.iter().all(|run| run["status"] == "succeeded"));
    // The second turn begins with the fifth event.
    let fourth = all["events"][4]["id"].clone();
    let first_turn = page(&fourth, 2).await;
    assert_eq!(first_turn["runs"], json!([runs[0]]));
    let two_turns = page(&all["events"][5]["id"], 2).await;
    assert_eq!(two_turns["runs"], json!([runs[0], runs[1]]));
    let nothing = page(&all["events"][0]["id"], 2).await;
    assert_eq!(nothing["runs"], json!([]));
    server.close([client]).await;
}

#[tokio::test]
async fn page_before_a_foreign_event_is_not_found() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("say one").await;
    let other = client.start_thread("say two").await;
    let page = client
        .request(
            "event.list",
            json!({"thread_id": other}),
            "event.list.result",
        )
        .await;
    for before in [json!("nothing"), json!(""), page["events"][0]["id"].clone()] {
        let payload = json!({"thread_id": thread_id, "before_event_id": before});
        assert_eq!(
            client.send_expecting_error("event.list", payload).await,
            "NOT_FOUND",
            "{before}"
        );
    }
    for kind in [
        "event.list",
        "thread.subscribe",
        "thread.unsubscribe",
        "thread.delete",
    ] {
        let code = client
            .send_expecting_error(kind, json!({"thread_id": "nothing"}))
            .await;
        assert_eq!(code, "NOT_FOUND", "{kind}");
        assert_eq!(
            client.send_expecting_error(kind, json!({})).await,
            "INVALID_PAYLOAD",
            "{kind}"
        );
        let code = client
            .send_expecting_error(kind, json!({"thread_id": null}))
            .await;
        assert_eq!(code, "INVALID_PAYLOAD", "{kind}");
    }
    server.close([client]).await;
}
