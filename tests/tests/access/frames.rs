//! Live frames, and the actions that cause them.

use crate::fixtures::Ids;
use crate::relations::Place;
use dooers::repository::{Repository, Scope};
use dooers_tests::{Client, gate};
use serde_json::{Value, json};

/// Frames about a thread are received by callers who see it.
const OF_THREAD: [&str; 2] = ["+.......", "+++....."];

/// The live frames, whether they need a subscription, and their receivers. A frame about a setting is listed with its field.
pub(crate) const FRAMES: [(&str, bool, [&str; 2]); 8] = [
    ("thread.upsert", false, OF_THREAD),
    ("thread.deleted", false, OF_THREAD),
    ("event.append", true, OF_THREAD),
    ("event.delta", true, OF_THREAD),
    ("run.upsert", true, OF_THREAD),
    ("settings.patch greeting", true, ["+++++..."; 2]),
    ("settings.patch budget", true, ["..++...."; 2]),
    ("analytics.event", true, ["..++...."; 2]),
];

/// The frames that only answer a request of the connection, or are about the connection itself.
pub(crate) const ANSWERS: [&str; 9] = [
    "ack",
    "thread.list.result",
    "thread.snapshot",
    "event.list.result",
    "settings.snapshot",
    "settings.public_schema.result",
    "feedback.ack",
    "auth.expiring",
    "pong",
];

/// The name of a frame in [`FRAMES`].
pub(crate) fn label(frame: &Value) -> String {
    let kind = frame["type"].as_str().unwrap();
    match frame["payload"]["field_id"].as_str() {
        Some(field) => format!("{kind} {field}"),
        None => kind.to_owned(),
    }
}

/// All subscriptions to the owner's thread and worker. A refused subscription for creators leaves the one for users.
pub(crate) fn subscriptions(owner: &Place, ids: &Ids) -> [(&'static str, Value); 4] {
    let worker = json!({"agent_id": owner.worker});
    let creator = json!({"agent_id": owner.worker, "audience": "creator"});
    [
        ("thread.subscribe", json!({"thread_id": ids.thread})),
        ("settings.subscribe", worker.clone()),
        ("settings.subscribe", creator),
        ("analytics.subscribe", worker),
    ]
}

/// Does everything that causes live frames. `round` makes the values different.
pub(crate) async fn act(
    ana: &mut Client,
    repository: &Repository,
    owner: &Place,
    ids: &Ids,
    round: u32,
) {
    let gate = Ids::missing().thread;
    let text = format!("stream {gate}");
    let sent = ana.send_message(Some(&ids.thread), &text).await;
    ana.expect_ack(&sent).await;
    let is_piece = |frame: &Value| frame["type"] == "event.delta";
    ana.read_until("a piece", is_piece).await;
    gate::open(&gate);
    ana.read_turn().await;
    let created = ana.start_thread("form").await;
    ana.send("thread.delete", json!({"thread_id": created}))
        .await;
    ana.expect("thread.deleted").await;
    let greeting = json!({"field_id": "greeting", "value": format!("hello {round}")});
    ana.send("settings.patch", greeting).await;
    let everyone = Scope::new(owner.agent, &owner.worker);
    repository
        .set_setting(&everyone, "budget", round)
        .await
        .unwrap();
    ana.read_pending().await;
}
