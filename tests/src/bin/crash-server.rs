//! The server that the crash tests start, kill and restart.
//!
//! `DOOERS_TEST_PACE=N` is the time between two words of a text in milliseconds. `DOOERS_TEST_FAULTS=N` loses, doubles and
//! reorders each N percent of the messages from other nodes.

use dooers::prelude::*;
use dooers::testing::BrokerFaults;
use std::sync::LazyLock;
use std::time::Duration;

/// The time between two words.
static PACE: LazyLock<Option<Duration>> =
    LazyLock::new(|| number("DOOERS_TEST_PACE").map(Duration::from_millis));

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Waits before the next word.
async fn pace() {
    match *PACE {
        Some(pace) => tokio::time::sleep(pace).await,
        None => tokio::task::yield_now().await,
    }
}

/// The settings of `echo`.
#[derive(Debug, Clone, WorkerSettings)]
struct Manner {
    #[setting(default = "plain")]
    tone: String,
    #[setting(default = "medium")]
    pitch: String,
}

/// Echoes the message in (message number modulo 3) streaming texts and one plain event. Reports the usage of one call
/// with the end of each text, and tracks one analytics event. A message with the verb `counts` is answered by all numbers.
#[dooers::agent(default, queue = 10_000)]
async fn echo(
    request: WorkerRequest,
    response: WorkerResponse,
    analytics: WorkerAnalytics,
    manner: Manner,
) -> Result<()> {
    let text = &request.message;
    analytics.track("tracked.once", ());
    // A setting is never empty.
    debug_assert!(!manner.tone.is_empty() && !manner.pitch.is_empty());
    if text.contains(" counts ") {
        let answer = response.text_stream();
        for number in 1_u64.. {
            answer.push(format!("{number} "));
            pace().await;
        }
    }
    let number: u64 = text.rsplit(' ').next().unwrap_or_default().parse()?;
    for part in 0..number % 3 {
        let answer = response.text_stream();
        for word in format!("You said: {text} ({part})").split_inclusive(' ') {
            answer.push(word);
            pace().await;
        }
        drop(response.usage(call()?));
        answer.finish().await?;
    }
    drop(response.usage(call()?));
    // The last event is not awaited. It is stored together with the end of the run.
    drop(response.text(format!("You said: {text}")));
    Ok(())
}

/// The usage of one call. Its cost is a fraction, so that the totals must be exact.
fn call() -> Result<Usage> {
    let usage = Usage::new("echo").output_tokens(1);
    Ok(usage.cost("0.400000000001".parse()?, "USD"))
}

/// Asks for a password with a form. The first attempt to read the answer hangs until the process dies. The second
/// attempt sends the password spelled backwards.
#[dooers::agent(retry = 1)]
async fn asking(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let Some(form) = request.form() else {
        let pin = FormElement::password("pin", "PIN").required();
        drop(response.form(&Form::new("Who are you?").element(pin)));
        return Ok(());
    };
    if request.attempt() == 1 {
        response.text("reading").await?;
        std::future::pending::<()>().await;
    }
    let pin = form.values["pin"].as_str().unwrap_or_default();
    drop(response.text(pin.chars().rev().collect::<String>()));
    Ok(())
}

/// Asks for a password like `asking`, without a retry. Hangs only if the answer says so.
#[dooers::agent]
async fn asking_once(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let Some(form) = request.form() else {
        let pin = FormElement::password("pin", "PIN").required();
        let lasts = FormElement::text("lasts", "Shall it last?");
        drop(response.form(&Form::new("Who are you?").element(pin).element(lasts)));
        return Ok(());
    };
    if form.values.contains_key("lasts") {
        response.text("reading").await?;
        std::future::pending::<()>().await;
    }
    let pin = form.values["pin"].as_str().unwrap_or_default();
    drop(response.text(pin.chars().rev().collect::<String>()));
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .with_ansi(false)
        .init();
    let mut config = WorkerConfig::from_env()?;
    if let Some(percent) = number("DOOERS_TEST_FAULTS") {
        let percent = percent.try_into()?;
        let faults = BrokerFaults::new().lost(percent).doubled(percent);
        config = config.broker_faults(faults.reordered(percent));
    }
    WorkerServer::new(config).serve().await?;
    Ok(())
}
