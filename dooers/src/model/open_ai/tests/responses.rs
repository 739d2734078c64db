//! The Responses API.

use super::server::{Answer, Server, answered, failed, question};
use crate::HistoryFormat;
use crate::model::{ChatModel, Delta, OpenAi, ToolCallPiece};
use crate::protocol::Usage;
use crate::tool::ToolFormat;
use futures::TryStreamExt;
use serde_json::{Value, json};

fn completed() -> Value {
    json!({
        "type": "response.completed",
        "response": {"model": "gpt-test", "usage": {
            "input_tokens": 9, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 3},
        }},
    })
}

fn text(text: &str) -> Value {
    json!({"type": "response.output_text.delta", "output_index": 0, "delta": text})
}

#[tokio::test]
async fn request_has_instructions_and_is_not_stored() {
    let server = Server::start([Answer::events([completed()])]).await;
    let model = server.model().responses();
    assert_eq!(model.history_format(), HistoryFormat::OpenAiResponses);
    assert_eq!(model.tool_format(), ToolFormat::OpenAiResponses);
    let question = question().with_system("Be brief.");
    model
        .stream(question)
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.path, "/v1/responses");
    let expected = json!({
        "input": [{"role": "user", "content": "hi"}],
        "instructions": "Be brief.",
        "store": false,
        "model": "gpt-test",
        "stream": true,
    });
    assert_eq!(request.body, expected);
}

#[tokio::test]
async fn answer_is_read() {
    let call = |kind: &str, arguments: &str| {
        json!({"type": kind, "output_index": 2, "item": {
            "type": "function_call", "id": "fc_1", "call_id": "call_a", "name": "weather", "arguments": arguments,
        }})
    };
    let delta = |text: &str| json!({"type": "response.function_call_arguments.delta", "output_index": 2, "delta": text});
    let answer = Answer::events([
        json!({"type": "response.created", "response": {"usage": null}}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "delta": "Hm."}),
        json!({"type": "response.output_item.added", "output_index": 1, "item": {"type": "message"}}),
        text("Let me see."),
        json!({"type": "response.output_text.done", "text": "Let me see."}),
        json!({"type": "response.refusal.delta", "delta": "No."}),
        call("response.output_item.added", ""),
        delta("{\"city\":"),
        delta("\"Paris\"}"),
        json!({"type": "response.function_call_arguments.done", "output_index": 2, "arguments": "{\"city\":\"Paris\"}"}),
        call("response.output_item.done", "{\"city\":\"Paris\"}"),
        completed(),
    ]);
    let deltas = answered(answer, OpenAi::responses).await;
    let whole = || ToolCallPiece::new(2).id("call_a").name("weather");
    let expected = [
        Delta::Reasoning("Hm.".to_owned()),
        Delta::Text("Let me see.".to_owned()),
        Delta::Text("No.".to_owned()),
        Delta::ToolCall(whole()),
        Delta::ToolCall(ToolCallPiece::new(2).arguments("{\"city\":")),
        Delta::ToolCall(ToolCallPiece::new(2).arguments("\"Paris\"}")),
        Delta::ToolCall(ToolCallPiece::new(2)),
        Delta::ToolCall(whole()),
        Delta::Usage(
            Usage::new("gpt-test")
                .input_tokens(9)
                .output_tokens(4)
                .cached_tokens(3),
        ),
    ];
    assert_eq!(deltas, expected);
}

#[tokio::test]
async fn arguments_without_pieces_are_read_once() {
    let whole = json!({"type": "response.output_item.done", "output_index": 0, "item": {
        "type": "function_call", "call_id": "a", "name": "clock", "arguments": "{}",
    }});
    let answer = Answer::events([whole.clone(), whole, completed()]);
    let deltas = answered(answer, OpenAi::responses).await;
    let piece = || ToolCallPiece::new(0).id("a").name("clock");
    assert_eq!(deltas[0], Delta::ToolCall(piece().arguments("{}")));
    assert_eq!(deltas[1], Delta::ToolCall(piece()));
}

#[tokio::test]
async fn incomplete_answer_is_complete_for_the_caller() {
    let answer = Answer::events([
        text("Once upon"),
        json!({"type": "response.incomplete", "response": {"incomplete_details": {"reason": "max_output_tokens"}}}),
    ]);
    let deltas = answered(answer, OpenAi::responses).await;
    assert_eq!(deltas, [Delta::Text("Once upon".to_owned())]);
}

#[tokio::test]
async fn failed_answer_is_an_error() {
    let event = json!({"type": "response.failed", "response": {"error": {
        "code": "rate_limit_exceeded", "message": "slow down",
    }}});
    let (deltas, error) = failed(Answer::events([text("Once"), event]), OpenAi::responses).await;
    assert_eq!(deltas.len(), 1);
    assert_eq!(
        error.to_string(),
        "the model's server broke off its answer: slow down"
    );
    assert!(error.is_retryable());
    let event = json!({"type": "error", "code": "invalid_prompt", "message": "no"});
    let (_, error) = failed(Answer::events([event]), OpenAi::responses).await;
    assert_eq!(
        error.to_string(),
        "the model's server broke off its answer: no"
    );
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn answer_without_its_last_event_is_an_error() {
    let (_, error) = failed(Answer::events([text("Once")]), OpenAi::responses).await;
    assert!(
        error.to_string().contains("in the middle of its answer"),
        "{error}"
    );
    assert!(error.is_retryable());
}
