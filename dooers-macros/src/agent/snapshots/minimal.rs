#[allow(clippy::unused_async)]
async fn hello() {}
#[doc(hidden)]
#[allow(non_camel_case_types, missing_debug_implementations)]
#[non_exhaustive]
struct __dooers_hello {}
/// The type of the agent [`hello`](fn@hello), for `WorkerServer::agent`.
#[allow(non_camel_case_types, dead_code)]
#[allow(unreachable_pub, clippy::needless_pub_self, clippy::redundant_pub_crate)]
type hello = __dooers_hello;
#[automatically_derived]
impl ::dooers::Agent for __dooers_hello {
    const DEFINITION: ::dooers::AgentDefinition = {
        #[allow(deprecated, unreachable_code)]
        fn __handler() -> ::dooers::__private::Handler {
            ::dooers::__private::handler(
                (),
                |()| ::std::boxed::Box::pin(hello()),
                <() as ::dooers::IntoReply>::into_reply,
            )
        }
        ::dooers::AgentDefinition::new("hello", "", __handler)
    };
}
::dooers::__private::inventory::submit! {
    ::dooers::__private::Registered(::dooers::AgentDefinition::of:: < __dooers_hello >)
}
