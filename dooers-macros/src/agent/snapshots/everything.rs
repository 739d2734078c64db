#[allow(clippy::unused_async)]
/// Answers questions.
///
#[doc = include_str!("support.md")]
#[cfg(feature = "support")]
#[tracing::instrument]
pub(crate) async fn support(
    mut request: WorkerRequest,
    State(db): State<Db>,
) -> Result<String, MyError> {
    Ok(request.message)
}
#[cfg(feature = "support")]
#[doc(hidden)]
#[allow(non_camel_case_types, missing_debug_implementations)]
#[non_exhaustive]
pub(crate) struct __dooers_support {}
/// The type of the agent [`support`](fn@support), for `WorkerServer::agent`.
#[allow(non_camel_case_types, dead_code)]
#[allow(unreachable_pub, clippy::needless_pub_self, clippy::redundant_pub_crate)]
pub(crate) type HelpDesk = __dooers_support;
#[automatically_derived]
impl crate::runtime::Agent for __dooers_support {
    const DEFINITION: crate::runtime::AgentDefinition = {
        #[allow(deprecated, unreachable_code)]
        fn __handler() -> crate::runtime::__private::Handler {
            crate::runtime::__private::handler(
                <WorkerRequest as crate::runtime::__private::AnyType>::argument()
                    .and(
                        <State<Db> as crate::runtime::__private::AnyType>::argument()
                            .and(()),
                    ),
                |(__0, (__1, ()))| ::std::boxed::Box::pin(support(__0, __1)),
                <Result<String, MyError> as crate::runtime::IntoReply>::into_reply,
            )
        }
        crate::runtime::AgentDefinition::new(
                "help-desk",
                ::core::concat!(
                    "Answers questions.\n\n", include_str!("support.md"), "\n"
                )
                    .trim_ascii(),
                __handler,
            )
            .with_default()
            .with_manual_runs()
            .with_private_threads(true)
            .with_timeout(::core::time::Duration::from_millis(90000u64))
            .with_retries(2u32)
            .when_busy(crate::runtime::OnBusy::Queue {
                limit: 8u32,
            })
    };
}
crate::runtime::__private::inventory::submit! {
    crate ::runtime::__private::Registered(crate ::runtime::AgentDefinition::of:: <
    __dooers_support >)
}
