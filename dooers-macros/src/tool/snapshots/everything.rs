#[allow(clippy::unused_async)]
/// Gives money back.
#[doc = include_str!("refund.md")]
#[cfg(feature = "shop")]
#[allow(clippy::pedantic)]
pub(crate) async fn refund(user: WorkerRequest, cents: u64) -> impl Serialize {}
#[cfg(feature = "shop")]
#[doc(hidden)]
#[allow(non_camel_case_types, missing_debug_implementations)]
#[non_exhaustive]
pub(crate) struct __dooers_refund {}
/// The type of the tool [`refund`](fn@refund), for `Tools::with`.
#[allow(non_camel_case_types, dead_code)]
#[allow(unreachable_pub, clippy::needless_pub_self, clippy::redundant_pub_crate)]
pub(crate) type Refund = __dooers_refund;
#[automatically_derived]
impl crate::runtime::Tool for __dooers_refund {
    const NAME: &'static ::core::primitive::str = "give-refund";
    #[allow(deprecated, unreachable_code)]
    #[allow(clippy::pedantic)]
    fn definition() -> crate::runtime::DynamicTool {
        crate::runtime::__private_tools::annotated_with_approval(
                "give-refund",
                ::core::concat!("Gives money back.\n", include_str!("refund.md"), "\n")
                    .trim_ascii(),
                <WorkerRequest as crate::runtime::__private_tools::AnyArgument>::context()
                    .and(
                        <u64 as crate::runtime::__private_tools::AnyArgument>::value(
                                "cents",
                                "",
                            )
                            .and(()),
                    ),
                |(__1, ())| shop::is_large(__1),
                |(__0, (__1, ()))| ::std::boxed::Box::pin(refund(__0, __1)),
                |__output| (crate::runtime::__private_tools::returned)(&__output)
                    .converter()(__output),
            )
            .with_timeout(::core::time::Duration::from_millis(90000u64))
            .with_strict()
    }
}
