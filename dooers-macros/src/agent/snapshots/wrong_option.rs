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
#[automatically_derived]
impl ::dooers::Agent for __dooers_support {
    const DEFINITION: ::dooers::AgentDefinition = {
        #[allow(deprecated, unreachable_code)]
        fn __handler() -> ::dooers::__private::Handler {
            ::dooers::__private::handler(
                <WorkerRequest as ::dooers::__private::AnyType>::argument().and(()),
                |(__0, ())| ::std::boxed::Box::pin(support(__0)),
                |__reply| ::dooers::IntoReply::into_reply(__reply),
            )
        }
        ::dooers::AgentDefinition::new("support", "", __handler)
    };
}
