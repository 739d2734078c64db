//! Streaming texts.

use crate::asserts::{appended, events, kinds, string, texts};
use dooers::Database;
use dooers::prelude::*;
use dooers::protocol::EventType;
use dooers::store::SqliteOptions;
use dooers_tests::postgres::shared;
use dooers_tests::{AppendOutcome, Client, Identity, Server, SpyStore, ThreadView, gate};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use std::sync::Arc;

/// Writes a text as the lines of the message say.
///
/// `begin` and `think` begin a text or a thought, `push X` appends to it, `finish` ends it and waits until it is
/// stored, `drop` drops it, and `lend KEY` passes it to a task that waits at a gate, appends to it and never ends
/// it. `say X` sends another message, `wait KEY` waits at a gate, `fail X` and `panic X` end the turn.
#[dooers::agent]
pub(crate) async fn pen(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let mut open: Option<TextStream> = None;
    for line in request.message.lines() {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "begin" => open = Some(response.text_stream()),
            "think" => open = Some(response.reasoning_stream()),
            "push" => open.as_ref().unwrap().push(rest),
            "finish" => {
                let text = open.take().unwrap();
                let id = text.id().to_owned();
                assert_eq!(text.finish().await?, id);
            }
            "drop" => open = None,
            "lend" => {
                let (text, key) = (open.take().unwrap(), rest.to_owned());
                tokio::spawn(async move {
                    gate::pass(&key).await;
                    text.push("elsewhere");
                    std::future::pending::<()>().await;
                });
            }
            "say" => drop(response.text(rest)),
            "wait" => gate::pass(rest).await,
            "fail" => return Err(rest.to_owned().into()),
            "panic" => panic!("{rest}"),
            _ => {}
        }
    }
    Ok(())
}

/// A client that receives deltas.
pub(crate) async fn client_with_deltas(server: &Server, user: &str) -> Client {
    server.client(Identity::of(user).with_deltas()).await
}

/// Sends a message that starts a thread. Returns the thread id.
pub(crate) async fn begin(client: &mut Client, text: &str) -> String {
    let id = client.send_message(None, text).await;
    client.expect_ack(&id).await;
    string(&client.expect("thread.upsert").await["thread"]["id"])
}

/// Applies frames to the view. They must be in order.
fn apply_frames(view: &mut ThreadView, frames: &[Value]) {
    for frame in frames {
        let payload = &frame["payload"];
        match frame["type"].as_str() {
            Some("event.append") => {
                for event in events(payload) {
                    assert_ne!(
                        view.append(&event),
                        AppendOutcome::Same,
                        "told twice: {event}"
                    );
                }
            }
            Some("event.delta") => view.delta(payload),
            _ => {}
        }
    }
}

/// The frames up to the piece that ends with this text.
async fn up_to_piece(client: &mut Client, end: &str) -> Vec<Value> {
    let is_it = |frame: &Value| {
        let text = frame["payload"]["text"].as_str();
        frame["type"] == "event.delta" && text.is_some_and(|text| text.ends_with(end))
    };
    client.read_until("a piece", is_it).await
}

#[tokio::test]
async fn text_starts_as_event_grows_and_ends_whole() {
    let server = Server::of::<pen>().await;
    let mut client = client_with_deltas(&server, "ada").await;
    let id = client
        .send_message(
            None,
            "begin\npush One \nwait text-a\npush word\npush .\nwait text-a\nfinish\nsay After",
        )
        .await;
    client.expect_ack(&id).await;
    gate::arrived("text-a").await;
    let mut frames = up_to_piece(&mut client, "One ").await;
    gate::open("text-a");
    frames.append(&mut up_to_piece(&mut client, ".").await);
    gate::open("text-a");
    frames.append(&mut client.read_turn().await);
    assert_eq!(
        kinds(&frames),
        [
            "thread.upsert",
            "event.append",
            "run.upsert",
            "event.append",
            "event.delta",
            "event.delta",
            "event.append",
            "event.append",
            "thread.upsert",
            "run.upsert"
        ]
    );
    let begun = &frames[3]["payload"]["events"][0];
    assert_eq!(
        (
            &begun["streaming"],
            &begun["delta_seq"],
            &begun["finalized"]
        ),
        (&json!(true), &json!(0), &Value::Null)
    );
    assert_eq!(begun["content"], json!([{"type": "text", "text": ""}]));
    assert_eq!(begun["run_id"], frames[2]["payload"]["run"]["id"]);
    // Consecutive pushes without an await form one piece.
    let piece = |number: u64, text: &str| json!({"thread_id": begun["thread_id"], "event_id": begun["id"], "delta_seq": number, "text": text});
    assert_eq!(frames[4]["payload"], piece(0, "One "));
    assert_eq!(frames[5]["payload"], piece(1, "word."));
    let whole = &frames[6]["payload"]["events"][0];
    let mut expected = begun.clone();
    expected["content"][0]["text"] = json!("One word.");
    expected["finalized"] = json!(true);
    for member in ["streaming", "delta_seq"] {
        expected.as_object_mut().unwrap().remove(member);
    }
    assert_eq!(whole, &expected);
    server.close([client]).await;
}

