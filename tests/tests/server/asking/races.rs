//! Answers that arrive while the wait ends, and lost answers of the database.

use super::{answer, answered, ask, closed, end, expect_conflict, inquirer, next_form, size};
use crate::asserts::{appended, string, texts};
use dooers::prelude::*;
use dooers::store::Store;
use dooers::{AgentDefinition, OnBusy, WorkerServer};
use dooers_tests::{Client, Server, SpyStore, gate, in_memory, within};
use futures::future::join_all;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// A server of an agent made of this function.
async fn agent<F, A>(function: F) -> Server
where
    F: dooers::AgentFn<A>,
    A: 'static,
{
    let agent = AgentDefinition::from_fn("asker", function);
    Server::start(WorkerServer::new(in_memory()).add_agent(agent)).await
}

/// Sends an answer. Returns the code of the refusal, or `None`, and the frames before the ack.
async fn try_answer(
    client: &mut Client,
    thread_id: &str,
    form: &str,
) -> (Option<String>, Vec<Value>) {
    let sent = answer(thread_id, form, &json!({"size": "L"}));
    let id = client.send("event.create", sent).await;
    let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id.as_str();
    let frames = client.read_until("the ack", is_ack).await;
    let ack = &frames.last().unwrap()["payload"];
    let code = (ack["ok"] == false).then(|| string(&ack["error"]["code"]));
    (code, frames)
}

#[tokio::test]
async fn accepted_answer_is_never_lost_to_the_clock() {
    let server = Server::of::<inquirer>().await;
    let mut ada = server.client("ada").await;
    let mut accepted = 0;
    for milliseconds in (1..=6).cycle().take(120) {
        let (thread_id, form) = ask(&mut ada, None, &format!("ask for {milliseconds}")).await;
        let (code, mut frames) = try_answer(&mut ada, &thread_id, &form).await;
        let is_end = |frame: &Value| frame["payload"]["run"]["ended_at"].is_string();
        if !frames.iter().any(is_end) {
            frames.extend(ada.read_turn().await);
        }
        let all = appended(&frames);
        let is_answered = texts(&all).iter().any(|text| text.starts_with("answered"));
        match code.as_deref() {
            None => assert!(is_answered, "{all:?}"),
            Some("CONFLICT") => assert!(!is_answered, "{all:?}"),
            Some(other) => panic!("{other}"),
        }
        accepted += u32::from(is_answered);
    }
    assert!(accepted > 0);
    server.close([ada]).await;
}

#[tokio::test]
async fn answer_and_cancel_exclude_each_other() {
    for on_busy in [OnBusy::Queue { limit: 10 }, OnBusy::Interrupt] {
        let server = super::serve(|agent| agent.when_busy(on_busy)).await;
        let mut ada = server.client("ada").await;
        let mut ben = server.client("ben").await;
        for _ in 0..40 {
            let (thread_id, form) = ask(&mut ada, None, "ask").await;
            let snapshot = ben.subscribe(&thread_id).await;
            let run_id = snapshot["runs"][0]["id"].clone();
            let sent = answer(&thread_id, &form, &json!({"size": "L"}));
            ada.send("event.create", sent).await;
            ben.send("run.cancel", json!({"run_id": run_id})).await;
            let frames = ada.read_turn().await;
            let run = &frames.last().unwrap()["payload"]["run"];
            assert!(
                ["succeeded", "canceled"].contains(&run["status"].as_str().unwrap()),
                "{run}"
            );
            expect_conflict_or_skip(&mut ada, &thread_id, &form).await;
            let snapshot = server.client("eve").await.subscribe(&thread_id).await;
            let events = snapshot["events"].as_array().unwrap();
            let form = events
                .iter()
                .find(|event| event["id"] == form.as_str())
                .unwrap();
            let has_answer = events.iter().any(|event| event["type"] == "form.response");
            // The form is closed, or it has an answer, and never both.
            assert_ne!(
                form["data"]["asked"]["closed"] == true,
                has_answer,
                "{events:?}"
            );
            ben.read_pending().await;
        }
        server.close([ada, ben]).await;
    }
}

