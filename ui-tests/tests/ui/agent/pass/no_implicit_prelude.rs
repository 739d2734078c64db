//! Generated code uses full paths only, so that a module can have other items with the usual names.
#![no_implicit_prelude]

mod std {}
mod core {}
mod dooers {}

#[allow(dead_code)]
struct Result;
#[allow(dead_code)]
struct Box;
#[allow(dead_code)]
trait Send {}
#[allow(non_camel_case_types, dead_code)]
struct str;

/// Described.
#[::dooers::agent(name = "bare", default, run = "manual", type = Bare)]
async fn bare(
    request: ::dooers::WorkerRequest,
    response: ::dooers::WorkerResponse,
) -> ::dooers::Result {
    response.text(request.message);
    ::dooers::Result::Ok(())
}

#[doc = ::core::concat!("With ", "a macro.")]
#[::dooers::agent]
async fn documented() {}

#[::core::prelude::v1::test]
fn agent_without_a_prelude_is_called() {
    ::core::assert_eq!(crate::run::<Bare>("hello").1, ["hello"]);
    ::core::assert_eq!(
        <documented as ::dooers::Agent>::DEFINITION.description(),
        "With a macro."
    );
}
