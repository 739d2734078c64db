#[allow(clippy::unused_async)]
async fn now() -> String {
    String::new()
}
#[doc(hidden)]
#[allow(non_camel_case_types, missing_debug_implementations)]
#[non_exhaustive]
struct __dooers_now {}
/// The type of the tool [`now`](fn@now), for `Tools::with`.
#[allow(non_camel_case_types, dead_code)]
#[allow(unreachable_pub, clippy::needless_pub_self, clippy::redundant_pub_crate)]
type now = __dooers_now;
#[automatically_derived]
impl ::dooers::Tool for __dooers_now {
    const NAME: &'static ::core::primitive::str = "now";
    #[allow(deprecated, unreachable_code)]
    fn definition() -> ::dooers::DynamicTool {
        ::dooers::__private_tools::annotated(
            "now",
            "",
            (),
            |()| ::std::boxed::Box::pin(now()),
            <String as ::dooers::__private_tools::AnyReturn>::returned().converter(),
        )
    }
}
