//! Messages that handlers dispatch through `TurnServer`.

use crate::fixtures::{error_of, message, send, server};
use dooers::prelude::*;
use dooers::repository::{RepositoryError, Scope};
use dooers::{
    AgentDefinition, ChatMessage, Database, DispatchError, HandlerErrorKind, ServerError,
};
use dooers_tests::within;
use futures::StreamExt;
use tokio::sync::mpsc;

/// Describes the place of the message.
#[dooers::agent]
async fn specialist(request: WorkerRequest) -> String {
    let (worker, user) = (&request.thread.worker_id, &request.user.user_id);
    let (organization, workspace) = (&request.organization_id, &request.workspace_id);
    format!(
        "{} by {user} in {worker}/{organization}/{workspace}",
        request.message
    )
}

/// Asks the specialist, and notes the question in a thread of its own.
#[dooers::agent]
async fn desk(request: WorkerRequest, server: TurnServer) -> Result<String> {
    let question = server.dispatch::<specialist>().message(&request.message);
    let answer = question.send().await?.text().await?;
    let note = server.broadcast()?;
    let thread = note.create_thread(&server.scope_of::<specialist>()).await?;
    let noted = note.send_event(
        &server.scope_of::<specialist>(),
        &thread.id,
        Reply::text("noted"),
    );
    noted.await?;
    server
        .repository()?
        .thread(&server.scope(), &request.thread.id)
        .await?;
    Ok(answer)
}

#[tokio::test]
async fn hand_over_stays_in_the_place_of_the_turn() {
    let server = server();
    let answer = send(message::<desk>(&server, "refund")).await.text().await;
    assert_eq!(answer.unwrap(), "refund by ada in w1/o1/s1");
    let repository = server.repository().await.unwrap();
    let place = Scope::everyone::<specialist>("w1")
        .organization("o1")
        .workspace("s1");
    // The thread of the question, and the one that the desk created.
    assert_eq!(repository.threads(&place).await.unwrap().items.len(), 2);
    server.close().await;
}

#[tokio::test]
async fn made_agents_hand_over_beside_annotated_ones() {
    let hand_over = |request: WorkerRequest, server: TurnServer| async move {
        let turn = server.dispatch_to("specialist").message(request.message);
        Ok::<_, AgentError>(turn.send().await?.text().await?)
    };
    let server = server()
        .annotated_agents()
        // One of them is also named, with other options.
        .agent_with::<specialist>(|agent| agent.with_retries(1))
        .add_agent(AgentDefinition::from_fn("made", hand_over));
    let answer = send(message::<desk>(&server, "x")).await.text().await;
    assert_eq!(answer.unwrap(), "x by ada in w1/o1/s1");
    let turn = server
        .dispatch_to("made")
        .worker("w2")
        .message("y")
        .send()
        .await
        .unwrap();
    assert_eq!(turn.text().await.unwrap(), "y by  in w2//");
    server.close().await;
}

