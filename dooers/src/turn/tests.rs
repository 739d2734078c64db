//! Tests of turns without a server.

use super::{Outlets, Runner, TurnParameters};
use crate as dooers;
use crate::broker::{NoBroker, Watched};
use crate::error::SendError;
use crate::handler::{
    AnalyticsSink, AnswerKeys, States, TextStream, Turn, WorkerRequest, WorkerResponse,
};
use crate::hub::{Hub, LiveAnalytics};
use crate::log_capture::CapturedLog;
use crate::protocol::{
    AnalyticsEvent, ContentPart, EventType, Run, RunStatus, ThreadEvent, User, joined_text, new_id,
    timestamp,
};
use crate::settings::{LiveSettings, Schemas};
use crate::store::{
    Admitted, AnalyticsFilter, MemoryStore, NewFeedback, NewMessage, NewThread, Participant, Scope,
    Snapshot, SnapshotFrom, Store, StoreError, ThreadTarget, Viewer,
};
use crate::{Agent, AgentError, CancellationToken, ChatMessage, Result, WorkerMemory};
use futures::future::BoxFuture;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

fn scope(agent: &str) -> Scope {
    Scope {
        agent: agent.to_owned(),
        worker_id: "w".to_owned(),
        organization_id: "o".to_owned(),
        workspace_id: "s".to_owned(),
        viewer: Viewer::Everyone,
    }
}

struct Worker {
    store: Arc<MemoryStore>,
    runner: Arc<Runner>,
}

/// The analytics of a server that these tests do not use.
#[derive(Debug)]
struct NoAnalytics;

impl AnalyticsSink for NoAnalytics {
    fn track(&self, _: &Scope, _: AnalyticsEvent) -> oneshot::Receiver<Result<(), SendError>> {
        unreachable!()
    }

    fn give_feedback(
        &self,
        _: Scope,
        _: Admitted<NewFeedback>,
    ) -> BoxFuture<'static, Result<(), StoreError>> {
        unreachable!()
    }
}

impl Worker {
    fn new() -> Self {
        Self::on(Arc::new(MemoryStore::new()))
    }

    fn on(store: Arc<MemoryStore>) -> Self {
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let (hub, changes) = Hub::new(Watched::default());
        let settings =
            LiveSettings::new(Arc::clone(&shared), None, Schemas::new(), Box::new(|_| {}));
        let runner = Runner::new(
            shared,
            Outlets {
                live: LiveAnalytics::new(hub.clone(), AnalyticsFilter::default()),
                analytics: Arc::new(NoAnalytics),
                hub,
                changes,
                broker: Arc::new(NoBroker),
            },
            Arc::new(settings),
            AnswerKeys::new(None),
            Arc::new(States::default()),
            TurnParameters::new(
                "Assistant".to_owned(),
                Duration::from_secs(3600),
                Arc::default(),
            ),
        );
        Self {
            store,
            runner: Arc::new(runner),
        }
    }

    /// Stops as a server does: turns that do not end in time are interrupted.
    async fn stop_within(&self, drain: Duration) {
        if timeout(drain, self.runner.over()).await.is_err() {
            self.runner.interrupt();
            self.runner.over().await;
        }
        self.runner.give_up();
    }

    /// Starts a thread `t` with a message, whose turn starts to run.
    async fn begin<A: Agent>(&self) {
        let thread = ThreadTarget::New(NewThread::new("t"));
        self.send::<A>(thread, "go").await;
    }

    /// Sends a message, whose turn starts to run.
    async fn send<A: Agent>(&self, thread: ThreadTarget, text: &str) {
        let agent = A::DEFINITION;
        let user = User::new("ada");
        let message = NewMessage {
            thread,
            event_id: new_id(),
            kind: EventType::Message,
            content: vec![ContentPart::text(text)],
            data: None,
            seal: None,
            identity: None,
            client_event_id: None,
            is_of_program: false,
            participant: Participant::user(&user),
            user,
            at: timestamp::now(),
        };
        let (scope, start) = (scope(agent.name()), self.runner.claim_options(&agent));
        let begun = self.store.begin_turn(&scope, message, &start).await;
        let claim = begun.unwrap().claim.unwrap();
        self.runner.run(agent, claim);
    }

    async fn snapshot<A: Agent>(&self) -> Snapshot {
        let (scope, from) = (scope(A::DEFINITION.name()), SnapshotFrom::Newest);
        self.store
            .snapshot(&scope, "t", &from, usize::MAX)
            .await
            .unwrap()
    }

    /// The last event of the thread, as it is stored.
    async fn last_event<A: Agent>(&self) -> ThreadEvent {
        self.snapshot::<A>().await.events.last().unwrap().clone()
    }

