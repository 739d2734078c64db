//! Snapshots and resumed subscriptions.

use crate::agents::script;
use crate::asserts::{appended, events, kinds, seqs, string};
use dooers_tests::{Client, Identity, Server, gate};
use serde_json::{Value, json};

/// A thread of 1 + 250 events. Returns the client, the thread id and the event ids.
async fn long_thread(server: &Server) -> (Client, String, Vec<String>) {
    let mut client = server.client("ada").await;
    let id = client.send_message(None, "burst 250").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    let thread_id = string(&frames[0]["payload"]["thread"]["id"]);
    let ids = appended(&frames)
        .iter()
        .map(|event| string(&event["id"]))
        .collect();
    (client, thread_id, ids)
}

async fn resume(client: &mut Client, thread_id: &str, after: &str) -> Value {
    let payload = json!({"thread_id": thread_id, "after_event_id": after});
    client
        .request("thread.subscribe", payload, "thread.snapshot")
        .await
}

fn range(from: u64, to: u64) -> Vec<u64> {
    (from..=to).collect()
}

#[tokio::test]
async fn snapshot_has_newest_100_events_and_their_runs() {
    let server = Server::of::<script>().await;
    let (mut client, thread_id, _) = long_thread(&server).await;
    let snapshot = client.subscribe(&thread_id).await;
    assert_eq!(seqs(&events(&snapshot)), range(152, 251));
    assert_eq!(snapshot["has_more"], true);
    assert_eq!(snapshot["recovered"], false);
    assert_eq!(snapshot["thread"]["id"], thread_id.as_str());
    assert_eq!(snapshot["runs"].as_array().unwrap().len(), 1);
    assert_eq!(snapshot["runs"][0]["status"], "succeeded");

    let short = client.start_thread("say one").await;
    let snapshot = client.subscribe(&short).await;
    assert_eq!(seqs(&events(&snapshot)), [1, 2]);
    assert_eq!(snapshot["has_more"], false);
    server.close([client]).await;
}

#[tokio::test]
async fn resume_by_agent_id_has_next_100_then_the_rest() {
    let server = Server::of::<script>().await;
    let (client, thread_id, ids) = long_thread(&server).await;
    let mut back = server.client("bob").await;
    let snapshot = resume(&mut back, &thread_id, &ids[9]).await;
    assert_eq!(snapshot["recovered"], true);
    assert_eq!(seqs(&events(&snapshot)), range(11, 110));
    let mut rest = Vec::new();
    while rest.len() < 141 {
        let frame = back.next().await;
        rest.extend(appended(&[frame]));
    }
    assert_eq!(seqs(&rest), range(111, 251));
    back.read_pending().await;

    // Live frames follow.
    let frames = back.run_turn(&thread_id, "say one").await;
    assert_eq!(seqs(&appended(&frames)), [252, 253]);
    server.close([client, back]).await;
}

#[tokio::test]
async fn resume_by_worker_id_has_newest_100_or_all_missed() {
    let server = Server::of::<script>().await;
    let (client, thread_id, ids) = long_thread(&server).await;
    let mut back = server.client(Identity::of("bob").using_worker_id()).await;
    for (after, from) in [(9, 11), (149, 151), (199, 152), (250, 152)] {
        let snapshot = resume(&mut back, &thread_id, &ids[after]).await;
        assert_eq!(snapshot["recovered"], true);
        assert_eq!(seqs(&events(&snapshot)), range(from, 251), "after {after}");
        back.expect_nothing().await;
    }
    server.close([client, back]).await;
}

#[tokio::test]
async fn resume_without_gaps_has_an_empty_snapshot() {
    let server = Server::of::<script>().await;
    let (mut client, thread_id, ids) = long_thread(&server).await;
    let mut back = server.client("bob").await;
    let snapshot = resume(&mut back, &thread_id, &ids[250]).await;
    assert_eq!(snapshot["recovered"], true);
    assert_eq!(snapshot["events"], json!([]));
    back.read_pending().await;
    client.run_turn(&thread_id, "say one").await;
    assert_eq!(seqs(&appended(&back.read_turn().await)), [252, 253]);
    server.close([client, back]).await;
}

#[tokio::test]
async fn resume_after_a_foreign_event_is_not_recovered() {
    let server = Server::of::<script>().await;
    let (mut client, thread_id, _) = long_thread(&server).await;
    let id = client.send_message(None, "say other").await;
    client.expect_ack(&id).await;
    let elsewhere = string(&appended(&client.read_turn().await)[0]["id"]);
    for identity in [Identity::of("bob"), Identity::of("bob").using_worker_id()] {
        let mut back = server.client(identity).await;
        for after in ["nothing", "", elsewhere.as_str()] {
            let snapshot = resume(&mut back, &thread_id, after).await;
            assert_eq!(snapshot["recovered"], false);
            assert_eq!(snapshot["has_more"], true);
            assert_eq!(seqs(&events(&snapshot)), range(152, 251));
        }
        back.expect_nothing().await;
        back.disconnect().await;
    }
    server.close([client]).await;
}

