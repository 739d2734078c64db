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
const _: () = {
    use ::dooers as __dooers;
    #[allow(deprecated, unreachable_code)]
    fn __call(__turn: __dooers::Turn) -> __dooers::__private::AgentFuture {
        __dooers::__private::call(async move {
            let __reply = {
                let __future: __dooers::__private::Handled<_> = ::std::boxed::Box::pin(
                    hello(),
                );
                __future
            }
                .await;
            __dooers::IntoReply::into_reply(__reply)
        })
    }
    #[automatically_derived]
    impl __dooers::Agent for __dooers_hello {
        const DEFINITION: __dooers::AgentDefinition = __dooers::AgentDefinition::new(
            "hello",
            "",
            __call,
        );
    }
    __dooers::__private::inventory::submit! {
        __dooers::__private::Registered::of:: < __dooers_hello > ()
    }
};
