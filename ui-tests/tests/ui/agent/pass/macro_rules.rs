//! Agents that `macro_rules!` generates.

use crate::run;
use dooers::Agent;
use dooers::prelude::*;

/// An agent whose parts all come from the caller.
macro_rules! agent {
    ($(#[$attribute:meta])* $visibility:vis $name:ident, $title:literal, $doc:expr, ($($argument:ident: $ty:ty),*) -> $output:ty $body:block) => {
        $(#[$attribute])*
        #[doc = $doc]
        #[dooers::agent(name = $title)]
        $visibility async fn $name($($argument: $ty),*) -> $output $body
    };
}

agent!(#[must_use] pub(crate) first, "first-agent", "Described.", (request: WorkerRequest, response: WorkerResponse) -> () {
    response.text(request.message);
});
agent!(second, "second-agent", concat!("Also ", "described."), () -> &'static str { "hello" });

/// An agent whose parts all come from the macro.
macro_rules! whole {
    () => {
        #[dooers::agent(crate = $crate::macro_rules::runtime, type = Whole)]
        async fn whole(response: WorkerResponse, request: WorkerRequest) {
            response.text(request.message);
        }
    };
}

mod runtime {
    pub(crate) use dooers::*;
}

whole!();

/// An agent whose first argument has a name from the macro, which the caller's body cannot see.
macro_rules! wrapped {
    ($name:ident, $request:ident => $body:expr) => {
        #[dooers::agent]
        async fn $name(__0: WorkerResponse, $request: WorkerRequest) {
            let turn: String = $body;
            __0.text(turn);
        }
    };
}

wrapped!(shout, request => request.message.to_uppercase());

#[test]
fn agents_from_macros_are_called() {
    assert_eq!(first::DEFINITION.name(), "first-agent");
    assert_eq!(first::DEFINITION.description(), "Described.");
    assert_eq!(second::DEFINITION.description(), "Also described.");
    assert_eq!(run::<first>("hello").1, ["hello"]);
    assert!(run::<second>("hello").0.is_ok());
    assert_eq!(Whole::DEFINITION.name(), "whole");
    assert_eq!(run::<Whole>("hello").1, ["hello"]);
    assert_eq!(run::<shout>("hello").1, ["HELLO"]);
}
