//! Integers beyond 64 bits.

use crate::fixtures::{ServerFixture, cases, create, scope};
use serde_json::{Value, json};

cases![
    integer_beyond_64_bits_is_rejected,
    integer_exact_as_float_is_accepted,
    integers_of_64_bits_are_stored_exactly,
];

async fn integer_beyond_64_bits_is_rejected(fixture: &ServerFixture) {
    let mut client = fixture.client().await;
    for (frame, member) in [
        (create(r#","data":18446744073709551616"#, ""), "payload.event.data"),
        (create(r#","data":{"a":[1,{"b c":-9223372036854775809}]}"#, ""), "payload.event.data.a[1].b c"),
        (create(r#","data":{"args":{"account":123456789012345678901}}"#, ""), "payload.event.data.args.account"),
        (create(r#","data":[[1,"x,[\"]{:",{}],{"k":100000000000000000001}]"#, ""), "payload.event.data[1].k"),
        (create("", r#","metadata":{"n":99999999999999999999}"#), "payload.metadata.n"),
        (
            create("", "").replacen(r#""id":"x""#, r#""metadata":{"n":20000000000000000001},"id":"x""#, 1),
            "metadata.n",
        ),
        (
            r#"{"id":"x","type":"settings.patch","payload":{"field_id":"factor","value":100000000000000000001}}"#.to_owned(),
            "payload.value",
        ),
        (
            r#"{"id":"x","type":"event.create","payload":{"event":["message","user",[{"type":"text","text":"x"}],18446744073709551616]}}"#.to_owned(),
            "payload.event[3]",
        ),
        (
            create(r#","data":{"\u0022,":{"values":[true,-18446744073709551616]}}"#, ""),
            r"payload.event.data.\u0022,.values[1]",
        ),
        (
            create(r#","data":[{},[],"",[0.5,1e3,-0],99999999999999999999]"#, ""),
            "payload.event.data[4]",
        ),
    ] {
        client.send_text(&frame).await;
        let (code, message) = client.expect_error("x").await;
        assert_eq!(code, "INVALID_PAYLOAD", "{frame}");
        assert!(message.starts_with(&format!("`{member}` ")), "{message}");
        assert!(message.contains("64 bits"), "{message}");
    }
    // The JSON parser rejects numbers beyond the range of `f64`.
    let huge = create(&format!(r#","data":[1{}]"#, "0".repeat(400)), "");
    client.send_text(huge).await;
    assert_eq!(client.expect_error("x").await.0, "INVALID_PAYLOAD");
    client.expect_nothing().await;
    client.disconnect().await;
}

/// Sends data, and returns it after comparing the frame with the store.
async fn round_trip(fixture: &ServerFixture, data: &str) -> Value {
    let mut client = fixture.client().await;
    client
        .send_text(create(&format!(r#","data":{data}"#), ""))
        .await;
    client.expect_ack("x").await;
    let frames = client.read_turn().await;
    let mut appended = frames
        .iter()
        .filter(|frame| frame["type"] == "event.append");
    let event = &appended.next().unwrap()["payload"]["events"][0];
    let (thread_id, event_id) = (
        event["thread_id"].as_str().unwrap(),
        event["id"].as_str().unwrap(),
    );
    let stored = fixture
        .repository
        .event(&scope(), thread_id, event_id)
        .await
        .unwrap();
    assert_eq!(stored.data.as_ref(), Some(&event["data"]));
    client.disconnect().await;
    event["data"].clone()
}

async fn integer_exact_as_float_is_accepted(fixture: &ServerFixture) {
    let data = "[100000000000000000000,-100000000000000000000,123456789012345680000,\
                1e400000000000000000000E-399999999999999999999,0.12345678901234567890123,12345678901234567890.5,1E22]";
    // The JSON parser rejects the number with the long exponent.
    let data = data.replace("1e400000000000000000000E-399999999999999999999,", "");
    let shown = round_trip(fixture, &data).await;
    assert_eq!(
        shown,
        json!([
            1e20,
            -1e20,
            123_456_789_012_345_680_000.0,
            0.123_456_789_012_345_68,
            12_345_678_901_234_567_000.0,
            1e22
        ])
    );
    // Members that are not stored may contain any number.
    let mut client = fixture.client().await;
    let ping = r#"{"id":"x","type":"ping","payload":{"n":123456789012345678901}}"#;
    client.send_text(ping).await;
    client.expect("pong").await;
    client.disconnect().await;
}

async fn integers_of_64_bits_are_stored_exactly(fixture: &ServerFixture) {
    let data = json!([
        9_007_199_254_740_993_u64,
        18_446_744_073_709_551_615_u64,
        -9_223_372_036_854_775_808_i64,
        9_223_372_036_854_775_808_u64,
        1_000_000_000_000_000_000_u64,
    ]);
    assert_eq!(round_trip(fixture, &data.to_string()).await, data);
}
