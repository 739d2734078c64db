#[allow(clippy::unused_async)]
/// Looks up the weather of a city.
pub async fn weather(
    city: String,
    unit: Unit,
    #[allow(unused)]
    State(http): State<Http>,
    mut r#type: Vec<Value>,
) -> Result<Weather> {
    http.get(city).await
}
#[doc(hidden)]
#[allow(non_camel_case_types, missing_debug_implementations)]
#[non_exhaustive]
pub struct __dooers_weather {}
/// The type of the tool [`weather`](fn@weather), for `Tools::with`.
#[allow(non_camel_case_types, dead_code)]
#[allow(unreachable_pub, clippy::needless_pub_self, clippy::redundant_pub_crate)]
pub type weather = __dooers_weather;
#[automatically_derived]
impl ::dooers::Tool for __dooers_weather {
    const NAME: &'static ::core::primitive::str = "weather";
    #[allow(deprecated, unreachable_code)]
    fn definition() -> ::dooers::DynamicTool {
        ::dooers::__private_tools::annotated(
                "weather",
                "Looks up the weather of a city.",
                <String as ::dooers::__private_tools::AnyArgument>::value(
                        "city",
                        "The city, for example \"Paris\".",
                    )
                    .and(
                        <Unit as ::dooers::__private_tools::AnyArgument>::value(
                                "unit",
                                "Degrees.",
                            )
                            .with_default(::dooers::__private_tools::json("celsius"))
                            .and(
                                <State<
                                    Http,
                                > as ::dooers::__private_tools::AnyArgument>::context()
                                    .and(
                                        <Vec<
                                            Value,
                                        > as ::dooers::__private_tools::AnyArgument>::value(
                                                "type",
                                                "",
                                            )
                                            .with_default(
                                                ::dooers::__private_tools::json_list([
                                                    ::dooers::__private_tools::json(1i64),
                                                    ::dooers::__private_tools::json(-2.5f64),
                                                    ::dooers::__private_tools::json(true),
                                                ]),
                                            )
                                            .and(()),
                                    ),
                            ),
                    ),
                |(__0, (__1, (__2, (__3, ()))))| ::std::boxed::Box::pin(
                    weather(__0, __1, __2, __3),
                ),
                <Result<Weather> as ::dooers::__private_tools::AnyReturn>::returned()
                    .converter(),
            )
            .with_effect(::dooers::tool::ToolEffect::Read)
    }
}
