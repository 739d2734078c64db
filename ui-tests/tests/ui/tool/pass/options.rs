//! Each option alone, and all options together.

use dooers::tool::ToolEffect;
use dooers::{Tool, WorkerRequest};
use serde_json::json;
use std::time::Duration;

#[dooers::tool]
async fn plain() {}

#[dooers::tool()]
async fn parentheses() {}

#[dooers::tool(name = "Help-desk_2")]
async fn named() {}

#[dooers::tool(timeout = "1m30s")]
async fn patient() {}

#[dooers::tool(effect = "read")]
async fn reading() {}

#[dooers::tool(effect = "write")]
async fn writing() {}

#[dooers::tool(strict)]
async fn strict() {}

#[dooers::tool(approve = "never")]
async fn never() {}

#[dooers::tool(approve = "always")]
async fn always() {}

#[dooers::tool(type = Typed)]
async fn typed() {}

mod rules {
    pub(super) fn is_large(cents: &u64, reason: &str, names: &[String]) -> bool {
        *cents > 100 || reason.is_empty() || !names.is_empty()
    }

    pub(super) fn nothing() -> bool {
        true
    }
}

#[dooers::tool(approve = rules::is_large)]
async fn refund(
    #[tool(context)] _request: WorkerRequest,
    cents: u64,
    #[tool(default = "late")] reason: String,
    #[tool(context)] _other: WorkerRequest,
    #[tool(default = [])] names: Vec<String>,
) -> String {
    format!("{cents} {reason} {names:?}")
}

#[dooers::tool(approve = rules::nothing)]
async fn without_values(#[tool(context)] _request: WorkerRequest) {}

#[dooers::tool(type = Self_, crate = ::dooers, name = "all", strict, effect = "read", approve = rules::nothing, timeout = "24h")]
async fn all() {}

#[dooers::tool]
async fn r#match() {}

/// A module where the name of the function is taken in the type namespace.
mod taken {
    pub(super) mod weather {}

    #[dooers::tool(type = Weather)]
    pub(super) async fn weather() {}
}

mod hiding {
    #[dooers::tool(type = StrTool)]
    pub(super) async fn str(text: String) -> &'static str {
        if text.is_empty() { "text" } else { "more" }
    }
}

#[test]
fn options_are_in_the_definition() {
    let tool = plain::definition();
    assert_eq!((plain::NAME, tool.name()), ("plain", "plain"));
    assert_eq!(tool.effect(), ToolEffect::Write);
    assert_eq!(tool.timeout(), None);
    assert!(!tool.is_strict());
    assert!(!tool.approval().is_needed(&json!({})));
    assert_eq!(parentheses::NAME, "parentheses");
    assert_eq!(named::NAME, "Help-desk_2");
    assert_eq!(
        patient::definition().timeout(),
        Some(Duration::from_secs(90))
    );
    assert_eq!(reading::definition().effect(), ToolEffect::Read);
    assert_eq!(writing::definition().effect(), ToolEffect::Write);
    assert!(strict::definition().is_strict());
    assert!(!never::definition().approval().is_needed(&json!({})));
    assert!(always::definition().approval().is_needed(&json!({})));
    assert_eq!(Typed::NAME, "typed");
    assert_eq!(r#match::NAME, "match");
    assert_eq!(taken::Weather::NAME, "weather");
    assert_eq!(hiding::StrTool::NAME, "str");
    let all = Self_::definition();
    assert_eq!((all.name(), all.effect()), ("all", ToolEffect::Read));
    assert_eq!(all.timeout(), Some(Duration::from_secs(24 * 3600)));
    assert!(all.is_strict() && all.approval().is_needed(&json!({})));
}

#[test]
fn predicate_gets_references_to_the_values() {
    let tool = refund::definition();
    let is_needed = |arguments| tool.approval().is_needed(&arguments);
    assert!(is_needed(json!({"cents": 101})));
    assert!(!is_needed(json!({"cents": 100})));
    assert!(is_needed(json!({"cents": 100, "reason": ""})));
    assert!(is_needed(json!({"cents": 100, "names": ["Ada"]})));
    assert!(
        without_values::definition()
            .approval()
            .is_needed(&json!({}))
    );
}
