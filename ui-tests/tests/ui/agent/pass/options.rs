//! Each option, alone and together.

use dooers::Agent;

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

#[dooers::agent(type = Typed)]
async fn typed() {}

#[dooers::agent(type = Self_, crate = ::dooers, run = "manual", default, name = "all")]
async fn all() {}

#[dooers::agent]
async fn r#match() {}

/// The type namespace has the name already, so the agent takes another.
mod taken {
    pub(super) mod support {}

    #[dooers::agent(type = Support)]
    pub(super) async fn support() {}
}

#[test]
fn each_has_its_effect() {
    let plain = plain::DEFINITION;
    assert_eq!(plain.name(), "plain");
    assert!(!plain.is_default());
    assert!(!plain.has_manual_runs());
    assert_eq!(parentheses::DEFINITION.name(), "parentheses");
    assert_eq!(named::DEFINITION.name(), "Help-desk_2.0~beta");
    assert_eq!(raw_text::DEFINITION.name(), "raw");
    assert!(default::DEFINITION.is_default());
    assert!(manual::DEFINITION.has_manual_runs());
    assert_eq!(Typed::DEFINITION.name(), "typed");
    assert_eq!(r#match::DEFINITION.name(), "match");
    assert_eq!(taken::Support::DEFINITION.name(), "support");
    let all = Self_::DEFINITION;
    assert_eq!((all.name(), all.is_default()), ("all", true));
    assert!(all.has_manual_runs());
}
