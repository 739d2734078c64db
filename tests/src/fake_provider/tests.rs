//! Tests of the fake provider.

use super::{FakeProvider, ProviderApi, ProviderReply, ProviderRequest};
use crate::exchange;
use serde_json::{Value, json};

/// A response over HTTP.
struct Answer {
    status: u16,
    head: String,
    body: String,
    /// False if the connection broke before the end of the body.
    is_whole: bool,
}

impl Answer {
    /// The data of the server-sent events. Data that is not JSON is a string.
    fn events(&self) -> Vec<Value> {
        let lines = self.body.lines();
        let data = lines.filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| json!(data)))
            .collect()
    }

    /// The values at this pointer of all events that have a text there, joined.
    fn joined(&self, pointer: &str) -> String {
        let events = self.events();
        let texts = events
            .iter()
            .filter_map(|event| event.pointer(pointer)?.as_str());
        texts.collect()
    }

    /// The types of the events. Equal neighbours are one.
    fn types(&self) -> Vec<String> {
        let events = self.events();
        let types = events
            .iter()
            .map(|it| it["type"].as_str().unwrap().to_owned());
        let mut types: Vec<_> = types.collect();
        types.dedup();
        types
    }
}

async fn ask(provider: &FakeProvider, api: ProviderApi, body: &Value) -> Answer {
    let key = FakeProvider::KEY;
    let headers = format!("Authorization: Bearer {key}\r\nx-api-key: {key}\r\n");
    send(provider, api, body, &headers).await
}

async fn send(provider: &FakeProvider, api: ProviderApi, body: &Value, headers: &str) -> Answer {
    let body = body.to_string();
    let request = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         anthropic-version: 2023-06-01\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        api.path(),
        provider.address(),
        body.len()
    );
    let answer = exchange(provider.address(), &request).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let (body, is_whole) = if head.contains("transfer-encoding: chunked") {
        dechunked(body)
    } else {
        (body.to_owned(), true)
    };
    Answer {
        status,
        head: head.to_owned(),
        body,
        is_whole,
    }
}

/// The body without the lengths of its chunks. False if the last chunk is missing.
fn dechunked(mut rest: &str) -> (String, bool) {
    let mut body = String::new();
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return (body, true);
        }
        body += &after[..length];
        rest = &after[length + 2..];
    }
    (body, false)
}

/// The definition of the tool `weather`.
fn tool(api: ProviderApi) -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    match api {
        ProviderApi::ChatCompletions => {
            json!({"type": "function", "function": {"name": "weather", "parameters": schema}})
        }
        ProviderApi::Responses => {
            json!({"type": "function", "name": "weather", "parameters": schema, "strict": false})
        }
        ProviderApi::Messages => json!({"name": "weather", "input_schema": schema}),
    }
}

fn user(api: ProviderApi, text: &str) -> Value {
    match api {
        ProviderApi::ChatCompletions => json!({"role": "user", "content": text}),
        ProviderApi::Responses => {
            json!({"role": "user", "content": [{"type": "input_text", "text": text}]})
        }
        ProviderApi::Messages => {
            json!({"role": "user", "content": [{"type": "text", "text": text}]})
        }
    }
}

/// A call of the tool `weather` with its result.
fn called(api: ProviderApi, id: &str, result: &str) -> Vec<Value> {
    match api {
        ProviderApi::ChatCompletions => {
            let function = json!({"name": "weather", "arguments": "{}"});
            let call = json!({"id": id, "type": "function", "function": function});
            vec![
                json!({"role": "assistant", "content": null, "tool_calls": [call]}),
                json!({"role": "tool", "tool_call_id": id, "content": result}),
            ]
        }
        ProviderApi::Responses => vec![
            json!({"type": "function_call", "call_id": id, "name": "weather", "arguments": "{}"}),
            json!({"type": "function_call_output", "call_id": id, "output": result}),
        ],
        ProviderApi::Messages => {
            let call = json!({"type": "tool_use", "id": id, "name": "weather", "input": {}});
            let result = json!({"type": "tool_result", "tool_use_id": id, "content": result});
            vec![
                json!({"role": "assistant", "content": [call]}),
                json!({"role": "user", "content": [result]}),
            ]
        }
    }
}

fn body(api: ProviderApi, messages: &[Value]) -> Value {
    let mut body = json!({"model": "fake-1", "stream": true, "tools": [tool(api)]});
    match api {
        ProviderApi::ChatCompletions => {
            body["stream_options"] = json!({"include_usage": true});
            body["messages"] = json!(messages);
        }
        ProviderApi::Responses => body["input"] = json!(messages),
        ProviderApi::Messages => {
            body["max_tokens"] = json!(1024);
            body["messages"] = json!(messages);
        }
    }
    body
}

