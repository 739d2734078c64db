#[allow(clippy::unused_async)]
async fn refund() {}
#[doc(hidden)]
#[allow(non_camel_case_types, missing_debug_implementations)]
#[non_exhaustive]
struct __dooers_refund {}
/// The type of the tool [`refund`](fn@refund), for `Tools::with`.
#[allow(non_camel_case_types, dead_code)]
#[allow(unreachable_pub, clippy::needless_pub_self, clippy::redundant_pub_crate)]
type refund = __dooers_refund;
#[automatically_derived]
impl ::dooers::Tool for __dooers_refund {
    const NAME: &'static ::core::primitive::str = "refund";
    #[allow(deprecated, unreachable_code)]
    fn definition() -> ::dooers::DynamicTool {
        ::dooers::__private_tools::annotated(
                "refund",
                "",
                (),
                |()| ::std::boxed::Box::pin(refund()),
                <() as ::dooers::__private_tools::AnyReturn>::returned().converter(),
            )
            .with_approval(::dooers::tool::Approval::always())
    }
}