#[tokio::test]
async fn client_without_deltas_receives_whole_texts() {
    let server = Server::of::<pen>().await;
    let mut client = server.client("ada").await;
    begin(
        &mut client,
        "begin\nwait text-b\npush One \nwait text-b\npush word\nfinish",
    )
    .await;
    gate::arrived("text-b").await;
    gate::open("text-b");
    gate::arrived("text-b").await;
    let is_first = |frame: &Value| frame["payload"]["events"][0]["content"][0]["text"] == "One ";
    let mut frames = client.read_until("the text so far", is_first).await;
    assert_eq!(
        frames.last().unwrap()["payload"]["events"][0]["delta_seq"],
        1
    );
    gate::open("text-b");
    frames.append(&mut client.read_turn().await);
    assert!(!kinds(&frames).contains(&"event.delta"));
    let mut view = ThreadView::default();
    apply_frames(&mut view, &frames);
    assert_eq!(view.events.len(), 2);
    assert_eq!(view.events[1]["finalized"], true);
    assert_eq!(texts(&view.events)[1], "One word");
    server.close([client]).await;
}

#[tokio::test]
async fn joining_midway_receives_every_character_once() {
    let server = Server::of::<pen>().await;
    let mut client = client_with_deltas(&server, "ada").await;
    let thread_id = begin(
        &mut client,
        "begin\npush One \nwait text-c\npush two \nwait text-c\npush three\nfinish",
    )
    .await;
    up_to_piece(&mut client, "One ").await;
    gate::open("text-c");
    up_to_piece(&mut client, "two ").await;

    let mut joining = client_with_deltas(&server, "bob").await;
    let mut view = ThreadView::default();
    view.snapshot(&joining.subscribe(&thread_id).await);
    let frames = joining.read_pending().await;
    apply_frames(&mut view, &frames);
    assert_eq!(texts(&view.events)[1], "One two ");
    assert_eq!(view.events[1]["streaming"], true);
    gate::open("text-c");
    let frames = joining.read_turn().await;
    assert!(kinds(&frames).contains(&"event.delta"));
    apply_frames(&mut view, &frames);
    assert_eq!(texts(&view.events)[1], "One two three");
    server.close([client, joining]).await;
}

#[tokio::test]
async fn resuming_midway_continues_from_the_text_so_far() {
    let server = Server::of::<pen>().await;
    let mut client = client_with_deltas(&server, "ada").await;
    let thread_id = begin(
        &mut client,
        "begin\npush One \nwait text-d\npush two \nwait text-d\npush three\nfinish",
    )
    .await;
    let frames = up_to_piece(&mut client, "One ").await;
    let mut view = ThreadView::default();
    apply_frames(&mut view, &frames);
    client.disconnect().await;
    gate::arrived("text-d").await;
    gate::open("text-d");
    gate::arrived("text-d").await;

    let mut client = client_with_deltas(&server, "ada").await;
    let known = view.last_event_id().unwrap().to_owned();
    let resume = json!({"thread_id": thread_id, "after_event_id": known});
    let snapshot = client.request("thread.subscribe", resume, "thread.snapshot");
    view.snapshot(&snapshot.await);
    apply_frames(&mut view, &client.read_pending().await);
    assert_eq!(texts(&view.events)[1], "One two ");
    gate::open("text-d");
    apply_frames(&mut view, &client.read_turn().await);
    assert_eq!(texts(&view.events)[1], "One two three");
    server.close([client]).await;
}

