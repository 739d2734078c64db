#[allow(clippy::unused_async)]
pub async fn support(request: &WorkerRequest) {}
::core::compile_error! {
    "an agent cannot be `const`, as it runs when a message arrives and never at compile time; write `async fn support`"
}
::core::compile_error! {
    "an argument of an agent cannot be a reference, as it is created for one turn and passed by value; write `WorkerRequest`"
}
#[doc(hidden)]
#[allow(non_camel_case_types, missing_debug_implementations)]
#[non_exhaustive]
pub struct __dooers_support {}
/// The type of the agent [`support`](fn@support), for `WorkerServer::agent`.
#[allow(non_camel_case_types, dead_code)]
#[allow(unreachable_pub, clippy::needless_pub_self, clippy::redundant_pub_crate)]
pub type support = __dooers_support;
#[automatically_derived]
impl ::dooers::Agent for __dooers_support {
    const DEFINITION: ::dooers::AgentDefinition = {
        ::dooers::AgentDefinition::new("support", "", ::dooers::__private::refused)
    };
}
