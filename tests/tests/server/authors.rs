//! Author names in events and in the messages for models.

use crate::asserts::{appended, string, text};
use dooers::prelude::*;
use dooers::protocol::User;
use dooers_tests::{Client, Identity, Server, within};
use serde_json::{Value, json};

const FORMATS: [HistoryFormat; 6] = [
    HistoryFormat::OpenAi,
    HistoryFormat::OpenAiResponses,
    HistoryFormat::Anthropic,
    HistoryFormat::Google,
    HistoryFormat::Cohere,
    HistoryFormat::Voyage,
];

/// Sends a form, and replies with the messages for a model.
#[dooers::agent]
async fn reader(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<String> {
    if request.message == "ask" {
        let form = Form::new("Which?").element(FormElement::text("it", "It"));
        response.form(&form).await?;
    }
    let mut published = Vec::new();
    for format in FORMATS {
        published.push(json!(memory.history(format).await?));
    }
    for message in memory.messages().await? {
        published.push(json!([message.author, message.text()]));
    }
    Ok(Value::from(published).to_string())
}

fn identity(user: Value) -> Identity {
    Identity::of("ada").with("user", user)
}

/// Sends a text. Returns its event and the messages for a model.
async fn say(client: &mut Client, text: &str) -> (Value, String) {
    let id = client.send_message(None, text).await;
    client.expect_ack(&id).await;
    let events = appended(&client.read_turn().await);
    let published = crate::asserts::text(events.last().unwrap()).to_owned();
    (events[0].clone(), published)
}

#[tokio::test]
async fn author_is_the_trimmed_name_or_else_the_email() {
    let server = Server::of::<reader>().await;
    let cases = [
        (
            json!({"user_name": " Ada ", "user_email": "ada@example.org"}),
            json!("Ada"),
        ),
        (
            json!({"user_name": "\u{a0}", "user_email": " ada@example.org "}),
            json!("ada@example.org"),
        ),
        (
            json!({"user_email": "ada@example.org"}),
            json!("ada@example.org"),
        ),
        (json!({"user_name": "", "user_email": "\t"}), json!(null)),
        (json!({"user_name": null}), json!(null)),
    ];
    for (mut user, author) in cases {
        user["user_id"] = json!("ada");
        let mut client = server.client(identity(user.clone())).await;
        let (event, published) = say(&mut client, "hi").await;
        assert_eq!(event["author"], author, "{user}");
        assert!(!published.contains("example"), "{published}");
        assert_eq!(published.contains("Ada"), author == "Ada", "{published}");
        client.disconnect().await;
    }
    server.close([]).await;
}

#[tokio::test]
async fn history_never_contains_an_email_address() {
    let server = Server::of::<reader>().await;
    let user =
        json!({"user_id": "ada", "user_name": "ada@example.org", "user_email": "ada@example.org"});
    let mut client = server.client(identity(user)).await;
    let id = client.send_message(None, "ask").await;
    client.expect_ack(&id).await;
    let events = appended(&client.read_turn().await);
    let form = &events[1];
    assert_eq!(form["type"], "form");
    let data = json!({"form_event_id": form["id"], "cancelled": false, "values": {"it": "this"}});
    let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
    let payload = json!({"thread_id": form["thread_id"], "event": event});
    let id = client.send("event.create", payload).await;
    client.expect_ack(&id).await;
    let events = appended(&client.read_turn().await);
    assert_eq!(events[0]["type"], "form.response");
    assert_eq!(events[0]["author"], "ada@example.org");
    let published = text(&events[1]);
    assert!(published.contains("this"), "{published}");
    assert!(!published.contains("example"), "{published}");
    server.close([client]).await;
}

#[tokio::test]
async fn dispatched_events_have_an_author() {
    let server = Server::of::<reader>().await;
    let mut user = User::new("ada");
    user.user_email = Some("ada@example.org".to_owned());
    let message = server
        .worker()
        .dispatch::<reader>()
        .worker("w1")
        .organization("o1")
        .workspace("s1")
        .user(user)
        .message("hi");
    let turn = within("a message to be stored", message.send())
        .await
        .unwrap();
    let thread_id = string(&json!(turn.thread_id()));
    let published = within("the turn", turn.text()).await.unwrap();
    assert!(!published.contains("example"), "{published}");
    let mut client = server.client("ada").await;
    client
        .send("event.list", json!({"thread_id": thread_id}))
        .await;
    let page = client.expect("event.list.result").await;
    assert_eq!(page["events"][0]["author"], "ada@example.org");
    server.close([client]).await;
}

#[tokio::test]
async fn unit_test_request_is_stored_without_email() {
    let mut request = WorkerRequest::new("hi");
    request.user.user_email = Some("ada@example.org".to_owned());
    let event = dooers::protocol::ThreadEvent::from(request);
    assert_eq!(event.author.as_deref(), Some("ada@example.org"));
    let messages = WorkerMemory::of([event]).messages().await.unwrap();
    assert_eq!(messages[0].author, None);
}

#[tokio::test]
async fn author_set_by_a_program_is_not_an_email() {
    let call = |kind: &str, id: &str, author: &str| {
        let event = json!({
            "id": id, "thread_id": "t", "run_id": "r", "type": kind, "actor": "assistant", "author": author,
            "content": null, "data": {"id": id, "name": "look"}, "created_at": "2026-01-01T00:00:00Z", "seq": 1,
        });
        serde_json::from_value::<dooers::protocol::ThreadEvent>(event).unwrap()
    };
    let memory = WorkerMemory::of([
        call("tool.call", "c1", "help@example.org"),
        call("tool.call", "c2", "help@example.org"),
        call("tool.transaction", "c3", "Helper"),
    ]);
    let messages = memory.messages().await.unwrap();
    let authors: Vec<_> = messages
        .iter()
        .map(|message| (message.author.as_deref(), message.tool_uses.len()))
        .collect();
    assert_eq!(authors, [(None, 2), (Some("Helper"), 1)]);
    for format in FORMATS {
        let published = json!(memory.history(format).await.unwrap()).to_string();
        assert!(!published.contains("example"), "{published}");
    }
}
