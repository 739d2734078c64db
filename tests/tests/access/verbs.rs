//! The verbs that take an id.

use crate::fixtures::{Ids, Measured, Places};
use serde_json::{Value, json};

/// A request, and its results: with a private thread and with a shared one. [`RELATIONS`](crate::relations::RELATIONS)
/// explains the letters.
pub(crate) type Request = (&'static str, Value, [&'static str; 2]);

/// The results of a request that needs a visible thread.
pub(crate) const OF_THREAD: [&str; 2] = ["+------N", "+++----N"];

/// The results of a message whose id the owner has used in the thread. The id belongs to the user in all agents of the
/// place, so it is not foreign to the user of another agent.
const OF_USED_ID: [&str; 2] = ["+-----CN", "+++---CN"];

/// The results of a request that is the same for everyone, also if it names an event of another thread.
pub(crate) const ANY_THREAD: [&str; 2] = ["+++++++N"; 2];

/// The results of a request that needs an event of its own thread.
pub(crate) const IN_OTHER_THREAD: [&str; 2] = ["-------N"; 2];

/// The number of requests in [`requests`].
pub(crate) const COUNT: usize = 25;

/// Returns the requests of a client with a thread of its own, `home`, that name these ids. Those that change most are last.
pub(crate) fn requests(ids: &Ids, home: &str) -> [Request; COUNT] {
    let thread = json!({"thread_id": ids.thread});
    let message = |thread_id: &str, client_event_id: Option<&str>| {
        let event = json!({"type": "message", "actor": "user", "content": [{"type": "text", "text": "form"}]});
        json!({"thread_id": thread_id, "client_event_id": client_event_id, "event": event})
    };
    let form_response = |thread_id: &str| {
        let data = json!({"form_event_id": ids.form, "values": {"size": "L"}});
        let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
        json!({"thread_id": thread_id, "event": event})
    };
    let like =
        |kind: &str, id: &str| json!({"target_type": kind, "target_id": id, "feedback": "like"});
    let after = |thread_id: &str, id: &str| json!({"thread_id": thread_id, "after_event_id": id});
    let before = |thread_id: &str, id: &str| json!({"thread_id": thread_id, "before_event_id": id});
    let titled = json!({"thread_id": ids.thread, "title": "A title"});
    let resumed = after(&ids.busy_thread, &ids.busy_event);
    [
        ("thread.subscribe", thread.clone(), OF_THREAD),
        ("thread.subscribe", resumed, OF_THREAD),
        ("thread.subscribe", after(home, &ids.event), ANY_THREAD),
        ("event.list", thread.clone(), OF_THREAD),
        ("event.list", before(&ids.thread, &ids.form), OF_THREAD),
        ("event.list", before(home, &ids.form), IN_OTHER_THREAD),
        ("event.create", message(&ids.thread, None), OF_THREAD),
        ("event.create", message(&ids.busy_thread, None), OF_THREAD),
        ("event.create", message(&ids.thread, Some("new")), OF_THREAD),
        // The id of the other message is known in its own place only.
        (
            "event.create",
            message(&ids.thread, Some(&ids.sent)),
            OF_USED_ID,
        ),
        ("event.create", form_response(home), IN_OTHER_THREAD),
        (
            "event.create",
            form_response(&ids.busy_thread),
            IN_OTHER_THREAD,
        ),
        ("event.create", form_response(&ids.thread), OF_THREAD),
        ("feedback", like("thread", &ids.thread), OF_THREAD),
        ("feedback", like("event", &ids.event), OF_THREAD),
        ("feedback", like("run", &ids.busy_run), OF_THREAD),
        ("run.cancel", json!({"run_id": ids.run}), OF_THREAD),
        ("run.cancel", json!({"event_id": ids.event}), OF_THREAD),
        (
            "run.cancel",
            json!({"event_id": ids.queued_event}),
            OF_THREAD,
        ),
        ("run.cancel", json!({"event_id": ids.busy_event}), OF_THREAD),
        ("run.cancel", json!({"run_id": ids.busy_run}), OF_THREAD),
        ("thread.update", titled, OF_THREAD),
        ("thread.unsubscribe", thread.clone(), OF_THREAD),
        (
            "thread.delete",
            json!({"thread_id": ids.busy_thread}),
            OF_THREAD,
        ),
        ("thread.delete", thread, OF_THREAD),
    ]
}

/// Sends a request and returns all frames that follow it.
pub(crate) async fn ask(places: &mut Places<'_>, ids: &Ids, number: usize) -> Measured {
    let (kind, payload, _) = requests(ids, &places.home.thread)[number].clone();
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
