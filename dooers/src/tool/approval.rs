//! The approval of calls by a person.

use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// The rule that decides which calls of a tool a person must approve.
///
/// ```
/// use dooers::tool::Approval;
/// use serde_json::json;
///
/// let large = Approval::when(|arguments| arguments["amount"].as_f64().is_some_and(|amount| amount > 100.0));
/// assert!(large.is_needed(&json!({"amount": 250})));
/// assert!(!large.is_needed(&json!({"amount": 20})));
/// assert!(!Approval::never().is_needed(&json!({})));
/// ```
#[derive(Clone, Default)]
pub struct Approval(Rule);

#[derive(Clone, Default)]
enum Rule {
    #[default]
    Never,
    Always,
    When(Arc<dyn Fn(&Value) -> bool + Send + Sync>),
}

impl Approval {
    /// No call must be approved.
    #[must_use]
    pub const fn never() -> Self {
        Self(Rule::Never)
    }

    /// Every call must be approved.
    #[must_use]
    pub const fn always() -> Self {
        Self(Rule::Always)
    }

    /// A call must be approved if the predicate returns true for its arguments, which fit the schema of the tool. A
    /// call whose predicate panics fails and does not run.
    #[must_use]
    pub fn when(predicate: impl Fn(&Value) -> bool + Send + Sync + 'static) -> Self {
        Self(Rule::When(Arc::new(predicate)))
    }

    /// Returns true if a call with these arguments must be approved.
    #[must_use]
    pub fn is_needed(&self, arguments: &Value) -> bool {
        match &self.0 {
            Rule::Never => false,
            Rule::Always => true,
            Rule::When(predicate) => predicate(arguments),
        }
    }
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Rule::Never => "Approval::never()",
            Rule::Always => "Approval::always()",
            Rule::When(_) => "Approval::when(..)",
        })
    }
}
