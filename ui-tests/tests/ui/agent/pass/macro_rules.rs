//! Functions that `macro_rules!` makes.

use crate::run;
use dooers::Agent;
use dooers::prelude::*;

/// Every part is the caller's.
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

/// Every part is the macro's.
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

/// The argument's name is the macro's own, and is not seen by the body that the caller gives.
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
fn each_is_an_agent() {
    assert_eq!(first::DEFINITION.name(), "first-agent");
    assert_eq!(first::DEFINITION.description(), "Described.");
    assert_eq!(second::DEFINITION.description(), "Also described.");
    assert_eq!(run::<first>("hello").1, ["hello"]);
    assert!(run::<second>("hello").0.is_ok());
    assert_eq!(Whole::DEFINITION.name(), "whole");
    assert_eq!(run::<Whole>("hello").1, ["hello"]);
    assert_eq!(run::<shout>("hello").1, ["HELLO"]);
}
