//! The history of turns with tools on a server.

use super::{check_every_prefix, check_pairs};
use crate::testing::{TestMessage, TestServer};
use crate::tool::{Approval, DynamicTool, ToolEffect, ToolRequest, Tools};
use crate::{
    AgentDefinition, AgentError, Database, WorkerConfig, WorkerRequest, WorkerResponse,
    WorkerServer,
};
use serde_json::{Value, json};

/// A server with an agent that calls the tools that the message names.
async fn server() -> TestServer {
    let any = || json!({"type": "object"});
    let read = |name: &str| {
        DynamicTool::new(name, any(), async |_, arguments: Value| arguments)
            .with_effect(ToolEffect::Read)
    };
    let fails = DynamicTool::new("fails", any(), async |_, _| {
        Err::<(), _>(AgentError::public("no"))
    });
    let refund =
        DynamicTool::new("refund", any(), async |_, _| "paid").with_approval(Approval::always());
    let hangs = DynamicTool::new("hangs", any(), async |_, _| {
        std::future::pending::<()>().await
    });
    let tools = Tools::new()
        .with_tool(read("weather"))
        .with_tool(read("search"))
        .with_tool(fails)
        .with_tool(refund)
        .with_tool(hangs);
    let answer = async |request: WorkerRequest, tools: Tools, response: WorkerResponse| {
        response.text("Let me see.");
        let names = request.message.split(' ');
        let calls = names.map(|name| ToolRequest::new("call_0", name, "{}"));
        let results = tools.call_all(calls).await?;
        let texts: Vec<_> = results.iter().map(|result| result.text()).collect();
        Ok::<_, AgentError>(texts.join(", "))
    };
    let agent = AgentDefinition::from_fn("shop", answer).with_tools(tools);
    let config = WorkerConfig::new().database(Database::Memory);
    TestServer::start(WorkerServer::new(config).add_agent(agent)).await
}

#[tokio::test]
async fn thread_with_tools_is_valid_in_every_prefix() {
    let server = server().await;
    let mut ada = server.connect("ada").await;
    let turn = ada.say("weather search fails unknown").await;
    let expected = r#"{}, {}, {"error":"no"}, {"error":"there is no tool `unknown`; the tools are `weather`, `search`, `fails`, `refund`, `hangs`"}"#;
    turn.assert_texts(["Let me see.", expected])
        .assert_succeeded();

    ada.send("refund refund weather").await;
    let form = ada.asked_form().await;
    ada.send(TestMessage::form_cancelled(&form.id)).await;
    ada.asked_form().await;
    let turn = ada.answer_form(json!({})).await;
    let refused = "a person refused this call; do not repeat it unless they ask for it";
    turn.assert_texts([
        "Let me see.".to_owned(),
        format!("{{\"error\":\"{refused}\"}}, paid, {{}}"),
    ]);

    let message = ada.send("weather hangs refund").await;
    ada.until("the first result", |conversation| {
        let results = conversation.events().iter();
        results
            .filter(|event| event.kind.as_str() == "tool.result")
            .count()
            == 8
    })
    .await;
    ada.cancel().await;
    let turn = ada.turn_of(&message).await;
    let calls = turn.tool_calls();
    let error = |at: usize| calls[at].result.clone().unwrap()["error"].clone();
    assert_eq!(calls[0].result, Some(json!({})));
    assert_eq!(
        error(1),
        "the call was interrupted; it may have had an effect"
    );
    assert_eq!(error(2), "the call was not started, because the turn ended");

    let message = ada.send("refund").await;
    ada.asked_form().await;
    ada.cancel().await;
    let turn = ada.turn_of(&message).await;
    let result = turn.tool_calls()[0].result.clone().unwrap();
    assert_eq!(
        result["error"],
        "the call was not started, because the turn ended"
    );

    ada.say("weather").await.assert_succeeded();
    let events = ada.conversation().events().to_vec();
    check_pairs(&events);
    check_every_prefix(&events);
}