fn hello(api: ProviderApi) -> Value {
    body(api, &[user(api, "hello")])
}

/// An answer with reasoning, a text and two calls.
fn long_reply(_: &ProviderRequest) -> ProviderReply {
    ProviderReply::new()
        .reasoning("Two cities.")
        .text("Let me look.")
        .tool_call("weather", json!({"city": "Paris"}))
        .tool_call("weather", json!({"city": "Rome"}))
        .usage(30, 7)
}

#[tokio::test]
async fn chat_text_arrives_in_the_published_form() {
    let provider = FakeProvider::start(|_| ProviderReply::new().text("Good day").usage(9, 2)).await;
    let api = ProviderApi::ChatCompletions;
    let answer = ask(&provider, api, &hello(api)).await;
    assert_eq!(answer.status, 200);
    assert!(answer.head.contains("content-type: text/event-stream"));
    let start = "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1770000000,\
                 \"model\":\"fake-1\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_fake\",\
                 \"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},\
                 \"logprobs\":null,\"finish_reason\":null}],\"obfuscation\":\"x7Q\",\"usage\":null}\n\n";
    assert!(answer.body.starts_with(start), "{}", answer.body);
    assert!(answer.body.ends_with("}\n\ndata: [DONE]\n\n"));
    assert_eq!(answer.joined("/choices/0/delta/content"), "Good day");
    let events = answer.events();
    let [.., finish, usage, done] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(finish["choices"][0]["finish_reason"], "stop");
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["total_tokens"], 11);
    assert_eq!(done, "[DONE]");
}

#[tokio::test]
async fn chat_without_usage_option_reports_none() {
    let provider = FakeProvider::start(|_| ProviderReply::new().text("Good day")).await;
    let api = ProviderApi::ChatCompletions;
    let mut body = hello(api);
    body["stream_options"] = Value::Null;
    let answer = ask(&provider, api, &body).await;
    assert!(!answer.body.contains("usage"), "{}", answer.body);
}

#[tokio::test]
async fn chat_calls_arrive_in_pieces_by_index() {
    let provider = FakeProvider::start(long_reply).await;
    let api = ProviderApi::ChatCompletions;
    let answer = ask(&provider, api, &hello(api)).await;
    let mut calls: Vec<(String, String, String)> = Vec::new();
    for event in answer.events() {
        let piece = &event["choices"][0]["delta"]["tool_calls"][0];
        let Some(index) = piece["index"].as_u64() else {
            continue;
        };
        let (id, function) = (piece["id"].as_str(), &piece["function"]);
        if let Some(id) = id {
            assert_eq!(index as usize, calls.len());
            let name = function["name"].as_str().unwrap();
            calls.push((id.to_owned(), name.to_owned(), String::new()));
        }
        calls[index as usize].2 += function["arguments"].as_str().unwrap();
    }
    let expected = [
        ("call_1_1", "weather", r#"{"city":"Paris"}"#),
        ("call_1_2", "weather", r#"{"city":"Rome"}"#),
    ];
    let expected = expected.map(|(id, name, args)| (id.into(), name.into(), args.into()));
    assert_eq!(calls, expected);
    assert!(answer.body.contains("\"finish_reason\":\"tool_calls\""));
    assert_eq!(
        answer.joined("/choices/0/delta/reasoning_content"),
        "Two cities."
    );
}

#[tokio::test]
async fn responses_stream_has_the_published_events() {
    let provider = FakeProvider::start(long_reply).await;
    let api = ProviderApi::Responses;
    let answer = ask(&provider, api, &hello(api)).await;
    let call = [
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
    ];
    let expected = [
        &["response.created", "response.in_progress"][..],
        &[
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
        ],
        &[
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
        ],
        &call,
        &call,
        &["response.completed"],
    ];
    assert_eq!(answer.types(), expected.concat());
    let events = answer.events();
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], place);
        let name = format!("event: {}\ndata: ", event["type"].as_str().unwrap());
        assert!(answer.body.contains(&name));
    }
    let response = &events.last().unwrap()["response"];
    assert_eq!(response["status"], "completed");
    assert_eq!(response["usage"]["output_tokens"], 7);
    let output = response["output"].as_array().unwrap();
    assert_eq!(output[0]["summary"][0]["text"], "Two cities.");
    assert_eq!(output[1]["content"][0]["text"], "Let me look.");
    assert_eq!(
        output[3],
        json!({
            "id": "fc_1_3", "type": "function_call", "status": "completed", "call_id": "call_1_2",
            "name": "weather", "arguments": r#"{"city":"Rome"}"#,
        })
    );
}

