//! The loop that asks a model and calls its tools.

use dooers::model::{RunOptions, ToolCallPiece};
use dooers::prelude::*;
use dooers::protocol::EventType;
use dooers::testing::{FakeModel, FakeReply, TestClient, TestServer};
use dooers::tool::ToolEffect;
use dooers::{AgentDefinition, Database, DynamicTool};
use dooers_tests::gate;
use futures::poll;
use serde_json::{Value, json};
use std::task::Poll;
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::Instant;

/// Says that it is sunny in a city.
fn weather() -> DynamicTool {
    let schema = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": false,
    });
    let tool = DynamicTool::new("weather", schema, async |_turn: Turn, arguments: Value| {
        format!("sunny in {}", arguments["city"].as_str().unwrap_or("?"))
    });
    tool.with_effect(ToolEffect::Read)
}

/// A tool that never returns.
fn stuck() -> DynamicTool {
    let schema = json!({"type": "object"});
    DynamicTool::new("stuck", schema, async |_turn: Turn, arguments: Value| {
        gate::arrive(arguments["gate"].as_str().unwrap_or_default());
        std::future::pending::<String>().await
    })
}

/// Runs the loop, and sends nothing itself.
async fn helper(
    tools: Tools,
    memory: WorkerMemory,
    response: WorkerResponse,
    State(model): State<FakeModel>,
) -> Result<()> {
    let options = RunOptions::new().system("Be brief.").max_steps(4);
    let completion = tools.run(&model, &memory, &response, options).await?;
    response.analytics().track(
        "done",
        json!({"text": completion.text(), "steps": completion.steps()}),
    );
    Ok(())
}

/// A server with the helper, and a client of it.
async fn client(model: &FakeModel) -> TestClient {
    let tools = Tools::new().with_tool(weather()).with_tool(stuck());
    let agent = AgentDefinition::from_fn("helper", helper).with_tools(tools);
    let config = WorkerConfig::new().database(Database::Memory);
    let server = WorkerServer::new(config).add_agent(agent);
    let server = TestServer::start(server).state(model.clone()).await;
    server.connect("ada").await
}

fn paris() -> Value {
    json!({"city": "Paris"})
}

#[tokio::test]
async fn answer_without_calls_is_one_step() {
    let reasoned = FakeReply::new().reasoning("Say hello.").text("Hello there");
    let model = FakeModel::new().reply(reasoned);
    let mut ada = client(&model).await;
    let turn = ada.say("hi").await;
    turn.assert_succeeded().assert_text("Hello there");
    assert_eq!(turn.reasoning(), ["Say hello."]);
    let expected = json!({"text": "Hello there", "steps": 1});
    assert_eq!(turn.tracked()[0].data, Some(expected));
    let prompt = &model.prompts()[0];
    assert_eq!(prompt["system"], "Be brief.");
    assert_eq!(prompt["messages"][0]["content"], "hi");
    assert_eq!(prompt["tools"][0]["function"]["name"], "weather");
}

#[tokio::test]
async fn results_are_in_the_history_of_the_next_step() {
    let usage = |input| Usage::new("m").input_tokens(input).output_tokens(1);
    let first = FakeReply::new()
        .text("Let me see.")
        .tool_call("a", "weather", paris())
        .tool_call("b", "weather", json!({"city": "Rome"}))
        .usage(usage(7))
        .usage(usage(10));
    let model = FakeModel::new()
        .reply(first)
        .reply(FakeReply::new().text("Sunny.").usage(usage(30)));
    let mut ada = client(&model).await;
    let turn = ada.say("weather?").await;
    turn.assert_succeeded()
        .assert_texts(["Let me see.", "Sunny."]);
    let calls = turn.tool_calls();
    let results: Vec<_> = calls.iter().map(|call| call.result.clone()).collect();
    assert_eq!(
        results,
        [Some(json!("sunny in Paris")), Some(json!("sunny in Rome"))]
    );
    // The last usage of a step counts.
    assert_eq!(
        (turn.usage()[0].input_tokens, turn.usage()[0].output_tokens),
        (40, 2)
    );
    let prompt = &model.prompts()[1]["messages"];
    assert_eq!(prompt[1]["content"], "Let me see.");
    assert_eq!(prompt[1]["tool_calls"][1]["id"], "b");
    assert_eq!(prompt[2]["content"], "sunny in Paris");
    assert_eq!(prompt[3]["tool_call_id"], "b");
}

