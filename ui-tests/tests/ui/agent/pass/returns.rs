//! The types that an agent can return.

use crate::run;
use dooers::ReplyStream;
use dooers::prelude::*;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;

#[derive(Debug)]
struct MyError;

impl fmt::Display for MyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("my error")
    }
}

impl Error for MyError {}

/// An error like `anyhow::Error`: it does not implement `Error`, but converts into a boxed one.
struct Anyhow(&'static str);

impl From<Anyhow> for Box<dyn Error + Send + Sync> {
    fn from(error: Anyhow) -> Self {
        error.0.into()
    }
}

/// A reply type of the user.
struct Weather;

impl IntoReply for Weather {
    fn into_reply(self) -> Result<dooers::Answer> {
        "sunny".into_reply()
    }
}

#[dooers::agent]
async fn unit() -> () {}

#[dooers::agent]
async fn string() -> String {
    String::new()
}

#[dooers::agent]
async fn text() -> &'static str {
    ""
}

#[dooers::agent]
async fn reply() -> Reply {
    Reply::text("")
}

#[dooers::agent]
async fn stream() -> ReplyStream {
    Reply::stream(Once(Some(Ok::<_, MyError>("one"))))
}

#[dooers::agent]
async fn option(request: WorkerRequest) -> Option<String> {
    Some(request.message).filter(|text| !text.is_empty())
}

#[dooers::agent]
async fn cow() -> Cow<'static, str> {
    Cow::Borrowed("cow")
}

#[dooers::agent]
async fn several() -> Vec<Reply> {
    vec![
        Reply::text("one"),
        Reply::image("https://example.org/2.png").into(),
    ]
}

#[dooers::agent]
async fn result_of_an_option() -> Result<Option<Vec<Reply>>> {
    Ok(None)
}

#[dooers::agent]
async fn option_of_a_result() -> Option<Result<&'static str, MyError>> {
    Some(Err(MyError))
}

#[dooers::agent]
async fn stream_of_cows() -> ReplyStream {
    Reply::stream(Once(Some(Cow::Borrowed("cow"))))
}

#[dooers::agent]
async fn weather() -> Weather {
    Weather
}

#[dooers::agent]
async fn opaque() -> impl IntoReply {
    "opaque"
}

#[dooers::agent]
async fn opaque_result() -> Result<impl IntoReply, Box<dyn Error + Send + Sync>> {
    Ok("opaque")
}

#[dooers::agent]
async fn result() -> Result<()> {
    Err(AgentError::public("public"))
}

#[dooers::agent]
async fn result_of_text() -> Result<&'static str> {
    Ok("")
}

#[dooers::agent]
async fn result_of_stream() -> Result<ReplyStream> {
    Ok(Reply::stream(Once(Some("one"))))
}

#[dooers::agent]
async fn own_error() -> Result<(), MyError> {
    Err(MyError)
}

#[dooers::agent]
async fn boxed_error() -> Result<Reply, Box<dyn Error + Send + Sync>> {
    Err(Box::new(MyError))
}

#[dooers::agent]
async fn text_error() -> Result<Reply, String> {
    Err("text".to_owned())
}

#[dooers::agent]
async fn like_anyhow() -> Result<Reply, Anyhow> {
    Err(Anyhow("any"))
}

/// A stream of one item.
struct Once<T>(Option<T>);

impl<T: Unpin> futures::Stream for Once<T> {
    type Item = T;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<T>> {
        std::task::Poll::Ready(self.0.take())
    }
}

#[test]
fn every_return_type_is_a_reply() {
    assert!(run::<unit>("").0.is_ok());
    assert!(run::<string>("").0.is_ok());
    assert!(run::<text>("").0.is_ok());
    assert!(run::<reply>("").0.is_ok());
    assert!(run::<stream>("").0.is_ok());
    assert!(run::<option>("").0.is_ok());
    assert!(run::<cow>("").0.is_ok());
    assert!(run::<several>("").0.is_ok());
    assert!(run::<result_of_an_option>("").0.is_ok());
    assert!(run::<stream_of_cows>("").0.is_ok());
    assert!(run::<weather>("").0.is_ok());
    assert!(run::<opaque>("").0.is_ok());
    assert!(run::<opaque_result>("").0.is_ok());
    assert!(run::<result_of_text>("").0.is_ok());
    assert!(run::<result_of_stream>("").0.is_ok());
}

#[test]
fn every_error_type_is_converted() {
    let error = |answer: Result<dooers::Answer>| answer.unwrap_err().to_string();
    assert_eq!(error(run::<result>("").0), "public");
    assert_eq!(error(run::<own_error>("").0), "my error");
    assert_eq!(error(run::<option_of_a_result>("").0), "my error");
    assert_eq!(error(run::<boxed_error>("").0), "my error");
    assert_eq!(error(run::<text_error>("").0), "text");
    assert_eq!(error(run::<like_anyhow>("").0), "any");
}
