//! The types that a tool can return.

use crate::call;
use dooers::prelude::*;
use dooers::tool::ToolOutput;
use serde::Serialize;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::error::Error;
use std::fmt;

#[derive(Debug, Serialize)]
struct Weather {
    celsius: i16,
}

#[derive(Debug, Serialize)]
struct MyError;

impl fmt::Display for MyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("my error")
    }
}

impl Error for MyError {}

#[dooers::tool]
async fn unit() {}

#[dooers::tool]
async fn unit_type() -> () {}

#[dooers::tool]
async fn string() -> String {
    "text".to_owned()
}

#[dooers::tool]
async fn text() -> &'static str {
    "text"
}

#[dooers::tool]
async fn cow() -> Cow<'static, str> {
    Cow::Borrowed("text")
}

#[dooers::tool]
async fn number() -> f64 {
    1.5
}

#[dooers::tool]
async fn structure() -> Weather {
    Weather { celsius: 21 }
}

#[dooers::tool]
async fn list() -> Vec<Weather> {
    vec![Weather { celsius: 21 }]
}

#[dooers::tool]
async fn option() -> Option<Weather> {
    None
}

#[dooers::tool]
async fn value() -> Value {
    json!({"a": 1})
}

#[dooers::tool]
async fn output() -> ToolOutput {
    ToolOutput::text("text")
}

#[dooers::tool]
async fn part() -> ContentPart {
    ContentPart::text("text")
}

#[dooers::tool]
async fn parts() -> Vec<ContentPart> {
    vec![ContentPart::text("one"), ContentPart::text("two")]
}

#[dooers::tool]
async fn image() -> ImagePart {
    ContentPart::image("https://example.org/1.png")
}

#[dooers::tool]
async fn result_of_parts() -> Result<Vec<ContentPart>> {
    Ok(vec![ContentPart::image("https://example.org/1.png").into()])
}

#[dooers::tool]
async fn result_of_a_structure() -> Result<Weather> {
    Ok(Weather { celsius: 21 })
}

#[dooers::tool]
async fn result_of_nothing() -> Result {
    Ok(())
}

#[dooers::tool]
async fn opaque() -> impl Serialize {
    Weather { celsius: 21 }
}

#[dooers::tool]
async fn opaque_result() -> Result<impl Serialize, MyError> {
    Ok(Weather { celsius: 21 })
}

#[tokio::test]
async fn every_return_type_is_a_result() {
    let weather = json!({"celsius": 21});
    let image = json!([{"type": "image", "url": "https://example.org/1.png"}]);
    assert_eq!(call::<unit>(json!({})).await.value(), &json!(null));
    assert_eq!(call::<unit_type>(json!({})).await.value(), &json!(null));
    assert_eq!(call::<string>(json!({})).await.value(), "text");
    assert_eq!(call::<text>(json!({})).await.value(), "text");
    assert_eq!(call::<cow>(json!({})).await.value(), "text");
    assert_eq!(call::<number>(json!({})).await.value(), &json!(1.5));
    assert_eq!(call::<structure>(json!({})).await.value(), &weather);
    assert_eq!(call::<list>(json!({})).await.value(), &json!([weather]));
    assert_eq!(call::<option>(json!({})).await.value(), &json!(null));
    assert_eq!(call::<value>(json!({})).await.value(), &json!({"a": 1}));
    assert_eq!(call::<output>(json!({})).await.value(), "text");
    assert_eq!(call::<part>(json!({})).await.value(), "text");
    assert_eq!(call::<parts>(json!({})).await.value(), "one\ntwo");
    assert_eq!(call::<image>(json!({})).await.value(), &image);
    assert_eq!(call::<result_of_parts>(json!({})).await.value(), &image);
    assert_eq!(
        call::<result_of_nothing>(json!({})).await.value(),
        &json!(null)
    );
    assert_eq!(call::<opaque>(json!({})).await.value(), &weather);
    for result in [
        call::<result_of_a_structure>(json!({})).await,
        call::<opaque_result>(json!({})).await,
    ] {
        assert!(!result.is_error());
        assert_eq!(result.value(), &weather);
    }
}

#[dooers::tool]
async fn public_error() -> Result<Weather> {
    Err(AgentError::public("Ask for a city."))
}

#[dooers::tool]
async fn own_error() -> Result<Weather, MyError> {
    Err(MyError)
}

#[dooers::tool]
async fn boxed_error() -> Result<(), Box<dyn Error + Send + Sync>> {
    Err(Box::new(MyError))
}

/// A `Result` that implements `Serialize`.
#[dooers::tool]
async fn text_error() -> Result<String, String> {
    Err("text".to_owned())
}

#[tokio::test]
async fn every_error_type_is_an_error_result() {
    let result = call::<public_error>(json!({})).await;
    assert!(result.is_error() && result.text().contains("Ask for a city."));
    for result in [
        call::<own_error>(json!({})).await,
        call::<boxed_error>(json!({})).await,
        call::<text_error>(json!({})).await,
    ] {
        assert!(result.is_error());
        assert!(
            result.text().contains("the tool failed"),
            "{}",
            result.text()
        );
    }
}
