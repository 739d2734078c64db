#[allow(clippy::unused_async)]
async fn support(tools: Tools) {}
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
                <Tools as ::dooers::__private::AnyType>::argument().and(()),
                |(__0, ())| ::std::boxed::Box::pin(support(__0)),
                <() as ::dooers::IntoReply>::into_reply,
            )
        }
        ::dooers::AgentDefinition::new("support", "", __handler)
            .with_annotated_part(|| ::dooers::__private_tools::part(
                ::dooers::Tools::new()
                    .with_tool(<weather as ::dooers::Tool>::definition())
                    .with_tool(<shop::refund as ::dooers::Tool>::definition()),
            ))
    };
}
::dooers::__private::inventory::submit! {
    ::dooers::__private::Registered(::dooers::AgentDefinition::of:: < __dooers_support >)
}