#[tokio::test]
async fn resume_sends_an_earlier_open_text_before_deltas() {
    let store = SpyStore::memory();
    let server = Server::with::<pen>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut client = client_with_deltas(&server, "ada").await;
    let mut beginning = store.hold("write_turn");
    let text = "begin\npush One \nwait text-k\npush two\nfinish";
    let thread_id = begin(&mut client, text).await;
    // The text has begun in the store, but is not published yet.
    beginning.reached().await;
    // Bob's message has a higher `seq`, and he receives nothing from before it.
    let mut bob = client_with_deltas(&server, "bob").await;
    let id = bob.send_message(Some(&thread_id), "say Hello").await;
    bob.expect_ack(&id).await;
    let is_own = |frame: &Value| frame["type"] == "event.append";
    let own = appended(&bob.read_until("his message", is_own).await).remove(0);
    assert_eq!(own["seq"], 3);
    bob.disconnect().await;

    let mut bob = client_with_deltas(&server, "bob").await;
    let resume = json!({"thread_id": thread_id, "after_event_id": own["id"]});
    let snapshot = bob
        .request("thread.subscribe", resume, "thread.snapshot")
        .await;
    assert_eq!(snapshot["events"], json!([]));
    bob.expect_nothing().await;
    beginning.release();
    let published = bob.expect("event.append").await["events"][0].clone();
    assert_eq!(
        (
            &published["seq"],
            &published["delta_seq"],
            &published["content"][0]["text"]
        ),
        (&json!(2), &json!(1), &json!("One "))
    );
    gate::open("text-k");
    let piece =
        json!({"thread_id": thread_id, "event_id": published["id"], "delta_seq": 1, "text": "two"});
    assert_eq!(bob.expect("event.delta").await, piece);
    server.close([client, bob]).await;
}

#[tokio::test]
async fn reader_at_the_end_receives_no_older_text() {
    let store = SpyStore::memory();
    let server = Server::with::<pen>(|config| config.store(Arc::clone(&store) as _)).await;
    let mut client = client_with_deltas(&server, "ada").await;
    let thread_id = begin(
        &mut client,
        "begin\npush One \nwait text-i\npush two\nfinish",
    )
    .await;
    up_to_piece(&mut client, "One ").await;
    let mut ending = store.hold("write_turn");
    gate::open("text-i");
    ending.reached().await;
    // The end is stored, but not published yet.
    let mut joining = client_with_deltas(&server, "bob").await;
    let mut view = ThreadView::default();
    view.snapshot(&joining.subscribe(&thread_id).await);
    assert_eq!(view.events[1]["finalized"], true);
    joining.expect_nothing().await;
    ending.release();
    apply_frames(&mut view, &joining.read_turn().await);
    assert_eq!(texts(&view.events)[1], "One two");
    server.close([client, joining]).await;
}

#[tokio::test]
async fn older_page_includes_the_text_so_far() {
    let server = Server::of::<pen>().await;
    let mut client = client_with_deltas(&server, "ada").await;
    let thread_id = begin(
        &mut client,
        "begin\npush One \nwait text-e\npush two\nfinish",
    )
    .await;
    let mut view = ThreadView::default();
    apply_frames(&mut view, &up_to_piece(&mut client, "One ").await);
    client
        .send("event.list", json!({"thread_id": thread_id}))
        .await;
    let page = client.expect("event.list.result").await;
    for event in events(&page) {
        view.append(&event);
    }
    let frames = client.read_pending().await;
    apply_frames(&mut view, &frames);
    gate::open("text-e");
    apply_frames(&mut view, &client.read_turn().await);
    assert_eq!(texts(&view.events)[1], "One two");
    server.close([client]).await;
}

/// Checks that a text keeps its content for this end of the turn, followed by `extra` events.
async fn check_text_kept(end: &str, status: &str, extra: usize) {
    let server = Server::of::<pen>().await;
    let mut client = client_with_deltas(&server, "ada").await;
    let thread_id = begin(&mut client, &format!("begin\npush as far as\n{end}")).await;
    let frames = client.read_turn().await;
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        json!(status)
    );
    let mut view = ThreadView::default();
    apply_frames(&mut view, &frames);
    assert_eq!(texts(&view.events)[1], "as far as");
    assert_eq!(view.events[1]["finalized"], true);
    assert_eq!(view.events.len(), 2 + extra);
    let snapshot = client.subscribe(&thread_id).await;
    assert_eq!(snapshot["events"], json!(view.events));
    server.close([client]).await;
}

#[tokio::test]
async fn dropped_text_keeps_its_content() {
    check_text_kept("drop\nsay after", "succeeded", 1).await;
}

#[tokio::test]
async fn open_text_of_a_finished_turn_keeps_its_content() {
    check_text_kept("", "succeeded", 0).await;
}

