#[allow(clippy::unused_async)]
async fn support(request: WorkerRequest) -> impl IntoReply {
    request.message
}
::core::compile_error! {
    "`#[dooers::agent]` has no option `nmae`; did you mean `name`?"
}
#[doc(hidden)]
#[allow(non_camel_case_types, missing_debug_implementations)]
#[non_exhaustive]
struct __dooers_support {}
/// The type of the agent [`support`](fn@support), for `WorkerServer::agent`.
#[allow(non_camel_case_types, dead_code)]
#[allow(unreachable_pub, clippy::needless_pub_self, clippy::redundant_pub_crate)]
type support = __dooers_support;
const _: () = {
    use ::dooers as __dooers;
    #[allow(deprecated, unreachable_code)]
    fn __call(__turn: __dooers::Turn) -> __dooers::__private::AgentFuture {
        __dooers::__private::call(async move {
            let __0 = <WorkerRequest as __dooers::__private::AnyType>::argument(&__turn)
                .await?;
            let __reply = {
                let __future: __dooers::__private::Handled<_> = ::std::boxed::Box::pin(
                    support(__0),
                );
                __future
            }
                .await;
            __dooers::IntoReply::into_reply(__reply)
        })
    }
    #[allow(deprecated)]
    fn __requires(__requirements: &mut __dooers::Requirements) {
        #[allow(unused_imports)]
        use __dooers::__private::{Requires as _, RequiresNothing as _};
        (&<WorkerRequest as __dooers::__private::AnyType>::PROBE)
            .requires(__requirements);
    }
    #[automatically_derived]
    impl __dooers::Agent for __dooers_support {
        const DEFINITION: __dooers::AgentDefinition = __dooers::AgentDefinition::new(
                "support",
                "",
                __call,
            )
            .requiring(__requires);
    }
};
