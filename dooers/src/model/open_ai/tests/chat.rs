//! Chat Completions.

use super::server::{Answer, KEY, Server, answered, question};
use crate::model::{ChatModel, Delta, ToolCallPiece};
use crate::protocol::Usage;
use futures::TryStreamExt;
use serde_json::json;

fn text(text: &str) -> Delta {
    Delta::Text(text.to_owned())
}

fn reasoning(text: &str) -> Delta {
    Delta::Reasoning(text.to_owned())
}

#[tokio::test]
async fn request_has_the_key_and_the_whole_question() {
    let server = Server::start([Answer::chunks([json!({"content": "hello"})])]).await;
    let tool = json!({"type": "function", "function": {"name": "clock"}});
    let question = question()
        .with_system("Be brief.")
        .with_tools(vec![tool.clone()]);
    let model = server.model().temperature(0.7).parameter("seed", 5);
    let deltas: Vec<_> = model.stream(question).try_collect().await.unwrap();
    assert_eq!(deltas, [text("hello")]);
    let request = &server.requests()[0];
    assert_eq!(request.path, "/v1/chat/completions");
    assert_eq!(request.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(request.headers["accept"], "text/event-stream");
    assert_eq!(request.headers["content-type"], "application/json");
    let expected = json!({
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hi"},
        ],
        "tools": [tool],
        "stream_options": {"include_usage": true},
        "model": "gpt-test",
        "stream": true,
        "temperature": 0.7,
        "seed": 5,
    });
    assert_eq!(request.body, expected);
}

#[tokio::test]
async fn answer_of_open_ai_is_read() {
    let call = |index, rest| json!({"tool_calls": [{"index": index, "function": rest}]});
    let mut first = call(0, json!({"name": "weather", "arguments": ""}));
    first["tool_calls"][0]["id"] = json!("call_a");
    first["tool_calls"][0]["type"] = json!("function");
    let answer = Answer::open_chunks([
        json!({"role": "assistant", "content": "", "refusal": null}),
        json!({"content": "Let me "}),
        json!({"content": "see."}),
        first,
        call(0, json!({"arguments": "{\"city\":"})),
        call(0, json!({"arguments": "\"Paris\"}"})),
    ]);
    let answer = answer
        .and("data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"tool_calls\"}],\"usage\":null}\n\n")
        .and("data: {\"model\":\"gpt-test-2026\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\"prompt_tokens_details\":{\"cached_tokens\":3}}}\n\n")
        .and("data: [DONE]\n\n");
    let deltas = answered(answer, |model| model).await;
    let usage = Usage::new("gpt-test-2026")
        .input_tokens(9)
        .output_tokens(4)
        .cached_tokens(3);
    let expected = [
        text("Let me "),
        text("see."),
        Delta::ToolCall(ToolCallPiece::new(0).id("call_a").name("weather")),
        Delta::ToolCall(ToolCallPiece::new(0).arguments("{\"city\":")),
        Delta::ToolCall(ToolCallPiece::new(0).arguments("\"Paris\"}")),
        Delta::Usage(usage),
    ];
    assert_eq!(deltas, expected);
}

#[tokio::test]
async fn answers_of_compatible_servers_are_read() {
    let answer = Answer::open_chunks([
        json!({"reasoning_content": "Hm. ", "content": null, "unknown": [1]}),
        json!({"reasoning": "Hm.", "reasoning_content": ""}),
        json!({"content": [{"type": "text", "text": "Hi "}, {"type": "image"}, {"text": "you"}]}),
        json!({"refusal": "No."}),
        json!({"tool_calls": [{"function": {"name": "one", "arguments": {"n": 1}}}]}),
        json!({"tool_calls": [{"id": "b", "function": {"name": "two", "arguments": null}}]}),
        json!({"tool_calls": [{"function": {"arguments": "{}"}}]}),
        json!(null),
    ]);
    // Without a `finish_reason`, `[DONE]` is the end.
    let answer = answer
        .and(": a comment\r\n\r\nevent: keepalive\r\ndata: nothing\r\n\r\ndata:[DONE]\r\n\r\n");
    let deltas = answered(answer, |model| model).await;
    let expected = [
        reasoning("Hm. "),
        reasoning("Hm."),
        text("Hi you"),
        text("No."),
        Delta::ToolCall(ToolCallPiece::new(0).name("one").arguments("{\"n\":1}")),
        Delta::ToolCall(ToolCallPiece::new(1).id("b").name("two")),
        Delta::ToolCall(ToolCallPiece::new(1).arguments("{}")),
    ];
    assert_eq!(deltas, expected);
}

#[tokio::test]
async fn bytes_may_arrive_one_by_one() {
    let answer = Answer::chunks([json!({"content": "äö"}), json!({"content": "🇩🇪"})]);
    let deltas = answered(answer.byte_by_byte(), |model| model).await;
    assert_eq!(deltas, [text("äö"), text("🇩🇪")]);
}

#[tokio::test]
async fn empty_answer_has_no_pieces() {
    for answer in [
        Answer::stream(""),
        Answer::chunks([]),
        Answer::stream("data: [DONE]\n\n"),
    ] {
        assert_eq!(answered(answer, |model| model).await, []);
    }
}

#[tokio::test]
async fn blank_key_is_not_sent() {
    let server = Server::start([Answer::chunks([])]).await;
    let model = server
        .model()
        .with_key(" ")
        .base_url(format!("{}/", server.url));
    model
        .stream(question())
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let request = &server.requests()[0];
    assert!(!request.headers.contains_key("authorization"));
    assert_eq!(request.path, "/v1/chat/completions");
}