#[tokio::test]
async fn open_text_of_a_failed_turn_keeps_its_content() {
    check_text_kept("fail oh", "failed", 1).await;
}

#[tokio::test]
async fn open_text_of_a_panicked_turn_keeps_its_content() {
    check_text_kept("panic oh", "failed", 1).await;
}

/// Checks that an empty text leaves no event, whatever ends it.
async fn check_no_event(server: Server, gate: &str) {
    let mut client = client_with_deltas(&server, "ada").await;
    let waits = format!("begin\nwait {gate}");
    for end in ["", "finish", "drop", "fail on purpose", "panic on purpose"] {
        let end = format!("begin\npush \n{end}");
        let id = client.send_message(None, &end).await;
        client.expect_ack(&id).await;
        let actors: Vec<_> = appended(&client.read_turn().await)
            .iter()
            .map(|event| string(&event["actor"]))
            .collect();
        assert!(!actors.contains(&"assistant".to_owned()), "{end}");
    }
    let thread_id = begin(&mut client, &waits).await;
    gate::arrived(gate).await;
    let is_run = |frame: &Value| frame["type"] == "run.upsert";
    let run = client.read_until("the run", is_run).await.pop().unwrap();
    let cancel = json!({"run_id": run["payload"]["run"]["id"]});
    client.send_expecting_ack("run.cancel", cancel).await;
    assert_eq!(appended(&client.read_turn().await), [json!(null); 0]);
    let snapshot = client.subscribe(&thread_id).await;
    assert_eq!(texts(&events(&snapshot)), [waits]);
    server.close([client]).await;
}

#[tokio::test]
async fn empty_text_leaves_no_event_in_memory() {
    check_no_event(Server::of::<pen>().await, "empty-memory").await;
}

#[tokio::test]
async fn empty_text_leaves_no_event_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let file = SqliteOptions::new(directory.path().join("worker.db"));
    let server = Server::with::<pen>(|config| config.database(Database::Sqlite(file))).await;
    check_no_event(server, "empty-file").await;
}

mod on_postgres {
    use super::{Database, Server, check_no_event, pen, shared};

    #[tokio::test]
    async fn empty_text_leaves_no_event_on_postgres() {
        if let Some(tables) = shared() {
            let tables = Database::Postgres(tables);
            let server = Server::with::<pen>(|config| config.database(tables)).await;
            check_no_event(server, "empty-tables").await;
        }
    }
}

#[tokio::test]
async fn open_text_of_a_canceled_turn_keeps_its_content() {
    let server = Server::of::<pen>().await;
    let mut client = client_with_deltas(&server, "ada").await;
    begin(&mut client, "begin\npush as far as\nwait text-f").await;
    let frames = up_to_piece(&mut client, "as far as").await;
    let mut view = ThreadView::default();
    apply_frames(&mut view, &frames);
    let run_id = string(&frames[1]["payload"]["run"]["id"]);
    let id = client.send("run.cancel", json!({"run_id": run_id})).await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    apply_frames(&mut view, &frames);
    assert_eq!(
        frames.last().unwrap()["payload"]["run"]["status"],
        "canceled"
    );
    assert_eq!(texts(&view.events)[1], "as far as");
    assert_eq!(view.events[1]["finalized"], true);
    server.close([client]).await;
}

#[tokio::test]
async fn text_written_by_a_task_ends_with_the_turn() {
    let server = Server::of::<pen>().await;
    let mut client = client_with_deltas(&server, "ada").await;
    begin(
        &mut client,
        "begin\npush One \nlend text-j-lent\nwait text-j",
    )
    .await;
    let mut view = ThreadView::default();
    apply_frames(&mut view, &up_to_piece(&mut client, "One ").await);
    gate::arrived("text-j").await;
    gate::open("text-j-lent");
    apply_frames(&mut view, &up_to_piece(&mut client, "elsewhere").await);
    gate::open("text-j");
    apply_frames(&mut view, &client.read_turn().await);
    assert_eq!(texts(&view.events)[1], "One elsewhere");
    assert_eq!(view.events[1]["finalized"], true);
    server.close([client]).await;
}

#[tokio::test]
async fn text_begun_and_ended_at_once_is_one_event() {
    let server = Server::of::<pen>().await;
    let mut client = client_with_deltas(&server, "ada").await;
    begin(&mut client, "begin\npush One\u{0} \npush word\nfinish").await;
    let frames = client.read_turn().await;
    let events = appended(&frames);
    assert_eq!(texts(&events)[1..], ["One word"]);
    assert_eq!(events[1]["finalized"], true);
    assert_eq!(events[1]["streaming"], Value::Null);
    server.close([client]).await;
}