#[tokio::test]
async fn repeated_ids_of_calls_are_replaced() {
    let twice = FakeReply::new()
        .tool_call("x", "weather", paris())
        .tool_call("x", "weather", json!({"city": "Rome"}));
    let model = FakeModel::new()
        .reply(twice)
        .tool_call("x", "weather", json!({"city": "Oslo"}))
        .tool_call("", "weather", json!({"city": "Bern"}))
        .reply("Sunny.");
    let mut ada = client(&model).await;
    let turn = ada.say("weather?").await;
    turn.assert_succeeded();
    let calls = turn.tool_calls();
    let mut ids: Vec<_> = calls.iter().map(|call| &*call.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), ids.contains(&"")), (4, false));
    let cities = calls.iter().map(|call| call.result.as_ref().unwrap());
    let expected = ["Paris", "Rome", "Oslo", "Bern"].map(|city| json!(format!("sunny in {city}")));
    assert!(cities.eq(&expected));
}

#[tokio::test]
async fn model_that_calls_forever_is_stopped() {
    let model = FakeModel::new();
    for id in ["1", "2", "3", "4"] {
        model.push(FakeReply::new().tool_call(id, "weather", paris()));
    }
    let mut ada = client(&model).await;
    let turn = ada.say("weather?").await;
    turn.assert_failed("I used tools 4 times and still have no answer");
    assert_eq!(model.prompts().len(), 4);
    assert_eq!(turn.tool_calls().len(), 3, "the last calls have no effect");
}

#[tokio::test]
async fn mistakes_of_the_model_are_results() {
    let cut_off = ToolCallPiece::new(0)
        .id("1")
        .name("weather")
        .arguments("{\"city\": \"Par");
    let model = FakeModel::new()
        .reply(FakeReply::new().tool_call_piece(cut_off))
        .tool_call("2", "wether", paris())
        .tool_call("3", "weather", paris())
        .reply("Sunny.");
    let mut ada = client(&model).await;
    let turn = ada.say("weather?").await;
    turn.assert_succeeded().assert_text("Sunny.");
    let results: Vec<_> = turn
        .tool_calls()
        .into_iter()
        .map(|call| call.result.unwrap())
        .collect();
    assert!(results[0]["error"].is_string() && results[1]["error"].is_string());
    assert_eq!(results[2], "sunny in Paris");
}

#[tokio::test]
async fn white_space_before_a_call_is_not_a_message() {
    let model = FakeModel::new()
        .reply(
            FakeReply::new()
                .text("\n\n")
                .tool_call("1", "weather", paris()),
        )
        .reply(FakeReply::new().pieces(["\n", " ", "Sunny."]));
    let mut ada = client(&model).await;
    let turn = ada.say("weather?").await;
    turn.assert_succeeded().assert_texts(["\n Sunny."]);
}

#[tokio::test]
async fn slow_answer_arrives_piece_by_piece() {
    let slow = FakeReply::new().text("one two three");
    let model = FakeModel::new()
        .tool_call("1", "weather", paris())
        .reply(slow);
    let mut ada = client(&model).await;
    let mut stream = ada.stream("count").await;
    assert_eq!(stream.pieces().await, ["one ", "two ", "three"]);
    stream.turn().await.assert_succeeded();
}

#[tokio::test(start_paused = true)]
async fn empty_answer_is_asked_for_again() {
    let model = FakeModel::new()
        .reply("")
        .reply(FakeReply::new().text(" \n"))
        .reply("Here I am");
    let mut ada = client(&model).await;
    ada.say("hi")
        .await
        .assert_succeeded()
        .assert_text("Here I am");
    let model = FakeModel::new().reply("").reply("").reply("").reply("");
    let mut ada = client(&model).await;
    let turn = ada.say("hi").await;
    turn.assert_failed("");
    let error = turn.error().unwrap();
    assert_eq!(error.to_string(), "the model answered with nothing");
    assert!(error.is_retryable());
    assert_eq!(model.prompts().len(), 4);
}

#[tokio::test]
async fn empty_answer_after_calls_is_an_answer() {
    let first = FakeReply::new()
        .text("Sunny.")
        .tool_call("1", "weather", paris());
    let model = FakeModel::new().reply(first).reply("");
    let mut ada = client(&model).await;
    let turn = ada.say("weather?").await;
    turn.assert_succeeded().assert_texts(["Sunny."]);
    assert_eq!(
        turn.tracked()[0].data,
        Some(json!({"text": "", "steps": 2}))
    );
}

