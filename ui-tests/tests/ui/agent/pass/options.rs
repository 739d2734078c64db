//! Each option alone, and all options together.

use dooers::{Agent, DEFAULT_QUEUE, OnBusy};
use std::time::Duration;

#[dooers::agent]
async fn plain() {}

#[dooers::agent()]
async fn parentheses() {}

#[dooers::agent(name = "Help-desk_2.0~beta")]
async fn named() {}

#[dooers::agent(name = r"raw")]
async fn raw_text() {}

#[dooers::agent(default)]
async fn default() {}

#[dooers::agent(run = "manual")]
async fn manual() {}

#[dooers::agent(timeout = "1m30s", retry = 2, on_busy = "queue", queue = 8)]
async fn patient() {}

#[dooers::agent(queue = 1)]
async fn short() {}

#[dooers::agent(on_busy = "queue")]
async fn queueing() {}

#[dooers::agent(on_busy = "reject", timeout = "250ms", retry = 0)]
async fn rejecting() {}

#[dooers::agent(on_busy = "interrupt")]
async fn interrupting() {}

#[dooers::agent(on_busy = "concurrent", timeout = "24h")]
async fn concurrent() {}

#[dooers::agent(private_threads)]
async fn private() {}

#[dooers::agent(private_threads = true)]
async fn private_too() {}

#[dooers::agent(private_threads = false)]
async fn shared() {}

#[dooers::agent(type = Typed)]
async fn typed() {}

#[dooers::agent(type = Self_, crate = ::dooers, run = "manual", private_threads, default, name = "all")]
async fn all() {}

#[dooers::agent]
async fn r#match() {}

/// A module where the name of the function is taken in the type namespace.
mod taken {
    pub(super) mod support {}

    #[dooers::agent(type = Support)]
    pub(super) async fn support() {}
}

/// Agents whose functions have the names of a module, a crate and a primitive type.
mod support {
    #[dooers::agent(type = SupportAgent)]
    pub(super) async fn support() {}
}
use support::{SupportAgent, support};

mod hiding {
    #[dooers::agent(type = JsonAgent)]
    pub(super) async fn serde_json() -> String {
        serde_json::json!({}).to_string()
    }

    #[dooers::agent(type = StrAgent)]
    pub(super) async fn str(_: dooers::WorkerRequest) -> &'static str {
        "text"
    }
}

#[test]
fn agents_do_not_hide_items_of_their_names() {
    assert_eq!(SupportAgent::DEFINITION.name(), "support");
    ui_tests::now(support());
    assert_eq!(hiding::JsonAgent::DEFINITION.name(), "serde_json");
    assert_eq!(hiding::StrAgent::DEFINITION.name(), "str");
    assert_eq!(ui_tests::now(hiding::serde_json()), "{}");
}

#[test]
fn options_are_in_the_definition() {
    let plain = plain::DEFINITION;
    assert_eq!(plain.name(), "plain");
    assert!(!plain.is_default());
    assert!(!plain.has_manual_runs());
    assert_eq!(parentheses::DEFINITION.name(), "parentheses");
    assert_eq!(named::DEFINITION.name(), "Help-desk_2.0~beta");
    assert_eq!(raw_text::DEFINITION.name(), "raw");
    assert!(default::DEFINITION.is_default());
    assert!(manual::DEFINITION.has_manual_runs());
    assert_eq!(plain.private_threads(), None);
    assert_eq!(private::DEFINITION.private_threads(), Some(true));
    assert_eq!(private_too::DEFINITION.private_threads(), Some(true));
    assert_eq!(shared::DEFINITION.private_threads(), Some(false));
    assert_eq!(Typed::DEFINITION.name(), "typed");
    assert_eq!(r#match::DEFINITION.name(), "match");
    assert_eq!(taken::Support::DEFINITION.name(), "support");
    let all = Self_::DEFINITION;
    assert_eq!((all.name(), all.is_default()), ("all", true));
    assert!(all.has_manual_runs());
    assert_eq!(all.private_threads(), Some(true));
}

#[test]
fn policy_options_are_in_the_policy() {
    let policy = plain::DEFINITION.policy();
    assert_eq!((policy.timeout(), policy.retries()), (None, 0));
    let limit = DEFAULT_QUEUE;
    assert_eq!(policy.on_busy(), OnBusy::Queue { limit });
    assert_eq!(queueing::DEFINITION.policy(), policy);
    let policy = patient::DEFINITION.policy();
    assert_eq!(policy.timeout(), Some(Duration::from_secs(90)));
    assert_eq!(policy.retries(), 2);
    assert_eq!(policy.on_busy(), OnBusy::Queue { limit: 8 });
    assert_eq!(
        short::DEFINITION.policy().on_busy(),
        OnBusy::Queue { limit: 1 }
    );
    let policy = rejecting::DEFINITION.policy();
    assert_eq!(policy.timeout(), Some(Duration::from_millis(250)));
    assert_eq!(policy.on_busy(), OnBusy::Reject);
    assert_eq!(
        interrupting::DEFINITION.policy().on_busy(),
        OnBusy::Interrupt
    );
    let policy = concurrent::DEFINITION.policy();
    assert_eq!(policy.timeout(), Some(Duration::from_secs(24 * 3600)));
    assert_eq!(policy.on_busy(), OnBusy::Concurrent);
}
