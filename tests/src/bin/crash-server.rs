//! The server that the crash tests start, kill and start again.

use dooers::prelude::*;

/// Says what you said, in as many texts that grow as the message's number modulo 3, and one more event.
#[dooers::agent(default, queue = 10_000)]
async fn echo(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let text = &request.message;
    let number: u64 = text.rsplit(' ').next().unwrap_or_default().parse()?;
    for part in 0..number % 3 {
        let answer = response.text_stream();
        for word in format!("You said: {text} ({part})").split_inclusive(' ') {
            answer.push(word);
            tokio::task::yield_now().await;
        }
        answer.finish().await?;
    }
    // Nobody waits for the last: it is stored with the end of the run.
    drop(response.text(format!("You said: {text}")));
    Ok(())
}

/// Asks for a password by a form. Its first attempt to read the answer lasts until the process dies; the second one spells
/// the password backwards.
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

/// The same without another attempt, if the answer says that it shall last.
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
    WorkerServer::new(WorkerConfig::from_env()?).serve().await?;
    Ok(())
}
