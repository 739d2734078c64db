//! The body of a request.

use crate::protocol::timestamp;
use crate::store::OutboxBatch;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
struct Body<'a> {
    batch_id: &'a str,
    worker_id: &'a str,
    events: Vec<&'a RawValue>,
    #[serde(with = "timestamp")]
    sent_at: DateTime<Utc>,
}

/// Returns the JSON of a batch. The events are sent as they are stored.
pub(super) fn body(
    batch: &OutboxBatch,
    sent_at: DateTime<Utc>,
) -> Result<Vec<u8>, serde_json::Error> {
    let events = batch.events.iter();
    let body = Body {
        batch_id: &batch.id,
        worker_id: &batch.worker_id,
        events: events
            .map(|event| serde_json::from_str(event))
            .collect::<Result<_, _>>()?,
        sent_at,
    };
    serde_json::to_vec(&body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::AnalyticsEvent;
    use expect_test::expect_file;
    use serde_json::{Value, json};

    #[test]
    fn batch_is_as_recorded() {
        let at = timestamp::from_micros(1_770_788_949_123_456);
        let mut finished = AnalyticsEvent::new("run.finished", "w1", at);
        finished.thread_id = Some("t1".to_owned());
        finished.user_id = Some("u1".to_owned());
        finished.run_id = Some("r1".to_owned());
        finished.event_id = Some("e1".to_owned());
        finished.data = Some(json!({ "status": "succeeded", "duration_ms": 250, "attempt": 1 }));
        let events = [finished, AnalyticsEvent::new("order.placed", "w1", at)];
        let events = events.map(|event| serde_json::to_string(&event).unwrap());
        let batch = OutboxBatch {
            id: "b1".to_owned(),
            worker_id: "w1".to_owned(),
            attempt: 1,
            events: events.to_vec(),
        };
        let body: Value = serde_json::from_slice(&body(&batch, at).unwrap()).unwrap();
        let recorded = expect_file!["../../protocol/golden/analytics_batch.json"];
        recorded.assert_eq(&(serde_json::to_string_pretty(&body).unwrap() + "\n"));
    }

    #[test]
    fn body_has_its_documented_form() {
        let batch = OutboxBatch {
            id: "b1".to_owned(),
            worker_id: "w1".to_owned(),
            attempt: 1,
            events: vec![r#"{"event":"a","data":1.50}"#.to_owned(), "{}".to_owned()],
        };
        let sent_at = timestamp::from_micros(1_770_788_949_123_456);
        let body = body(&batch, sent_at).unwrap();
        let expected = r#"{"batch_id":"b1","worker_id":"w1","events":[{"event":"a","data":1.50},{}],"sent_at":"2026-02-11T05:49:09.123456Z"}"#;
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
