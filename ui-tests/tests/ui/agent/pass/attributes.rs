//! Attributes and doc comments stay on the function. The doc comment is also the description.

use dooers::Agent;
use dooers::prelude::*;

/// Answers questions about orders.
///
///   * indented
#[doc(hidden)]
#[doc(alias = "help")]
#[dooers::agent]
/// After the attribute.
#[must_use]
#[deprecated = "ask a person"]
#[expect(
    clippy::unused_async,
    unused_variables,
    reason = "the attribute stays on the function"
)]
#[inline(never)]
async fn support(#[allow(unused_mut)] mut request: WorkerRequest) -> String {
    let unused = 1;
    request.message
}

#[doc = include_str!("description.md")]
#[dooers::agent]
async fn included() {}

/// First.
#[doc = concat!("# ", "Second")]
/// Third.
#[dooers::agent]
async fn mixed() {}

#[dooers::agent]
async fn without() {}

/** A block
comment. */
#[dooers::agent]
async fn block() {}

#[cfg(any())]
#[dooers::agent]
#[cfg(any())]
async fn not_there(_: Nothing) {}

#[dooers::agent]
#[cfg(any())]
async fn not_there(_: Nothing) {}

#[cfg_attr(all(), dooers::agent(name = "conditional"))]
async fn there() {}

#[test]
fn doc_comment_becomes_the_description() {
    let text = "Answers questions about orders.\n\n  * indented\nAfter the attribute.";
    assert_eq!(support::DEFINITION.description(), text);
    assert_eq!(
        included::DEFINITION.description(),
        "Described in a file.\n\nAt length."
    );
    assert_eq!(mixed::DEFINITION.description(), "First.\n# Second\nThird.");
    assert_eq!(without::DEFINITION.description(), "");
    assert_eq!(block::DEFINITION.description(), "A block\ncomment.");
    assert_eq!(there::DEFINITION.name(), "conditional");
}
