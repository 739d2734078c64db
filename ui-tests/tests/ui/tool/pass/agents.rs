//! The tools of agents.

use dooers::prelude::*;
use dooers::{Agent, Turn};

/// Looks up the weather.
#[dooers::tool(effect = "read")]
async fn weather(city: String) -> String {
    format!("sunny in {city}")
}

mod shop {
    use dooers::prelude::*;

    /// Gives money back.
    #[dooers::tool(type = Refund)]
    pub(super) async fn refund(cents: u64, #[tool(context)] State(shop): State<String>) -> String {
        format!("{shop} gives {cents} back")
    }
}

/// Answers with its tools.
#[dooers::agent(
    name = "tools-of-an-agent",
    tools(weather, shop::Refund,),
    timeout = "90s"
)]
async fn support(request: WorkerRequest, tools: Tools, response: WorkerResponse) -> Result<()> {
    let names = tools.names().join(" ");
    let result = tools.call("call_1", "weather", &request.message).await?;
    response.text(format!("{names}: {}", result.text())).await?;
    Ok(())
}

#[tokio::test]
async fn agent_takes_the_tools_that_it_lists() {
    let (response, sent) = WorkerResponse::recorder();
    let turn = Turn::new(WorkerRequest::new(r#"{"city": "Paris"}"#), response);
    support::DEFINITION.call(turn).await.unwrap();
    let expected = "weather refund: sunny in Paris";
    assert_eq!(sent.texts().last().unwrap(), expected);
}

#[tokio::test]
async fn server_without_the_state_of_a_tool_does_not_start() {
    let config = || WorkerConfig::new().database(dooers::Database::Memory);
    let server = WorkerServer::new(config()).agent::<support>();
    let error = server
        .dispatch_to("tools-of-an-agent")
        .worker("w")
        .message("m")
        .send()
        .await;
    let error = error.err().unwrap().to_string();
    assert!(error.contains("String"), "{error}");
    server.close().await;
}
