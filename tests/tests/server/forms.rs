//! Forms of an agent and the answers of users.

use crate::asserts::{appended, text};
use crate::log::Log;
use dooers::prelude::*;
use dooers::repository::Scope;
use dooers::store::MemoryStore;
use dooers::{ChatMessage, Database, WorkerServer};
use dooers_tests::{Client, Server, in_memory};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

/// The password typed in these tests.
const PASSWORD: &str = "correct-horse";

/// Asks a question with a form, and replies with the answer.
#[dooers::agent]
async fn asking(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    match request.form() {
        None if request.message == "ask" => {
            let question = FormElement::text("size", "Size").required();
            drop(response.form(&Form::new("Which one?").element(question)));
        }
        None => drop(response.text("a message")),
        Some(form) if form.cancelled => drop(response.text("cancelled")),
        Some(form) => drop(response.text(json!(form.values).to_string())),
    }
    Ok(())
}

fn password() -> Form {
    Form::new("Who are you?")
        .element(FormElement::text("name", "Name"))
        .element(FormElement::password("pin", "PIN").required())
}

/// Asks for a password with a form, and replies with the password spelled backwards. The first attempt fails.
#[dooers::agent(retry = 1)]
async fn keeping(
    request: WorkerRequest,
    response: WorkerResponse,
    memory: WorkerMemory,
) -> Result<()> {
    tracing::info!("asked {request:?}");
    let Some(form) = request.form() else {
        drop(response.form(&password()));
        return Ok(());
    };
    tracing::info!("answered {form:?}");
    if request.attempt() == 1 {
        return Err(AgentError::retryable(std::io::Error::other("busy")));
    }
    let pin = form.values["pin"].as_str().unwrap_or_default();
    response.text(pin.chars().rev().collect::<String>());
    let history = memory.messages().await?;
    let last = history.last().map(ChatMessage::text);
    response.text(last.unwrap_or_default());
    response.text(json!(request.data).to_string());
    Ok(())
}

/// Returns a form with a password field for any message.
#[dooers::agent]
async fn returning() -> Reply {
    Reply::form(&password())
}

/// Sends a form with a password field without awaiting it, and continues.
#[dooers::agent]
async fn careless(response: WorkerResponse) -> Result<()> {
    response.text("before");
    drop(response.form(&password()));
    response.text("after");
    Ok(())
}

/// A client, its thread, and the id of the open form.
async fn open_form(server: &Server) -> (Client, String, String) {
    let mut ada = server.client("ada").await;
    let id = ada.send_message(None, "ask").await;
    ada.expect_ack(&id).await;
    let events = appended(&ada.read_turn().await);
    assert_eq!(events[1]["type"], "form");
    let id_of = |member: &str| events[1][member].as_str().unwrap().to_owned();
    (ada, id_of("thread_id"), id_of("id"))
}

fn event_of(thread_id: &str, kind: &str, data: &Value) -> Value {
    let content = match kind {
        "message" => json!([{"type": "text", "text": "hello"}]),
        _ => json!([]),
    };
    let event = json!({"type": kind, "actor": "user", "content": content, "data": data});
    json!({"thread_id": thread_id, "event": event})
}

/// Sends an event and returns the text of the reply.
async fn answer_to(client: &mut Client, event: Value) -> String {
    let id = client.send("event.create", event).await;
    client.expect_ack(&id).await;
    text(&appended(&client.read_turn().await)[1]).to_owned()
}