#[tokio::test]
async fn messages_stream_has_the_published_events() {
    let provider = FakeProvider::start(long_reply).await;
    let api = ProviderApi::Messages;
    let answer = ask(&provider, api, &hello(api)).await;
    let block = [
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
    ];
    let expected = [
        &["message_start", "ping"][..],
        &block,
        &block,
        &block,
        &block,
        &["message_delta", "message_stop"],
    ];
    assert_eq!(answer.types(), expected.concat());
    assert!(
        answer
            .body
            .starts_with("event: message_start\ndata: {\"type\":\"message_start\",")
    );
    let events = answer.events();
    let calls: Vec<_> = events
        .iter()
        .map(|event| &event["content_block"])
        .filter(|block| block["type"] == "tool_use")
        .collect();
    assert_eq!(calls.len(), 2);
    assert_eq!(
        calls[1],
        &json!({"type": "tool_use", "id": "toolu_1_2", "name": "weather", "input": {}})
    );
    assert_eq!(
        answer.joined("/delta/partial_json"),
        r#"{"city":"Paris"}{"city":"Rome"}"#
    );
    assert_eq!(answer.joined("/delta/thinking"), "Two cities.");
    assert_eq!(answer.joined("/delta/text"), "Let me look.");
    let end = &events[events.len() - 2];
    assert_eq!(end["delta"]["stop_reason"], "tool_use");
    assert_eq!(end["usage"]["output_tokens"], 7);
}

#[tokio::test]
async fn request_shows_question_and_results() {
    let provider = FakeProvider::start(|request| {
        let question = request.question();
        let results = request.results().join(", ");
        ProviderReply::new().text(format!("{question} {results}"))
    })
    .await;
    for api in ProviderApi::ALL {
        let mut messages = vec![user(api, "first")];
        messages.extend(called(api, "c1", "old"));
        // Roles alternate in Messages, so that the next text follows the result in one message.
        match api {
            ProviderApi::Messages => {
                let text = json!({"type": "text", "text": "second"});
                let content = messages[2]["content"].as_array_mut().unwrap();
                content.push(text);
            }
            ProviderApi::ChatCompletions | ProviderApi::Responses => {
                messages.push(user(api, "second"));
            }
        }
        messages.extend(called(api, "c2", "one"));
        messages.extend(called(api, "c3", "two"));
        let answer = ask(&provider, api, &body(api, &messages)).await;
        assert_eq!(answer.status, 200, "{api:?}: {}", answer.body);
    }
    for request in provider.requests() {
        assert_eq!(request.question(), "second", "{request:?}");
        assert_eq!(request.results(), ["one", "two"]);
        assert_eq!(request.tools(), ["weather"]);
        assert_eq!(request.system(), None);
    }
}

#[tokio::test]
async fn system_text_is_found_in_each_api() {
    let provider = FakeProvider::start(|_| ProviderReply::new()).await;
    let mut bodies = ProviderApi::ALL.map(|api| (api, hello(api)));
    let system = json!({"role": "system", "content": "Be kind."});
    let messages = bodies[0].1["messages"].as_array_mut().unwrap();
    messages.insert(0, system);
    bodies[1].1["instructions"] = json!("Be kind.");
    bodies[2].1["system"] = json!("Be kind.");
    for (api, body) in bodies {
        assert_eq!(ask(&provider, api, &body).await.status, 200);
    }
    let systems = provider.requests().into_iter().map(|it| it.system());
    assert_eq!(
        systems.collect::<Vec<_>>(),
        vec![Some("Be kind.".to_owned()); 3]
    );
}

#[tokio::test]
async fn refusal_has_the_body_and_headers_of_the_api() {
    let provider = FakeProvider::start(|request| match request.question().as_str() {
        "hello" => ProviderReply::refused(429).retry_after(2),
        _ => ProviderReply::refused(500),
    })
    .await;
    for api in ProviderApi::ALL {
        let limited = ask(&provider, api, &hello(api)).await;
        let failed = ask(&provider, api, &body(api, &[user(api, "again")])).await;
        assert_eq!((limited.status, failed.status), (429, 500));
        assert!(limited.head.contains("retry-after: 2"), "{}", limited.head);
        assert!(!failed.head.contains("retry-after"), "{}", failed.head);
        let error: Value = serde_json::from_str(&limited.body).unwrap();
        let kind = match api {
            ProviderApi::Messages => json!("rate_limit_error"),
            ProviderApi::ChatCompletions | ProviderApi::Responses => json!("requests"),
        };
        assert_eq!(error["error"]["type"], kind);
    }
}

