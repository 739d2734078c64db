//! Turns without a server.

use super::{Runner, TextStream, WorkerResponse};
use crate as dooers;
use crate::Agent;
use crate::hub::Hub;
use crate::protocol::{ContentPart, EventType, ThreadEvent, User, new_id, timestamp};
use crate::settings::{LiveSettings, Schemas};
use crate::state::States;
use crate::store::{
    MemoryStore, NewMessage, Participant, Scope, SnapshotFrom, Store, ThreadTarget, Viewer,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

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

impl Worker {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let (shared, hub) = (Arc::clone(&store) as Arc<dyn Store>, Hub::default());
        let settings = LiveSettings::new(Arc::clone(&shared), hub.clone(), None, Schemas::new());
        let runner = Runner::new(
            shared,
            hub,
            Arc::new(settings),
            Arc::new(States::default()),
            "Assistant".to_owned(),
            Duration::from_secs(3600),
        );
        Self {
            store,
            runner: Arc::new(runner),
        }
    }

    /// Begins a thread `t` by a message, whose turn runs from now on.
    async fn begin<A: Agent>(&self) {
        let agent = A::DEFINITION;
        let user = User::new("ada");
        let message = NewMessage {
            thread: ThreadTarget::New {
                id: "t".to_owned(),
                metadata: None,
            },
            event_id: new_id(),
            kind: EventType::Message,
            content: vec![ContentPart::text("go")],
            data: None,
            client_event_id: None,
            participant: Participant::user(&user),
            user,
            at: timestamp::now(),
        };
        let (scope, start) = (scope(agent.name()), self.runner.start_of(&agent));
        let begun = self.store.begin_turn(&scope, message, &start).await;
        let claim = begun.unwrap().claim.unwrap();
        self.runner.run(agent, claim);
    }

    /// The last event of the thread, as it is stored.
    async fn last_event<A: Agent>(&self) -> ThreadEvent {
        let (scope, from) = (scope(A::DEFINITION.name()), SnapshotFrom::Newest);
        let snapshot = self.store.snapshot(&scope, "t", &from).await.unwrap();
        snapshot.events.last().unwrap().clone()
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
async fn a_text_that_grows_is_stored_every_two_seconds_and_whole_at_its_end() {
    let worker = Worker::new();
    worker.begin::<steady>().await;
    let mut stored = Vec::new();
    // Between the pieces, so that each look is behind what was done for the one before.
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
    // Each holds all that came in two seconds from the first piece that was not stored before, both ends included.
    assert_eq!(stored, [0, 21, 42, 63, 84]);
    sleep(Duration::from_millis(100)).await;
    let event = worker.last_event::<steady>().await;
    assert_eq!((event.streaming, event.finalized), (None, Some(true)));
    assert_eq!(
        event.content,
        Some(vec![ContentPart::text("x".repeat(100))])
    );
}
