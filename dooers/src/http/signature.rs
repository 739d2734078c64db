//! The signature of a request.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt::Write;

/// The header with the signature.
pub(crate) const SIGNATURE: &str = "x-dooers-signature";

/// Returns the value of the header [`SIGNATURE`]: the time of the request, and the HMAC-SHA256 of `TIME.BODY`.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(crate) fn signature(key: &[u8], body: &[u8], sent_at: DateTime<Utc>) -> String {
    let seconds = sent_at.timestamp();
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

    #[test]
    fn signature_has_its_documented_form() {
        let body = r#"{"batch_id":"b1","worker_id":"w1","events":[{"event":"a","data":1.50},{}],"sent_at":"2026-02-11T05:49:09.123456Z"}"#;
        let sent_at = DateTime::from_timestamp(1_770_788_949, 0).unwrap();
        // Computed by `printf '%s' "1770788949.$BODY" | openssl dgst -sha256 -hmac 'a secret of enough bytes'`.
        assert_eq!(
            signature(b"a secret of enough bytes", body.as_bytes(), sent_at),
            "t=1770788949,v1=6877d916de6f23d06a5e8f22c49aad63988fb5830b5ecec9507639e15687fcbc"
        );
    }
}