    /// The texts of the answer, and the status and error of the run.
    async fn answer<A: Agent>(&self) -> (Vec<String>, RunStatus, Option<String>) {
        let snapshot = self.snapshot::<A>().await;
        let text = |event: &ThreadEvent| joined_text(event.content.as_deref().unwrap());
        let texts = snapshot.events[1..].iter().map(text).collect();
        let [run] = &snapshot.runs[..] else {
            panic!("not one run: {:?}", snapshot.runs);
        };
        (texts, run.status, run.error.clone())
    }

    /// A worker in another process, on the same store.
    fn another(&self) -> Self {
        Self::on(Arc::clone(&self.store))
    }
}

/// Writes a piece every 100 ms.
#[dooers::agent(name = "steady-of-the-turn-tests", crate = crate)]
async fn steady(response: WorkerResponse) {
    let text: TextStream = response.text_stream();
    for _ in 0..100 {
        sleep(Duration::from_millis(100)).await;
        text.push("x");
    }
}

#[tokio::test(start_paused = true)]
async fn streamed_text_is_stored_every_two_seconds() {
    let worker = Worker::new();
    worker.begin::<steady>().await;
    let mut stored = Vec::new();
    // Checks happen between the pieces, after everything that the previous piece caused.
    sleep(Duration::from_millis(50)).await;
    for _ in 0..99 {
        sleep(Duration::from_millis(100)).await;
        let event = worker.last_event::<steady>().await;
        assert_eq!(event.streaming, Some(true));
        let length = event.content.unwrap()[0].as_text().unwrap().len();
        assert_eq!(event.delta_seq, Some(length as u64));
        stored.push(length);
    }
    stored.dedup();
    // Each write contains all pieces that arrived within two seconds of the first piece that was not stored,
    // inclusive.
    assert_eq!(stored, [0, 21, 42, 63, 84]);
    sleep(Duration::from_millis(100)).await;
    let event = worker.last_event::<steady>().await;
    assert_eq!((event.streaming, event.finalized), (None, Some(true)));
    assert_eq!(
        event.content,
        Some(vec![ContentPart::text("x".repeat(100))])
    );
}

/// Sends the number of its attempt, and fails.
#[dooers::agent(name = "busy-of-the-turn-tests", retry = 2, crate = crate)]
async fn busy(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    response.text(format!("attempt {}", request.attempt()));
    Err(AgentError::retryable("the model is busy"))
}

#[tokio::test(start_paused = true)]
async fn failed_turn_is_retried_with_growing_delays() {
    let worker = Worker::new();
    worker.begin::<busy>().await;
    let mut seen = Vec::new();
    // Checks happen between the seconds.
    sleep(Duration::from_millis(500)).await;
    for _ in 0..5 {
        let (texts, status, _) = worker.answer::<busy>().await;
        seen.push((texts.len(), status));
        sleep(Duration::from_secs(1)).await;
    }
    let running = RunStatus::Running;
    // The third attempt fails like any turn: a message for the user, and the end of the run.
    let failed = (4, RunStatus::Failed);
    assert_eq!(
        seen,
        [(1, running), (2, running), (2, running), failed, failed]
    );
    let (texts, _, error) = worker.answer::<busy>().await;
    assert_eq!(texts[..3], ["attempt 1", "attempt 2", "attempt 3"]);
    assert_eq!(error.as_deref(), Some("the agent failed"));
}