#[tokio::test]
async fn broken_answer_keeps_its_text() {
    let usage = Usage::new("m").input_tokens(5);
    let broken = FakeReply::new()
        .usage(usage)
        .text("It all began when")
        .retryable_error("the connection broke", None);
    let model = FakeModel::new().reply(broken);
    let mut ada = client(&model).await;
    let turn = ada.say("a story").await;
    turn.assert_failed("").assert_texts(["It all began when"]);
    assert!(turn.error().unwrap().is_retryable());
    assert_eq!(turn.usage()[0].input_tokens, 5);
    assert_eq!(model.prompts().len(), 1);
}

#[tokio::test]
async fn half_a_call_is_not_stored() {
    let piece = || {
        ToolCallPiece::new(0)
            .id("1")
            .name("weather")
            .arguments("{\"city\":")
    };
    let broken = FakeReply::new()
        .tool_call("0", "weather", paris())
        .tool_call_piece(piece())
        .error("the connection broke");
    let model = FakeModel::new().reply(broken);
    let mut ada = client(&model).await;
    let turn = ada.say("weather?").await;
    turn.assert_failed("");
    assert_eq!(turn.error().unwrap().to_string(), "the connection broke");
    let is_call = |event: &&dooers::protocol::ThreadEvent| event.kind == EventType::ToolCall;
    assert_eq!(turn.events().iter().filter(is_call).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn busy_model_is_asked_again_after_its_wait() {
    let busy = |seconds: Option<u64>| {
        let wait = seconds.map(Duration::from_secs);
        FakeReply::new()
            .usage(Usage::new("m"))
            .retryable_error("busy", wait)
    };
    let model = FakeModel::new()
        .reply(busy(Some(20)))
        .reply(busy(None))
        .reply("At last");
    let mut ada = client(&model).await;
    let begin = Instant::now();
    ada.say("hi")
        .await
        .assert_succeeded()
        .assert_text("At last");
    let waited = begin.elapsed().as_secs_f64();
    assert!((20.5..=21.5).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn model_that_stays_busy_is_a_retryable_error() {
    let busy = |wait| FakeReply::new().retryable_error("busy", wait);
    let model = FakeModel::new();
    for _ in 0..4 {
        model.push(busy(None));
    }
    let mut ada = client(&model).await;
    let turn = ada.say("hi").await;
    assert!(turn.error().unwrap().is_retryable());
    assert_eq!(model.prompts().len(), 4);
    // A wait that is too long is left to the next attempt of the turn.
    let model = FakeModel::new().reply(busy(Some(Duration::from_secs(31))));
    let mut ada = client(&model).await;
    let begin = Instant::now();
    let turn = ada.say("hi").await;
    assert!(turn.error().unwrap().is_retryable());
    assert!(begin.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn final_error_is_not_repeated() {
    let model = FakeModel::new().error("no such model");
    let mut ada = client(&model).await;
    let turn = ada.say("hi").await;
    turn.assert_failed("").assert_text("");
    let error = turn.error().unwrap();
    assert_eq!(
        (error.to_string(), error.is_retryable()),
        ("no such model".to_owned(), false)
    );
    assert_eq!(model.prompts().len(), 1);
}

#[tokio::test]
async fn usage_that_cannot_be_recorded_fails_no_turn() {
    let odd = FakeReply::new()
        .text("Hello")
        .usage(Usage::new("").input_tokens(1));
    let model = FakeModel::new().reply(odd);
    let mut ada = client(&model).await;
    let turn = ada.say("hi").await;
    turn.assert_succeeded().assert_text("Hello");
    assert!(turn.usage().is_empty());
}

#[tokio::test(start_paused = true)]
async fn cancel_keeps_text_and_usage() {
    let day = Duration::from_secs(24 * 60 * 60);
    let slow = FakeReply::new()
        .usage(Usage::new("m").input_tokens(5))
        .reasoning("Think.")
        .text("It all began when")
        .pause(day)
        .text("never");
    let model = FakeModel::new().reply(slow);
    let mut ada = client(&model).await;
    let mut stream = ada.stream("a story").await;
    assert_eq!(stream.next_piece().await.as_deref(), Some("It "));
    stream.cancel().await;
    let turn = stream.turn().await;
    turn.assert_canceled();
    assert_eq!(turn.reasoning(), ["Think."]);
    assert_eq!(turn.usage()[0].input_tokens, 5);
}

#[tokio::test]
async fn cancel_in_a_call_stores_its_result() {
    let key = "cancel_in_a_call_stores_its_result";
    let model = FakeModel::new()
        .tool_call("1", "stuck", json!({"gate": key}))
        .reply("It was cancelled.");
    let mut ada = client(&model).await;
    let mut stream = ada.stream("go").await;
    gate::arrived(key).await;
    stream.cancel().await;
    let turn = stream.turn().await;
    turn.assert_canceled();
    assert!(turn.tool_calls()[0].result.is_some());
    ada.say("and?").await.assert_text("It was cancelled.");
    assert_eq!(model.prompts()[1]["messages"][2]["role"], "tool");
}

#[tokio::test]
async fn run_can_be_dropped_at_any_await() {
    let request = || WorkerRequest::new("weather?");
    for polls in 1..1000 {
        let first = FakeReply::new()
            .usage(Usage::new("m").input_tokens(5))
            .reasoning("Hm.")
            .text("Let me see")
            .tool_call("a", "weather", paris())
            .tool_call("b", "weather", paris());
        let model = FakeModel::new().reply(first).reply("Sunny.");
        let (response, sent) = WorkerResponse::recorder();
        let turn = Turn::new(request(), response.clone());
        let tools = Tools::new().with_tool(weather()).for_turn(&turn);
        let memory = WorkerMemory::of([request().into()]);
        let run = tools.run(&model, &memory, &response, RunOptions::new());
        let mut run = Box::pin(run);
        let mut completion = None;
        for _ in 0..polls {
            if let Poll::Ready(ended) = poll!(&mut run) {
                completion = Some(ended.unwrap());
                break;
            }
            // A task that never yields makes no progress.
            yield_now().await;
        }
        drop(run);
        let replies = sent.replies();
        let count = |kind| replies.iter().filter(|reply| reply.kind() == kind).count();
        assert_eq!(count(EventType::ToolCall), count(EventType::ToolResult));
        // The usage is the first piece, and the reasoning the next one.
        let has_begun = count(EventType::Reasoning) > 0;
        assert!(!has_begun || sent.usage().len() == 1, "{polls}");
        if let Some(completion) = completion {
            assert_eq!((completion.text(), completion.steps()), ("Sunny.", 2));
            assert_eq!(count(EventType::ToolCall), 2);
            assert!(polls > 20, "{polls}");
            return;
        }
    }
    panic!("the run does not end");
}

#[tokio::test]
async fn cancel_ends_the_wait_for_a_busy_model() {
    let busy = FakeReply::new().retryable_error("busy", Some(Duration::from_secs(30)));
    let model = FakeModel::new().reply(busy).reply("never");
    let mut ada = client(&model).await;
    let message = ada.send("hi").await;
    while model.prompts().is_empty() {
        yield_now().await;
    }
    // The client gives up before the wait is over.
    ada.cancel().await;
    ada.turn_of(&message).await.assert_canceled();
    assert_eq!(model.prompts().len(), 1);
}

#[tokio::test]
async fn answer_of_many_megabytes_is_stored() {
    let piece = "word ".repeat(200_000);
    let long = FakeReply::new().pieces(vec![piece.clone(); 4]);
    let model = FakeModel::new().reply(long);
    let mut ada = client(&model).await;
    let turn = ada.say("hi").await;
    turn.assert_succeeded();
    assert_eq!(turn.text().len(), 4 * piece.len());
}

#[tokio::test]
async fn too_many_calls_of_one_answer_fail_the_turn() {
    let mut many = FakeReply::new().text("Let me see.");
    for number in 0..129 {
        many = many.tool_call(number.to_string(), "weather", paris());
    }
    let model = FakeModel::new().reply(many);
    let mut ada = client(&model).await;
    let turn = ada.say("hi").await;
    turn.assert_failed("").assert_texts(["Let me see."]);
    let error = turn.error().unwrap().to_string();
    assert_eq!(error, "the model's answer has more than 128 tool calls");
    assert!(turn.tool_calls().is_empty());
}
