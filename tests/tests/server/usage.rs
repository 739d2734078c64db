//! The usage that handlers report, and its limits.

use crate::asserts::{appended, events, string};
use dooers::prelude::*;
use dooers::repository::{Scope, UsageGroup};
use dooers::{DispatchError, UsageLimit, UsageLimitScope, UsagePeriod, WorkerServer};
use dooers_tests::{Client, Server, SpyStore, gate, in_memory, within};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// Follows the lines of the message. `use N` reports a call of N tokens that costs N cents, `stored N` also waits until
/// it is stored, `unnamed` reports a call of no model, `say X` sends a text, `wait KEY` waits at a gate, and `fail` fails.
#[dooers::agent]
async fn meter(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    for line in request.message.lines() {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let usage = || -> Result<Usage> {
            let cost = format!("0.{rest:0>2}").parse()?;
            Ok(Usage::new("small")
                .output_tokens(rest.parse()?)
                .cost(cost, "USD"))
        };
        match command {
            "use" => drop(response.usage(usage()?)),
            "stored" => response.usage(usage()?).await?,
            "wait" => gate::pass(rest).await,
            "unnamed" => drop(response.usage(Usage::new(""))),
            "say" => drop(response.text(rest)),
            "fail" => return Err("as asked".into()),
            _ => {}
        }
    }
    Ok(())
}

fn scope() -> Scope {
    Scope::everyone::<meter>("w1")
        .organization("o1")
        .workspace("s1")
}

/// Sends a message and returns the run that has answered it.
async fn run_of(client: &mut Client, thread_id: Option<&str>, text: &str) -> Value {
    let id = client.send_message(thread_id, text).await;
    client.expect_ack(&id).await;
    last_run(&client.read_turn().await)
}

fn last_run(frames: &[Value]) -> Value {
    let run = frames.iter().rfind(|frame| frame["type"] == "run.upsert");
    run.unwrap()["payload"]["run"].clone()
}

fn cents(run: &Value) -> &str {
    run["usage"][0]["costs"][0]["amount"].as_str().unwrap_or("")
}

#[tokio::test]
async fn usage_is_shown_in_its_run_and_summed_up() {
    let worker = WorkerServer::new(in_memory()).agent::<meter>();
    let server = Server::start(worker.clone()).await;
    let repository = worker.repository().await.unwrap();
    let mut ada = server.client("ada").await;
    let run = run_of(&mut ada, None, "use 1\nsay it\nuse 2").await;
    let expected = json!([{
        "model": "small", "input_tokens": 0, "output_tokens": 3, "cached_tokens": 0,
        "costs": [{"amount": "0.03", "currency": "USD"}],
    }]);
    assert_eq!(run["usage"], expected);
    let thread_id = string(&run["thread_id"]);
    let thread_id = thread_id.as_str();
    let snapshot = ada.subscribe(thread_id).await;
    assert_eq!(snapshot["runs"][0]["usage"], expected);
    // A failed turn has used what it reported. A usage that cannot be recorded fails the turn.
    let failed = run_of(&mut ada, Some(thread_id), "stored 4\nfail").await;
    assert_eq!(
        (cents(&failed), &failed["status"]),
        ("0.04", &json!("failed"))
    );
    let failed = run_of(&mut ada, Some(thread_id), "use 5\nunnamed").await;
    assert_eq!(
        (cents(&failed), &failed["status"]),
        ("0.05", &json!("failed"))
    );
    let none = run_of(&mut ada, Some(thread_id), "hello").await;
    assert!(none.get("usage").is_none(), "{none}");
    // A cancelled turn keeps what it reported, whether or not it was stored.
    let id = ada
        .send_message(Some(thread_id), "stored 6\nuse 7\nwait usage-cancel")
        .await;
    ada.expect_ack(&id).await;
    gate::arrived("usage-cancel").await;
    let is_running = |frame: &Value| frame["payload"]["run"]["usage"].is_array();
    let frames = ada.read_until("the usage", is_running).await;
    let run_id = last_run(&frames)["id"].clone();
    let id = ada.send("run.cancel", json!({"run_id": run_id})).await;
    let frames = ada.read_turn().await;
    assert!(frames.iter().any(|frame| frame["payload"]["ack_id"] == *id));
    let canceled = last_run(&frames);
    assert_eq!(
        (cents(&canceled), &canceled["status"]),
        ("0.13", &json!("canceled"))
    );

    let sums = repository
        .usage(&scope())
        .by(UsageGroup::User)
        .await
        .unwrap();
    let [sum] = &sums[..] else { panic!("{sums:?}") };
    assert_eq!((sum.calls, sum.output_tokens), (6, 25));
    assert_eq!(
        (sum.user_id.as_deref(), &*sum.agent),
        (Some("ada"), "meter")
    );
    repository.remove_thread(&scope(), thread_id).await.unwrap();
    assert_eq!(
        repository
            .usage(&scope())
            .thread(thread_id)
            .await
            .unwrap()
            .len(),
        1
    );
    server.close([ada]).await;
}