#[tokio::test]
async fn resume_during_a_run_receives_its_end() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("say one").await;
    client
        .send_message(Some(&thread_id), "say two\nwait resuming-run\nsay three")
        .await;
    gate::arrived("resuming-run").await;
    let received = client.read_until("an answer", |frame| {
        appended(std::slice::from_ref(frame))
            .iter()
            .any(|event| event["actor"] == "assistant")
    });
    let last = string(&appended(&received.await)[1]["id"]);
    client.disconnect().await;

    let mut back = server.client("ada").await;
    let snapshot = resume(&mut back, &thread_id, &last).await;
    assert_eq!(snapshot["events"], json!([]));
    assert_eq!(snapshot["runs"][0]["status"], "running");
    gate::open("resuming-run");
    let is_end = |frame: &Value| {
        frame["payload"]["run"]["status"] == "succeeded"
            && frame["payload"]["run"]["id"] == snapshot["runs"][0]["id"]
    };
    let frames = back.read_until("the run's end", is_end).await;
    assert_eq!(seqs(&appended(&frames)), [5]);
    server.close([back]).await;
}

#[tokio::test]
async fn resume_after_a_run_receives_its_end() {
    let server = Server::of::<script>().await;
    let mut client = server.client("ada").await;
    let thread_id = client.start_thread("say one").await;
    client
        .send_message(Some(&thread_id), "wait resuming-ended")
        .await;
    gate::arrived("resuming-ended").await;
    let asked = client
        .read_until("the start", |frame| frame["type"] == "run.upsert")
        .await;
    let last = string(&appended(&asked)[0]["id"]);
    let run_id = string(&asked.last().unwrap()["payload"]["run"]["id"]);
    let mut watching = server.client("ada").await;
    watching.subscribe(&thread_id).await;
    client.disconnect().await;
    gate::open("resuming-ended");
    watching.read_turn().await;

    let mut back = server.client("ada").await;
    let snapshot = resume(&mut back, &thread_id, &last).await;
    assert_eq!(snapshot["events"], json!([]));
    let runs = snapshot["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["id"], run_id.as_str());
    assert_eq!(runs[0]["status"], "succeeded");
    back.expect_nothing().await;
    server.close([back, watching]).await;
}

/// Subscribes during a burst of events. The snapshot and the live frames form one sequence without gaps or repeats,
/// and a list returns the same events.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscribe_during_a_turn_has_no_gaps_or_repeats() {
    let server = Server::of::<script>().await;
    let mut sender = server.client("ada").await;
    let thread_id = sender.start_thread("say one").await;
    let id = sender.send_message(Some(&thread_id), "each 600").await;
    sender.expect_ack(&id).await;
    let mut watching = Vec::new();
    for number in 0..12 {
        let identity = Identity::of(format!("user-{number}"));
        let old = number % 3 == 2;
        let identity = if old {
            identity.using_worker_id()
        } else {
            identity
        };
        let mut client = server.client(identity).await;
        let after = (number % 3 != 0).then_some("nothing");
        let payload = json!({"thread_id": thread_id, "after_event_id": after});
        client.send("thread.subscribe", payload).await;
        watching.push(client);
    }
    let mut all = appended(&sender.read_turn().await);
    let last = all.pop().unwrap();
    assert_eq!(last["seq"], 603);
    for client in &mut watching {
        let frames = client.read_until("the last event", |frame| {
            let shown = events_of(frame);
            shown.last().is_some_and(|event| event["seq"] == 603)
        });
        let frames = frames.await;
        let first = frames
            .iter()
            .position(|frame| frame["type"] == "thread.snapshot")
            .unwrap();
        assert!(!kinds(&frames[..first]).contains(&"event.append"));
        assert!(!kinds(&frames[..first]).contains(&"run.upsert"));
        let got: Vec<Value> = frames[first..].iter().flat_map(events_of).collect();
        let begin = got[0]["seq"].as_u64().unwrap();
        assert_eq!(seqs(&got), range(begin, 603));
        let mut listed = Vec::new();
        let mut before = None;
        while listed.len() < 603 {
            let page = json!({"thread_id": thread_id, "limit": 200, "before_event_id": before});
            client.read_pending().await;
            let page = client
                .request("event.list", page, "event.list.result")
                .await;
            before = Some(page["cursor"].clone());
            let mut events = events(&page);
            events.append(&mut listed);
            listed = events;
        }
        assert_eq!(listed[begin as usize - 1..], got);
    }
    watching.push(sender);
    server.close(watching).await;
}

fn events_of(frame: &Value) -> Vec<Value> {
    match frame["type"].as_str() {
        Some("event.append" | "thread.snapshot") => events(&frame["payload"]),
        _ => Vec::new(),
    }
}
