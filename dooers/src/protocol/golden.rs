//! Golden files of every frame and object.
//!
//! Each file under `golden/` contains frames as `docs/protocol.md` describes them.
//! `UPDATE_EXPECT=1 cargo test -p dooers golden` records them again. Read the difference before you commit it.

use super::{
    Actor, AnalyticsEvent, AskedForm, Audience, ChoiceVariant, ContentPart, ErrorBody, ErrorCode,
    EventType, FeedbackTargetType, FeedbackValue, FeedbackView, Form, FormChoice, FormElement,
    FormInput, FormSize, ModelUsage, PublicSchema, Run, RunStatus, ServerFrame, ServerInfo,
    TextInputType, Thread, ThreadEvent, ThreadView, Usage, User, timestamp,
};
use crate::handler::{Reply, ToolCall};
use crate::settings::{Collapsible, Field, Group, SettingsSchema, SettingsValues};
use chrono::{DateTime, TimeDelta, Utc};
use expect_test::{ExpectFile, expect_file};
use rust_decimal::Decimal;
use serde_json::{Value, json};

fn at() -> DateTime<Utc> {
    timestamp::from_micros(1_770_788_949_123_456)
}

fn user() -> User {
    let mut user = User::new("u1");
    user.user_name = Some("Ada".to_owned());
    user.user_email = Some("ada@example.org".to_owned());
    user.identity_ids = vec!["other-1".to_owned()];
    user
}

fn thread() -> Thread {
    Thread {
        id: "t1".to_owned(),
        worker_id: "w1".to_owned(),
        agent_id: "w1".to_owned(),
        organization_id: "o1".to_owned(),
        workspace_id: "s1".to_owned(),
        owner: user(),
        users: vec![user()],
        title: None,
        metadata: Some(json!({"source": "web"})),
        created_at: at(),
        updated_at: at(),
        last_event_at: at(),
    }
}

fn event(reply: impl Into<Reply>) -> ThreadEvent {
    let reply = reply.into();
    ThreadEvent {
        id: "e2".to_owned(),
        thread_id: "t1".to_owned(),
        run_id: Some("r1".to_owned()),
        kind: reply.kind,
        actor: reply.actor,
        author: reply.author,
        user: None,
        content: reply.content,
        data: reply.data,
        created_at: at(),
        streaming: None,
        finalized: None,
        delta_seq: None,
        deleted: None,
        client_event_id: None,
        seq: 2,
    }
}

fn users_event() -> ThreadEvent {
    ThreadEvent {
        id: "e1".to_owned(),
        run_id: None,
        actor: Actor::User,
        author: user().author(),
        user: Some(user()),
        client_event_id: Some("c1".to_owned()),
        seq: 1,
        ..event(Reply::text("hello"))
    }
}

fn run(status: RunStatus, error: Option<&str>) -> Run {
    Run {
        id: "r1".to_owned(),
        thread_id: "t1".to_owned(),
        event_id: Some("e1".to_owned()),
        agent_id: Some("echo".to_owned()),
        status,
        started_at: at(),
        ended_at: (status != RunStatus::Running).then(at),
        error: error.map(str::to_owned),
        usage: Vec::new(),
    }
}