#[tokio::test]
async fn message_over_a_limit_is_rate_limited() {
    let limit =
        |scope, amount: &str| UsageLimit::new(scope, UsagePeriod::Month, amount.parse().unwrap());
    let config = in_memory()
        .usage_limit(limit(UsageLimitScope::User, "5 tokens"))
        .usage_limit(limit(UsageLimitScope::Organization, "0.08 USD"));
    let worker = WorkerServer::new(config).agent::<meter>();
    let server = Server::start(worker.clone()).await;
    let mut ada = server.client("ada").await;
    let first = json!({
        "client_event_id": "m1",
        "event": {"type": "message", "actor": "user", "content": [{"type": "text", "text": "use 5"}]},
    });
    ada.send_expecting_ack("event.create", first.clone()).await;
    let frames = ada.read_turn().await;
    let thread_id = string(&appended(&frames)[0]["thread_id"]);
    let id = ada.send_message(Some(&thread_id), "use 1").await;
    let ack = ada.expect("ack").await;
    assert_eq!((&ack["ack_id"], &ack["ok"]), (&json!(id), &json!(false)));
    let error = &ack["error"];
    assert_eq!(error["code"], "RATE_LIMITED");
    let month = Duration::from_secs(31 * 24 * 3600).as_millis();
    let left = u128::from(error["retry_after_ms"].as_u64().unwrap());
    assert!((1..=month).contains(&left), "{error}");
    assert!(
        error["message"].as_str().unwrap().contains("this user"),
        "{error}"
    );
    // The message is not stored. A message that was stored before is known.
    let snapshot = ada.subscribe(&thread_id).await;
    assert_eq!(events(&snapshot).len(), 1);
    ada.send_expecting_ack("event.create", first).await;

    // Messages of the program are turns as well. Other users have their own limit, until that of the organization.
    let say = |user: &str, text: &str| {
        let message = worker.dispatch::<meter>().worker("w1").organization("o1");
        message.workspace("s1").user(user).message(text).send()
    };
    match say("ada", "use 1").await {
        Err(DispatchError::RateLimited { retry_after, .. }) => {
            assert!(retry_after.as_millis() <= month);
        }
        other => panic!("{other:?}"),
    }
    within("the turn", say("bob", "use 4").await.unwrap().collect())
        .await
        .unwrap();
    match say("bob", "use 1").await {
        Err(DispatchError::RateLimited { text, .. }) => {
            assert!(text.contains("this organization"), "{text}");
        }
        other => panic!("{other:?}"),
    }
    server.close([ada]).await;
}

#[tokio::test]
async fn usage_with_a_lost_response_counts_once() {
    let store = SpyStore::memory();
    let worker = WorkerServer::new(in_memory().store(Arc::clone(&store) as _)).agent::<meter>();
    let server = Server::start(worker.clone()).await;
    let mut ada = server.client("ada").await;
    store.lose("write_turn");
    let run = run_of(&mut ada, None, "stored 3").await;
    assert_eq!((cents(&run), &run["status"]), ("0.03", &json!("succeeded")));
    let repository = worker.repository().await.unwrap();
    assert_eq!(repository.usage(&scope()).await.unwrap()[0].calls, 1);
    assert!(store.calls("has_usage") > 0);
    server.close([ada]).await;
}