/// A second answer is refused. Frames of earlier requests are skipped.
async fn expect_conflict_or_skip(client: &mut Client, thread_id: &str, form: &str) {
    let (code, _) = try_answer(client, thread_id, form).await;
    assert_eq!(code.as_deref(), Some("CONFLICT"));
}

/// Asks many forms at once, and one more.
async fn crowd(response: WorkerResponse) -> Result<String> {
    let form = size();
    let asked = (0..100).map(|_| response.ask_form(&form).into_future());
    let all = join_all(asked);
    let one_more = async {
        gate::pass("crowd").await;
        response.ask_form(&form).await.unwrap_err().to_string()
    };
    let (replies, refused) = tokio::join!(all, one_more);
    let replies: Result<Vec<_>> = replies.into_iter().collect();
    let answered = replies?
        .iter()
        .filter(|reply| reply.response().is_some())
        .count();
    Ok(format!("{answered} {refused}"))
}

#[tokio::test]
async fn hundred_forms_wait_side_by_side() {
    let server = agent(crowd).await;
    let mut ada = server.client("ada").await;
    let id = ada.send_message(None, "go").await;
    ada.expect_ack(&id).await;
    let mut forms = Vec::new();
    while forms.len() < 100 {
        let frame = ada.next().await;
        let events = appended(std::slice::from_ref(&frame));
        forms.extend(events.into_iter().filter(|event| event["type"] == "form"));
    }
    gate::open("crowd");
    let thread_id = string(&forms[0]["thread_id"]);
    let mut last = Vec::new();
    for form in forms.iter().rev() {
        let (code, frames) = try_answer(&mut ada, &thread_id, form["id"].as_str().unwrap()).await;
        assert_eq!(code, None);
        last = frames;
    }
    let mut frames = last;
    frames.extend(ada.read_turn().await);
    let all = appended(&frames);
    let text = texts(&all).pop().unwrap().to_owned();
    assert!(text.starts_with("100 the turn already waits"), "{text}");
    server.close([ada]).await;
}

#[tokio::test]
async fn cancel_closes_all_open_forms() {
    let handler = async |response: WorkerResponse| {
        let form = size();
        let asked = (0..100).map(|_| response.ask_form(&form).into_future());
        join_all(asked).await;
    };
    let server = agent(handler).await;
    let mut ada = server.client("ada").await;
    let id = ada.send_message(None, "go").await;
    ada.expect_ack(&id).await;
    let mut forms = Vec::new();
    while forms.len() < 100 {
        let frame = ada.next().await;
        let events = appended(std::slice::from_ref(&frame));
        forms.extend(events.into_iter().filter(|event| event["type"] == "form"));
    }
    let thread_id = string(&forms[0]["thread_id"]);
    let snapshot = server.client("ben").await.subscribe(&thread_id).await;
    ada.send_expecting_ack("run.cancel", json!({"run_id": snapshot["runs"][0]["id"]}))
        .await;
    let (events, run) = end(&mut ada).await;
    assert_eq!(run["status"], "canceled");
    for form in &forms {
        closed(&events, form["id"].as_str().unwrap());
    }
    server.close([ada]).await;
}

/// Asks in a task that outlives the turn.
async fn careless(
    request: WorkerRequest,
    response: WorkerResponse,
    State(errors): State<mpsc::Sender<String>>,
) {
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let is_late = request.message == "late";
    tokio::spawn(async move {
        if is_late {
            gate::pass("late-question").await;
        }
        let form = size();
        let asked = async { response.ask_form(&form).await };
        let (reply, _) = tokio::join!(asked, async { begun.send(()) });
        let _ = errors.send(format!("{reply:?}")).await;
    });
    if !is_late {
        let _ = has_begun.await;
        gate::pass("early-end").await;
    }
}