/// Compares the frames as a client receives them, with a fixed id and formatted for readers.
fn assert_recorded(frames: &[ServerFrame<'_>], recorded: &ExpectFile) {
    let values: Vec<Value> = frames
        .iter()
        .map(|frame| serde_json::from_str(&frame.encode_with_id("f1")).unwrap())
        .collect();
    recorded.assert_eq(&(serde_json::to_string_pretty(&values).unwrap() + "\n"));
}

fn appended(events: &[ThreadEvent], recorded: &ExpectFile) {
    let events: Vec<&ThreadEvent> = events.iter().collect();
    let frame = ServerFrame::EventAppend {
        thread_id: "t1",
        events: &events,
    };
    assert_recorded(&[frame], recorded);
}

#[test]
fn ack_of_each_kind_is_as_recorded() {
    let refused = ErrorBody::new(
        ErrorCode::InvalidPayload,
        "`payload.limit` must be at least 1",
    );
    let mut limited = ErrorBody::new(
        ErrorCode::RateLimited,
        "the usage limit of this user for this day is reached",
    );
    limited.retry_after_ms = Some(5_400_000);
    let mut busy = ErrorBody::new(ErrorCode::Overloaded, "too much waits");
    busy.retry_after_ms = Some(500);
    let ack = |ok, error, server| ServerFrame::Ack {
        ack_id: "1",
        ok,
        error,
        server,
    };
    let server = ServerInfo {
        version: "0.0.0",
        ..ServerInfo::current()
    };
    let frames = [
        ack(true, None, None),
        ack(true, None, Some(server)),
        ack(false, Some(&refused), None),
        ack(false, Some(&busy), None),
        ack(false, Some(&limited), None),
    ];
    assert_recorded(&frames, &expect_file!["golden/ack.json"]);
}

#[test]
fn thread_frames_are_as_recorded() {
    let thread = thread();
    let shown = ThreadView::new(&thread, None);
    let event = users_event();
    let run = run(RunStatus::Running, None);
    let frames = [
        ServerFrame::ThreadUpsert {
            thread: shown.clone(),
        },
        ServerFrame::ThreadDeleted { thread_id: "t1" },
        ServerFrame::ThreadListResult {
            threads: &[],
            cursor: None,
            total_count: 0,
        },
        ServerFrame::ThreadListResult {
            threads: std::slice::from_ref(&shown),
            cursor: Some("1.t1"),
            total_count: 7,
        },
        ServerFrame::ThreadSnapshot {
            thread: shown.clone(),
            events: std::slice::from_ref(&event),
            runs: std::slice::from_ref(&run),
            has_more: true,
            recovered: false,
            feedback: &[],
        },
        ServerFrame::EventListResult {
            thread_id: "t1",
            events: std::slice::from_ref(&event),
            runs: std::slice::from_ref(&run),
            cursor: Some("e1"),
            has_more: true,
        },
        ServerFrame::EventListResult {
            thread_id: "t1",
            events: &[],
            runs: &[],
            cursor: None,
            has_more: false,
        },
        ServerFrame::Pong {},
    ];
    assert_recorded(&frames, &expect_file!["golden/thread.json"]);
}

#[test]
fn analytics_frames_are_as_recorded() {
    let bare = AnalyticsEvent::new("order.placed", "w1", at());
    let whole = AnalyticsEvent {
        thread_id: Some("t1".to_owned()),
        user_id: Some("u1".to_owned()),
        run_id: Some("r1".to_owned()),
        event_id: Some("e1".to_owned()),
        data: Some(json!({ "status": "succeeded", "duration_ms": 250, "attempt": 1 })),
        ..AnalyticsEvent::new("run.finished", "w1", at())
    };
    let frame = |event, dropped| ServerFrame::AnalyticsEvent { event, dropped };
    let frames = [
        frame(&bare, None),
        frame(&whole, None),
        frame(&bare, Some(7)),
    ];
    assert_recorded(&frames, &expect_file!["golden/analytics.json"]);
}

#[test]
fn feedback_frames_are_as_recorded() {
    let thread = thread();
    let shown = |target_id, value| FeedbackView {
        target_type: FeedbackTargetType::Event,
        target_id,
        value,
    };
    let frames = [
        ServerFrame::FeedbackAck {
            target_type: FeedbackTargetType::Run,
            target_id: "r1",
            feedback: FeedbackValue::Dislike,
            ok: true,
        },
        ServerFrame::ThreadSnapshot {
            thread: ThreadView::new(&thread, None),
            events: &[],
            runs: &[],
            has_more: false,
            recovered: true,
            feedback: &[
                shown("e1", FeedbackValue::Like),
                shown("e2", FeedbackValue::Dislike),
            ],
        },
    ];
    assert_recorded(&frames, &expect_file!["golden/feedback.json"]);
}

#[test]
fn frame_of_many_users_has_their_number() {
    let others = (1..150).map(|number| User::new(format!("u{number}")));
    let thread = Thread {
        owner: User::new("u149"),
        users: others.collect(),
        metadata: None,
        ..thread()
    };
    let frame = ServerFrame::ThreadUpsert {
        thread: ThreadView::new(&thread, Some("u120")),
    };
    let mut frame: Value = serde_json::from_str(&frame.encode_with_id("f1")).unwrap();
    let users = frame["payload"]["thread"]["users"].as_array_mut().unwrap();
    assert_eq!(users.len(), 100);
    // The removed users are like the remaining ones.
    users.drain(..97);
    let recorded = expect_file!["golden/many_users.json"];
    recorded.assert_eq(&(serde_json::to_string_pretty(&frame).unwrap() + "\n"));
}

#[test]
fn settings_frames_are_as_recorded() {
    let schema = SettingsSchema::builder()
        .version("2.0")
        .field(
            Field::text("name")
                .default("Ada")
                .description("What it is called.")
                .placeholder("A name")
                .min_length(1)
                .max_length(5)
                .pattern("^[A-Z]")
                .required(),
        )
        .field(Field::text("prompt").default("").rows(4))
        .field(Field::select("model", [("a", "A"), ("b", "B")]).default("a"))
        .field(Field::number("heat").default(0.5).min(0).max(2).step(0.1))
        .field(Field::checkbox("loud").default(true).user_editable(false))
        .field(Field::password("key").optional())
        .field(Field::image("logo").src("logo.png").width(64).height(32))
        .field(Field::text("hidden").optional().internal())
        .field(Field::duration("patience").default("90s"))
        .field(Field::time("opens").default("09:30"))
        .field(Field::url("site").default("https://example.org/"))
        .field(Field::color("color").default("#FF8000"))
        .field(Field::list("hosts").default("a.example\nb.example").rows(3))
        .field(Field::choices("days", [("mon", "Monday"), ("tue", "Tuesday")]).default("tue"))
        .group(
            Group::new(
                "dates",
                [Field::date("day").optional(), Field::email("to").optional()],
            )
            .label("When")
            .collapsible(Collapsible::Closed),
        )
        .group(Group::new("money", [Field::integer("budget").default(5)]).creator())
        .build()
        .unwrap();
    let mut values = SettingsValues::default();
    values.insert("key", json!("hush"));
    values.insert("day", json!("2026-02-11"));
    let creator = schema.shown(Audience::Creator, &values);
    let user = schema.shown(Audience::User, &SettingsValues::default());
    let frames = [
        ServerFrame::SettingsSnapshot {
            worker_id: "w1",
            agent_id: "w1",
            fields: &creator,
            updated_at: at(),
        },
        ServerFrame::SettingsPatch {
            worker_id: "w1",
            agent_id: "w1",
            field_id: "heat",
            value: &json!(0.7),
            updated_at: at(),
        },
        ServerFrame::SettingsPatch {
            worker_id: "w1",
            agent_id: "w1",
            field_id: "key",
            value: &Value::Null,
            updated_at: at(),
        },
        ServerFrame::SettingsPublicSchemaResult {
            schema: PublicSchema {
                version: schema.version(),
                fields: &user,
            },
        },
    ];
    assert_recorded(&frames, &expect_file!["golden/settings.json"]);
}

#[test]
fn run_in_each_state_is_as_recorded() {
    let call = Usage::new("small").input_tokens(1_200).output_tokens(80);
    let mut costly = run(RunStatus::Succeeded, None);
    for (usage, cents) in [(call.clone(), 5), (call.cached_tokens(1_000), 10)] {
        let usage = usage.cost(Decimal::new(cents, 2), "USD");
        ModelUsage::from(&usage).add_to(&mut costly.usage);
    }
    let unpriced = Usage::new("large").output_tokens(1);
    ModelUsage::from(&unpriced).add_to(&mut costly.usage);
    let runs = [
        run(RunStatus::Running, None),
        run(RunStatus::Succeeded, None),
        costly,
        run(RunStatus::Failed, Some("interrupted")),
        run(RunStatus::Canceled, None),
    ];
    let frames: Vec<_> = runs
        .iter()
        .map(|run| ServerFrame::RunUpsert { run })
        .collect();
    assert_recorded(&frames, &expect_file!["golden/run.json"]);
}

#[test]
fn message_with_each_kind_of_part_is_as_recorded() {
    let full = vec![
        ContentPart::Image {
            url: Some("https://example.org/a.png".to_owned()),
            mime_type: Some("image/png".to_owned()),
            width: Some(640.0),
            height: Some(480.0),
            alt: Some("a cat".to_owned()),
            filename: Some("a.png".to_owned()),
            ref_id: Some("f1".to_owned()),
        },
        ContentPart::Audio {
            url: Some("https://example.org/a.mp3".to_owned()),
            mime_type: Some("audio/mpeg".to_owned()),
            duration: Some(1.5),
            filename: Some("a.mp3".to_owned()),
            ref_id: None,
        },
        ContentPart::Document {
            url: Some("https://example.org/a.pdf".to_owned()),
            filename: Some("a.pdf".to_owned()),
            mime_type: Some("application/pdf".to_owned()),
            size_bytes: Some(1024),
            ref_id: None,
        },
    ];
    let events = vec![
        users_event(),
        event(Reply::text("You said: hello").author("Assistant")),
        event(Reply::image("https://example.org/a.png")),
        event(Reply::audio("https://example.org/a.mp3")),
        event(Reply::document("https://example.org/a.pdf", "a.pdf")),
        event(Reply::message(full)),
        event(Reply::reasoning("Let me think.")),
    ];
    appended(&events, &expect_file!["golden/message.json"]);
}

#[test]
fn streamed_text_is_as_recorded() {
    let mut streaming = event(Reply::text("He"));
    streaming.streaming = Some(true);
    streaming.delta_seq = Some(1);
    let mut finalized = event(Reply::text("Hello"));
    finalized.finalized = Some(true);
    let append = |event| ServerFrame::EventAppend {
        thread_id: "t1",
        events: event,
    };
    let delta = ServerFrame::EventDelta {
        thread_id: "t1",
        event_id: &streaming.id,
        delta_seq: 1,
        text: "llo",
    };
    assert_recorded(
        &[append(&[&streaming]), delta, append(&[&finalized])],
        &expect_file!["golden/streaming.json"],
    );
}

#[test]
fn removed_events_are_as_recorded() {
    let call = ToolCall::new("c1", "weather", json!({"city": "Oslo"}));
    let events = vec![
        users_event().removed(),
        event(Reply::tool_call(call)).removed(),
    ];
    appended(&events, &expect_file!["golden/removed.json"]);
}

#[test]
fn tool_events_are_as_recorded() {
    let call = || ToolCall::new("c1", "weather", json!({"city": "Oslo"})).display_name("Weather");
    let events = vec![
        event(Reply::tool_call(call())),
        event(Reply::tool_result(call(), json!({"degrees": 3}))),
        event(Reply::tool_transaction(call(), "3 degrees")),
    ];
    appended(&events, &expect_file!["golden/tool.json"]);
}

#[test]
fn form_with_each_kind_of_element_is_as_recorded() {
    let choices = || vec![FormChoice::new("a", "A"), FormChoice::new("b", "B")];
    let text = |input_type| FormInput::TextInput {
        placeholder: Some("here".to_owned()),
        default: Some("x".to_owned()),
        input_type,
    };
    let mut form = Form::new("Tell me")
        .element(FormElement::text("name", "Name").required())
        .element(FormElement::select("letter", "Letter", choices()))
        .submit_label("Go")
        .cancel_label("No")
        .size(FormSize::Large);
    let inputs = [
        text(TextInputType::Password),
        text(TextInputType::Email),
        text(TextInputType::Number),
        text(TextInputType::Date),
        FormInput::TextareaInput {
            placeholder: None,
            default: None,
            rows: Some(4),
        },
        FormInput::RadioInput {
            options: choices(),
            default: Some("a".to_owned()),
            variant: ChoiceVariant::Native,
        },
        FormInput::CheckboxInput {
            options: choices(),
            default: vec!["a".to_owned()],
            variant: ChoiceVariant::Button,
        },
        FormInput::FileInput {
            upload_url: "https://example.org/up".to_owned(),
            accept: Some("image/*".to_owned()),
            multiple: true,
        },
    ];
    for (at, input) in inputs.into_iter().enumerate() {
        form = form.element(FormElement::new(format!("n{at}"), format!("N{at}"), input));
    }
    appended(
        &[event(Reply::form(&form))],
        &expect_file!["golden/form.json"],
    );
    let data = Reply::form(&form).data.unwrap();
    assert_eq!(serde_json::from_value::<Form>(data).unwrap(), form);
}

#[test]
fn forms_that_a_turn_asks_are_as_recorded() {
    let form = Form::new("Refund 20 EUR?").submit_label("Refund");
    let asked = |user_id: Option<&str>, tool_call_id: Option<&str>| {
        let mut asked = event(Reply::form(&form));
        let expires_at = asked.created_at + TimeDelta::minutes(10);
        let state = AskedForm {
            user_id: user_id.map(str::to_owned),
            tool_call_id: tool_call_id.map(str::to_owned),
            ..AskedForm::new(expires_at)
        };
        state.add_to(asked.data.as_mut().unwrap());
        asked
    };
    let mut closed = asked(None, None);
    closed.close_form();
    let events = [
        asked(None, None),
        asked(Some("ada"), Some("call_1")),
        closed,
    ];
    appended(&events, &expect_file!["golden/asked.json"]);
}

#[test]
fn objects_deserialize_to_the_same_value() {
    fn reads_back<T>(object: &T)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
    {
        let text = serde_json::to_string(object).unwrap();
        assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), object);
    }
    reads_back(&user());
    reads_back(&thread());
    reads_back(&users_event());
    reads_back(&run(RunStatus::Failed, Some("x")));
    reads_back(&run(RunStatus::Running, None));
}

#[test]
fn names_on_the_wire_and_in_the_store_are_equal() {
    use serde::Serialize;
    fn name(value: impl Serialize) -> Value {
        serde_json::to_value(value).unwrap()
    }
    for kind in [
        EventType::Message,
        EventType::Reasoning,
        EventType::RunStarted,
        EventType::RunFinished,
        EventType::ToolCall,
        EventType::ToolResult,
        EventType::ToolTransaction,
        EventType::Form,
        EventType::FormResponse,
        EventType::Chart,
    ] {
        assert_eq!(name(kind), kind.as_str());
    }
    for actor in [Actor::User, Actor::Assistant, Actor::System, Actor::Tool] {
        assert_eq!(name(actor), actor.as_str());
    }
    for status in [
        RunStatus::Running,
        RunStatus::Succeeded,
        RunStatus::Failed,
        RunStatus::Canceled,
    ] {
        assert_eq!(name(status), status.as_str());
    }
}
