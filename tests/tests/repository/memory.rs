//! The memory of a thread outside of a handler.

use crate::fixtures::{scope, served};
use dooers::prelude::*;
use dooers::{MemoryError, Reply};
use serde_json::json;

#[tokio::test]
async fn a_thread_is_remembered_outside_of_a_handler_with_all_that_is_in_it() {
    let (server, repository) = served().await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.begin("hello").await;
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

    // It is read when it is asked.
    ada.pending().await;
    ada.converse(&thread_id, "more").await;
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
async fn a_thread_of_another_scope_is_not_remembered() {
    let (server, _) = served().await;
    let mut ada = server.client("ada").await;
    let thread_id = ada.begin("hello").await;
    let elsewhere = scope().workspace("s2");
    let memory = server.worker().memory(&elsewhere, thread_id).await.unwrap();
    let error = memory.messages().await.unwrap_err();
    assert!(matches!(error, MemoryError::NoThread), "{error:?}");
    server.close([ada]).await;
}
