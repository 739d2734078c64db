//! The depth limit of JSON values.

use crate::fixtures::{ServerFixture, cases, create, nested, returner, scope, writer};
use dooers::prelude::*;
use dooers::protocol::ErrorCode;
use dooers::repository::RepositoryError;
use dooers::store::{EventPatch, ThreadEdit, ThreadPatch};
use dooers::testing::{TestMessage, TestServer, TestUser};
use dooers::{Database, DispatchError, DispatchEvent};
use dooers_tests::within;
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::Arc;

cases![
    client_data_nests_at_most_120_levels,
    client_metadata_nests_at_most_120_levels,
    client_settings_nest_at_most_120_levels,
    dispatch_nests_at_most_120_levels,
    handler_data_nests_at_most_120_levels,
    repository_data_nests_at_most_120_levels,
    broadcast_nests_at_most_120_levels,
    endless_nesting_does_not_overflow_the_stack,
    stored_json_over_the_depth_limit_is_readable,
];

/// The nesting depth of a JSON text.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth -= 1,
            _ => {}
        }
    }
    deepest
}

async fn client_data_nests_at_most_120_levels(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    for levels in [121, 124, 125] {
        let data = nested(levels);
        client
            .send_text(create(&format!(r#","data":{data}"#), ""))
            .await;
        let (code, message) = client.expect_error("x").await;
        assert_eq!(code, "INVALID_PAYLOAD", "{levels}");
        assert_eq!(
            message,
            "`payload.event.data` is nested deeper than 120 levels; make it flatter, or send it as a text"
        );
    }
    client.expect_nothing().await;
    let data = nested(120);
    client
        .send_text(create(&format!(r#","data":{data}"#), ""))
        .await;
    client.expect_ack("x").await;
    let mut deepest = 0;
    let mut shown = None;
    while shown.is_none() {
        let text = client.next_text().await;
        deepest = deepest.max(depth(&text));
        let frame: Value = serde_json::from_str(&text).unwrap();
        if frame["type"] == "event.append" {
            shown = Some(frame["payload"]["events"][0]["data"].clone());
        }
    }
    assert_eq!(shown, Some(data));
    assert!((120..=128).contains(&deepest), "{deepest}");
    client.disconnect().await;
}

async fn client_metadata_nests_at_most_120_levels(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    let deep = nested(121);
    let beside =
        create("", "").replacen(r#""id":"x""#, &format!(r#""id":"x","metadata":{deep}"#), 1);
    for frame in [create("", &format!(r#","metadata":{deep}"#)), beside] {
        client.send_text(frame).await;
        let (code, message) = client.expect_error("x").await;
        assert_eq!(code, "INVALID_PAYLOAD");
        assert!(
            message.starts_with("`payload.metadata` is nested"),
            "{message}"
        );
    }
    let metadata = nested(120);
    client
        .send_text(create("", &format!(r#","metadata":{metadata}"#)))
        .await;
    client.expect_ack("x").await;
    let upsert = client.expect("thread.upsert").await;
    assert_eq!(upsert["thread"]["metadata"], metadata);
    client.read_turn().await;
    let list = client
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["threads"][0]["metadata"], metadata);
    client.disconnect().await;
}

async fn client_settings_nest_at_most_120_levels(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    for (levels, refusal) in [
        (1, "INVALID_VALUE"),
        (120, "INVALID_VALUE"),
        (121, "INVALID_PAYLOAD"),
    ] {
        let payload = json!({"field_id": "greeting", "value": nested(levels)});
        assert_eq!(
            client.send_expecting_error("settings.patch", payload).await,
            refusal,
            "{levels}"
        );
    }
    client.disconnect().await;
}

async fn dispatch_nests_at_most_120_levels(fixture: &ServerFixture) {
    for levels in [121, 128, 200] {
        for dispatch in [
            fixture.dispatch().message("hello").data(nested(levels)),
            fixture.dispatch().message("hello").metadata(nested(levels)),
        ] {
            let refusal = dispatch.send().await.unwrap_err();
            assert!(matches!(refusal, DispatchError::Invalid(_)), "{refusal:?}");
            assert!(
                refusal.to_string().contains("deeper than 120 levels"),
                "{refusal}"
            );
        }
    }
    let deep = nested(120);
    let sent = fixture
        .dispatch()
        .message("tool 120")
        .data(deep.clone())
        .metadata(deep.clone());
    let mut turn = sent.send().await.unwrap();
    let mut received = Vec::new();
    while let Some(event) = within("an event", turn.next()).await {
        if let DispatchEvent::Event(event) = event.unwrap() {
            received.push(event.data.unwrap()["result"].clone());
        }
    }
    assert_eq!(received, [nested(119)]);
    let thread = fixture.repository.thread(&scope(), turn.thread_id()).await;
    assert_eq!(thread.unwrap().metadata, Some(deep.clone()));
    let message = fixture
        .repository
        .event(&scope(), turn.thread_id(), turn.event_id())
        .await;
    assert_eq!(message.unwrap().data, Some(deep));
}

async fn handler_data_nests_at_most_120_levels(fixture: &ServerFixture) {
    let message = |command: &str, levels: usize| match command {
        "returned" => fixture
            .dispatch_to::<returner>()
            .message(levels.to_string()),
        _ => fixture.dispatch().message(format!("{command} {levels}")),
    };
    for command in ["tool", "unawaited", "returned", "patch"] {
        for levels in [121, 123, 124, 200] {
            let message = message(command, levels);
            let turn = message.send().await.unwrap();
            let error = within("the end", turn.collect()).await.unwrap_err();
            let reason = error.agent_error().expect("the handler failed").to_string();
            assert!(
                reason.contains("deeper than 120 levels"),
                "{command} {levels}: {reason}"
            );
        }
        let turn = message(command, 120).send().await.unwrap();
        within("the end", turn.collect()).await.unwrap();
    }
}

async fn repository_data_nests_at_most_120_levels(fixture: &ServerFixture) {
    let repository = &fixture.repository;
    let call = || ToolCall::new("c", "tool", json!({}));
    let invalid = |error: RepositoryError| {
        assert!(matches!(error, RepositoryError::Invalid(_)), "{error:?}");
        assert!(
            error.to_string().contains("deeper than 120 levels"),
            "{error}"
        );
    };
    for levels in [121, 128, 1000] {
        let made = repository.create_thread(&scope()).metadata(nested(levels));
        invalid(made.await.unwrap_err());
        let thread = repository.create_thread(&scope()).await.unwrap().id;
        let deep = Reply::tool_result(call(), nested(levels - 1));
        invalid(
            repository
                .create_event(&scope(), &thread, deep)
                .await
                .unwrap_err(),
        );
        let event = Reply::tool_result(call(), nested(119));
        let event = repository
            .create_event(&scope(), &thread, event)
            .await
            .unwrap();
        assert_eq!(event.data.unwrap()["result"], nested(119));
        let updated = repository
            .update_event(&scope(), &thread, &event.id, |event| {
                event.data(nested(levels))
            })
            .await;
        invalid(updated.unwrap_err());
        let updated = repository
            .update_thread(&scope(), &thread, |thread| thread.metadata(nested(levels)))
            .await;
        invalid(updated.unwrap_err());
        let set = repository
            .set_setting(&scope(), "greeting", nested(levels))
            .await;
        assert!(
            set.unwrap_err()
                .to_string()
                .contains("deeper than 120 levels")
        );
    }
}

async fn broadcast_nests_at_most_120_levels(fixture: &ServerFixture) {
    let broadcast = fixture.server.worker().broadcast().await.unwrap();
    let made = broadcast
        .create_thread(&scope())
        .metadata(nested(121))
        .await;
    assert!(matches!(made, Err(RepositoryError::Invalid(_))), "{made:?}");
    let made = broadcast.create_thread(&scope()).metadata(nested(120));
    let thread = made.await.unwrap().id;
    for (args, result, fits) in [(119, 119, true), (120, 1, false), (1, 120, false)] {
        let call = ToolCall::new("c", "tool", nested(args));
        let event = Reply::tool_transaction(call, nested(result));
        let sent = broadcast.send_event(&scope(), &thread, event).await;
        assert_eq!(sent.is_ok(), fits, "{args} {result}: {sent:?}");
    }
    let patched = broadcast
        .send_thread_update(&scope(), &thread, |thread| thread.metadata(nested(121)))
        .await;
    assert!(
        matches!(patched, Err(RepositoryError::Invalid(_))),
        "{patched:?}"
    );
    // The values of a form answer are three levels below the root of the limited data.
    let mut client = fixture.client().await;
    let values = nested(119);
    let data = json!({"form_event_id": "f", "values": {"a": values}});
    let event = json!({"type": "form.response", "actor": "user", "content": [], "data": data});
    let payload = json!({"thread_id": thread, "event": event});
    assert_eq!(
        client.send_expecting_error("event.create", payload).await,
        "INVALID_PAYLOAD"
    );
    client.disconnect().await;
}

async fn endless_nesting_does_not_overflow_the_stack(fixture: &ServerFixture) {
    const ENDLESS: usize = 100_000;
    let repository = &fixture.repository;
    let sent = fixture.dispatch().message("hello").data(nested(ENDLESS));
    assert!(matches!(sent.send().await, Err(DispatchError::Invalid(_))));
    let sent = fixture
        .dispatch()
        .message("hello")
        .metadata(nested(ENDLESS));
    assert!(matches!(sent.send().await, Err(DispatchError::Invalid(_))));
    let thread = repository.create_thread(&scope()).await.unwrap().id;
    let call = ToolCall::new("c", "tool", nested(ENDLESS));
    let reply = Reply::tool_result(call, nested(ENDLESS));
    assert!(
        repository
            .create_event(&scope(), &thread, reply)
            .await
            .is_err()
    );
    let set = repository
        .set_setting(&scope(), "greeting", nested(ENDLESS))
        .await;
    assert!(set.is_err());
    let turn = fixture
        .dispatch()
        .message(format!("tool {ENDLESS}"))
        .send()
        .await
        .unwrap();
    assert!(within("the end", turn.collect()).await.is_err());
}

/// JSON that earlier versions stored without the limit.
async fn stored_json_over_the_depth_limit_is_readable(fixture: &ServerFixture) {
    let deep = nested(127);
    let thread = fixture.repository.create_thread(&scope()).await.unwrap().id;
    let said = Reply::tool_result(ToolCall::new("c", "tool", json!({})), json!(0));
    let said = fixture
        .repository
        .create_event(&scope(), &thread, said)
        .await
        .unwrap();
    let at = said.created_at;
    let patch = ThreadPatch::default().metadata(deep.clone());
    let event_patch = EventPatch::default().data(deep.clone());
    for edit in [
        ThreadEdit::Patch { patch, at },
        ThreadEdit::UpdateEvent {
            event_id: said.id.clone(),
            patch: event_patch,
        },
    ] {
        fixture
            .store
            .edit_thread(&scope(), &thread, edit)
            .await
            .unwrap();
    }
    let read = fixture
        .repository
        .event(&scope(), &thread, &said.id)
        .await
        .unwrap();
    assert_eq!(read.data.as_ref(), Some(&deep));
    let read = fixture.repository.thread(&scope(), &thread).await.unwrap();
    assert_eq!(read.metadata.as_ref(), Some(&deep));

    // The thread row is published during the turn.
    let mut turn = fixture
        .dispatch()
        .thread(&thread)
        .message("hello")
        .send()
        .await
        .unwrap();
    let mut published = Vec::new();
    while let Some(event) = within("an event", turn.next()).await {
        if let DispatchEvent::Thread(thread) = event.unwrap() {
            published.push(thread.metadata);
        }
    }
    assert_eq!(published.first(), Some(&Some(deep.clone())));

    let test = TestServer::of::<writer>().database(Database::Custom(Arc::clone(&fixture.store)));
    let test = test.await;
    let user = TestUser::new("ada")
        .worker("w1")
        .organization("o1")
        .workspace("s1");
    let mut ada = test.connect(user).await;
    ada.subscribe(&thread).await.unwrap();
    let conversation = ada.conversation();
    assert_eq!(conversation.events()[0].data.as_ref(), Some(&deep));
    let metadata = conversation.thread().unwrap().metadata.as_ref();
    assert_eq!(metadata, Some(&deep));
    ada.say("tool 120").await;
    let refusal = ada
        .try_send(TestMessage::text("hello").data(nested(121)))
        .await;
    assert_eq!(refusal.unwrap_err().code, ErrorCode::InvalidPayload);
    let refusal = ada.try_send(" \u{200b}").await;
    assert_eq!(refusal.unwrap_err().code, ErrorCode::InvalidPayload);
}