#[tokio::test]
async fn turn_server_refuses_scopes_of_other_places() {
    let server = server();
    let mut request = WorkerRequest::new("hi");
    request.thread.worker_id = "w1".to_owned();
    (request.organization_id, request.workspace_id) = ("o1".to_owned(), "s1".to_owned());
    let handle = server.turn_server::<desk>(&request).await.unwrap();
    let (repository, broadcast) = (handle.repository().unwrap(), handle.broadcast().unwrap());
    let own = handle.scope_of_named("specialist");
    let thread = repository.create_thread(&own.clone().only_user("ada"));
    let thread = thread.owner("ada").await.unwrap();

    let forgotten = Scope::everyone::<specialist>("w1").organization("o1");
    let text = repository.threads(&forgotten).await.unwrap_err();
    assert_eq!(
        text.to_string(),
        "the scope has worker `w1`, organization `o1` and workspace ``, but the repository belongs to a turn with worker `w1`, \
         organization `o1` and workspace `s1`: use a scope that `TurnServer` returns, or `everywhere()` of the repository to \
         reach other places"
    );
    for scope in [
        forgotten,
        own.clone().organization("o2"),
        Scope::new("specialist", "w2")
            .organization("o1")
            .workspace("s1"),
    ] {
        let reply = || Reply::text("hello");
        let mut streamed = repository.threads(&scope).stream();
        let refusals = [
            repository.thread(&scope, &thread.id).await.err(),
            streamed.next().await.unwrap().err(),
            repository.events(&scope, &thread.id).await.err(),
            repository.event(&scope, &thread.id, "e").await.err(),
            repository.run(&scope, &thread.id, "r").await.err(),
            repository.runs(&scope).await.err(),
            repository.feedback(&scope).await.err(),
            repository.feedback_summary(&scope).await.err(),
            repository.settings(&scope).await.err(),
            repository.set_setting(&scope, "tone", "dry").await.err(),
            repository.remove_setting(&scope, "tone").await.err(),
            repository.create_thread(&scope).await.err(),
            repository
                .create_event(&scope, &thread.id, reply())
                .await
                .err(),
            repository.create_run(&scope, &thread.id).await.err(),
            repository.remove_thread(&scope, &thread.id).await.err(),
            repository.remove_event(&scope, &thread.id, "e").await.err(),
            broadcast.create_thread(&scope).await.err(),
            broadcast
                .send_event(&scope, &thread.id, reply())
                .await
                .err(),
        ];
        for (at, refused) in refusals.into_iter().enumerate() {
            let is_outside = matches!(refused, Some(RepositoryError::OutsideTurn { .. }));
            assert!(is_outside, "call {at} with {scope:?}: {refused:?}");
        }
        let everywhere = repository.clone().everywhere();
        assert!(everywhere.threads(&scope).await.unwrap().items.is_empty());
        broadcast
            .clone()
            .everywhere()
            .create_thread(&scope)
            .await
            .unwrap();
    }
    server.close().await;
}

#[tokio::test]
async fn handle_in_a_state_does_not_replace_the_server() {
    let (other, mut request) = (server(), WorkerRequest::new("hi"));
    request.thread.worker_id = "w9".to_owned();
    let handle = other.turn_server_named("desk", &request).await.unwrap();
    let server = server().state(handle);
    let answer = send(message::<desk>(&server, "x")).await.text().await;
    assert_eq!(answer.unwrap(), "x by ada in w1/o1/s1");
    server.close().await;
    other.close().await;
}

/// Sends `again` into its own thread. `wait` also waits for the answer.
async fn nest(request: WorkerRequest, server: TurnServer) -> Result<String> {
    let (first, waits) = (request.message != "again", request.message == "wait");
    if first {
        let again = server.dispatch_to(&server.scope().agent).message("again");
        let again = again.thread(&request.thread.id).send().await?;
        if waits {
            return Ok(again.text().await?);
        }
    }
    Ok(format!("answer to {}", request.message))
}

#[dooers::agent(timeout = "60s")]
async fn queued_nest(request: WorkerRequest, server: TurnServer) -> Result<String> {
    nest(request, server).await
}

#[dooers::agent(on_busy = "reject")]
async fn rejecting_nest(request: WorkerRequest, server: TurnServer) -> Result<String> {
    nest(request, server).await
}

#[dooers::agent(on_busy = "interrupt")]
async fn interrupting_nest(request: WorkerRequest, server: TurnServer) -> Result<String> {
    nest(request, server).await
}

#[dooers::agent(on_busy = "concurrent")]
async fn concurrent_nest(request: WorkerRequest, server: TurnServer) -> Result<String> {
    nest(request, server).await
}

