//! The server of the browser tests of the playground. Its agents answer with everything that the page shows.
//!
//! `PLAYGROUND_EVENTS=N` stores a thread `long` with N events of the playground's first identity before the server starts.

use dooers::Decimal;
use dooers::prelude::*;
use dooers::protocol::Actor;
use dooers::repository::Scope;
use dooers::tool::ToolRequest;
use futures::stream::{self, Stream, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;

/// The time for which an agent waits for an answer that does not come.
const MOMENT: Duration = Duration::from_millis(1);

/// Repeats the message as Markdown. `count N` is answered with the numbers from 1 to N, each of which is a delta.
#[dooers::agent(default)]
async fn parrot(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let text = response.text_stream();
    match request.message.strip_prefix("count ") {
        Some(last) => {
            for number in 1..=last.parse::<u32>()? {
                text.push(format!("{number} "));
                tokio::task::yield_now().await;
            }
        }
        None => text.push(&request.message),
    }
    text.finish().await?;
    Ok(())
}

/// Writes numbers until it is stopped, or up to the number in the message.
#[dooers::agent(queue = 10)]
async fn writer(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let last = request.message.parse().unwrap_or(usize::MAX);
    let numbers = (1..).map(|number| format!("{number} ")).take(last);
    response.stream_text(slowly(numbers)).await?;
    Ok(())
}

/// Thinks, calls tools at the same time, and pays for it.
#[dooers::agent]
async fn worker(response: WorkerResponse) -> Result<()> {
    let thoughts = ["They **want** ", "the weather ", "of two towns."].map(str::to_owned);
    response.stream_reasoning(slowly(thoughts)).await?;
    // The ids and names are the same, so that only the arguments tell the calls apart.
    let [one, other] =
        ["Oslo", "Rome"].map(|town| ToolCall::new("c", "weather", json!({"town": town})));
    let one = one.display_name("Weather");
    response.tool_call(one.clone()).await?;
    response.tool_call(other.clone()).await?;
    response.tool_result(other, json!({"degrees": 31})).await?;
    response.tool_result(one, json!({"degrees": -4})).await?;
    let broken = ToolCall::new("d", "snow", json!({"deep": {"list": [1, 2, 3]}}));
    response
        .tool_transaction(broken, json!({"error": "no such tool"}))
        .await?;
    for (model, cost) in [
        ("large-1", Decimal::new(31, 4)),
        ("small-1", Decimal::new(2, 4)),
    ] {
        let usage = Usage::new(model).input_tokens(1200).output_tokens(34);
        response.usage(usage.cached_tokens(1000).cost(cost, "USD"));
    }
    response.text("Rome is *warmer*.").await?;
    Ok(())
}

/// Calls a tool whose result has 1 MiB.
#[dooers::agent]
async fn archive(response: WorkerResponse) -> Result<()> {
    let lines: Vec<Value> = (0..16_384)
        .map(|line| json!({"line": line, "text": "x".repeat(38)}))
        .collect();
    response
        .tool_transaction(ToolCall::new("c", "read", json!({})), json!(lines))
        .await?;
    Ok(())
}

/// Sends an image, a broken image, a sound and a document. The message is the address of the broken image.
#[dooers::agent]
async fn gallery(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let square = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='80' height='80'%3E%3Crect width='80' \
        height='80' fill='teal'/%3E%3C/svg%3E";
    let sound =
        "data:audio/wav;base64,UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";
    let parts = vec![
        ContentPart::text("A *square*:"),
        ContentPart::image(square)
            .alt("A teal square")
            .width(80)
            .height(80)
            .into(),
        ContentPart::image(&request.message)
            .alt("A lost picture")
            .into(),
        ContentPart::audio(sound)
            .filename("silence.wav")
            .duration(Duration::from_secs(61))
            .into(),
        ContentPart::document("https://example.org/a.pdf", "a.pdf")
            .size_bytes(123_456)
            .into(),
    ];
    response.message(parts).await?;
    Ok(())
}

/// Asks with a form that has every kind of element. Refuses a number above 100.
#[dooers::agent]
async fn clerk(request: WorkerRequest, response: WorkerResponse) -> Result<()> {
    let Some(answer) = request.form() else {
        let sizes = [("s", "Small"), ("l", "Large")];
        let toppings = [("h", "Ham"), ("o", "Olives")];
        let form = Form::new("Your order?")
            .submit_label("Order")
            .element(
                FormElement::text("name", "Name")
                    .placeholder("Ada")
                    .required(),
            )
            .element(FormElement::email("email", "Email"))
            .element(
                FormElement::number("count", "Count")
                    .default("1")
                    .required(),
            )
            .element(FormElement::date("day", "Day"))
            .element(FormElement::password("pin", "PIN"))
            .element(FormElement::textarea("note", "Note").rows(2))
            .element(FormElement::select("size", "Size", sizes))
            .element(FormElement::radio("pay", "Payment", ["Cash", "Card"]).default("Card"))
            .element(FormElement::checkbox("toppings", "Toppings", toppings))
            .element(FormElement::file(
                "receipt",
                "Receipt",
                "https://example.org/upload",
            ))
            .element(
                FormElement::text("shop", "Shop")
                    .default("Main street")
                    .disabled(),
            );
        response.form(&form).await?;
        return Ok(());
    };
    let count = answer.values["count"].as_str().unwrap_or_default();
    if count.parse::<u32>()? > 100 {
        return Err(AgentError::public("At most 100, please."));
    }
    let values = serde_json::to_string_pretty(&answer.values)?;
    response.text(format!("```json\n{values}\n```")).await?;
    Ok(())
}

/// Asks whether it may go on, and waits for the answer of the user with the message as id. The message `any` asks everyone,
/// and `briefly` waits for a moment only.
#[dooers::agent]
async fn judge(request: WorkerRequest, response: WorkerResponse) -> Result<String> {
    let form = Form::new("May I go on?")
        .element(FormElement::text("reason", "Reason"))
        .submit_label("Yes")
        .cancel_label("No");
    let asked = response.ask_form(&form);
    let asked = match request.message.as_str() {
        "any" => asked,
        "briefly" => asked.timeout(MOMENT),
        user => asked.only_user(user),
    };
    let reply = asked.await?;
    Ok(match reply.response() {
        Some(answer) => format!("Because: {}", answer.text("reason").unwrap_or("no reason")),
        None => "I stop here.".to_owned(),
    })
}

/// Pays money back to the customer, unless the `order` has the number 0.
#[dooers::tool(approve = "always")]
async fn refund(order: u32, euros: u32) -> Result<String, AgentError> {
    if order == 0 {
        return Err(AgentError::public("there is no order 0"));
    }
    Ok(format!("{euros} euros of order {order} were paid back"))
}

/// Refunds the order with the number in the message, and the order 7 beside it. The message `briefly` waits for a moment only.
#[dooers::agent(tools(refund))]
async fn cashier(request: WorkerRequest, mut tools: Tools) -> Result<String> {
    if request.message == "briefly" {
        tools = tools.approval_timeout(MOMENT);
    }
    let order: u32 = request.message.parse().unwrap_or(1);
    let calls = [order, 7].map(|order| {
        let arguments = json!({"order": order, "euros": 80});
        ToolRequest::new(format!("call-{order}"), "refund", arguments.to_string())
    });
    let results = tools.call_all(calls).await?;
    let failed = results.iter().filter(|result| result.is_error()).count();
    Ok(format!("{failed} of {} calls failed", results.len()))
}

/// Fails after a text.
#[dooers::agent]
async fn failing(response: WorkerResponse) -> Result<()> {
    response.text("I try.").await?;
    Err(AgentError::public("The oven is <b>cold</b>."))
}

/// Yields texts at the pace of a model.
fn slowly<T>(texts: T) -> impl Stream<Item = String> + use<T>
where
    T: IntoIterator<Item = String>,
{
    stream::iter(texts).then(|text| async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        text
    })
}

/// Stores a thread with this many events: questions and their answers.
async fn fill(server: &WorkerServer, events: u32) -> Result<()> {
    let repository = server.repository().await?;
    let scope = Scope::everyone::<parrot>("playground");
    let scope = scope.organization("local").workspace("local");
    let thread = repository
        .create_thread(&scope)
        .id("long")
        .title("A long conversation");
    thread.owner("me").await?;
    for number in (1..=events).step_by(2) {
        let question = Reply::text(format!("Question {number}"));
        let question = repository.create_event(&scope, "long", question);
        question.actor(Actor::User).user("me").await?;
        let answer = Reply::text(format!("Answer **{}**", number + 1));
        repository.create_event(&scope, "long", answer).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = WorkerServer::new(WorkerConfig::from_env()?);
    if let Ok(events) = std::env::var("PLAYGROUND_EVENTS") {
        fill(&server, events.parse()?).await?;
    }
    server.serve().await?;
    Ok(())
}
