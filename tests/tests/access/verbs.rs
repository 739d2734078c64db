//! The verbs that take an id.

use crate::fixtures::{Ids, Measured, Places};
use serde_json::{Value, json};

/// The number of requests in [`requests`].
pub(crate) const COUNT: usize = 24;

/// Returns the requests of a client with threads of its own, `home`, that name these ids.
fn requests(ids: &Ids, home: &Ids) -> [(&'static str, Value); COUNT] {
    let thread = json!({"thread_id": ids.thread});
    let message = |thread_id: &str, client_event_id: Option<&str>| {
        let event = json!({"type": "message", "actor": "user", "content": [{"type": "text", "text": "hello"}]});
        json!({"thread_id": thread_id, "client_event_id": client_event_id, "event": event})
    };
    let form_response = |thread_id: &str| {
        let data = json!({"form_event_id": ids.form, "values": {"size": "L"}});
        let event = json!({"type": "form_response", "actor": "user", "content": [], "data": data});
        json!({"thread_id": thread_id, "event": event})
    };
    let like =
        |kind: &str, id: &str| json!({"target_type": kind, "target_id": id, "feedback": "like"});
    [
        ("thread.subscribe", thread.clone()),
        (
            "thread.subscribe",
            json!({"thread_id": ids.busy_thread, "after_event_id": ids.busy_event}),
        ),
        (
            "thread.subscribe",
            json!({"thread_id": home.thread, "after_event_id": ids.event}),
        ),
        ("thread.unsubscribe", thread.clone()),
        ("thread.delete", thread.clone()),
        ("thread.delete", json!({"thread_id": ids.busy_thread})),
        ("event.list", thread),
        (
            "event.list",
            json!({"thread_id": ids.thread, "before_event_id": ids.form}),
        ),
        (
            "event.list",
            json!({"thread_id": home.thread, "before_event_id": ids.form}),
        ),
        ("event.create", message(&ids.thread, None)),
        ("event.create", message(&ids.busy_thread, None)),
        ("event.create", message(&ids.thread, Some("new"))),
        // The id of the other message is known in its own place only.
        ("event.create", message(&ids.thread, Some(&ids.sent))),
        ("event.create", form_response(&ids.thread)),
        ("event.create", form_response(&ids.busy_thread)),
        ("event.create", form_response(&home.thread)),
        ("run.cancel", json!({"run_id": ids.run})),
        ("run.cancel", json!({"run_id": ids.busy_run})),
        ("run.cancel", json!({"event_id": ids.event})),
        ("run.cancel", json!({"event_id": ids.busy_event})),
        ("run.cancel", json!({"event_id": ids.queued_event})),
        ("feedback", like("thread", &ids.thread)),
        ("feedback", like("event", &ids.event)),
        ("feedback", like("run", &ids.busy_run)),
    ]
}

/// Sends a request and returns all frames that follow it.
pub(crate) async fn ask(places: &mut Places<'_>, ids: &Ids, number: usize) -> Measured {
    let (kind, payload) = requests(ids, &places.home)[number].clone();
    places.executed().await;
    let frame_id = places.client.send(kind, payload.clone()).await;
    let frames = places.client.read_pending().await;
    assert!(!frames.is_empty(), "every request has an answer");
    // Each frame of the server has an id of its own.
    let answer = frames
        .iter()
        .map(|frame| format!("{} {}", frame["type"], frame["payload"]));
    let answer: Vec<_> = answer.collect();
    let answer = answer.join("\n").replace(&frame_id, "FRAME");
    Measured {
        request: format!("{kind} {}", ids.hide(&payload.to_string())),
        answer: ids.hide(&answer),
        executed: places.executed().await,
    }
}
