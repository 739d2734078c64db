pub struct Support;
::core::compile_error! {
    "an agent must be an `async fn`, but this is `struct`; move the attribute to the function that answers messages"
}
#[automatically_derived]
impl ::dooers::Agent for Support {
    const DEFINITION: ::dooers::AgentDefinition = ::dooers::AgentDefinition::new(
        "",
        "",
        ::dooers::__private::refused,
    );
}
