//! Tools with which a server does not start.

use super::{mirror, object};
use crate::tool::{DynamicTool, Tools};
use crate::{AgentDefinition, Database, WorkerConfig, WorkerServer};
use serde_json::{Value, json};
use std::time::Duration;

fn with_schema(schema: Value) -> DynamicTool {
    DynamicTool::new("tool", schema, async |_, _| ())
}

fn mistake(tool: DynamicTool) -> Option<String> {
    Tools::new().with_tool(tool).mistake()
}

#[test]
fn names_that_providers_refuse_are_mistakes() {
    for name in ["a", "search_web-2", "7zip", &"n".repeat(64)] {
        assert_eq!(mistake(mirror(name)), None, "{name}");
    }
    for name in ["", "a.b", "a b", "größe", "a/b", "a\n", &"n".repeat(65)] {
        let mistake = mistake(mirror(name)).unwrap();
        assert!(mistake.contains("its name must have 1 to 64"), "{mistake}");
        assert!(!mistake.contains('\n'), "{mistake}");
    }
}

#[test]
fn two_tools_of_one_name_are_a_mistake() {
    let two = |one, other| {
        Tools::new()
            .with_tool(mirror(one))
            .with_tool(mirror(other))
            .mistake()
    };
    assert!(
        two("a", "a")
            .unwrap()
            .contains("two tools with the name `a`")
    );
    assert!(
        two("7zip", "_7zip")
            .unwrap()
            .contains("the same name for providers, `_7zip`")
    );
    assert_eq!(two("a", "A"), None);
}

#[test]
fn options_out_of_range_are_mistakes() {
    for limit in [Duration::ZERO, Duration::from_secs(24 * 3600 + 1)] {
        assert!(
            mistake(mirror("a").with_timeout(limit))
                .unwrap()
                .contains("its timeout")
        );
        assert!(
            Tools::new()
                .approval_timeout(limit)
                .mistake()
                .unwrap()
                .contains("approvals")
        );
    }
}

#[test]
fn schemas_that_cannot_be_used_are_mistakes() {
    assert_eq!(mistake(with_schema(json!({"type": "object"}))), None);
    for (schema, problem) in [
        (json!(true), "not an object schema"),
        (json!({}), "not an object schema"),
        (json!({"type": "string"}), "not an object schema"),
        (
            json!({"type": "object", "properties": 7}),
            "its schema is invalid",
        ),
        (
            object(json!({"a": {"type": "text"}}), &[]),
            "its schema is invalid",
        ),
        (
            object(json!({"a": {"type": "string", "pattern": "("}}), &[]),
            "its schema is invalid",
        ),
        (
            object(json!({"a": {"$ref": "https://example.org/a"}}), &[]),
            "its schema is invalid",
        ),
        (
            object(json!({"a": {"$ref": "#/$defs/gone"}}), &[]),
            "its schema is invalid",
        ),
    ] {
        let mistake = mistake(with_schema(schema.clone())).unwrap();
        assert!(mistake.contains(problem), "{schema}: {mistake}");
        assert!(mistake.len() < 1200, "{mistake}");
    }
    let map = object(json!({"a": {"type": "object"}}), &[]);
    assert_eq!(mistake(with_schema(map.clone())), None);
    assert!(
        mistake(with_schema(map).with_strict())
            .unwrap()
            .contains("cannot be strict")
    );
}

async fn refusal(agent: AgentDefinition) -> String {
    let config = WorkerConfig::new().database(Database::Memory);
    let server = WorkerServer::new(config).add_agent(agent);
    let error = server.router::<()>().await.unwrap_err();
    error.to_string()
}

#[tokio::test]
async fn server_with_wrong_tools_does_not_start() {
    let agent = || AgentDefinition::from_fn("shop", async |_tools: Tools| ());
    let twice = Tools::new().with_tool(mirror("a")).with_tool(mirror("a"));
    assert_eq!(
        refusal(agent().with_tools(twice)).await,
        "the agent `shop` cannot be served: it has two tools with the name `a`, but a model calls tools by name; rename one of them"
    );
    let named = Tools::new().with_tool(mirror("a.b"));
    assert!(
        refusal(agent().with_tools(named))
            .await
            .contains("the tool `a.b` cannot be used: its name")
    );
}

#[tokio::test]
async fn agent_that_takes_tools_and_has_none_is_refused() {
    let agent = AgentDefinition::from_fn("shop", async |_tools: Tools| ());
    assert_eq!(
        refusal(agent.clone()).await,
        "the agent `shop` cannot be served: it takes `Tools`, but it has no tools: list them with `#[dooers::agent(tools(..))]` or `AgentDefinition::with_tools`"
    );
    let in_tuple = AgentDefinition::from_fn("shop", async |_: (Tools, crate::WorkerRequest)| ());
    assert!(refusal(in_tuple).await.contains("it takes `Tools`"));
    // An empty set is a choice of the program, and an optional argument requires nothing.
    let server =
        |agent| WorkerServer::new(WorkerConfig::new().database(Database::Memory)).add_agent(agent);
    drop(
        server(agent.with_tools(Tools::new()))
            .router::<()>()
            .await
            .unwrap(),
    );
    let optional = AgentDefinition::from_fn("shop", async |_tools: Option<Tools>| ());
    drop(server(optional).router::<()>().await.unwrap());
}
