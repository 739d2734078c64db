async fn hello() {}
/// The agent of the function [`hello`](fn@hello): its name for `WorkerServer::agent`.
#[allow(non_camel_case_types)]
#[non_exhaustive]
struct hello {}
const _: () = {
    use ::dooers as __dooers;
    #[allow(deprecated)]
    fn __call(__turn: __dooers::Turn) -> __dooers::__private::AgentFuture {
        __dooers::__private::call(async move {
            __dooers::__private::reply(__dooers::__private::handler(hello()).await)
        })
    }
    #[automatically_derived]
    impl __dooers::Agent for hello {
        const DEFINITION: __dooers::AgentDefinition = __dooers::AgentDefinition::new(
            "hello",
            "",
            __call,
        );
    }
    __dooers::__private::inventory::submit! {
        __dooers::__private::Registered::of:: < hello > ()
    }
};
