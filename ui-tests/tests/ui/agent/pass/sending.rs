//! Sending in every kind of function: streams of borrowed items, and other error types than `AgentError`.

use crate::run;
use dooers::prelude::*;
use dooers::{EventId, SendError};
use futures::{StreamExt, stream};
use std::borrow::Cow;
use std::error::Error;
use std::fmt;

#[dooers::agent]
async fn borrowed(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let words: Vec<&str> = request.message.split(' ').collect();
    let prefix = String::from("-");
    let marked = || stream::iter(words.iter()).map(|word| format!("{prefix}{word}"));
    response.stream_text(marked()).await?;
    response.stream_reasoning(marked()).await?;
    let text = response.text_stream();
    text.push_all(stream::iter(words.iter()).map(|word| *word))
        .await?;
    text.push_all(stream::iter(&words).filter_map(|word| async move { word.strip_prefix('o') }))
        .await?;
    text.push_all(stream::iter(words.chunks(2)).map(|pair| Ok::<_, std::io::Error>(pair[0])))
        .await?;
    text.finish().await?;
    Ok(())
}

/// Sends streams of more complex types.
#[dooers::agent]
async fn borrowed_deeply(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let words: Vec<(usize, &str)> = request.message.split(' ').enumerate().collect();
    let cows = stream::iter(words.iter()).map(|(_, word)| Cow::Borrowed(*word));
    response
        .stream_text(cows.chain(stream::once(async { Cow::Owned("!".into()) })))
        .await?;
    let waiting = stream::iter(words.iter())
        .then(|(at, word)| async move { format!("{at}{word}") })
        .boxed();
    let optional = stream::iter(&words).map(|(at, word)| (*at > 0).then_some(*word));
    let one = response.stream_text(waiting).await?;
    let two = response.stream_reasoning(optional).await?;
    assert_ne!(one, two);
    Ok(())
}

#[test]
fn complex_streams_of_borrowed_items_are_sent() {
    let (answer, texts) = run::<borrowed_deeply>("one two");
    answer.unwrap();
    assert_eq!(texts, ["onetwo!", "0one1two", "two"]);
}

#[test]
fn streams_of_borrowed_items_are_sent() {
    let (answer, texts) = run::<borrowed>("one two");
    answer.unwrap();
    assert_eq!(texts, ["-one-two", "-one-two", "onetwoneone"]);
}

/// An error of the user that contains the error of sending.
#[derive(Debug)]
struct Failure(SendError);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not sent")
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        Self(error)
    }
}

/// An error like `anyhow::Error`: every `Error` converts into it, and it converts into a boxed one.
struct Anyhow(Box<dyn Error + Send + Sync>);

impl<E: Error + Send + Sync + 'static> From<E> for Anyhow {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl From<Anyhow> for Box<dyn Error + Send + Sync> {
    fn from(error: Anyhow) -> Self {
        error.0
    }
}

async fn send_all<E: From<SendError>>(response: &WorkerResponse) -> Result<EventId, E> {
    response.send(Reply::text("sent")).await?;
    response.update_thread(|thread| thread.title("T")).await?;
    let texts = stream::iter([Ok("a"), Err(AgentError::public("Later."))]);
    let text = response.text_stream();
    text.push_all(stream::iter(["b"])).await?;
    text.finish().await?;
    Ok(response.stream_text(texts).await?)
}

#[dooers::agent]
async fn own_error(response: WorkerResponse) -> Result<(), Failure> {
    send_all::<Failure>(&response).await?;
    Ok(())
}

#[dooers::agent]
async fn like_anyhow(response: WorkerResponse) -> Result<(), Anyhow> {
    send_all::<Anyhow>(&response).await?;
    Ok(())
}

#[dooers::agent]
async fn described(response: WorkerResponse) -> Result<()> {
    send_all::<SendError>(&response)
        .await
        .context("cannot report")?;
    Ok(())
}

#[test]
fn error_of_sending_converts_into_every_error_type() {
    let error = |answer: Result<dooers::Answer>| {
        let error = answer.unwrap_err();
        assert_eq!(error.public_text(), Some("Later."));
        error.to_string()
    };
    assert_eq!(
        error(run::<own_error>("").0),
        "Later.: not sent: the stream failed: Later."
    );
    assert_eq!(error(run::<like_anyhow>("").0), "Later.");
    assert_eq!(error(run::<described>("").0), "Later.: cannot report");
}