#[tokio::test]
async fn wrong_key_is_answered_with_401() {
    let provider = FakeProvider::start(|_| ProviderReply::new()).await;
    for api in ProviderApi::ALL {
        let headers = "Authorization: Bearer other\r\nx-api-key: other\r\n";
        let answer = send(&provider, api, &hello(api), headers).await;
        assert_eq!(answer.status, 401, "{api:?}");
    }
    assert!(provider.requests().is_empty());
}

#[tokio::test]
async fn mismatches_are_refused_and_reported() {
    let provider = FakeProvider::start(|_| ProviderReply::new()).await;
    for api in ProviderApi::ALL {
        let with = |member: &str, value: Value| {
            let mut body = hello(api);
            body[member] = value;
            body
        };
        let orphan = called(api, "c1", "18").remove(1);
        let open = called(api, "c1", "18").remove(0);
        let mut bad_schema = tool(api);
        let holder = match api {
            ProviderApi::ChatCompletions => &mut bad_schema["function"]["parameters"],
            ProviderApi::Responses => &mut bad_schema["parameters"],
            ProviderApi::Messages => &mut bad_schema["input_schema"],
        };
        holder["properties"]["city"]["type"] = json!("text");
        let wrong = [
            ("an unknown member", with("temprature", json!(1))),
            ("a wrong range", with("temperature", json!(3))),
            ("no stream", with("stream", json!(false))),
            ("no model", with("model", Value::Null)),
            ("a tool twice", with("tools", json!([tool(api), tool(api)]))),
            (
                "a tool of another API",
                with("tools", json!([{"name": "x", "args": {}}])),
            ),
            ("a bad schema", with("tools", json!([bad_schema]))),
            (
                "a result without a call",
                body(api, &[user(api, "hello"), orphan]),
            ),
            (
                "a call without a result",
                body(api, &[user(api, "hello"), open]),
            ),
        ];
        for (what, body) in wrong {
            let answer = ask(&provider, api, &body).await;
            assert_eq!(answer.status, 400, "{api:?}: {what}");
            let mismatches = provider.take_mismatches();
            assert_eq!(mismatches.len(), 1, "{api:?}: {what}: {mismatches:?}");
        }
    }
    let text = json!("no object");
    let answer = ask(&provider, ProviderApi::Messages, &text).await;
    assert_eq!(answer.status, 400);
    assert_eq!(provider.take_mismatches().len(), 1);
}

#[tokio::test]
#[should_panic(expected = "requests did not fit the API")]
async fn drop_fails_the_test_after_a_mismatch() {
    let provider = FakeProvider::start(|_| ProviderReply::new()).await;
    let api = ProviderApi::Messages;
    ask(&provider, api, &json!({"model": "fake-1"})).await;
}

#[tokio::test]
async fn endings_differ_as_in_the_published_apis() {
    let provider = FakeProvider::start(|request| {
        let reply = ProviderReply::new().text("It all began");
        match request.question().as_str() {
            "error" => reply.error("overloaded"),
            "early" => reply.end_early(),
            _ => reply.break_off(),
        }
    })
    .await;
    for api in ProviderApi::ALL {
        let of = |text| body(api, &[user(api, text)]);
        let error = ask(&provider, api, &of("error")).await;
        let last = error.events().pop().unwrap();
        let message = last.pointer("/error/message").unwrap_or(&last["message"]);
        assert_eq!(message, "overloaded", "{last}");
        assert!(error.is_whole);
        let early = ask(&provider, api, &of("early")).await;
        assert!(early.is_whole && early.body.contains("began"));
        for end in ["[DONE]", "response.completed", "message_stop"] {
            assert!(!early.body.contains(end), "{}", early.body);
        }
        let broken = ask(&provider, api, &of("break")).await;
        assert!(!broken.is_whole, "{}", broken.body);
    }
}

#[tokio::test]
async fn hanging_answer_ends_when_the_client_leaves() {
    let provider = FakeProvider::start(|_| ProviderReply::new().text("Well").hang()).await;
    let api = ProviderApi::ChatCompletions;
    let hello = hello(api);
    let asked = ask(&provider, api, &hello);
    let until_asked = async {
        while provider.requests().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = asked => panic!("it hangs"),
        () = until_asked => {}
    }
    provider.hung_up(1).await;
}
