//! The body and the signature of a request.

use crate::protocol::timestamp;
use crate::settings::Secret;
use crate::store::OutboxBatch;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::Sha256;
use std::fmt::Write;

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

/// Returns the header `X-Dooers-Signature`: the time of the request, and the HMAC-SHA256 of `TIME.BODY`.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(super) fn signature(secret: &Secret, body: &[u8], sent_at: DateTime<Utc>) -> String {
    let seconds = sent_at.timestamp();
    let key = secret.expose().as_bytes();
    let hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    let hmac = hmac.chain_update(format!("{seconds}.")).chain_update(body);
    let mut header = format!("t={seconds},v1=");
    for byte in hmac.finalize().into_bytes() {
        // Writing to a string does not fail.
        let _ = write!(header, "{byte:02x}");
    }
    header
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
    fn body_and_signature_have_their_documented_form() {
        let batch = OutboxBatch {
            id: "b1".to_owned(),
            worker_id: "w1".to_owned(),
            attempt: 1,
            events: vec![r#"{"event":"a","data":1.50}"#.to_owned(), "{}".to_owned()],
        };
        let sent_at = timestamp::from_micros(1_770_788_949_123_456);
        let body = body(&batch, sent_at).unwrap();
        let expected = r#"{"batch_id":"b1","worker_id":"w1","events":[{"event":"a","data":1.50},{}],"sent_at":"2026-02-11T05:49:09.123456Z"}"#;
        assert_eq!(String::from_utf8(body.clone()).unwrap(), expected);
        let signature = signature(&Secret::new("a secret of enough bytes"), &body, sent_at);
        // Computed by `printf '%s' "1770788949.$BODY" | openssl dgst -sha256 -hmac 'a secret of enough bytes'`.
        assert_eq!(
            signature,
            "t=1770788949,v1=6877d916de6f23d06a5e8f22c49aad63988fb5830b5ecec9507639e15687fcbc"
        );
    }
}
