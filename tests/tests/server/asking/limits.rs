//! Limits that do not apply to answers to a turn that waits.

use super::{answer, answered, ask, asking};
use crate::asserts::texts;
use dooers::{Quota, UsageAmount, UsageLimit, UsageLimitScope, UsagePeriod};
use dooers_tests::Server;
use serde_json::json;

#[tokio::test]
async fn usage_limit_does_not_refuse_an_answer() {
    let limit = UsageLimit::new(
        UsageLimitScope::User,
        UsagePeriod::Day,
        UsageAmount::Tokens(1),
    );
    let server = Server::with::<asking>(|config| config.usage_limit(limit)).await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "use\nask").await;
    let refused = ada.send_message(Some(&thread_id), "say never").await;
    assert_eq!(ada.expect_error(&refused).await.0, "RATE_LIMITED");
    let (events, run) = answered(&mut ada, &thread_id, &form, "L").await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(texts(&events), ["", r#"answered {"size":"L"}"#]);
    server.close([ada]).await;
}

#[tokio::test]
async fn quota_of_turns_does_not_refuse_an_answer() {
    let server = Server::with::<asking>(|config| {
        config.quotas(|quotas| quotas.waiting_turns = Quota::at_most(1))
    })
    .await;
    let mut ada = server.client("ada").await;
    let (thread_id, form) = ask(&mut ada, None, "ask").await;
    let refused = ada.send_message(Some(&thread_id), "say never").await;
    assert_eq!(ada.expect_error(&refused).await.0, "RATE_LIMITED");
    let unknown = answer(&thread_id, "nowhere", &json!({"size": "L"}));
    let code = ada.send_expecting_error("event.create", unknown).await;
    assert_eq!(code, "RATE_LIMITED");
    let (events, _) = answered(&mut ada, &thread_id, &form, "L").await;
    assert_eq!(texts(&events), ["", r#"answered {"size":"L"}"#]);
    // The answer does not count as a turn that waits.
    let (_, form) = ask(&mut ada, Some(&thread_id), "ask").await;
    answered(&mut ada, &thread_id, &form, "M").await;
    server.close([ada]).await;
}
