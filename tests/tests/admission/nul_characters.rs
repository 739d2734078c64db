//! U+0000, which is removed from every text.

use crate::fixtures::{ServerFixture, cases, create, scope};
use dooers::prelude::*;
use dooers::protocol::{ContentPart, User};
use dooers::repository::RepositoryError;
use dooers::{DispatchError, DispatchEvent};
use dooers_tests::with;
use dooers_tests::{Identity, within};
use futures::StreamExt;
use serde_json::{Value, json};

cases![
    incomplete_unicode_escape_is_rejected,
    nul_in_client_frame_is_removed,
    id_with_nul_is_rejected,
    duplicate_json_keys_are_rejected,
    nul_in_handler_reply_is_removed,
    nul_in_public_error_is_removed,
    nul_in_dispatch_is_removed,
    nul_in_repository_call_is_removed,
    nul_in_setting_is_removed,
];

/// Returns true if a frame contains an escape of U+0000.
pub(crate) fn has_nul(text: &str) -> bool {
    text.contains('\0') || text.replace(r"\\", "").contains(r"\u0000")
}

async fn incomplete_unicode_escape_is_rejected(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    for escape in [
        r"a\u00\u000000b",
        r"\u0\u0000000",
        r"\u\u00000000",
        r"\u000\u00000",
        r"\u00",
        r"\u000g",
        r"\x41",
        r"\0",
        r"\'",
        r"\U0041",
        r"\u{41}",
        r"\u+041",
        r"\ud83d\u00\u0000000",
    ] {
        for frame in [
            create("", "").replace("hello", escape),
            create(&format!(r#","data":{{"{escape}":1}}"#), ""),
            create("", &format!(r#","client_event_id":"{escape}""#)),
            create("", &format!(r#","unknown":"{escape}""#)),
            create("", "").replacen('{', &format!(r#"{{"{escape}":0,"#), 1),
        ] {
            client.send_text(&frame).await;
            assert_eq!(client.expect_error("").await.0, "INVALID_FRAME", "{frame}");
        }
    }
    client.expect_nothing().await;
    client.disconnect().await;
}

async fn nul_in_client_frame_is_removed(fixture: &ServerFixture) {
    let mut client = fixture.server.client("ada").await;
    let data = json!({"a\0": ["\0", {"\0b": "c\0d"}], "e": "\\u0000"});
    let content = json!([
        {"type": "text", "text": "he\0llo\0"},
        {"type": "image", "url": "u\0", "alt": "\0a", "filename": "f\0", "mime_type": "m\0", "ref_id": "r\0"},
        {"type": "audio", "url": "u\0"},
        {"type": "document", "url": "u\0", "filename": "\0f"},
    ]);
    let event = json!({"type": "message", "actor": "user", "content": content, "data": data});
    let payload = json!({"event": event, "metadata": data, "client_event_id": "once"});
    client
        .send_expecting_ack("event.create", payload.clone())
        .await;
    let frames = client.read_turn().await;
    // A repeat is compared with the stored message.
    client.send_expecting_ack("event.create", payload).await;
    client.expect("event.append").await;
    assert!(
        frames.iter().all(|frame| !has_nul(&frame.to_string())),
        "{frames:?}"
    );
    let thread = frames
        .iter()
        .find(|frame| frame["type"] == "thread.upsert")
        .unwrap();
    let clean = json!({"a": ["", {"b": "cd"}], "e": "\\u0000"});
    assert_eq!(thread["payload"]["thread"]["metadata"], clean);
    let event = frames
        .iter()
        .find(|frame| frame["type"] == "event.append")
        .unwrap();
    let event = &event["payload"]["events"][0];
    assert_eq!(event["data"], clean);
    assert_eq!(
        event["content"],
        json!([
            {"type": "text", "text": "hello"},
            {"type": "image", "url": "u", "alt": "a", "filename": "f", "mime_type": "m", "ref_id": "r"},
            {"type": "audio", "url": "u"},
            {"type": "document", "url": "u", "filename": "f"},
        ])
    );
    client.disconnect().await;
}

async fn id_with_nul_is_rejected(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    let thread_id = client.start_thread("hello").await;
    let nul = format!("{thread_id}\0");
    let message =
        json!({"type": "message", "actor": "user", "content": [{"type": "text", "text": "x"}]});
    for (kind, payload) in [
        ("event.create", json!({"thread_id": nul, "event": message})),
        (
            "event.create",
            json!({"client_event_id": "\0", "event": message}),
        ),
        ("event.list", json!({"thread_id": nul})),
        (
            "event.list",
            json!({"thread_id": thread_id, "before_event_id": nul}),
        ),
        ("thread.subscribe", json!({"thread_id": nul})),
        (
            "thread.subscribe",
            json!({"thread_id": thread_id, "after_event_id": "\0"}),
        ),
        ("thread.unsubscribe", json!({"thread_id": nul})),
        (
            "thread.update",
            json!({"thread_id": nul, "title": "A title"}),
        ),
        ("thread.delete", json!({"thread_id": nul})),
        ("run.cancel", json!({"run_id": "\0"})),
        ("run.cancel", json!({"event_id": "\0"})),
        (
            "settings.patch",
            json!({"field_id": "greeting\0", "value": "x"}),
        ),
    ] {
        assert_eq!(
            client.send_expecting_error(kind, payload.clone()).await,
            "INVALID_PAYLOAD",
            "{kind} {payload}"
        );
    }
    for id in [r"x\u0000", r"\u0000"] {
        client
            .send_text(format!(r#"{{"id":"{id}","type":"ping"}}"#))
            .await;
        assert_eq!(client.expect_error("").await.0, "INVALID_PAYLOAD");
    }
    client.send_text(r#"{"id":"x","type":"pi\u0000ng"}"#).await;
    let (code, shown) = client.expect_error("x").await;
    assert_eq!(code, "INVALID_FRAME");
    assert_eq!(shown, "there is no frame type `ping`");
    client.expect_nothing().await;
    let ada = Identity::of("ada");
    for identity in [
        Identity::of("a\0da"),
        Identity::of("a\0da").flat(),
        Identity::of("a\0da").nested_in_metadata(),
        ada.clone().with("agent_id", "w\x001"),
        ada.clone().with("organization_id", "o1\0"),
        ada.clone().with("workspace_id", "\0s1"),
        ada.clone()
            .with("user", json!({"user_id": "ada", "identity_ids": ["x\0"]})),
        ada.clone().with(
            "user",
            json!({"user_id": "ada", "organization_role": "own\0er"}),
        ),
    ] {
        let refusal = client
            .send_expecting_error("connect", identity.payload())
            .await;
        assert_eq!(refusal, "INVALID_PAYLOAD", "{identity:?}");
    }
    // A name is a text. Ignored members may contain anything.
    let named = json!({"user_id": "ada", "user_name": "A\0da", "user_email": "\0"});
    let ada = ada.with("auth_token", "\0").with("wor\0ker_id", "w2");
    client.connect(ada.with("user", named)).await;
    client
        .send_expecting_ack("event.create", json!({"event": message}))
        .await;
    let thread = client.expect("thread.upsert").await;
    assert_eq!(thread["thread"]["owner"]["user_name"], "Ada");
    assert_eq!(thread["thread"]["owner"]["user_email"], "");
    client.read_turn().await;
    client.disconnect().await;
}

async fn duplicate_json_keys_are_rejected(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    client
        .send_text(create(r#","data":{"a":{"k":1,"k\u0000":2}}"#, ""))
        .await;
    let (code, message) = client.expect_error("x").await;
    assert_eq!(code, "INVALID_PAYLOAD");
    assert_eq!(
        message,
        "`payload.event.data` has two members that are called `k` once U+0000 is removed from their names; rename one"
    );
    client.expect_nothing().await;
    client.disconnect().await;
    let twice = json!({"k": 1, "\0k": 2});
    let refusal = fixture.dispatch().message("hello").data(twice).send().await;
    assert!(
        matches!(refusal, Err(DispatchError::Invalid(_))),
        "{refusal:?}"
    );
}

/// All events of a thread as JSON values. Fails if any contains U+0000.
async fn stored_events(fixture: &ServerFixture, thread_id: &str) -> Vec<Value> {
    let events = fixture
        .repository
        .events(&scope(), thread_id)
        .oldest_first();
    let events = events.limit(100).await.unwrap().items;
    let events: Vec<_> = events
        .iter()
        .map(|event| serde_json::to_value(event).unwrap())
        .collect();
    assert!(!has_nul(&json!(events).to_string()), "{events:#?}");
    events
}

async fn nul_in_handler_reply_is_removed(fixture: &ServerFixture) {
    let mut client = fixture
        .server
        .client(Identity::of("ada").with_deltas())
        .await;
    let id = client.send("settings.subscribe", json!({})).await;
    client.expect("settings.snapshot").await;
    client.expect_ack(&id).await;
    let id = client.send_message(None, "nul").await;
    client.expect_ack(&id).await;
    let frames = client.read_turn().await;
    for frame in &frames {
        assert!(!has_nul(&frame.to_string()), "{frame}");
    }
    let patches = frames
        .iter()
        .filter(|frame| frame["type"] == "settings.patch");
    let patches: Vec<_> = patches.map(|frame| &frame["payload"]["value"]).collect();
    assert_eq!(patches, [&json!("gr"), &Value::Null]);
    let key = fixture.repository.setting(&scope(), "key").await.unwrap();
    assert_eq!(key, "secret");

    let thread_id = frames[0]["payload"]["thread"]["id"].as_str().unwrap();
    let thread = fixture
        .repository
        .thread(&scope(), thread_id)
        .await
        .unwrap();
    assert_eq!(thread.title.as_deref(), Some("title"));
    assert_eq!(thread.metadata, Some(json!({"k": [""]})));
    let events = stored_events(fixture, thread_id).await;
    let text = |at: usize| events[at]["content"][0]["text"].as_str().unwrap();
    assert_eq!((text(1), &events[1]["author"]), ("text", &json!("author")));
    assert_eq!(text(2), "reason");
    assert_eq!(
        events[3]["content"],
        json!([{"type": "document", "url": "url", "filename": "file"}])
    );
    let call = json!({"id": "c", "name": "tool", "display_name": "T", "args": {"a": "b"}});
    assert_eq!(events[4]["data"], call);
    assert_eq!(events[5]["data"]["result"], "result");
    assert_eq!(events[6]["data"]["message"], "Who?");
    assert_eq!(events[6]["data"]["elements"][0]["name"], "name");
    assert_eq!((text(7), &events[7]["author"]), ("piece", &json!("grower")));
    client.disconnect().await;
}

async fn nul_in_public_error_is_removed(fixture: &ServerFixture) {
    let turn = fixture.dispatch().message("public").send().await.unwrap();
    let thread_id = turn.thread_id().to_owned();
    let received: Vec<_> = within("the end", StreamExt::collect::<Vec<_>>(turn)).await;
    let runs = received.iter().filter_map(|received| match received {
        Ok(DispatchEvent::Run(run)) => run.error.as_deref(),
        _ => None,
    });
    assert_eq!(runs.collect::<Vec<_>>(), ["nobody"], "{received:#?}");
    let events = stored_events(fixture, &thread_id).await;
    assert_eq!(events[1]["content"][0]["text"], "nobody");
}

async fn nul_in_dispatch_is_removed(fixture: &ServerFixture) {
    let dispatch = || {
        let user = with!(User {
            user_name: Some("A\0da".to_owned()),
            ..User::new("ada")
        });
        fixture
            .dispatch()
            .user(user)
            .message("he\0llo")
            .content([ContentPart::image("u\0")])
            .title("ti\0tle")
            .metadata(json!({"\0m": "\0"}))
            .data(json!(["\0"]))
            .idempotency_key("once")
    };
    let turn = dispatch().send().await.unwrap();
    let thread_id = turn.thread_id().to_owned();
    within("the end", turn.collect()).await.unwrap();
    let again = dispatch().send().await.unwrap();
    assert!(again.is_repeated());
    within("the end", again.collect()).await.unwrap();
    let thread = fixture
        .repository
        .thread(&scope(), &thread_id)
        .await
        .unwrap();
    assert_eq!(thread.title.as_deref(), Some("title"));
    assert_eq!(thread.metadata, Some(json!({"m": ""})));
    let events = stored_events(fixture, &thread_id).await;
    assert_eq!(
        events[0]["content"],
        json!([{"type": "text", "text": "hello"}, {"type": "image", "url": "u"}])
    );
    assert_eq!(events[0]["data"], json!([""]));
    assert_eq!(events[0]["user"]["user_name"], "Ada");

    let message = || fixture.dispatch().message("hello");
    for (dispatch, what) in [
        (message().worker("w1\0"), "worker"),
        (message().organization("\0o1"), "organization"),
        (message().workspace("s\x001"), "workspace"),
        (message().user("a\0da"), "user"),
        (message().thread("\0"), "thread"),
        (message().idempotency_key("\0once"), "idempotency_key"),
    ] {
        let refusal = dispatch.send().await;
        assert!(
            matches!(&refusal, Err(DispatchError::Invalid(text)) if text.starts_with(&format!("`{what}` contains U+0000"))),
            "{refusal:?}"
        );
    }
}

async fn nul_in_repository_call_is_removed(fixture: &ServerFixture) {
    let repository = &fixture.repository;
    let named = with!(User {
        user_name: Some("A\0da".to_owned()),
        ..User::new("ada")
    });
    let made = repository
        .create_thread(&scope())
        .title("ti\0tle")
        .metadata(json!({"\0m": "\0"}))
        .owner(named.clone());
    let thread = made.await.unwrap();
    assert_eq!(thread.title.as_deref(), Some("title"));
    assert_eq!(thread.metadata, Some(json!({"m": ""})));
    assert_eq!(thread.owner.user_name.as_deref(), Some("Ada"));
    let id = thread.id;
    let reply = Reply::text("a\0b").author("au\0thor");
    let event = repository
        .create_event(&scope(), &id, reply)
        .user(named)
        .await
        .unwrap();
    assert_eq!(event.content, Some(vec![ContentPart::text("ab")]));
    assert_eq!(event.author.as_deref(), Some("author"));
    assert_eq!(event.user.unwrap().user_name.as_deref(), Some("Ada"));
    let event = repository
        .update_event(&scope(), &id, &event.id, |event| {
            event.text("c\0").data(json!({"\0": 1}))
        })
        .await
        .unwrap();
    assert_eq!(event.content, Some(vec![ContentPart::text("c")]));
    assert_eq!(event.data, Some(json!({"": 1})));
    let thread = repository
        .update_thread(&scope(), &id, |thread| thread.title("\0new"))
        .await
        .unwrap();
    assert_eq!(thread.title.as_deref(), Some("new"));
    let run = repository
        .create_run(&scope(), &id)
        .agent("pack\0er")
        .await
        .unwrap();
    assert_eq!(run.agent_id.as_deref(), Some("packer"));
    let run = repository
        .update_run(&scope(), &id, &run.id, |run| run.failed("bro\0ken"))
        .await
        .unwrap();
    assert_eq!(run.error.as_deref(), Some("broken"));
    stored_events(fixture, &id).await;

    let is_invalid = |result: Result<(), RepositoryError>| {
        assert!(
            matches!(result, Err(RepositoryError::Invalid(_))),
            "{result:?}"
        );
    };
    is_invalid(repository.create_thread(&scope()).id("t\0").await.map(drop));
    is_invalid(
        repository
            .create_thread(&scope())
            .owner("a\0da")
            .await
            .map(drop),
    );
    let elsewhere = scope().organization("o\x001");
    is_invalid(repository.create_thread(&elsewhere).await.map(drop));
    is_invalid(
        repository
            .create_run(&scope(), &id)
            .id("r\0")
            .await
            .map(drop),
    );
    let reply = || Reply::text("text");
    is_invalid(
        repository
            .create_event(&scope(), &id, reply())
            .id("e\0")
            .await
            .map(drop),
    );
    is_invalid(
        repository
            .create_event(&scope(), &id, reply())
            .user("a\0da")
            .await
            .map(drop),
    );
}

async fn nul_in_setting_is_removed(fixture: &ServerFixture) {
    let repository = &fixture.repository;
    repository
        .set_setting(&scope(), "greeting", "a\0b")
        .await
        .unwrap();
    assert_eq!(
        repository.setting(&scope(), "greeting").await.unwrap(),
        "ab"
    );
    let mut client = fixture.client().await;
    let patch = json!({"field_id": "greeting", "value": "c\0d"});
    client.send_expecting_ack("settings.patch", patch).await;
    assert_eq!(client.expect("settings.patch").await["value"], "cd");
    assert_eq!(
        repository.setting(&scope(), "greeting").await.unwrap(),
        "cd"
    );
    client.disconnect().await;
    let elsewhere = dooers::repository::Scope::everyone::<crate::fixtures::writer>("w\x001");
    let set = repository.set_setting(&elsewhere, "greeting", "a").await;
    assert!(set.is_err());
}
