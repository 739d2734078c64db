//! The stream of a dispatched turn.

use crate::agents::{actor, concurrent, hesitant, manual, retrying, storyteller};
use crate::fixtures::{collect, describe, message, send, server, server_with, text_of};
use dooers::protocol::{MAX_SHOWN_USERS, RunStatus};
use dooers::store::Scope;
use dooers::{DispatchEvent, WorkerServer};
use dooers_tests::{gate, within};
use futures::StreamExt;
use serde_json::Value;

#[tokio::test]
async fn stream_covers_the_turn_from_start_to_end() {
    let server = server();
    let turn = send(message::<actor>(&server, "say one\ntitle Named\nsay two")).await;
    assert!(turn.is_new_thread());
    assert!(!turn.is_repeated());
    let (thread_id, event_id) = (turn.thread_id().to_owned(), turn.event_id().to_owned());
    let received = collect(turn).await;
    assert_eq!(
        describe(&received),
        [
            "thread", // It is new,
            "run running",
            "one",
            "thread", // it has a title,
            "two",
            "thread", // and a last event.
            "run succeeded"
        ]
    );
    let mut runs = Vec::new();
    for received in received {
        match received.unwrap() {
            DispatchEvent::Run(run) => runs.push(run),
            DispatchEvent::Event(event) => {
                assert_eq!(event.thread_id, thread_id);
                assert_eq!(event.run_id.as_ref(), Some(&runs[0].id));
            }
            DispatchEvent::Thread(thread) => assert_eq!(thread.id, thread_id),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(runs[0].event_id, Some(event_id));
    assert_eq!(runs[0].id, runs[1].id);
    assert_eq!(runs[0].started_at, runs[1].started_at);
    server.close().await;
}

#[tokio::test]
async fn collect_returns_events_and_agent_text() {
    let server = server();
    let turn = send(message::<actor>(&server, "say one\ngrow t w o")).await;
    let events = within("the turn", turn.collect()).await.unwrap();
    assert_eq!(
        events.iter().map(text_of).collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert_eq!(events[1].finalized, Some(true));

    let turn = send(message::<actor>(&server, "say one\ngrow t w o")).await;
    let said = within("the turn", turn.text()).await.unwrap();
    assert_eq!(said, "one\n\ntwo");

    // An empty text produces no event.
    let turn = send(message::<actor>(&server, "grow \nsay two")).await;
    assert_eq!(within("the turn", turn.text()).await.unwrap(), "two");

    // A turn without text is not an error.
    let turn = send(message::<actor>(&server, "title Silent")).await;
    assert_eq!(within("the turn", turn.text()).await.unwrap(), "");
    server.close().await;
}

#[tokio::test]
async fn streaming_text_arrives_in_pieces() {
    let server = server();
    let mut turn = send(message::<hesitant>(&server, "go")).await;
    let mut event_id = None;
    for (number, word) in (0..).zip(["a", "b", "c"]) {
        let (id, delta_seq, text) = loop {
            match within("a piece", turn.next()).await.unwrap().unwrap() {
                DispatchEvent::Event(event) => {
                    assert_eq!(event.streaming, Some(true));
                    assert_eq!((text_of(&event), event.delta_seq), ("", Some(0)));
                    event_id = Some(event.id);
                }
                DispatchEvent::Delta {
                    event_id,
                    delta_seq,
                    text,
                } => break (event_id, delta_seq, text),
                _ => {}
            }
        };
        assert_eq!(Some(id), event_id);
        assert_eq!((delta_seq, text.as_str()), (number, word));
        gate::open("hesitant");
    }
    let events = within("the end", turn.collect()).await.unwrap();
    assert_eq!(Some(&events[0].id), event_id.as_ref());
    assert_eq!(text_of(&events[0]), "abc");
    assert_eq!(events[0].finalized, Some(true));

    let turn = send(message::<storyteller>(&server, "tell")).await;
    let said = within("the turn", turn.text()).await.unwrap();
    assert_eq!(said, "Once upon a time");
    server.close().await;
}

#[tokio::test]
async fn turn_runs_without_a_listener() {
    let server = server();
    let turn = send(message::<actor>(&server, "wait unheard\nsay done").thread("t")).await;
    gate::arrived("unheard").await;
    drop(turn);
    // The next turn of the thread starts when this one is over.
    let next = send(message::<actor>(&server, "say next").thread("t")).await;
    gate::open("unheard");
    let received = collect(next).await;
    assert_eq!(
        describe(&received),
        // The row of the thread changed at the end of the previous turn.
        ["thread", "run running", "next", "thread", "run succeeded"]
    );
    server.close().await;
}

#[tokio::test]
async fn stream_excludes_concurrent_turns() {
    let server = server();
    let one = send(message::<concurrent>(&server, "beside-1").thread("t")).await;
    let two = send(message::<concurrent>(&server, "beside-2").thread("t")).await;
    gate::arrived("beside-1").await;
    gate::arrived("beside-2").await;
    gate::open("beside-2");
    let two = within("the second turn", two.text()).await.unwrap();
    assert_eq!(two, "passed beside-2");
    gate::open("beside-1");
    let one = within("the first turn", one.text()).await.unwrap();
    assert_eq!(one, "passed beside-1");
    server.close().await;
}

#[tokio::test]
async fn slow_listener_receives_everything_in_order() {
    let server = server_with(|config| config.limits(|limits| limits.outbound_frames = 4));
    receive_everything(&server, "slow").await;
    let server = server_with(|config| config.limits(|limits| limits.outbound_bytes = 4096));
    receive_everything(&server, "slow-bytes").await;
}

async fn receive_everything(server: &WorkerServer, key: &'static str) {
    let burst = format!("burst 300\nwait {key}");
    let turn = send(message::<actor>(server, &burst).thread("t")).await;
    gate::arrived(key).await;
    // All of them are stored before the first one is read.
    let next = send(message::<actor>(server, "say next").thread("t")).await;
    gate::open(key);
    within("the next turn", next.text()).await.unwrap();
    let events = within("the slow listener", turn.collect()).await.unwrap();
    let numbers: Vec<_> = (1..=300).map(|number| number.to_string()).collect();
    assert_eq!(events.iter().map(text_of).collect::<Vec<_>>(), numbers);
    server.close().await;
}

#[tokio::test]
async fn slow_stream_gets_a_streamed_text_whole() {
    let server = server_with(|config| config.limits(|limits| limits.outbound_frames = 3));
    let words = vec!["word"; 200].join(" ");
    let text = format!("grow {words}\nwait grown");
    let turn = send(message::<actor>(&server, &text)).await;
    gate::arrived("grown").await;
    gate::open("grown");
    let said = within("the turn", turn.text()).await.unwrap();
    assert_eq!(said, "word".repeat(200));
    server.close().await;
}

#[tokio::test]
async fn stream_shows_100_users_of_a_crowd() {
    let server = server();
    let mut shown = Vec::new();
    for number in 0..120 {
        let of_user = message::<actor>(&server, "say hi").user(format!("u{number}"));
        for event in collect(send(of_user.thread("crowd")).await).await {
            if let DispatchEvent::Thread(thread) = event.unwrap() {
                shown = thread.users;
            }
        }
    }
    let ids: Vec<_> = shown.iter().map(|user| user.user_id.as_str()).collect();
    assert_eq!(ids.len(), MAX_SHOWN_USERS);
    assert_eq!((ids[0], ids[98], ids[99]), ("u0", "u98", "u119"));
    server.close().await;
}

#[tokio::test]
async fn stream_yields_what_is_stored() {
    let server = server();
    let text = "say one \u{1}\u{2028}😀\ngrow t w o\ntitle Named\nsay \"three\"";
    // Metadata that is `null` is not the same as no metadata.
    let turn = send(message::<actor>(&server, text).metadata(Value::Null)).await;
    let thread_id = turn.thread_id().to_owned();
    let received = collect(turn).await;
    let scope = Scope::everyone::<actor>("w1");
    let scope = scope.organization("o1").workspace("s1");
    let repository = server.repository().await.unwrap();
    let thread = repository.thread(&scope, &thread_id).await.unwrap();
    let runs = repository.runs(&scope).await.unwrap().items;
    let events = repository.events(&scope, &thread_id).oldest_first();
    let mut events = events.await.unwrap().items;
    // The message itself is not part of its answer.
    events.remove(0);

    let (mut last_thread, mut last_run, mut last_events) = (None, None, Vec::new());
    for event in received {
        match event.unwrap() {
            DispatchEvent::Thread(thread) => last_thread = Some(*thread),
            DispatchEvent::Run(run) => last_run = Some(run),
            DispatchEvent::Event(event) if event.streaming.is_none() => last_events.push(*event),
            _ => {}
        }
    }
    assert_eq!(last_thread, Some(thread));
    assert_eq!(last_run.as_ref(), runs.first());
    assert_eq!(last_events, events);
    server.close().await;
}

#[tokio::test(start_paused = true)]
async fn all_attempts_belong_to_one_turn() {
    let server = server();
    let turn = send(message::<retrying>(&server, "try")).await;
    // Retry delays of one and two seconds, which the paused clock skips.
    let received: Vec<_> = StreamExt::collect(turn).await;
    assert_eq!(
        describe(&received),
        [
            "thread",
            "run running",
            "attempt 1",
            "attempt 2",
            "attempt 3",
            "thread",
            "run succeeded"
        ]
    );
    server.close().await;
}

#[tokio::test]
async fn manual_runs_and_events_without_a_run_arrive() {
    let server = server();
    let received = collect(send(message::<manual>(&server, "go")).await).await;
    assert_eq!(
        describe(&received),
        [
            "thread",
            "run running",
            "one",
            "run succeeded",
            "run running",
            "two",
            "run succeeded",
            "three",
            "thread"
        ]
    );
    let runs = received.iter().filter_map(|received| match received {
        Ok(DispatchEvent::Run(run)) if run.status == RunStatus::Succeeded => Some(&run.id),
        _ => None,
    });
    let mut runs: Vec<_> = runs.collect();
    runs.dedup();
    assert_eq!(runs.len(), 2);
    server.close().await;
}