#[tokio::test]
async fn question_of_a_task_ends_with_its_turn() {
    let (sender, mut errors) = mpsc::channel::<String>(10);
    let agent = AgentDefinition::from_fn("careless", careless);
    let server = WorkerServer::new(in_memory())
        .add_agent(agent)
        .state(sender);
    let server = Server::start(server).await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "early").await;
    gate::open("early-end");
    let (events, run) = end(&mut ada).await;
    assert_eq!(run["status"], "succeeded");
    closed(&events, &form);
    expect_conflict(&mut ada, &thread_id, &form).await;
    let error = within("the error", errors.recv()).await.unwrap();
    assert!(error.starts_with("Err"), "{error}");
    // A task that asks after the end.
    ada.run_turn(&thread_id, "late").await;
    gate::open("late-question");
    let error = within("the error", errors.recv()).await.unwrap();
    assert!(error.contains("ended"), "{error}");
    ada.expect_nothing().await;
    server.close([ada]).await;
}

#[tokio::test]
async fn timeouts_beyond_the_limits_are_refused() {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
    let handler = async |response: WorkerResponse| {
        let form = size();
        for wrong in [
            Duration::ZERO,
            WEEK + Duration::from_nanos(1),
            Duration::MAX,
        ] {
            let error = response.ask_form(&form).timeout(wrong).await.unwrap_err();
            assert!(error.to_string().contains("at most 7 days"), "{error}");
        }
        let short = response.ask_form(&form).timeout(Duration::from_nanos(1));
        assert_eq!(short.await?, FormReply::Expired);
        let reply = response.ask_form(&form).timeout(WEEK).await?;
        Ok::<_, AgentError>(format!("{}", reply.response().is_some()))
    };
    let server = agent(handler).await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "go").await;
    // Its end follows.
    let next = string(&next_form(&mut ada).await["id"]);
    assert_ne!(form, next);
    let (events, _) = answered(&mut ada, &thread_id, &next, "L").await;
    assert_eq!(texts(&events).pop(), Some("true"));
    server.close([ada]).await;
}