#[tokio::test]
async fn thought_streams_like_a_message() {
    let server = Server::of::<pen>().await;
    let mut client = client_with_deltas(&server, "ada").await;
    begin(
        &mut client,
        "think\npush hm\nwait text-g\npush , yes\nfinish",
    )
    .await;
    let mut frames = up_to_piece(&mut client, "hm").await;
    gate::open("text-g");
    frames.append(&mut client.read_turn().await);
    let mut view = ThreadView::default();
    apply_frames(&mut view, &frames);
    assert_eq!(view.events[1]["type"], json!(EventType::Reasoning.as_str()));
    assert_eq!(texts(&view.events)[1], "hm, yes");
    server.close([client]).await;
}

/// Streams a text in the way that the message names.
#[dooers::agent]
async fn author(request: WorkerRequest, response: WorkerResponse) -> Result<TextReply> {
    let words = || stream::iter(["One ", "word"]);
    let results = [Ok("One "), Err("the model is tired"), Ok("never")];
    match request.message.as_str() {
        "stream" => drop(response.stream_text(words()).await?),
        "think" => drop(response.stream_reasoning(words()).await?),
        "named" => drop(response.author("Poe").stream_text(words()).await?),
        "break" => drop(response.stream_text(stream::iter(results)).await?),
        "return broken" => return Ok(TextReply::stream(stream::iter(results))),
        "return thought" => return Ok(TextReply::reasoning(words()).author("Poe")),
        _ => {}
    }
    Ok(TextReply::stream(words().map(Some)))
}

/// The type, author and text of all replies to a message, and the status of its run.
async fn said(message: &str) -> (Vec<(String, String, String)>, String) {
    let server = Server::of::<author>().await;
    let mut client = client_with_deltas(&server, "ada").await;
    begin(&mut client, message).await;
    let frames = client.read_turn().await;
    let mut view = ThreadView::default();
    apply_frames(&mut view, &frames);
    let said = view.events[1..].iter().map(|event| {
        assert_eq!(event["streaming"], Value::Null);
        let author = event["author"].as_str().unwrap_or_default();
        (
            string(&event["type"]),
            author.to_owned(),
            crate::asserts::text(event).to_owned(),
        )
    });
    let said = said.collect();
    let status = string(&frames.last().unwrap()["payload"]["run"]["status"]);
    server.close([client]).await;
    (said, status)
}

fn event(kind: &str, author: &str, text: &str) -> (String, String, String) {
    (kind.to_owned(), author.to_owned(), text.to_owned())
}

#[tokio::test]
async fn stream_of_text_becomes_one_message() {
    let returned = event("message", "Assistant", "One word");
    for (message, first) in [
        ("stream", event("message", "Assistant", "One word")),
        ("think", event("reasoning", "Assistant", "One word")),
        ("named", event("message", "Poe", "One word")),
    ] {
        let (said, status) = said(message).await;
        assert_eq!(said, [first, returned.clone()], "{message}");
        assert_eq!(status, "succeeded");
    }
    let (said, _) = said("return thought").await;
    assert_eq!(said, [event("reasoning", "Poe", "One word")]);
}

#[tokio::test]
async fn failed_stream_fails_the_turn_and_keeps_its_text() {
    for message in ["break", "return broken"] {
        let (said, status) = said(message).await;
        assert_eq!(said[0], event("message", "Assistant", "One "), "{message}");
        assert_eq!(said.len(), 2);
        assert!(!said[1].2.contains("tired"), "{said:?}");
        assert_eq!(status, "failed");
    }
}

#[tokio::test]
async fn streaming_text_is_hidden_from_other_users() {
    let server = Server::of::<pen>().await;
    let mut client = client_with_deltas(&server, "ada").await;
    let elsewhere = Identity::of("eve").with("workspace_id", "s2").with_deltas();
    let mut stranger = server.client(elsewhere).await;
    let mut idle = client_with_deltas(&server, "bob").await;
    begin(
        &mut client,
        "begin\npush One \nwait text-h\npush two\nfinish",
    )
    .await;
    up_to_piece(&mut client, "One ").await;
    gate::open("text-h");
    client.read_turn().await;
    stranger.expect_nothing().await;
    // The client receives the thread row, but none of its events.
    let received = idle.read_pending().await;
    assert!(kinds(&received).iter().all(|kind| *kind == "thread.upsert"));
    server.close([client, stranger, idle]).await;
}
