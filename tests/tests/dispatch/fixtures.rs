//! Fixtures of the dispatch tests.

use dooers::protocol::{Actor, ContentPart, ThreadEvent};
use dooers::{
    Agent, Dispatch, DispatchEvent, DispatchStream, HandlerError, WorkerConfig, WorkerServer,
};
use dooers_tests::{in_memory, within};
use futures::StreamExt;

/// A server of all agents here, with an in-memory database and no socket.
pub(crate) fn server() -> WorkerServer {
    WorkerServer::new(in_memory())
}

/// A server with a changed configuration.
pub(crate) fn server_with(change: impl FnOnce(WorkerConfig) -> WorkerConfig) -> WorkerServer {
    WorkerServer::new(change(in_memory()))
}

/// A message from Ada to an agent of the worker that the test clients use.
pub(crate) fn message<A: Agent>(server: &WorkerServer, text: &str) -> Dispatch {
    server
        .dispatch::<A>()
        .worker("w1")
        .organization("o1")
        .workspace("s1")
        .user("ada")
        .message(text)
}

/// Sends the dispatch, which must be accepted.
pub(crate) async fn send(message: Dispatch) -> DispatchStream {
    let sent = within("a message to be stored", message.send()).await;
    sent.expect("the message is valid")
}

/// All items of the stream of a turn.
pub(crate) async fn collect(turn: DispatchStream) -> Vec<Result<DispatchEvent, HandlerError>> {
    within("the end of a turn", StreamExt::collect::<Vec<_>>(turn)).await
}

/// The error with which the turn ends.
pub(crate) async fn error_of(turn: DispatchStream) -> HandlerError {
    let mut received = collect(turn).await;
    let last = received.pop().expect("every turn has a last item");
    assert!(received.iter().all(Result::is_ok), "an error is the last");
    last.expect_err("a turn that does not succeed")
}

/// The text of the first part of an event.
pub(crate) fn text_of(event: &ThreadEvent) -> &str {
    let part = event.content.as_deref().and_then(<[ContentPart]>::first);
    part.and_then(ContentPart::as_text).unwrap_or_default()
}

/// A short description of each item, with the texts of events and pieces.
pub(crate) fn describe(received: &[Result<DispatchEvent, HandlerError>]) -> Vec<String> {
    let published = received.iter().map(|received| match received {
        Ok(DispatchEvent::Run(run)) => format!("run {}", run.status.as_str()),
        Ok(DispatchEvent::Event(event)) if event.actor == Actor::System => {
            format!("system: {}", text_of(event))
        }
        Ok(DispatchEvent::Event(event)) if event.streaming == Some(true) => {
            format!("begins: {}", text_of(event))
        }
        Ok(DispatchEvent::Event(event)) => text_of(event).to_owned(),
        Ok(DispatchEvent::Delta { text, .. }) => format!("+ {text}"),
        Ok(DispatchEvent::Thread(_)) => "thread".to_owned(),
        Ok(other) => panic!("unknown item: {other:?}"),
        Err(error) => format!("{:?}", error.kind()),
    });
    published.collect()
}
