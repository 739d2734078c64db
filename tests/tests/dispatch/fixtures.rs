//! What the tests begin with.

use dooers::protocol::{Actor, ContentPart, ThreadEvent};
use dooers::{
    Agent, Dispatch, DispatchEvent, DispatchStream, HandlerError, WorkerConfig, WorkerServer,
};
use dooers_tests::{in_memory, within};
use futures::StreamExt;

/// A server of all agents here, which keeps its conversations in memory and has no socket.
pub(crate) fn server() -> WorkerServer {
    WorkerServer::new(in_memory())
}

/// The same with a configuration of its own.
pub(crate) fn server_with(change: impl FnOnce(WorkerConfig) -> WorkerConfig) -> WorkerServer {
    WorkerServer::new(change(in_memory()))
}

/// A message of Ada to an agent of the worker to which clients connect in the tests.
pub(crate) fn message<A: Agent>(server: &WorkerServer, text: &str) -> Dispatch {
    server
        .dispatch::<A>()
        .worker("w1")
        .organization("o1")
        .workspace("s1")
        .user("ada")
        .message(text)
}

/// Sends it.
pub(crate) async fn send(message: Dispatch) -> DispatchStream {
    let sent = within("a message to be stored", message.send()).await;
    sent.expect("a message that fits")
}

/// Everything that is heard of a turn.
pub(crate) async fn collect(turn: DispatchStream) -> Vec<Result<DispatchEvent, HandlerError>> {
    within("the end of a turn", StreamExt::collect::<Vec<_>>(turn)).await
}

/// How it ended, if it did not succeed.
pub(crate) async fn error_of(turn: DispatchStream) -> HandlerError {
    let mut heard = collect(turn).await;
    let last = heard.pop().expect("something is heard of every turn");
    assert!(heard.iter().all(Result::is_ok), "an error is the last");
    last.expect_err("a turn that does not succeed")
}

/// What an event says, as one text.
pub(crate) fn text_of(event: &ThreadEvent) -> &str {
    let part = event.content.as_deref().and_then(<[ContentPart]>::first);
    part.and_then(ContentPart::as_text).unwrap_or_default()
}

/// The kinds of what was heard, with the texts of events and pieces.
pub(crate) fn describe(heard: &[Result<DispatchEvent, HandlerError>]) -> Vec<String> {
    let told = heard.iter().map(|heard| match heard {
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
        Ok(other) => panic!("what is {other:?}?"),
        Err(error) => format!("{:?}", error.kind()),
    });
    told.collect()
}
