//! Memories of deleted threads.

use crate::handler::Reply;
use crate::history::{HistoryFormat, MemoryError, OwnEvents, WorkerMemory};
use crate::protocol::{ContentPart, EventType, ThreadEvent, User, timestamp};
use crate::store::{
    ClaimOptions, MemoryStore, NewMessage, NewThread, Participant, Scope, Store, ThreadTarget,
    TurnChange, Viewer,
};
use futures::StreamExt;
use std::sync::Arc;
use std::time::Duration;

fn scope() -> Scope {
    Scope {
        agent: "agent".to_owned(),
        worker_id: "w".to_owned(),
        organization_id: "o".to_owned(),
        workspace_id: "s".to_owned(),
        viewer: Viewer::Everyone,
    }
}

/// A store with a thread `t` of this many events.
async fn store_of(events: usize) -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::new());
    let user = User::new("ada");
    let now = timestamp::now();
    let message = NewMessage {
        thread: ThreadTarget::New(NewThread::new("t")),
        event_id: "e1".to_owned(),
        kind: EventType::Message,
        content: vec![ContentPart::text("go")],
        data: None,
        seal: None,
        identity: None,
        client_event_id: None,
        is_of_program: false,
        participant: Participant::user(&user),
        user,
        at: now,
    };
    let start = ClaimOptions {
        node: "node".to_owned(),
        run_id: None,
        at: now,
        lease: Duration::from_secs(3600),
        retries: 0,
        on_busy: crate::OnBusy::Concurrent,
        limits: Arc::default(),
    };
    let begun = store.begin_turn(&scope(), message, &start).await.unwrap();
    let text = |_| {
        let event: ThreadEvent = Reply::text("x").into();
        let thread_id = "t".to_owned();
        TurnChange::Event(Box::new(ThreadEvent { thread_id, ..event }))
    };
    let changes = (2..=events).map(text).collect();
    let key = begun.claim.unwrap().key;
    store.write_turn(&scope(), &key, changes).await.unwrap();
    store
}

#[tokio::test]
async fn stream_of_a_deleted_thread_ends_with_an_error() {
    let store = store_of(450).await;
    let memory = WorkerMemory::of_thread(store.clone(), scope(), "t".to_owned());
    for limit in [usize::MAX, 300] {
        let whole: Vec<_> = memory.events().limit(limit).stream().collect().await;
        assert_eq!(whole.len(), 450.min(limit));
    }
    let mut newest = memory.events().limit(300).stream();
    let mut all = memory.events().stream();
    assert!(newest.next().await.unwrap().is_ok());
    assert!(all.next().await.unwrap().is_ok());
    store.delete_thread(&scope(), "t").await.unwrap();
    for stream in [&mut newest, &mut all] {
        let rest: Vec<_> = stream.collect().await;
        // The events that had been read are returned before the error.
        assert_eq!(rest.len(), 200);
        assert!(
            matches!(rest[199], Err(MemoryError::NoThread)),
            "{:?}",
            rest[199]
        );
    }
}

#[tokio::test]
async fn history_of_a_missing_thread_is_an_error() {
    let store = store_of(3).await;
    store.delete_thread(&scope(), "t").await.unwrap();
    let memory = WorkerMemory::of_thread(store.clone(), scope(), "t".to_owned());
    let error = memory.history(HistoryFormat::OpenAi).await.unwrap_err();
    assert!(matches!(error, MemoryError::NoThread));
    assert!(error.to_string().contains("it was deleted"));
    assert!(matches!(memory.thread().await, Err(MemoryError::NoThread)));
    let first = memory.messages().stream().next().await;
    assert!(matches!(first, Some(Err(MemoryError::NoThread))));
    let of_turn =
        WorkerMemory::of_turn(store, scope(), "t".to_owned(), 1, OwnEvents::default()).await;
    assert!(matches!(of_turn, Err(MemoryError::NoThread)));
}

#[tokio::test]
async fn limit_zero_does_not_read_the_store() {
    let store = store_of(3).await;
    store.delete_thread(&scope(), "t").await.unwrap();
    let memory = WorkerMemory::of_thread(store, scope(), "t".to_owned());
    // A limit of 0 reads nothing, so the missing thread is not noticed.
    assert!(memory.events().limit(0).await.unwrap().is_empty());
}
