//! Golden files of requests. They are written by hand, because clients send them.

use super::{Command, Envelope, FeedbackTarget, FeedbackValue};
use serde_json::Value;

#[test]
fn title_request_is_read_as_recorded() {
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("golden/title_request.json")).unwrap();
    let read = recorded.iter().map(|frame| {
        let envelope = Envelope::parse(&frame.to_string()).unwrap();
        match envelope.command().unwrap() {
            Command::ThreadUpdate(payload) => (Some(payload.thread_id), payload.title),
            Command::ThreadList(payload) => (None, payload.query),
            other => panic!("{other:?}"),
        }
    });
    let text = |text: &str| Some(text.to_owned());
    let expected = [
        (text("t1"), text("A title")),
        (text("t1"), text("")),
        (text("t1"), None),
        (None, text("order 100%")),
        (None, None),
    ];
    assert_eq!(read.collect::<Vec<_>>(), expected);
}

#[test]
fn feedback_request_is_read_as_recorded() {
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("golden/feedback_request.json")).unwrap();
    let read = recorded.iter().map(|frame| {
        let envelope = Envelope::parse(&frame.to_string()).unwrap();
        match envelope.command().unwrap() {
            Command::Feedback(payload) => payload,
            other => panic!("{other:?}"),
        }
    });
    let read: Vec<_> = read
        .map(|payload| {
            let target = FeedbackTarget::new(payload.target_type, payload.target_id);
            (
                target,
                payload.value,
                payload.reason,
                payload.classification,
            )
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        read,
        [
            (
                FeedbackTarget::Event("e1".to_owned()),
                FeedbackValue::Dislike,
                text("The price is wrong."),
                text("incorrect"),
            ),
            (
                FeedbackTarget::Run("r1".to_owned()),
                FeedbackValue::Like,
                None,
                None,
            ),
            (
                FeedbackTarget::Thread("t1".to_owned()),
                FeedbackValue::Like,
                None,
                None,
            ),
        ]
    );
}
