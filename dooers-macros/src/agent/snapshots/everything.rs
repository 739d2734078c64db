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
const _: () = {
    use crate::runtime as __dooers;
    #[allow(deprecated, unreachable_code)]
    fn __call(__turn: __dooers::Turn) -> __dooers::__private::AgentFuture {
        __dooers::__private::call(async move {
            let __0 = <WorkerRequest as __dooers::__private::AnyType>::argument(&__turn)
                .await?;
            let __1 = <State<Db> as __dooers::__private::AnyType>::argument(&__turn)
                .await?;
            let __reply = {
                let __future: __dooers::__private::Handled<_> = ::std::boxed::Box::pin(
                    support(__0, __1),
                );
                __future
            }
                .await;
            <Result<String, MyError> as __dooers::IntoReply>::into_reply(__reply)
        })
    }
    #[allow(deprecated)]
    fn __requires(__requirements: &mut __dooers::Requirements) {
        #[allow(unused_imports)]
        use __dooers::__private::{Requires as _, RequiresNothing as _};
        (&<WorkerRequest as __dooers::__private::AnyType>::PROBE)
            .requires(__requirements);
        (&<State<Db> as __dooers::__private::AnyType>::PROBE).requires(__requirements);
    }
    #[automatically_derived]
    impl __dooers::Agent for __dooers_support {
        const DEFINITION: __dooers::AgentDefinition = __dooers::AgentDefinition::new(
                "help-desk",
                ::core::concat!(
                    "Answers questions.\n\n", include_str!("support.md"), "\n"
                )
                    .trim_ascii(),
                __call,
            )
            .with_default()
            .with_manual_runs()
            .with_private_threads(true)
            .with_timeout(::core::time::Duration::from_millis(90000u64))
            .with_retries(2u32)
            .when_busy(__dooers::OnBusy::Queue {
                limit: 8u32,
            })
            .requiring(__requires);
    }
    __dooers::__private::inventory::submit! {
        __dooers::__private::Registered::of:: < __dooers_support > ()
    }
};
