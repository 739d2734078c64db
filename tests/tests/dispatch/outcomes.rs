//! Outcomes of dispatched turns.

use crate::agents::{actor, endless, interrupting, queueing, rejecting};
use crate::fixtures::{collect, describe, error_of, message, send, server};
use dooers::{DispatchError, HandlerErrorKind};
use dooers_tests::{gate, within};
use futures::StreamExt;
use std::error::Error;
use std::io;

#[tokio::test]
async fn failure_includes_its_source() {
    let server = server();
    let error = error_of(send(message::<actor>(&server, "say before\nfail disk")).await).await;
    assert_eq!(error.kind(), HandlerErrorKind::Failed);
    assert_eq!(error.to_string(), "the handler failed");
    let source = error.source().expect("the handler's error");
    assert_eq!(source.to_string(), "disk");
    assert!(source.is::<io::Error>());

    let error = error_of(send(message::<actor>(&server, "public Not today.")).await).await;
    assert_eq!(error.to_string(), "the handler failed: Not today.");
    let public = error.agent_error().and_then(|error| error.public_text());
    assert_eq!(public, Some("Not today."));

    let error = error_of(send(message::<actor>(&server, "panic oh")).await).await;
    assert_eq!(error.kind(), HandlerErrorKind::Failed);
    let source = error.source().unwrap().to_string();
    assert_eq!(source, "the handler panicked: oh");
    server.close().await;
}

#[tokio::test]
async fn events_before_a_failure_arrive() {
    let server = server();
    let received = collect(send(message::<actor>(&server, "say before\nfail it")).await).await;
    let published = describe(&received);
    assert_eq!(published[..3], ["thread", "run running", "before"]);
    assert!(published[3].starts_with("system: "), "{published:?}");
    assert_eq!(published[4..], ["thread", "run failed", "Failed"]);
    server.close().await;
}

#[tokio::test(start_paused = true)]
async fn slow_turn_ends_with_a_timeout() {
    let server = server();
    let turn = send(message::<endless>(&server, "go")).await;
    let received: Vec<_> = StreamExt::collect(turn).await;
    let published = describe(&received);
    assert_eq!(published[2], "so far");
    assert_eq!(published.last().unwrap(), "TimedOut");
    server.close().await;
}

#[tokio::test]
async fn busy_agent_rejects_and_stores_nothing() {
    let server = server();
    let first = send(message::<rejecting>(&server, "rejecting").thread("t")).await;
    gate::arrived("rejecting").await;
    let refused = message::<rejecting>(&server, "again").thread("t").send();
    let error = refused.await.unwrap_err();
    assert!(matches!(error, DispatchError::Busy(_)), "{error:?}");
    gate::open("rejecting");
    let first = within("the turn", first.text()).await.unwrap();
    assert_eq!(first, "passed rejecting");
    server.close().await;
}

#[tokio::test]
async fn full_queue_rejects_and_stores_nothing() {
    let server = server();
    let first = send(message::<queueing>(&server, "queue-1").thread("t")).await;
    gate::arrived("queue-1").await;
    let second = send(message::<queueing>(&server, "queue-2").thread("t")).await;
    let refused = message::<queueing>(&server, "queue-3").thread("t").send();
    let error = refused.await.unwrap_err();
    assert!(matches!(error, DispatchError::Overloaded(_)), "{error:?}");
    for gate in ["queue-1", "queue-2"] {
        gate::open(gate);
    }
    for (turn, said) in [(first, "passed queue-1"), (second, "passed queue-2")] {
        assert_eq!(within("a turn", turn.text()).await.unwrap(), said);
    }
    server.close().await;
}

#[tokio::test]
async fn interrupting_message_ends_the_previous_turn() {
    let server = server();
    let first = send(message::<interrupting>(&server, "interrupted").thread("t")).await;
    gate::arrived("interrupted").await;
    let second = send(message::<interrupting>(&server, "interrupting").thread("t")).await;
    assert_eq!(error_of(first).await.kind(), HandlerErrorKind::Cancelled);
    gate::open("interrupting");
    let said = within("the turn", second.text()).await.unwrap();
    assert_eq!(said, "passed interrupting");
    server.close().await;
}

#[tokio::test]
async fn canceled_run_ends_its_turn() {
    let server = server();
    let mut turn = send(message::<actor>(&server, "say part\nwait cancelled")).await;
    gate::arrived("cancelled").await;
    let run_id = loop {
        if let dooers::DispatchEvent::Run(run) = turn.next().await.unwrap().unwrap() {
            break run.id;
        }
    };
    server.cancel_run(run_id).await.unwrap();
    let received = collect(turn).await;
    assert_eq!(
        describe(&received),
        ["part", "thread", "run canceled", "Cancelled"]
    );
    server.close().await;
}

#[tokio::test]
async fn shutdown_reports_unfinished_turns() {
    let server = dooers::WorkerServer::new(
        dooers_tests::in_memory().drain_timeout(std::time::Duration::ZERO),
    );
    let running = send(message::<actor>(&server, "wait never").thread("t")).await;
    gate::arrived("never").await;
    let waiting = send(message::<actor>(&server, "say later").thread("t")).await;
    let (running, waiting, ()) = tokio::join!(error_of(running), error_of(waiting), server.close());
    assert_eq!(running.kind(), HandlerErrorKind::Interrupted);
    assert_eq!(waiting.kind(), HandlerErrorKind::ServerStopped);

    let late = message::<actor>(&server, "say late").send().await;
    let error = late.unwrap_err();
    assert!(
        error.to_string().starts_with("the server was closed"),
        "{error}"
    );
}
