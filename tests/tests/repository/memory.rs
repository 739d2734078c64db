//! The memory of a thread outside of a handler.

use crate::fixtures::{scope, start_server};
use dooers::prelude::*;
use dooers::{MemoryError, Reply};
use serde_json::json;

#[tokio::test]
async fn memory_is_complete_outside_a_handler() {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("hello").await;
    let note = Reply::text("A note.").author("Program");
    repository
        .create_event(&scope(), &thread_id, note)
        .await
        .unwrap();
    let memory = server.worker().memory(&scope(), &thread_id).await.unwrap();
    assert_eq!(
        memory.history(HistoryFormat::OpenAi).await.unwrap(),
        [
            json!({"role": "user", "content": "hello"}),
            json!({"role": "assistant", "name": "Assistant", "content": "You said: hello"}),
            json!({"role": "assistant", "name": "Program", "content": "A note."}),
        ]
    );
    assert_eq!(memory.events().await.unwrap().len(), 3);
    assert_eq!(memory.thread().await.unwrap().id, thread_id);

    // The memory is read on each call.
    ada.read_pending().await;
    ada.run_turn(&thread_id, "more").await;
    assert_eq!(memory.events().await.unwrap().len(), 5);
    repository
        .remove_thread(&scope(), &thread_id)
        .await
        .unwrap();
    let error = memory.events().await.unwrap_err();
    assert!(matches!(error, MemoryError::NoThread), "{error:?}");
    server.close([ada]).await;
}

#[tokio::test]
async fn memory_of_another_scope_is_not_found() {
    let (server, _) = start_server().await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.start_thread("hello").await;
    let elsewhere = scope().workspace("s2");
    let memory = server.worker().memory(&elsewhere, thread_id).await.unwrap();
    let error = memory.messages().await.unwrap_err();
    assert!(matches!(error, MemoryError::NoThread), "{error:?}");
    server.close([ada]).await;
}
