//! Answers to forms with passwords, in every unusual shape that a client can send.

use crate::asserts::{appended, text};
use dooers::prelude::*;
use dooers::repository::{Broadcast, Repository, RepositoryError, Scope};
use dooers::store::MemoryStore;
use dooers::{Agent, WorkerServer};
use dooers_tests::{Client, Server, gate, in_memory};
use serde_json::{Value, json};
use std::sync::Arc;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn login() -> Form {
    Form::new("Who are you?")
        .element(FormElement::text("zone", "Zone"))
        .element(FormElement::password("pin", "PIN"))
        .element(FormElement::text("age", "Age"))
}

/// Asks for a password with a form, and echoes the answer. A zone is the key of a gate at which it waits.
#[dooers::agent]
async fn repeating(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let Some(form) = request.form() else {
        drop(response.form(&login()));
        return Ok(());
    };
    if let Some(zone) = form.text("zone") {
        gate::pass(zone).await;
    }
    drop(response.text(json!(form.values).to_string()));
    Ok(())
}

async fn server() -> Server {
    Server::with::<repeating>(|config| config.secret_keys(KEY.parse().unwrap())).await
}

async fn open_form(server: &Server) -> (Client, String, String) {
    let mut ada = server.client("ada").await;
    let id = ada.send_message(None, "ask").await;
    ada.expect_ack(&id).await;
    let events = appended(&ada.read_turn().await);
    let id_of = |member: &str| events[1][member].as_str().unwrap().to_owned();
    (ada, id_of("thread_id"), id_of("id"))
}

/// The frame of an answer with this data. `F` is replaced by the id of the form.
fn frame(thread_id: &str, form: &str, data: &str, more: &str) -> String {
    let data = data.replace("\"F\"", &format!("\"{form}\""));
    format!(
        r#"{{"id":"x","type":"event.create","payload":{{"thread_id":"{thread_id}"{more},"event":{{"type":"form.response","actor":"user","content":[],"data":{data}}}}}}}"#
    )
}

/// Sends an answer. Returns its published data and the data that the handler received, as texts.
async fn accepted(client: &mut Client, frame: String) -> (String, String) {
    client.send_text(frame).await;
    client.expect_ack("x").await;
    let events = appended(&client.read_turn().await);
    (events[0]["data"].to_string(), text(&events[1]).to_owned())
}

#[tokio::test]
async fn odd_answers_are_hidden_and_reach_the_handler() {
    let server = server().await;
    for (data, shown, handled) in [
        // A password between other fields keeps its position.
        (
            r#"{"form_event_id":"F","values":{"age":"7","pin":"hush","zone":""}}"#,
            r#"{"form_event_id":"F","values":{"age":"7","pin":null,"zone":""},"has_value":["pin"]}"#,
            r#"{"age":"7","pin":"hush","zone":""}"#,
        ),
        // U+0000 is removed from the password and from the name.
        (
            r#"{"form_event_id":"F","values":{"pin\u0000":"hu\u0000sh","age":"7"}}"#,
            r#"{"form_event_id":"F","values":{"pin":null,"age":"7"},"has_value":["pin"]}"#,
            r#"{"pin":"hush","age":"7"}"#,
        ),
        (
            r#"{"form_event_id":"F","values":{"age":"7","pin":"\u0000"}}"#,
            r#"{"form_event_id":"F","values":{"age":"7","pin":""}}"#,
            r#"{"age":"7","pin":""}"#,
        ),
        // The client's own list is removed, and the other members keep their order.
        (
            r#"{"has_value":["age"],"form_event_id":"F","values":{"pin":"hush","age":"7"},"note":1}"#,
            r#"{"form_event_id":"F","values":{"pin":null,"age":"7"},"note":1,"has_value":["pin"]}"#,
            r#"{"pin":"hush","age":"7"}"#,
        ),
        (
            r#"{"has_value\u0000":["age"],"form_event_id":"F","values":{"age":"7"},"note":1}"#,
            r#"{"form_event_id":"F","values":{"age":"7"},"note":1}"#,
            r#"{"age":"7"}"#,
        ),
        (
            r#"{"cancelled":true,"form_event_id":"F","values":{"what":1,"pin":{"hush":[1.50]},"age":7}}"#,
            r#"{"cancelled":true,"form_event_id":"F","values":{"what":1,"pin":null,"age":7},"has_value":["pin"]}"#,
            r#"{"what":1,"pin":{"hush":[1.5]},"age":7}"#,
        ),
        (
            r#"{"form_event_id":"F","cancelled":null,"values":null}"#,
            r#"{"form_event_id":"F","cancelled":null,"values":null}"#,
            r#"{}"#,
        ),
    ] {
        let (mut ada, thread_id, form) = open_form(&server).await;
        let (published, had) = accepted(&mut ada, frame(&thread_id, &form, data, "")).await;
        let shown = shown.replace("\"F\"", &format!("\"{form}\""));
        assert_eq!(
            (published.as_str(), had.as_str()),
            (&*shown, handled),
            "{data}"
        );
        let page = json!({"thread_id": thread_id});
        let page = ada.request("event.list", page, "event.list.result").await;
        assert!(page.to_string().contains(&shown), "{page}");
        assert!(!page["events"][2].to_string().contains("hush"), "{page}");
        ada.disconnect().await;
    }
    server.close([]).await;
}

