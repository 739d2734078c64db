//! Answers to forms that a turn waits for.

use super::{answer, answered, ask, asking, end, expect_conflict, next_form, response, serve};
use crate::asserts::{string, texts};
use dooers::{OnBusy, WorkerServer};
use dooers_tests::{Server, gate, in_memory};
use serde_json::{Value, json};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[tokio::test]
async fn answer_goes_to_the_waiting_turn() {
    for on_busy in [
        OnBusy::Queue { limit: 1 },
        OnBusy::Reject,
        OnBusy::Interrupt,
        OnBusy::Concurrent,
    ] {
        let server = serve(|agent| agent.when_busy(on_busy)).await;
        let mut ada = server.client("ada").await;
        let (thread_id, form) = ask(&mut ada, None, "say before\nask\nsay after").await;
        let (events, run) = answered(&mut ada, &thread_id, &form, "L").await;
        assert_eq!(run["status"], "succeeded", "{on_busy:?}");
        assert_eq!(events[0]["type"], "form.response");
        assert_eq!(events[0]["run_id"], Value::Null);
        let expected = ["", r#"answered {"size":"L"}"#, "after"];
        assert_eq!(texts(&events), expected, "{on_busy:?}");
        let snapshot = server.client("ben").await.subscribe(&thread_id).await;
        // The answer has no run of its own.
        assert_eq!(snapshot["runs"].as_array().unwrap().len(), 1);
        let asked = &snapshot["events"][2]["data"]["asked"];
        assert!(asked["closed"].is_null() && asked["expires_at"].is_string());
        let text = expect_conflict(&mut ada, &thread_id, &form).await;
        assert!(text.contains("is answered"), "{text}");
        server.close([ada]).await;
    }
}

#[tokio::test]
async fn answer_passes_the_messages_that_wait() {
    let server = serve(|agent| agent.when_busy(OnBusy::Queue { limit: 1 })).await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    let id = ada.send_message(Some(&thread_id), "say next").await;
    ada.expect_ack(&id).await;
    ada.expect("event.append").await;
    let refused = ada.send_message(Some(&thread_id), "say never").await;
    assert_eq!(ada.expect_error(&refused).await.0, "OVERLOADED");
    let (events, _) = answered(&mut ada, &thread_id, &form, "L").await;
    assert_eq!(texts(&events), ["", r#"answered {"size":"L"}"#]);
    let (events, run) = end(&mut ada).await;
    assert_eq!(
        (texts(&events), &run["status"]),
        (vec!["next"], &json!("succeeded"))
    );
    server.close([ada]).await;
}

#[tokio::test]
async fn one_of_two_answers_is_accepted() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let mut ben = server.client("ben").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    ben.subscribe(&thread_id).await;
    let id = |frame: &Value| frame["payload"]["ack_id"].is_string();
    for (client, size) in [(&mut ada, "L"), (&mut ben, "M")] {
        let answer = answer(&thread_id, &form, &json!({"size": size}));
        client.send("event.create", answer).await;
    }
    let mut outcomes = Vec::new();
    for client in [&mut ada, &mut ben] {
        let frames = client.read_until("the ack", id).await;
        let ack = &frames.last().unwrap()["payload"];
        outcomes.push((ack["ok"].clone(), ack["error"]["code"].clone()));
    }
    outcomes.sort_by_key(|(ok, _)| ok.as_bool());
    let expected = [
        (json!(false), json!("CONFLICT")),
        (json!(true), Value::Null),
    ];
    assert_eq!(outcomes, expected);
    server.close([ada, ben]).await;
}

#[tokio::test]
async fn canceled_form_is_dismissed() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    let cancel = json!({"form_event_id": form, "cancelled": true});
    let cancel = response(&thread_id, &cancel);
    ada.send_expecting_ack("event.create", cancel).await;
    let (events, run) = end(&mut ada).await;
    assert_eq!(texts(&events), ["", "Dismissed"]);
    assert_eq!(run["status"], "succeeded");
    expect_conflict(&mut ada, &thread_id, &form).await;
    server.close([ada]).await;
}

#[tokio::test]
async fn only_the_named_user_may_answer() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let mut ben = server.client("ben").await;
    let id = ada.send_message(None, "ask only ben").await;
    ada.expect_ack(&id).await;
    let form = next_form(&mut ada).await;
    assert_eq!(form["data"]["asked"]["user_id"], "ben");
    let (thread_id, form) = (string(&form["thread_id"]), string(&form["id"]));
    let refused = answer(&thread_id, &form, &json!({"size": "L"}));
    let id = ada.send("event.create", refused).await;
    let (code, text) = ada.expect_error(&id).await;
    assert_eq!(code, "FORBIDDEN");
    assert!(text.contains("data.asked.user_id"), "{text}");
    ben.subscribe(&thread_id).await;
    let (events, _) = answered(&mut ben, &thread_id, &form, "M").await;
    assert_eq!(texts(&events), ["", r#"answered {"size":"M"}"#]);
    server.close([ada, ben]).await;
}

#[tokio::test]
async fn invalid_answer_leaves_the_form_open() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    for values in [
        json!({}),
        json!({"size": 3}),
        json!({"size": "L", "other": 1}),
    ] {
        let invalid = answer(&thread_id, &form, &values);
        let code = ada.send_expecting_error("event.create", invalid).await;
        assert_eq!(code, "INVALID_PAYLOAD", "{values}");
    }
    let (events, _) = answered(&mut ada, &thread_id, &form, "L").await;
    assert_eq!(texts(&events), ["", r#"answered {"size":"L"}"#]);
    server.close([ada]).await;
}

#[tokio::test]
async fn repeated_answer_is_acknowledged_once_stored() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    let mut sent = answer(&thread_id, &form, &json!({"size": "L"}));
    sent["client_event_id"] = json!("c1");
    ada.send_expecting_ack("event.create", sent.clone()).await;
    let (events, _) = end(&mut ada).await;
    ada.send_expecting_ack("event.create", sent.clone()).await;
    let again = ada.expect("event.append").await;
    assert_eq!(again["events"][0], events[0]);
    sent["event"]["data"]["values"]["size"] = json!("M");
    let code = ada.send_expecting_error("event.create", sent).await;
    assert_eq!(code, "CONFLICT");
    ada.expect_nothing().await;
    server.close([ada]).await;
}

#[tokio::test]
async fn password_reaches_only_the_handler() {
    let config = in_memory().secret_keys(KEY.parse().unwrap());
    let server = Server::start(WorkerServer::new(config).agent::<asking>()).await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "password\nwait pin-a").await;
    let mut secret = answer(
        &thread_id,
        &form,
        &json!({"name": "Ada", "pin": "open-sesame"}),
    );
    secret["client_event_id"] = json!("c1");
    ada.send_expecting_ack("event.create", secret.clone()).await;
    let stored = ada.expect("event.append").await["events"][0].clone();
    assert_eq!(
        stored["data"]["values"],
        json!({"name": "Ada", "pin": null})
    );
    assert_eq!(stored["data"]["has_value"], json!(["pin"]));
    let reply = ada.expect("event.append").await["events"][0].clone();
    let expected = r#"answered {"name":"Ada","pin":"open-sesame"}"#;
    assert_eq!(reply["content"][0]["text"], expected);
    // Until the turn asks again, a repeated answer is compared with its passwords.
    gate::arrived("pin-a").await;
    ada.send_expecting_ack("event.create", secret.clone()).await;
    ada.expect("event.append").await;
    secret["event"]["data"]["values"]["pin"] = json!("another");
    let code = ada.send_expecting_error("event.create", secret).await;
    assert_eq!(code, "CONFLICT");
    gate::open("pin-a");
    end(&mut ada).await;
    server.close([ada]).await;
}

#[tokio::test]
async fn memory_of_the_turn_has_the_answer() {
    let server = Server::of::<asking>().await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask\nwait memory-a\nask\nmemory").await;
    let first = answer(&thread_id, &form, &json!({"size": "L"}));
    ada.send_expecting_ack("event.create", first).await;
    // This message waits for its own turn.
    let id = ada.send_message(Some(&thread_id), "memory").await;
    ada.read_until("the ack", |frame| frame["payload"]["ack_id"] == id.as_str())
        .await;
    gate::open("memory-a");
    let form = string(&next_form(&mut ada).await["id"]);
    let (events, _) = answered(&mut ada, &thread_id, &form, "M").await;
    let all: Vec<String> = serde_json::from_str(texts(&events).pop().unwrap()).unwrap();
    let expected = [
        "ask\nwait memory-a\nask\nmemory",
        "Which size?\n[form: Size]",
        "[form answered]\nSize: L",
        "answered {\"size\":\"L\"}\nWhich size?\n[form: Size]",
        "[form answered]\nSize: M",
    ];
    for text in expected {
        let line = text.lines().last().unwrap();
        assert!(all.iter().any(|one| one.contains(line)), "{line}: {all:?}");
    }
    let of_answer = |size: &str| {
        let answer = format!("[form answered]\nSize: {size}");
        all.iter().position(|text| *text == answer).unwrap()
    };
    assert!(of_answer("L") < of_answer("M"));
    assert!(!all.iter().any(|text| text == "memory"), "{all:?}");
    let (events, _) = end(&mut ada).await;
    let later: Vec<String> = serde_json::from_str(texts(&events)[0]).unwrap();
    assert_eq!(later.last().unwrap(), "memory");
    assert!(
        later.contains(&"[form answered]\nSize: L".to_owned()),
        "{later:?}"
    );
    server.close([ada]).await;
}
