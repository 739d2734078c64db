//! An agent that calls the tools that the message asks for.

use dooers::prelude::*;
use dooers::testing::{TestClient, TestMessage, TestTurn};
use dooers::tool::ToolRequest;
use serde_json::{Value, json};
use std::future::pending;

/// Looks up the weather.
#[dooers::tool(effect = "read")]
pub(crate) async fn weather(
    /// The city.
    city: String,
    /// The number of days.
    #[tool(default = 1)]
    days: u8,
) -> Result<Value> {
    match city.as_str() {
        "Atlantis" => Err(AgentError::public("The city is under water.")),
        "Nowhere" => dooers::bail!("no such place: the key hunter2 was refused"),
        "Crash" => panic!("of the test"),
        _ => Ok(json!({"city": city, "days": days})),
    }
}

/// Never returns.
#[dooers::tool(timeout = "10s")]
pub(crate) async fn hangs() {
    pending::<()>().await;
}

/// Never returns, and has no time limit.
#[dooers::tool]
pub(crate) async fn hangs_for_ever() {
    pending::<()>().await;
}

/// Pays an order back.
#[dooers::tool(approve = is_large)]
pub(crate) async fn refund(order: String, euros: f64) -> String {
    format!("paid {euros} for {order}")
}

fn is_large(_order: &str, euros: &f64) -> bool {
    *euros > 100.0
}

/// Lists the orders.
#[dooers::tool(effect = "read", name = "list_orders")]
pub(crate) async fn orders(#[tool(context)] request: WorkerRequest) -> Vec<String> {
    vec![format!("the order of {}", request.user.user_id)]
}

/// Calls the tools that the message asks for, and answers with the results as JSON.
#[dooers::agent(timeout = "60s", tools(weather, hangs, hangs_for_ever, refund, orders))]
pub(crate) async fn caller(Data(wanted): Data<Vec<Value>>, tools: Tools) -> Result<String> {
    let tools = tools.approval_timeout(std::time::Duration::from_secs(1800));
    let calls = wanted.iter().map(|call| {
        let member = |name: &str| call[name].as_str().unwrap_or_default();
        ToolRequest::new(member("id"), member("name"), member("arguments"))
    });
    let results = tools.call_all(calls).await?;
    let shown: Vec<_> = results
        .iter()
        .map(|result| result.value().clone())
        .collect();
    Ok(Value::from(shown).to_string())
}

/// A message that asks for calls: the id, the name and the arguments of each.
pub(crate) fn calls(calls: &[(&str, &str, &str)]) -> TestMessage {
    let call = |(id, name, arguments): &(&str, &str, &str)| json!({"id": id, "name": name, "arguments": arguments});
    let calls: Vec<_> = calls.iter().map(call).collect();
    TestMessage::text("go").data(calls)
}

/// Asks for one call, and returns its result.
pub(crate) async fn result_of(client: &mut TestClient, name: &str, arguments: &str) -> Value {
    let turn = client.say(calls(&[("c", name, arguments)])).await;
    results(&turn).remove(0)
}

/// The results of the calls of a turn that has succeeded.
pub(crate) fn results(turn: &TestTurn) -> Vec<Value> {
    turn.assert_succeeded();
    serde_json::from_str(&turn.text()).unwrap()
}
