//! Input that is rejected before anything is stored.

use crate::agents::{actor, storyteller};
use crate::fixtures::{message, send, server};
use dooers::protocol::ContentPart;
use dooers::{Dispatch, DispatchError, WorkerServer};
use dooers_tests::{in_memory, within};
use serde_json::{Value, json};

async fn invalid(message: Dispatch) -> String {
    match message.send().await {
        Err(DispatchError::Invalid(text)) => text,
        other => panic!("{other:?} is not invalid"),
    }
}

#[tokio::test]
async fn invalid_input_is_rejected_with_a_reason() {
    let server = server();
    let empty = server.dispatch::<actor>().message("say a");
    assert_eq!(
        invalid(empty).await,
        "a dispatch needs a worker: set it with `.worker(\"…\")`"
    );
    let silent = server.dispatch::<actor>().worker("w");
    assert_eq!(
        invalid(silent).await,
        "`content` is blank; a message needs a text with a visible character, or an image, audio or document with a `url`"
    );
    let upload: ContentPart =
        serde_json::from_value(json!({"type": "image", "ref_id": "unknown"})).unwrap();
    let sent = message::<actor>(&server, "say a").content([upload]).send();
    let error = sent.await.unwrap_err();
    assert!(
        matches!(&error, DispatchError::UploadNotFound(upload) if upload.ref_id == "unknown"),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "there is no upload with the `ref_id` `unknown`, and the part has no `url`: give the part a `url`, or leave it out"
    );
    let long = "x".repeat(129);
    let too_long = [
        (message::<actor>(&server, "say a").worker(&long), "worker"),
        (message::<actor>(&server, "say a").user(&*long), "user"),
        (message::<actor>(&server, "say a").thread(&long), "thread"),
        (
            message::<actor>(&server, "say a").idempotency_key(&long),
            "idempotency_key",
        ),
    ];
    for (message, what) in too_long {
        assert_eq!(
            invalid(message).await,
            format!("`{what}` is 129 bytes long; at most 128 are allowed")
        );
    }
    let mut deep = json!(0);
    for _ in 0..200 {
        deep = json!([deep]);
    }
    assert_eq!(
        invalid(message::<actor>(&server, "say a").data(deep)).await,
        "`data` is nested deeper than 120 levels; make it flatter, or send it as a text"
    );
    server.close().await;
}

#[tokio::test]
async fn dispatch_to_an_unserved_agent_is_rejected() {
    let server = WorkerServer::new(in_memory()).agent::<actor>();
    let error = message::<storyteller>(&server, "x")
        .send()
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server does not serve an agent with the name `storyteller`: correct the name, or add the agent with `.agent::<…>()`, `.annotated_agents()` or `.add_agent(…)`"
    );
    server.close().await;
}

#[tokio::test]
async fn unstorable_characters_are_removed() {
    let server = server();
    let turn = message::<actor>(&server, "say a\0b")
        .title("t\0")
        .metadata(Value::Null);
    let turn = send(turn).await;
    assert_eq!(within("the turn", turn.text()).await.unwrap(), "ab");
    server.close().await;
}
