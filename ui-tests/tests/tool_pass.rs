//! Cases that `#[dooers::tool]` accepts. Each file under `ui/tool/pass` is a module of this test or of the library.

#![expect(clippy::unwrap_used, reason = "a test, and its helpers")]

#[path = "ui/tool/pass/agents.rs"]
mod agents;
#[path = "ui/tool/pass/arguments.rs"]
mod arguments;
#[path = "ui/tool/pass/attributes.rs"]
mod attributes;
#[path = "ui/tool/pass/defaults.rs"]
mod defaults;
#[path = "ui/tool/pass/macro_rules.rs"]
mod macro_rules;
#[path = "ui/tool/pass/no_implicit_prelude.rs"]
mod no_implicit_prelude;
#[path = "ui/tool/pass/options.rs"]
mod options;
#[path = "ui/tool/pass/places.rs"]
mod places;
#[path = "ui/tool/pass/plain_function.rs"]
mod plain_function;
#[path = "ui/tool/pass/returns.rs"]
mod returns;

use dooers::tool::ToolResult;
use dooers::{Tool, Tools, Turn, WorkerRequest, WorkerResponse};
use serde_json::{Value, json};

/// Calls a tool as a model does.
async fn call<T: Tool>(arguments: Value) -> ToolResult {
    let (response, _) = WorkerResponse::recorder();
    let turn = Turn::new(WorkerRequest::new("go"), response).with_state(3_usize);
    let tools = Tools::new().with::<T>().for_turn(&turn);
    assert_eq!(tools.mistake(), None);
    tools
        .call("call_1", T::NAME, &arguments.to_string())
        .await
        .unwrap()
}

/// Calls a tool in a test that is not async.
fn call_blocking<T: Tool>(arguments: &str) -> ToolResult {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(call::<T>(serde_json::from_str(arguments).unwrap()))
}

/// Returns the schema of an argument.
fn property<T: Tool>(name: &str) -> Value {
    T::definition().schema()["properties"][name].clone()
}

/// Returns the names of the arguments that are required.
fn required<T: Tool>() -> Value {
    T::definition()
        .schema()
        .get("required")
        .cloned()
        .unwrap_or(json!([]))
}

#[test]
fn every_pass_file_is_compiled() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui/tool/pass");
    let modules = concat!(include_str!("tool_pass.rs"), include_str!("../src/lib.rs"));
    let files = std::fs::read_dir(directory).unwrap();
    for file in files.map(|file| file.unwrap().file_name().into_string().unwrap()) {
        let path = format!("ui/tool/pass/{file}\"]");
        let is_compiled = modules.contains(&path) || !file.ends_with(".rs");
        assert!(is_compiled, "no test compiles {file}");
    }
}

#[tokio::test]
async fn tool_compiles_if_the_crate_is_renamed() {
    let result = call::<ui_tests_renamed::add>(json!({"one": 1})).await;
    assert_eq!(result.value(), &json!(3));
    let tool = ui_tests_renamed::add::definition();
    assert!(tool.approval().is_needed(&json!({"one": 10})));
}
