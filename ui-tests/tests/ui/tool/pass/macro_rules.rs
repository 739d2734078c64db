//! Tools that `macro_rules!` generates.

use crate::{call, property};
use dooers::Tool;
use serde_json::json;

/// A tool whose parts all come from the caller.
macro_rules! tool {
    ($(#[$attribute:meta])* $visibility:vis $name:ident, $title:literal, $doc:expr, $rule:path, ($($(#[$of:meta])* $argument:ident: $ty:ty = $default:expr),*) -> $output:ty $body:block) => {
        $(#[$attribute])*
        #[doc = $doc]
        #[dooers::tool(name = $title, approve = $rule)]
        $visibility async fn $name($($(#[$of])* #[tool(default = $default)] $argument: $ty),*) -> $output $body
    };
}

fn is_large(number: &u8) -> bool {
    *number > 7
}

tool!(#[must_use] pub(crate) first, "first-tool", "Described.", is_large, (
    /// The number.
    number: u8 = 5
) -> u8 {
    number
});

/// A tool with an argument of the macro, whose name the caller's body cannot see.
macro_rules! wrapped {
    ($name:ident, $text:ident => $body:expr) => {
        #[dooers::tool(crate = $crate::macro_rules::runtime)]
        async fn $name(#[tool(default = "!")] __0: String, $text: String) -> String {
            let shouted: String = $body;
            shouted + &__0
        }
    };
}

mod runtime {
    pub(crate) use dooers::*;
}

wrapped!(shout, text => text.to_uppercase());

#[tokio::test]
async fn tools_from_macros_are_called() {
    assert_eq!(first::NAME, "first-tool");
    let tool = first::definition();
    assert_eq!(tool.description(), "Described.");
    assert!(tool.approval().is_needed(&json!({"number": 8})));
    let number = property::<first>("number");
    assert_eq!(
        (&number["default"], &number["description"]),
        (&json!(5), &json!("The number."))
    );
    assert_eq!(call::<first>(json!({})).await.value(), &json!(5));
    let result = call::<shout>(json!({"text": "hello"})).await;
    assert_eq!(result.value(), "HELLO!");
}
