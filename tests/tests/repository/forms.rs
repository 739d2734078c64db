//! Forms that the program sends.

use crate::fixtures::{appended, kinds, scope, start_server, subscribed};
use dooers::prelude::*;
use dooers::protocol::{Form, FormElement};
use dooers::repository::Repository;
use dooers_tests::{Client, Server};
use serde_json::json;

/// A thread `t` with a form of the program. Returns a subscriber and the id of the form.
async fn thread_with_form() -> (Server, Repository, Client, String) {
    let (server, repository) = start_server().await;
    let mut ada = server.client("ada").await;
    subscribed(&repository, &mut ada, "t").await;
    let form = Form::new("How was it?").element(FormElement::text("stars", "Stars").required());
    let form = repository.create_event(&scope(), "t", Reply::form(&form));
    let form_event_id = form.await.unwrap().id;
    ada.read_pending().await;
    (server, repository, ada, form_event_id)
}

async fn answer(client: &mut Client, form_event_id: &str) -> String {
    let data =
        json!({"form_event_id": form_event_id, "cancelled": false, "values": {"stars": "5"}});
    let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
    let payload = json!({"thread_id": "t", "event": event});
    client.send("event.create", payload).await
}

#[tokio::test]
async fn program_form_is_answered_like_a_handler_form() {
    let (server, _, mut ada, form) = thread_with_form().await;
    let id = answer(&mut ada, &form).await;
    ada.expect_ack(&id).await;
    let frames = ada.read_turn().await;
    assert_eq!(appended(&frames)[0]["type"], "form.response");
    let again = answer(&mut ada, &form).await;
    assert_eq!(ada.expect_error(&again).await.0, "CONFLICT");
    server.close([ada]).await;
}

#[tokio::test]
async fn removed_form_cannot_be_answered() {
    let (server, repository, mut ada, form) = thread_with_form().await;
    repository.remove_event(&scope(), "t", &form).await.unwrap();
    let frames = ada.read_pending().await;
    assert_eq!(kinds(&frames), ["event.append"]);
    let removed = appended(&frames).pop().unwrap();
    assert_eq!(
        (&removed["type"], &removed["deleted"]),
        (&json!("message"), &json!(true))
    );
    let id = answer(&mut ada, &form).await;
    assert_eq!(ada.expect_error(&id).await.0, "NOT_FOUND");
    server.close([ada]).await;
}
