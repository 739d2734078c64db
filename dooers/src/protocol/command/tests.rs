use super::*;
use crate::protocol::ErrorCode;

fn refusal(text: &str) -> (String, ErrorCode) {
    let refusal = Envelope::parse(text).expect_err(text);
    (refusal.ack_id, refusal.error.code)
}

fn command(kind: &str, payload: &str) -> Result<Command, ErrorBody> {
    let text = format!(r#"{{"id":"1","type":"{kind}","payload":{payload}}}"#);
    Envelope::parse(&text).unwrap().command()
}

/// The payload of a message with a file of this size.
fn document(size: &str) -> String {
    format!(
        r#"{{"event":{{"type":"message","actor":"user","content":[
            {{"type":"document","url":"u","filename":"a.txt","size_bytes":{size}}}]}}}}"#
    )
}

fn payload_error(kind: &str, payload: &str) -> String {
    let error = command(kind, payload).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidPayload);
    error.message
}

#[test]
fn text_that_is_not_a_frame_is_refused_without_id() {
    for text in [
        "",
        "nonsense",
        "[]",
        "null",
        "5",
        "{}",
        r#"{"id":5,"type":"ping"}"#,
    ] {
        assert_eq!(
            refusal(text),
            (String::new(), ErrorCode::InvalidFrame),
            "{text}"
        );
    }
}

#[test]
fn unknown_or_missing_type_is_refused_with_id() {
    for text in [
        r#"{"id":"7","type":"dance"}"#,
        r#"{"id":"7"}"#,
        r#"{"id":"7","type":3}"#,
    ] {
        assert_eq!(
            refusal(text),
            ("7".to_owned(), ErrorCode::InvalidFrame),
            "{text}"
        );
    }
}

#[test]
fn frame_id_of_more_than_128_bytes_is_refused() {
    let ping = |id: String| format!(r#"{{"id":"{id}","type":"ping"}}"#);
    assert!(Envelope::parse(&ping("x".repeat(128))).is_ok());
    assert_eq!(refusal(&ping("x".repeat(129))).1, ErrorCode::InvalidPayload);
}

#[test]
fn payload_must_be_an_object_or_null_or_missing() {
    for text in [
        r#"{"id":"1","type":"ping"}"#,
        r#"{"id":"1","type":"ping","payload":null}"#,
    ] {
        assert!(matches!(
            Envelope::parse(text).unwrap().command(),
            Ok(Command::Ping)
        ));
    }
    assert_eq!(
        payload_error("ping", r#""x""#),
        "`payload` must be an object"
    );
    assert_eq!(payload_error("ping", "[]"), "`payload` must be an object");
}

#[test]
fn payload_error_names_the_member() {
    assert_eq!(
        payload_error("thread.subscribe", r#"{"thread_id":5}"#),
        "`payload.thread_id`: invalid type: integer `5`, expected a string"
    );
    assert_eq!(
        payload_error("thread.subscribe", "{}"),
        "`payload`: missing field `thread_id`"
    );
    let message = r#"{"event":{"type":"message","actor":"assistant","content":[]}}"#;
    assert_eq!(
        payload_error("event.create", message),
        "`payload.event.actor`: unknown variant `assistant`, expected `user`"
    );
    let part = r#"{"event":{"type":"message","actor":"user","content":[{"type":"video"}]}}"#;
    assert!(
        payload_error("event.create", part).starts_with("`payload.event.content[0]"),
        "{}",
        payload_error("event.create", part)
    );
}

#[test]
fn metadata_beside_the_payload_is_accepted() {
    let text = r#"{"id":"1","type":"event.create","metadata":{"a":1},
        "payload":{"event":{"type":"message","actor":"user","content":[]}}}"#;
    let Ok(Command::EventCreate(draft)) = Envelope::parse(text).unwrap().command() else {
        panic!("not an event.create");
    };
    assert_eq!(draft.metadata, Some(serde_json::json!({"a": 1})));
}

#[test]
fn limit_of_any_size_is_accepted() {
    let limit = |limit: &str| {
        let payload = format!(r#"{{"limit":{limit}}}"#);
        match command("thread.list", &payload) {
            Ok(Command::ThreadList(payload)) => Ok(payload.limit),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.message),
        }
    };
    assert_eq!(limit("7"), Ok(Some(7)));
    assert_eq!(limit("null"), Ok(None));
    assert_eq!(limit("18446744073709551615"), Ok(Some(u64::MAX.into())));
    assert_eq!(limit("1e300"), Ok(Some(i128::MAX)));
    assert_eq!(limit("-1e300"), Ok(Some(i128::MIN)));
    assert_eq!(
        limit("1.5"),
        Err("`payload.limit`: `1.5` is not a whole number".to_owned())
    );
}

#[test]
fn whole_number_is_accepted_in_any_notation() {
    for notation in ["10", "10.0", "1e1"] {
        let list = format!(r#"{{"thread_id":"t","limit":{notation}}}"#);
        let Ok(Command::ThreadList(payload)) = command("thread.list", &list) else {
            panic!("{notation}");
        };
        assert_eq!(payload.limit, Some(10));
        let Ok(Command::EventList(payload)) = command("event.list", &list) else {
            panic!("{notation}");
        };
        assert_eq!(payload.limit, Some(10));
        let Ok(Command::EventCreate(draft)) = command("event.create", &document(notation)) else {
            panic!("{notation}");
        };
        let expected = ContentPart::document("u", "a.txt").size_bytes(10);
        assert_eq!(draft.event.content, [expected.into()]);
    }
}

#[test]
fn wrong_number_error_names_the_member() {
    for (kind, payload, problem) in [
        (
            "event.list",
            r#"{"thread_id":"t","limit":1.5}"#,
            "`payload.limit`: `1.5` is not a whole number",
        ),
        (
            "event.create",
            &*document("1.5"),
            "`payload.event.content[0]`: `size_bytes`: `1.5` is not a whole number",
        ),
        (
            "event.create",
            &*document("-1"),
            "`payload.event.content[0]`: `size_bytes`: invalid value: `-1`, expected u64",
        ),
    ] {
        assert_eq!(payload_error(kind, payload), problem);
    }
    let text = payload_error("event.create", &document("\"10\""));
    assert!(
        text.contains("`size_bytes`: invalid type: string"),
        "{text}"
    );
}

#[test]
fn metadata_may_be_nested_as_deeply_as_a_frame() {
    let (open, close) = ("[".repeat(127), "]".repeat(127));
    let text = format!(
        r#"{{"id":"1","type":"event.create","metadata":{open}{close},
            "payload":{{"event":{{"type":"message","actor":"user","content":[]}}}}}}"#
    );
    assert!(Envelope::parse(&text).unwrap().command().is_ok());
}