#[tokio::test]
async fn odd_answers_are_rejected_without_the_password() {
    let server = server().await;
    let (mut ada, thread_id, form) = open_form(&server).await;
    let nested = format!("{}\"hush\"{}", "[".repeat(119), "]".repeat(119));
    for (values, expected) in [
        (nested.as_str(), "nested deeper than 120 levels"),
        (r#"{"deep":123456789012345678901234}"#, "64 bits"),
        ("123456789012345678901234", "64 bits"),
        (
            r#""hush","pin\u0000":"hash""#,
            "two members that are called `pin`",
        ),
        ("12345", "takes a text"),
        (r#"["hush"]"#, "takes a text"),
    ] {
        let data = format!(r#"{{"form_event_id":"F","values":{{"pin":{values}}}}}"#);
        ada.send_text(frame(&thread_id, &form, &data, "")).await;
        let (code, message) = ada.expect_error("x").await;
        assert_eq!(code, "INVALID_PAYLOAD", "{values}");
        assert!(message.contains(expected), "{values}: {message}");
        assert!(
            !message.contains("hush") && !message.contains("12345"),
            "{message}"
        );
    }
    ada.expect_nothing().await;
    server.close([ada]).await;
}

#[tokio::test]
async fn repeat_with_another_password_is_a_conflict() {
    let server = server().await;
    let (mut ada, thread_id, form) = open_form(&server).await;
    let key = "another-password";
    let answer = |values: String| {
        let data = format!(r#"{{"form_event_id":"F","values":{{{values}}}}}"#);
        frame(&thread_id, &form, &data, r#","client_event_id":"c1""#)
    };
    let zone = format!(r#""zone":"{key}""#);
    ada.send_text(answer(format!(r#"{zone},"pin":"hush""#)))
        .await;
    ada.expect_ack("x").await;
    gate::arrived(key).await;
    for (values, is_same) in [
        (format!(r#"{zone},"pin":"hash""#), false),
        (format!(r#"{zone},"pin":"hu\u0000sh""#), true),
        (format!(r#""pin":"hush",{zone}"#), true),
        (format!(r#"{zone},"pin":"""#), false),
        (format!(r#"{zone},"pin":null"#), false),
        (zone.clone(), false),
    ] {
        ada.send_text(answer(values.clone())).await;
        let ack = ada
            .read_until("the answer", |frame| frame["type"] == "ack")
            .await;
        let ack = &ack.last().unwrap()["payload"];
        assert_eq!(ack["ok"], is_same, "{values}: {ack}");
        if !is_same {
            assert_eq!(ack["error"]["code"], "CONFLICT", "{ack}");
        }
    }
    gate::open(key);
    let _ = ada.read_turn().await;
    for (values, is_same) in [
        (format!(r#"{zone},"pin":"hash""#), true),
        (format!(r#"{zone},"pin":"""#), false),
        (zone, false),
    ] {
        ada.send_text(answer(values.clone())).await;
        let ack = ada
            .read_until("the answer", |frame| frame["type"] == "ack")
            .await;
        let ack = &ack.last().unwrap()["payload"];
        assert_eq!(ack["ok"], is_same, "{values}: {ack}");
    }
    server.close([ada]).await;
}

#[tokio::test]
async fn form_can_only_be_canceled_without_the_key() {
    let store = Arc::new(MemoryStore::new());
    let worker = |keys: Option<&str>| {
        let config = in_memory().store(Arc::clone(&store) as _);
        let config = match keys {
            Some(keys) => config.secret_keys(keys.parse().unwrap()),
            None => config,
        };
        WorkerServer::new(config).agent::<repeating>()
    };
    let before = Server::start(worker(Some(KEY))).await;
    let (ada, thread_id, form) = open_form(&before).await;
    before.close([ada]).await;
    let server = Server::start(worker(None)).await;
    let mut ada = server.client("ada").await;
    ada.subscribe(&thread_id).await;
    let data = r#"{"form_event_id":"F","values":{"pin":"hush"}}"#;
    ada.send_text(frame(&thread_id, &form, data, "")).await;
    let (code, message) = ada.expect_error("x").await;
    assert_eq!(code, "INVALID_PAYLOAD");
    assert!(message.contains("WORKER_SECRET_KEY"), "{message}");
    let data = r#"{"form_event_id":"F","cancelled":true,"values":{"pin":"hush"}}"#;
    let (shown, had) = accepted(&mut ada, frame(&thread_id, &form, data, "")).await;
    assert!(shown.contains(r#""values":{"pin":null}"#), "{shown}");
    assert_eq!(had, r#"{"pin":null}"#);
    server.close([ada]).await;
}

/// Sends a form in one of several ways.
#[dooers::agent]
async fn sending(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let form = form_of(&request.message);
    response.form(&form).await?;
    Ok(())
}

#[dooers::agent]
async fn giving(request: WorkerRequest) -> Reply {
    Reply::form(&form_of(&request.message))
}

#[dooers::agent]
async fn pouring(request: WorkerRequest) -> ReplyStream {
    let form = form_of(&request.message);
    Reply::stream(futures::stream::iter([Reply::form(&form)]))
}

fn form_of(how: &str) -> Form {
    let form = Form::new("?").element(FormElement::text("a", "A"));
    match how {
        "equal" => form.element(FormElement::text("a\0", "B")),
        "blank" => form.element(FormElement::text("\0", "B")),
        "options" => form.element(FormElement::select("b", "B", ["x", "x\0"])),
        _ => form.element(FormElement::password("b", "B")),
    }
}

async fn by_handler<A: Agent>(how: &str) -> String {
    let server = Server::of::<A>().await;
    let dispatch = server.worker().dispatch::<A>().worker("w1");
    let sent = dispatch.message(how).send().await.unwrap().text().await;
    let error = sent.unwrap_err();
    server.close([]).await;
    format!("{error} {error:?}")
}

async fn by_program(server: &WorkerServer, how: &str) -> Vec<String> {
    let scope = Scope::everyone::<sending>("w1");
    let repository: Repository = server.repository().await.unwrap();
    let broadcast: Broadcast = server.broadcast().await.unwrap();
    let thread = repository.create_thread(&scope).await.unwrap();
    let plain = Reply::form(&Form::new("?").element(FormElement::text("a", "A")));
    let event = repository
        .create_event(&scope, &thread.id, plain)
        .await
        .unwrap();
    let data = serde_json::to_value(form_of(how)).unwrap();
    let results: Vec<std::result::Result<_, RepositoryError>> = vec![
        repository
            .create_event(&scope, &thread.id, Reply::form(&form_of(how)))
            .await,
        repository
            .update_event(&scope, &thread.id, &event.id, |event| event.data(data))
            .await,
        broadcast
            .send_event(&scope, &thread.id, Reply::form(&form_of(how)))
            .await,
    ];
    results
        .into_iter()
        .map(|result| match result {
            Ok(event) => format!("accepted {event:?}"),
            Err(error) => error.to_string(),
        })
        .collect()
}

#[tokio::test]
async fn forms_are_checked_as_they_are_stored() {
    let server = Server::of::<sending>().await;
    let mut wrong = Vec::new();
    for (how, expected) in [
        ("equal", "two elements with the name `a`"),
        ("blank", "an empty `name`"),
        ("options", "two options with the value `x`"),
        ("password", "WORKER_SECRET_KEY"),
    ] {
        let mut errors = by_program(server.worker(), how).await;
        errors.push(by_handler::<sending>(how).await);
        errors.push(by_handler::<giving>(how).await);
        errors.push(by_handler::<pouring>(how).await);
        for (way, error) in errors.into_iter().enumerate() {
            if !error.contains(expected) {
                wrong.push(format!("{how} {way}: {error}"));
            }
        }
    }
    server.close([]).await;
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn password_field_with_a_nul_needs_a_key() {
    let server = Server::of::<sending>().await;
    let scope = Scope::everyone::<sending>("w1");
    let repository = server.worker().repository().await.unwrap();
    let thread = repository.create_thread(&scope).await.unwrap();
    let plain = Reply::form(&Form::new("?").element(FormElement::text("a", "A")));
    let event = repository
        .create_event(&scope, &thread.id, plain)
        .await
        .unwrap();
    for input_type in ["password\0", "pass\0word"] {
        let mut data = serde_json::to_value(form_of("password")).unwrap();
        data["elements"][1]["input_type"] = Value::from(input_type);
        let updated = repository
            .update_event(&scope, &thread.id, &event.id, |event| event.data(data))
            .await;
        let error = updated.unwrap_err().to_string();
        assert!(error.contains("WORKER_SECRET_KEY"), "{error}");
    }
    server.close([]).await;
}
