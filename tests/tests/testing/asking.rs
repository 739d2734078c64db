//! Forms that a turn asks, in tests of agents.

use dooers::prelude::*;
use dooers::testing::{TestMessage, TestServer};
use serde_json::json;
use std::time::Duration;

fn form() -> Form {
    Form::new("Which size?").element(FormElement::text("size", "Size").required())
}

/// Asks twice, for an hour each, and has two minutes for everything else.
#[dooers::agent(timeout = "2m")]
async fn patient(response: WorkerResponse) -> Result<()> {
    for _ in 0..2 {
        let asked = response
            .ask_form(&form())
            .timeout(Duration::from_secs(3600));
        let reply = asked.await?;
        response.text(match reply.response() {
            Some(answer) => answer.text("size").unwrap_or_default().to_owned(),
            None => format!("{reply:?}"),
        });
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn waiting_does_not_count_towards_the_timeout() {
    let server = TestServer::of::<patient>().await;
    let mut ada = server.connect("ada").await;
    ada.send("go").await;
    let first = ada.asked_form().await;
    tokio::time::sleep(Duration::from_secs(1800)).await;
    let answer = TestMessage::form_response(&first.id, json!({"size": "L"}));
    ada.send(answer).await;
    // The second form expires after an hour.
    ada.turn()
        .await
        .assert_texts(["L", "Expired"])
        .assert_succeeded();
}

#[tokio::test]
async fn client_answers_forms_while_the_turn_runs() {
    let server = TestServer::of::<patient>().await;
    let mut ada = server.connect("ada").await;
    let mut ben = server.connect("ben").await;
    let message = ada.send("go").await;
    let first = ada.asked_form().await;
    let thread_id = first.thread_id.clone();
    ada.send(TestMessage::form_response(&first.id, json!({"size": "L"})))
        .await;
    ben.subscribe(&thread_id).await.unwrap();
    let second = ben.asked_form().await;
    assert_ne!(second.id, first.id);
    let turn = ben.answer_form(json!({"size": "M"})).await;
    turn.assert_texts(["L", "M"]).assert_succeeded();
    assert_eq!(turn.event_id(), message);
    // The answers have no turns of their own.
    ada.turn().await.assert_texts(["L", "M"]);
}

#[tokio::test]
async fn cancel_means_the_turn_that_asks() {
    let server = TestServer::of::<patient>().await;
    let mut ada = server.connect("ada").await;
    ada.send("go").await;
    let first = ada.asked_form().await;
    ada.send(TestMessage::form_cancelled(&first.id)).await;
    ada.asked_form().await;
    ada.cancel().await;
    ada.turn().await.assert_texts(["Dismissed"]);
    assert!(ada.conversation().asked_form().is_none());
}

/// Starts its runs itself, and asks outside of them.
#[dooers::agent(run = "manual")]
async fn manual(response: WorkerResponse) -> Result<()> {
    let reply = response.ask_form(&form()).only_user("ada").await?;
    response.run_start().await?;
    response.text(format!("{}", reply.response().is_some()));
    response.run_end(Ok(())).await?;
    Ok(())
}

#[tokio::test]
async fn agent_with_manual_runs_can_ask() {
    let server = TestServer::of::<manual>().await;
    let mut ada = server.connect("ada").await;
    ada.send("go").await;
    let asked = ada.asked_form().await;
    assert_eq!(asked.run_id, None);
    let mut ben = server.connect("ben").await;
    ben.enter(&asked.thread_id);
    let answer = TestMessage::form_response(&asked.id, json!({"size": "L"}));
    let refused = ben.try_send(answer).await.unwrap_err();
    assert_eq!(refused.code, dooers::protocol::ErrorCode::Forbidden);
    ada.answer_form(json!({"size": "L"}))
        .await
        .assert_text("true");
}

#[tokio::test]
async fn recorder_checks_scripted_answers() {
    let (response, sent) = WorkerResponse::recorder();
    let missing = response.ask_form(&form()).await.unwrap_err().to_string();
    assert!(missing.contains("Recorder::answer"), "{missing}");
    sent.answer(FormReply::answered(json!({"colour": "red"})));
    let misfit = response.ask_form(&form()).await.unwrap_err().to_string();
    assert!(misfit.contains("colour"), "{misfit}");
    sent.answer(FormReply::answered(json!({"size": "L"})));
    let reply = response.ask_form(&form()).await.unwrap();
    let answer = reply.response().unwrap();
    assert_eq!(answer.text("size"), Some("L"));
    assert!(!answer.form_event_id.is_empty());
    for reply in [FormReply::Dismissed, FormReply::Expired] {
        sent.answer(reply.clone());
        assert_eq!(response.ask_form(&form()).await.unwrap(), reply);
    }
    let zero = response.ask_form(&form()).timeout(Duration::ZERO);
    let refused = zero.await.unwrap_err().to_string();
    assert!(refused.contains("more than zero"), "{refused}");
    let asked = sent.replies()[0].data().unwrap()["asked"].clone();
    assert!(asked["expires_at"].is_string(), "{asked}");
}
