//! Random frames, parsed without a server.

use super::Envelope;
use super::decode::from_own_json;
use proptest::prelude::*;
use serde_json::Value;

/// Pieces that random frames consist of, so that some frames are almost valid.
const PIECES: &[&str] = &[
    r"\u0000",
    r"\u00",
    r"\u0041",
    r"\ud83d\ude00",
    r"\ud83d",
    r"\",
    r"\\",
    r"\/",
    "u0000",
    "\"",
    "\"a\"",
    ":",
    ",",
    "{",
    "}",
    "[",
    "]",
    "null",
    "true",
    "0",
    "-",
    "1e5",
    "18446744073709551616",
    "100000000000000000000",
    " ",
    "\n",
    "\0",
    "é",
    "\u{feff}",
];

fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    let pieces = proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat());
    (pieces, 0..6_u8).prop_map(|(pieces, place)| match place {
        0 => pieces,
        1 => format!(r#"{{"id":"{pieces}","type":"ping"}}"#),
        2 => format!(r#"{{"id":"x","type":"ping",{pieces}}}"#),
        3 => format!(r#"{{"id":"x","type":"ping","payload":{{"x":{pieces}}}}}"#),
        4 => format!(
            r#"{{"id":"x","type":"event.create","payload":{{"event":{{"type":"message","actor":"user","content":[],"data":{pieces}}}}}}}"#
        ),
        _ => format!(
            r#"{{"id":"x","type":"event.create","payload":{{"event":{{"type":"message","actor":"user","content":[{{"type":"text","text":"{pieces}"}}]}}}}}}"#
        ),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accepted_frame_is_valid_json(text in any_text()) {
        let accepted = Envelope::parse(&text).map(Envelope::command);
        if let Ok(Ok(_)) = accepted {
            // The text is parsed as it was received, without a depth limit. A number of any size is valid JSON, and
            // members that no verb reads may contain numbers that a `Value` cannot represent.
            let value = from_own_json::<Value>(&text);
            let is_json = match &value {
                Ok(_) => true,
                Err(error) => error.to_string().starts_with("number out of range"),
            };
            prop_assert!(is_json, "{}: {:?}", text, value);
        }
    }
}
