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
struct Vec;
#[allow(dead_code)]
trait Send {}
#[allow(non_camel_case_types, dead_code)]
struct str;

fn is_large(number: &u8, list: &[::std::string::String]) -> bool {
    *number > 1 || list.len() > 1
}

/// Described.
#[::dooers::tool(name = "bare", timeout = "1s", effect = "read", strict, approve = is_large, type = Bare)]
async fn bare(
    /// The number.
    #[tool(default = 1)]
    number: u8,
    #[tool(context)] request: ::dooers::WorkerRequest,
    #[tool(default = ["a"])] list: ::std::vec::Vec<::std::string::String>,
) -> ::dooers::Result<::std::string::String> {
    ::dooers::Result::Ok(::std::format!("{number} {} {list:?}", request.message))
}

#[::dooers::agent(tools(Bare))]
async fn agent(_tools: ::dooers::Tools) {}

#[::core::prelude::v1::test]
fn tool_without_a_prelude_is_called() {
    let result = crate::call_blocking::<Bare>("{}");
    ::core::assert_eq!(result.value(), "1 go [\"a\"]");
    ::core::assert_eq!(<agent as ::dooers::Agent>::DEFINITION.name(), "agent");
}
