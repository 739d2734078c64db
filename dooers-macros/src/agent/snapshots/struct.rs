pub struct Support;
::core::compile_error! {
    "an agent must be an `async fn`, but this is `struct`; move the attribute to the function that answers messages"
}
const _: () = {
    use ::dooers as __dooers;
    #[automatically_derived]
    impl __dooers::Agent for Support {
        const DEFINITION: __dooers::AgentDefinition = __dooers::AgentDefinition::new(
            "",
            "",
            __dooers::__private::refused,
        );
    }
};