/// The texts of the agent's messages once the thread has this many events.
async fn answers(
    server: &WorkerServer,
    scope: Scope,
    thread_id: &str,
    events: usize,
) -> Vec<String> {
    let scope = scope.organization("o1").workspace("s1");
    let memory = server.memory(&scope, thread_id).await.unwrap();
    within("the answers", async {
        loop {
            let texts = memory.messages().await.unwrap();
            if texts.len() >= events {
                return texts.iter().map(ChatMessage::text).collect();
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

#[tokio::test]
async fn message_into_the_own_thread_waits_for_the_turn() {
    let server = server();
    let turn = send(message::<queued_nest>(&server, "go")).await;
    let thread_id = turn.thread_id().to_owned();
    assert_eq!(turn.text().await.unwrap(), "answer to go");
    let scope = Scope::everyone::<queued_nest>("w1");
    let texts = answers(&server, scope, &thread_id, 4).await;
    assert_eq!(texts.last().unwrap(), "answer to again");
    server.close().await;
}

#[tokio::test(start_paused = true)]
async fn turn_that_waits_for_itself_ends_at_its_timeout() {
    let server = server();
    let turn = send(message::<queued_nest>(&server, "wait")).await;
    let thread_id = turn.thread_id().to_owned();
    // The clock is paused, and waiting for a turn is idle time.
    let error = turn.text().await.unwrap_err();
    assert_eq!(error.kind(), HandlerErrorKind::TimedOut);
    let scope = Scope::everyone::<queued_nest>("w1");
    let texts = answers(&server, scope, &thread_id, 3).await;
    assert_eq!(texts.last().unwrap(), "answer to again");
    server.close().await;
}

#[tokio::test]
async fn own_thread_follows_the_on_busy_option() {
    let server = server();
    let turn = send(message::<concurrent_nest>(&server, "wait")).await;
    assert_eq!(turn.text().await.unwrap(), "answer to again");
    let error = error_of(send(message::<rejecting_nest>(&server, "wait")).await).await;
    assert_eq!(error.kind(), HandlerErrorKind::Failed);
    let cause = error.agent_error().unwrap().to_string();
    assert!(cause.contains("accepts the next message"), "{cause}");
    let error = error_of(send(message::<interrupting_nest>(&server, "wait")).await).await;
    assert_eq!(error.kind(), HandlerErrorKind::Cancelled);
    server.close().await;
}

/// Gives its handle away.
#[dooers::agent]
async fn leaking(handles: Option<State<mpsc::UnboundedSender<TurnServer>>>, server: TurnServer) {
    if let Some(State(handles)) = handles {
        drop(handles.send(server));
    }
}

#[tokio::test]
async fn handle_does_not_keep_the_server() {
    let (sender, mut handles) = mpsc::unbounded_channel();
    let config = WorkerConfig::new().database(Database::Memory);
    let server = WorkerServer::new(config).agent::<leaking>().state(sender);
    let turn = send(message::<leaking>(&server, "go")).await;
    turn.text().await.unwrap();
    let handle: TurnServer = handles.recv().await.unwrap();
    let refused = handle.dispatch::<desk>().message("x").send().await;
    assert!(matches!(refused, Err(DispatchError::NotServed(name)) if name == "desk"));
    server.close().await;
    let closed = handle.dispatch::<leaking>().message("x").send().await;
    assert!(matches!(
        closed,
        Err(DispatchError::Server(ServerError::Closed))
    ));
    assert!(matches!(handle.repository(), Err(ServerError::Closed)));
    drop(server);
    // The server owned the only sender.
    let dropped = within("the server to be dropped", handles.recv()).await;
    assert!(dropped.is_none());
    assert!(matches!(handle.broadcast(), Err(ServerError::Closed)));
}

#[tokio::test]
async fn unit_test_chooses_a_detached_or_a_real_server() {
    let turn = || Turn::new(WorkerRequest::new("hi"), WorkerResponse::recorder().0);
    let missing = TurnServer::from_turn(&turn())
        .await
        .unwrap_err()
        .to_string();
    assert!(missing.contains("`Turn::with_state`"), "{missing}");
    assert!(
        Option::<TurnServer>::from_turn(&turn())
            .await
            .unwrap()
            .is_none()
    );

    let given = turn().with_state(TurnServer::detached());
    let detached = TurnServer::from_turn(&given).await.unwrap();
    assert!(matches!(detached.broadcast(), Err(ServerError::Detached)));
    let refused = desk(WorkerRequest::new("refund"), detached).await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("belongs to no server")
    );

    let server = server();
    let mut request = WorkerRequest::new("refund");
    request.thread.worker_id = "w9".to_owned();
    let handle = server.turn_server::<desk>(&request).await.unwrap();
    let error = desk(request, handle.clone()).await.unwrap_err();
    // The other agent has answered. The thread of the request itself exists only in the test.
    assert!(error.to_string().contains("no such thread"), "{error}");
    let threads = handle
        .repository()
        .unwrap()
        .threads(&handle.scope_of::<specialist>())
        .await;
    assert_eq!(threads.unwrap().items.len(), 2);
    server.close().await;
}