/// Sends the messages in its memory, and fails at its first attempt.
#[dooers::agent(name = "mindful-of-the-turn-tests", retry = 1, crate = crate)]
async fn mindful(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    let messages = memory.messages().await?;
    let texts: Vec<_> = messages.iter().map(ChatMessage::text).collect();
    response.text(texts.join(", ")).await?;
    match request.attempt() {
        1 => Err(AgentError::retryable("the model is busy")),
        _ => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn retry_remembers_events_of_the_first_attempt() {
    let worker = Worker::new();
    worker.begin::<mindful>().await;
    sleep(Duration::from_secs(5)).await;
    let (texts, status, _) = worker.answer::<mindful>().await;
    assert_eq!(texts, ["go", "go, go"]);
    assert_eq!(status, RunStatus::Succeeded);
}

#[tokio::test]
async fn turn_without_server_has_the_given_memory() {
    let said = async |memory: Option<WorkerMemory>| {
        let (response, sent) = WorkerResponse::recorder();
        let mut turn = Turn::new(WorkerRequest::new("now"), response);
        if let Some(memory) = memory {
            turn = turn.with_memory(memory);
        }
        mindful::DEFINITION.call(turn).await.unwrap_err();
        sent.texts()
    };
    assert_eq!(said(None).await, ["now"]);
    let before = WorkerMemory::of([
        WorkerRequest::new("then").into(),
        crate::Reply::text("indeed").into(),
    ]);
    assert_eq!(said(Some(before)).await, ["then, indeed"]);
}

/// Streams a piece, and then waits forever.
#[dooers::agent(name = "slow-of-the-turn-tests", timeout = "90s", retry = 1, crate = crate)]
async fn slow(request: WorkerRequest, response: WorkerResponse) {
    let text = response.text_stream();
    text.push(format!("attempt {}", request.attempt()));
    std::future::pending::<()>().await;
}

#[tokio::test(start_paused = true)]
async fn timed_out_turn_fails_and_keeps_its_text() {
    let worker = Worker::new();
    worker.begin::<slow>().await;
    sleep(Duration::from_secs(89)).await;
    assert_eq!(worker.answer::<slow>().await.1, RunStatus::Running);
    sleep(Duration::from_secs(2)).await;
    // The turn is not retried, because it would take too long again.
    let (texts, status, error) = worker.answer::<slow>().await;
    assert_eq!(
        (status, error.as_deref()),
        (RunStatus::Failed, Some("timed out"))
    );
    assert_eq!(texts[0], "attempt 1");
    assert!(texts[1].contains("too long"), "{texts:?}");
}

#[tokio::test(start_paused = true)]
async fn interrupted_turn_is_retried_by_the_next_process() {
    let worker = Worker::new();
    worker.begin::<slow>().await;
    sleep(Duration::from_secs(1)).await;
    worker.stop_within(Duration::ZERO).await;
    let (texts, status, _) = worker.answer::<slow>().await;
    assert_eq!(
        (texts, status),
        (vec!["attempt 1".to_owned()], RunStatus::Running)
    );
    assert_eq!(worker.last_event::<slow>().await.finalized, Some(true));

    let next = worker.another();
    let recovered = next.store.recover().await.unwrap();
    assert_eq!((recovered.interrupted, recovered.retried), (0, 0));
    for waiting in recovered.waiting {
        next.runner
            .resume_pending(slow::DEFINITION, waiting)
            .await
            .unwrap();
    }
    sleep(Duration::from_secs(3)).await;
    assert_eq!(next.answer::<slow>().await.0, ["attempt 1", "attempt 2"]);
    // No attempt is left.
    next.stop_within(Duration::ZERO).await;
    let (texts, status, error) = next.answer::<slow>().await;
    assert_eq!(
        (status, error.as_deref()),
        (RunStatus::Failed, Some("interrupted"))
    );
    assert_eq!(texts.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn stopping_process_leaves_a_turn_that_waits_to_retry() {
    let worker = Worker::new();
    worker.begin::<busy>().await;
    sleep(Duration::from_millis(500)).await;
    worker.stop_within(Duration::from_secs(3600)).await;
    assert_eq!(worker.answer::<busy>().await.0, ["attempt 1"]);
    let next = worker.another();
    for waiting in next.store.recover().await.unwrap().waiting {
        // The turn waits until the time that the first process set.
        next.runner
            .resume_pending(busy::DEFINITION, waiting)
            .await
            .unwrap();
    }
    sleep(Duration::from_secs(5)).await;
    let (texts, status, _) = next.answer::<busy>().await;
    assert_eq!((texts.len(), status), (4, RunStatus::Failed));
}

/// Fails or waits forever at its first attempt, depending on the message.
#[dooers::agent(name = "beside-of-the-turn-tests", on_busy = "concurrent", retry = 1, crate = crate)]
async fn beside(request: WorkerRequest) -> Result<String> {
    if request.attempt() == 1 {
        match request.message.as_str() {
            "fail" => return Err(AgentError::retryable("the model is busy")),
            _ => std::future::pending().await,
        }
    }
    Ok("done".to_owned())
}

#[tokio::test(start_paused = true)]
async fn next_process_retries_all_concurrent_turns() {
    for messages in [["wait", "fail", "fail"], ["fail", "wait", "fail"]] {
        let worker = Worker::new();
        let mut thread = ThreadTarget::New(NewThread::new("t"));
        for message in messages {
            worker.send::<beside>(thread, message).await;
            thread = ThreadTarget::Existing("t".to_owned());
        }
        sleep(Duration::from_millis(500)).await;
        worker.stop_within(Duration::ZERO).await;
        let next = worker.another();
        for waiting in next.store.recover().await.unwrap().waiting {
            let begun = next.runner.resume_pending(beside::DEFINITION, waiting);
            begun.await.unwrap();
        }
        // Turns that are due do not wait for the others.
        let done = async || {
            let runs = next.snapshot::<beside>().await.runs;
            let is_done = |run: &&Run| run.status == RunStatus::Succeeded;
            runs.iter().filter(is_done).count()
        };
        sleep(Duration::from_millis(100)).await;
        assert_eq!(done().await, 1, "{messages:?}");
        sleep(Duration::from_secs(5)).await;
        assert_eq!(done().await, 3, "{messages:?}");
    }
}

/// Cancels its token when it ends, to stop its background work, and fails at the first attempt.
#[dooers::agent(name = "guarding-of-the-turn-tests", retry = 1, crate = crate)]
async fn guarding(
    request: WorkerRequest,
    response: WorkerResponse,
    token: CancellationToken,
) -> Result<()> {
    let _stops_the_work = token.drop_guard();
    response.text(format!("attempt {}", request.attempt()));
    match request.attempt() {
        1 => Err(AgentError::retryable("the model is busy")),
        _ => Ok(()),
    }
}

#[tokio::test(start_paused = true)]
async fn handler_that_fires_its_token_is_still_retried() {
    let worker = Worker::new();
    worker.begin::<guarding>().await;
    sleep(Duration::from_secs(5)).await;
    let (texts, status, _) = worker.answer::<guarding>().await;
    assert_eq!(texts, ["attempt 1", "attempt 2"]);
    assert_eq!(status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn stopping_process_does_not_claim_queued_turns() {
    let worker = Worker::new();
    worker.begin::<slow>().await;
    sleep(Duration::from_secs(1)).await;
    worker.stop_within(Duration::ZERO).await;
    // This happens if another turn of the thread is cancelled, or turns of a dead process are found, while the process
    // stops.
    for waiting in worker.store.recover().await.unwrap().waiting {
        worker
            .runner
            .resume_pending(slow::DEFINITION, waiting)
            .await
            .unwrap();
    }
    sleep(Duration::from_secs(1)).await;
    let left = worker.store.recover().await.unwrap();
    assert_eq!((left.interrupted, left.retried), (0, 0));
    assert_eq!(left.waiting.len(), 1);
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

/// Streams a piece, and panics when it is dropped.
#[dooers::agent(name = "brittle-of-the-turn-tests", timeout = "1s", crate = crate)]
async fn brittle(response: WorkerResponse) {
    let text = response.text_stream();
    text.push("as far as");
    let _panics = PanicsWhenDropped;
    std::future::pending::<()>().await;
}

#[tokio::test(start_paused = true)]
async fn handler_that_panics_in_drop_times_out_normally() {
    let worker = Worker::new();
    worker.begin::<brittle>().await;
    sleep(Duration::from_secs(2)).await;
    let (texts, status, error) = worker.answer::<brittle>().await;
    assert_eq!(texts[0], "as far as");
    assert_eq!(
        (status, error.as_deref()),
        (RunStatus::Failed, Some("timed out"))
    );
}

#[tokio::test(start_paused = true)]
async fn lost_turn_that_is_not_taken_over_is_retried() {
    let worker = Worker::new();
    worker.begin::<slow>().await;
    sleep(Duration::from_secs(1)).await;
    // The leases could not be renewed for so long that another process may have taken over the turn.
    worker.runner.lose_all();
    sleep(Duration::from_secs(3)).await;
    assert_eq!(worker.answer::<slow>().await.0, ["attempt 1", "attempt 2"]);
    let (log, _capture) = CapturedLog::start();
    worker.runner.lose_all();
    assert!(log.text().contains("could not be renewed in time"));
    sleep(Duration::from_secs(1)).await;
    let (texts, status, error) = worker.answer::<slow>().await;
    assert_eq!(
        (status, error.as_deref()),
        (RunStatus::Failed, Some("interrupted"))
    );
    assert_eq!(texts.len(), 3);
}

/// The runner that cancels the turn of `unlucky`.
static CANCELS: OnceLock<Arc<Runner>> = OnceLock::new();

/// Is cancelled at the moment at which it fails.
#[dooers::agent(name = "unlucky-of-the-turn-tests", retry = 1, crate = crate)]
async fn unlucky(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    response.text(format!("attempt {}", request.attempt()));
    CANCELS.get().unwrap().cancel(&request.event_id);
    Err(AgentError::retryable("the model is busy"))
}

#[tokio::test(start_paused = true)]
async fn turn_cancelled_while_it_fails_is_not_retried() {
    let worker = Worker::new();
    CANCELS.set(Arc::clone(&worker.runner)).unwrap();
    worker.begin::<unlucky>().await;
    sleep(Duration::from_secs(5)).await;
    let (texts, status, _) = worker.answer::<unlucky>().await;
    assert_eq!(texts, ["attempt 1"]);
    assert_eq!(status, RunStatus::Canceled);
}
