pub struct Refund;
::core::compile_error! {
    "a tool must be an `async fn`, but this is `struct`; move the attribute to the function that a model can call"
}
#[automatically_derived]
impl ::dooers::Tool for Refund {
    const NAME: &'static ::core::primitive::str = "";
    fn definition() -> ::dooers::DynamicTool {
        ::dooers::__private_tools::refused()
    }
}
