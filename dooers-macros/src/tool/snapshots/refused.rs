#[allow(clippy::unused_async)]
pub fn refund(city: &str, _: u8) {}
::core::compile_error! {
    "`#[dooers::tool]` has no option `nmae`; did you mean `name`?"
}
::core::compile_error! {
    "a tool cannot be `const`, as it runs when a model calls it and never at compile time; write `async fn refund`"
}
::core::compile_error! {
    "an argument of a tool cannot be `&str`, as arguments are created from their types; write `String`"
}
::core::compile_error! {
    "two arguments have the name `city`, but the model sets an argument by its name alone; rename one of them"
}
#[doc(hidden)]
#[allow(non_camel_case_types, missing_debug_implementations)]
#[non_exhaustive]
pub struct __dooers_refund {}
/// The type of the tool [`refund`](fn@refund), for `Tools::with`.
#[allow(non_camel_case_types, dead_code)]
#[allow(unreachable_pub, clippy::needless_pub_self, clippy::redundant_pub_crate)]
pub type refund = __dooers_refund;
#[automatically_derived]
impl ::dooers::Tool for __dooers_refund {
    const NAME: &'static ::core::primitive::str = "refund";
    #[allow(deprecated, unreachable_code)]
    fn definition() -> ::dooers::DynamicTool {
        ::dooers::__private_tools::refused()
    }
}