#[tokio::test]
async fn answers_need_access_to_the_thread() {
    let server = Server::with::<inquirer>(|config| config.private_threads(true)).await;
    for owner in ["ada", ""] {
        let mut ada = server.client(owner).await;
        let (thread_id, form) = ask(&mut ada, None, "ask").await;
        for other in ["ben", ""] {
            let mut ben = server.client(other).await;
            let (code, _) = try_answer(&mut ben, &thread_id, &form).await;
            assert_eq!(code.as_deref(), Some("NOT_FOUND"), "{other}");
            ben.disconnect().await;
        }
        let (events, run) = answered(&mut ada, &thread_id, &form, "L").await;
        assert_eq!(run["status"], "succeeded");
        assert_eq!(texts(&events), ["", r#"answered {"size":"L"}"#]);
        ada.disconnect().await;
    }
    server.close([]).await;
}

#[tokio::test]
async fn form_for_no_user_is_for_anonymous_ones() {
    let server = Server::of::<inquirer>().await;
    let mut nobody = server.client("").await;
    let id = nobody.send_message(None, "ask only ").await;
    nobody.expect_ack(&id).await;
    let form = next_form(&mut nobody).await;
    assert_eq!(form["data"]["asked"]["user_id"], "");
    let (thread_id, form) = (string(&form["thread_id"]), string(&form["id"]));
    let mut ben = server.client("ben").await;
    let (code, _) = try_answer(&mut ben, &thread_id, &form).await;
    assert_eq!(code.as_deref(), Some("FORBIDDEN"));
    let (_, run) = answered(&mut nobody, &thread_id, &form, "L").await;
    assert_eq!(run["status"], "succeeded");
    server.close([nobody, ben]).await;
}

#[tokio::test]
async fn repeated_answer_of_another_user_is_another_answer() {
    let server = Server::of::<inquirer>().await;
    let mut ada = server.client("ada").await;
    let mut ben = server.client("ben").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    let mut sent = answer(&thread_id, &form, &json!({"size": "L"}));
    sent["client_event_id"] = json!("c1");
    ada.send_expecting_ack("event.create", sent.clone()).await;
    end(&mut ada).await;
    let id = ben.send("event.create", sent).await;
    let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id.as_str();
    let frames = ben.read_until("the ack", is_ack).await;
    let error = &frames.last().unwrap()["payload"]["error"];
    assert_eq!(error["code"], "CONFLICT", "{error}");
    server.close([ada, ben]).await;
}

#[tokio::test]
async fn lost_responses_to_writes_of_forms_are_found() {
    for (text, method) in [
        ("ask", "write_turn"),
        ("ask for 100\nask", "write_turn"),
        ("ask", "finish_turn"),
    ] {
        let store = SpyStore::memory();
        let config = in_memory().store(Arc::clone(&store) as Arc<dyn Store>);
        let server = Server::start(WorkerServer::new(config).agent::<inquirer>()).await;
        let mut ada = server.client("ada").await;
        let mut ben = server.client("ben").await;
        if !text.contains('\n') {
            store.lose(method);
        }
        let (thread_id, mut form) = ask(&mut ada, None, text).await;
        if text.contains('\n') {
            // The form expires later.
            store.lose("write_turn");
            let is_next = |frame: &Value| {
                let events = appended(std::slice::from_ref(frame));
                events
                    .iter()
                    .any(|event| event["type"] == "form" && event["id"] != form.as_str())
            };
            let frames = ada.read_until("the next form", is_next).await;
            let mut events = appended(&frames);
            closed(&events, &form);
            form = string(&events.pop().unwrap()["id"]);
        }
        store.lose(method);
        let (code, mut frames) = try_answer(&mut ada, &thread_id, &form).await;
        assert_eq!(code, None);
        frames.extend(ada.read_turn().await);
        let run = &frames.last().unwrap()["payload"]["run"];
        assert_eq!(run["status"], "succeeded", "{text} {method}");
        let snapshot = ben.subscribe(&thread_id).await;
        let events = snapshot["events"].as_array().unwrap();
        let answers = texts(events)
            .iter()
            .filter(|text| text.starts_with("answered"))
            .count();
        assert_eq!(answers, 1, "{text} {method}: {events:?}");
        let forms = events
            .iter()
            .filter(|event| event["type"] == "form")
            .count();
        assert_eq!(forms, text.lines().count(), "{text} {method}");
        server.close([ada, ben]).await;
    }
}

#[tokio::test]
async fn answer_can_be_repeated_after_a_lost_response() {
    let store = SpyStore::memory();
    let config = in_memory()
        .lease(Duration::from_millis(600))
        .store(Arc::clone(&store) as Arc<dyn Store>);
    let server = Server::start(WorkerServer::new(config).agent::<inquirer>()).await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    let mut sent = answer(&thread_id, &form, &json!({"size": "L"}));
    sent["client_event_id"] = json!("c1");
    store.lose("begin_turn");
    let code = ada.send_expecting_error("event.create", sent.clone()).await;
    assert_eq!(code, "OVERLOADED");
    let id = ada.send("event.create", sent).await;
    let is_ack = |frame: &Value| frame["payload"]["ack_id"] == id.as_str();
    let frames = ada.read_until("the ack", is_ack).await;
    assert_eq!(frames.last().unwrap()["payload"]["ok"], true, "{frames:?}");
    let mut ben = server.client("ben").await;
    let is_end = |frame: &Value| frame["payload"]["run"]["ended_at"].is_string();
    if !frames.iter().any(is_end) {
        ada.read_turn().await;
    }
    let snapshot = ben.subscribe(&thread_id).await;
    let kinds: Vec<_> = snapshot["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["type"])
        .collect();
    assert_eq!(kinds, ["message", "form", "form.response", "message"]);
    server.close([ada, ben]).await;
}

#[tokio::test]
async fn unpolled_question_does_not_stop_the_time_limit() {
    let handler = async |response: WorkerResponse| {
        let form = size();
        let mut asked = response
            .ask_form(&form)
            .timeout(Duration::from_millis(50))
            .into_future();
        let _ = futures::poll!(&mut asked);
        std::future::pending::<()>().await;
    };
    let agent = AgentDefinition::from_fn("asker", handler).with_timeout(Duration::from_millis(20));
    let server = Server::start(WorkerServer::new(in_memory()).add_agent(agent)).await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "go").await;
    let (events, run) = end(&mut ada).await;
    assert_eq!(
        (&run["status"], &run["error"]),
        (&json!("failed"), &json!("timed out"))
    );
    closed(&events, &form);
    expect_conflict(&mut ada, &thread_id, &form).await;
    server.close([ada]).await;
}