#[tokio::test]
async fn message_with_answer_data_is_a_message() {
    let server = Server::of::<asking>().await;
    let (mut ada, thread_id, form) = open_form(&server).await;
    for data in [
        json!({"form_event_id": form}),
        json!({"form_event_id": form, "cancelled": true}),
        json!({"form_event_id": form, "cancelled": false, "values": {"size": "L"}}),
    ] {
        let looks_like_one = event_of(&thread_id, "message", &data);
        assert_eq!(answer_to(&mut ada, looks_like_one).await, "a message");
        let dispatch = server.worker().dispatch::<asking>().worker("w1");
        let turn = dispatch.message("hello").data(data).send().await.unwrap();
        assert_eq!(turn.text().await.unwrap(), "a message");
    }
    // The form is still open.
    let data = json!({"form_event_id": form, "values": {"size": "L"}});
    let answer = event_of(&thread_id, "form.response", &data);
    assert_eq!(answer_to(&mut ada, answer).await, r#"{"size":"L"}"#);
    server.close([ada]).await;
}

#[tokio::test]
async fn invalid_answer_is_rejected_by_field() {
    let server = Server::of::<asking>().await;
    let (mut ada, thread_id, form) = open_form(&server).await;
    for (values, expected) in [
        (
            json!({"size": 42}),
            "`payload.event.data.values.size` is `42`; the field takes a text",
        ),
        (
            json!({"size": "\u{a0}"}),
            "`payload.event.data.values.size` is missing, and the form requires it",
        ),
        (
            json!({"size": "L", "colour": "red"}),
            "`payload.event.data.values.colour` is not a field of the form; its fields are `size`",
        ),
    ] {
        let data = json!({"form_event_id": form, "values": values});
        let answer = event_of(&thread_id, "form.response", &data);
        let id = ada.send("event.create", answer).await;
        let refusal = ("INVALID_PAYLOAD".to_owned(), expected.to_owned());
        assert_eq!(ada.expect_error(&id).await, refusal);
    }
    let cancelled = json!({"form_event_id": form, "cancelled": true, "values": {"colour": 1}});
    let cancelled = event_of(&thread_id, "form.response", &cancelled);
    assert_eq!(answer_to(&mut ada, cancelled).await, "cancelled");
    server.close([ada]).await;
}

#[tokio::test]
async fn password_reaches_only_the_handler() {
    let (log, _logging) = Log::capture(tracing::Level::TRACE);

    let server = Server::with::<keeping>(|config| config.secret_keys(KEY.parse().unwrap())).await;
    let (mut ada, thread_id, form) = open_form(&server).await;
    let mut bob = server.client("bob").await;
    bob.subscribe(&thread_id).await;
    let data = json!({
        "form_event_id": form, "cancelled": false, "values": {"name": "Ada", "pin": PASSWORD},
    });
    let mut answer = event_of(&thread_id, "form.response", &data);
    answer["client_event_id"] = json!("c1");
    let id = ada.send("event.create", answer.clone()).await;
    ada.expect_ack(&id).await;
    let frames = ada.read_turn().await;
    let events = appended(&frames);
    let hidden = json!({
        "form_event_id": form, "cancelled": false, "has_value": ["pin"],
        "values": {"name": "Ada", "pin": null},
    });
    assert_eq!(events[0]["data"], hidden);
    // The first attempt has failed.
    assert_eq!(text(&events[1]), "esroh-tcerroc");
    assert_eq!(
        text(&events[2]),
        "[form answered]\nName: Ada\nPIN: [hidden]"
    );
    let seen: Value = serde_json::from_str(text(&events[3])).unwrap();
    assert_eq!(seen, hidden);

    let mut shown = format!("{frames:?} {:?}", bob.read_turn().await);
    shown += &bob.subscribe(&thread_id).await.to_string();
    let page = json!({"thread_id": thread_id});
    shown += &ada
        .request("event.list", page, "event.list.result")
        .await
        .to_string();
    // A repeat is the same answer.
    let id = ada.send("event.create", answer).await;
    ada.expect_ack(&id).await;
    let again = ada.expect("event.append").await;
    assert_eq!(again["events"][0]["data"], hidden);
    shown += &again.to_string();
    assert!(!shown.contains(PASSWORD), "{shown}");
    server.close([ada, bob]).await;
    let log = log.text();
    assert!(log.contains("answered FormResponse"), "{log}");
    assert!(!log.contains(PASSWORD), "{log}");
}

#[tokio::test]
async fn password_form_is_rejected_without_a_key() {
    let server = Server::of::<returning>().await;
    let mut ada = server.client("ada").await;
    let id = ada.send_message(None, "go").await;
    ada.expect_ack(&id).await;
    let frames = ada.read_turn().await;
    assert_eq!(frames.last().unwrap()["payload"]["run"]["status"], "failed");
    assert!(
        appended(&frames)
            .iter()
            .all(|event| event["type"] == "message")
    );
    let turn = server
        .worker()
        .dispatch::<returning>()
        .worker("w1")
        .message("go");
    let error = turn.send().await.unwrap().text().await.unwrap_err();
    let error = format!("{error:?} {error}");
    assert!(
        error.contains("WORKER_SECRET_KEY") && error.contains("`pin`"),
        "{error}"
    );

    // A form of the program is rejected, too.
    let scope = Scope::everyone::<returning>("w1");
    let repository = server.worker().repository().await.unwrap();
    let thread = repository.create_thread(&scope).await.unwrap();
    let created = repository.create_event(&scope, &thread.id, Reply::form(&password()));
    let mut errors = vec![created.await.unwrap_err().to_string()];
    let plain = Form::new("?").element(FormElement::text("pin", "PIN"));
    let created = repository.create_event(&scope, &thread.id, Reply::form(&plain));
    let event_id = created.await.unwrap().id;
    let data = serde_json::to_value(password()).unwrap();
    let update = |data: Value| {
        let (repository, scope, thread_id) = (&repository, &scope, &thread.id);
        let event_id = &event_id;
        async move {
            let updated = repository
                .update_event(scope, thread_id, event_id, |event| event.data(data))
                .await;
            updated.unwrap_err().to_string()
        }
    };
    errors.push(update(data).await);
    let broadcast = server.worker().broadcast().await.unwrap();
    let sent = broadcast.send_event(&scope, &thread.id, Reply::form(&password()));
    errors.push(sent.await.unwrap_err().to_string());
    for error in errors {
        assert!(error.contains("WORKER_SECRET_KEY"), "{error}");
    }
    let text = update(json!({"elements": "none"})).await;
    assert!(text.contains("is not a form"), "{text}");
    server.close([ada]).await;
}

#[tokio::test]
async fn rejected_form_fails_its_turn_after_the_rest() {
    let server = Server::of::<careless>().await;
    let mut ada = server.client("ada").await;
    let id = ada.send_message(None, "go").await;
    ada.expect_ack(&id).await;
    let frames = ada.read_turn().await;
    let events = appended(&frames);
    let texts: Vec<_> = events[1..3].iter().map(text).collect();
    assert_eq!(texts, ["before", "after"]);
    assert_eq!(frames.last().unwrap()["payload"]["run"]["status"], "failed");
    server.close([ada]).await;
}

#[tokio::test]
async fn start_fails_without_the_key_of_a_queued_answer() {
    let store = Arc::new(MemoryStore::new());
    let worker = |keys: Option<&str>| {
        let config = in_memory()
            .database(Database::Custom(Arc::clone(&store) as _))
            .drain_timeout(Duration::ZERO);
        let config = match keys {
            Some(keys) => config.secret_keys(keys.parse().unwrap()),
            None => config,
        };
        WorkerServer::new(config).agent::<holding>()
    };
    let server = Server::start(worker(Some(KEY))).await;
    let (mut ada, thread_id, form) = open_form(&server).await;
    let data = json!({"form_event_id": form, "values": {"pin": PASSWORD}});
    let id = ada
        .send("event.create", event_of(&thread_id, "form.response", &data))
        .await;
    ada.expect_ack(&id).await;
    ada.expect("event.append").await;
    server.close([ada]).await;

    for keys in [None, Some(OTHER)] {
        let error = worker(keys).router::<()>().await.unwrap_err().to_string();
        assert!(
            error.contains("WORKER_SECRET_KEY") && error.contains("form"),
            "{error}"
        );
    }
    // The new key is put in front of the old one.
    let server = Server::start(worker(Some(&format!("{OTHER},{KEY}")))).await;
    let mut ada = server.client("ada").await;
    let is_told = |frame: &Value| frame.to_string().contains("esroh-tcerroc");
    if !is_told(&ada.subscribe(&thread_id).await) {
        ada.read_until("the answer", is_told).await;
    }
    server.close([ada]).await;
}

/// Like `keeping`, but the first attempt waits until the server stops.
#[dooers::agent(retry = 1)]
async fn holding(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    match request.form() {
        None => drop(response.form(&password())),
        Some(_) if request.attempt() == 1 => std::future::pending().await,
        Some(form) => {
            let pin = form.values["pin"].as_str().unwrap_or_default();
            drop(response.text(pin.chars().rev().collect::<String>()));
        }
    }
    Ok(())
}

#[tokio::test]
async fn password_of_any_text_round_trips() {
    let server = Server::with::<keeping>(|config| config.secret_keys(KEY.parse().unwrap())).await;
    for pin in [
        "\"}],\\".to_owned(),
        " spaces ".to_owned(),
        "null".to_owned(),
        "pässwörd-\u{1f600}".to_owned(),
        "x".repeat(100_000),
    ] {
        let (mut ada, thread_id, form) = open_form(&server).await;
        let data = json!({"form_event_id": form, "values": {"pin": pin}});
        let spelled: String = pin.chars().rev().collect();
        let answer = event_of(&thread_id, "form.response", &data);
        assert_eq!(answer_to(&mut ada, answer).await, spelled);
    }
    server.close([]).await;
}

#[tokio::test]
async fn field_changed_to_password_is_hidden() {
    let server = Server::with::<keeping>(|config| config.secret_keys(KEY.parse().unwrap())).await;
    let (mut ada, thread_id, form) = open_form(&server).await;
    let scope = Scope::everyone::<keeping>("w1")
        .organization("o1")
        .workspace("s1");
    let repository = server.worker().repository().await.unwrap();
    let update = async |form_data: Form| {
        let data = serde_json::to_value(form_data).unwrap();
        let updated = repository.update_event(&scope, &thread_id, &form, |event| event.data(data));
        updated.await.unwrap();
    };
    for asks in [
        Form::new("?").element(FormElement::text("pin", "PIN")),
        password(),
    ] {
        update(asks).await;
        ada.expect("event.append").await;
    }
    let data = json!({"form_event_id": form, "values": {"pin": PASSWORD}});
    let answer = event_of(&thread_id, "form.response", &data);
    assert_eq!(answer_to(&mut ada, answer).await, "esroh-tcerroc");
    // Values that were hidden stay hidden.
    update(Form::new("?").element(FormElement::text("pin", "PIN"))).await;
    let memory = server.worker().memory(&scope, &thread_id).await.unwrap();
    let texts: Vec<_> = memory
        .messages()
        .await
        .unwrap()
        .iter()
        .map(ChatMessage::text)
        .collect();
    assert!(
        texts
            .iter()
            .any(|text| text == "[form answered]\nPIN: [hidden]"),
        "{texts:?}"
    );
    assert!(!texts.join(" ").contains(PASSWORD));
    server.close([ada]).await;
}
