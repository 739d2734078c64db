//! WebSocket frames: large, invalid and slow ones.

use crate::agents::echo;
use crate::asserts::{appended, text};
use dooers_tests::{Server, frame_bytes, opcode};
use serde_json::json;

/// An `event.create` frame with a text of this length.
fn message(length: usize) -> String {
    let text = "x".repeat(length);
    let event =
        json!({"type": "message", "actor": "user", "content": [{"type": "text", "text": text}]});
    json!({"id": "x", "type": "event.create", "payload": {"event": event}}).to_string()
}

#[tokio::test]
async fn frame_of_256_kib_is_accepted() {
    let server = Server::of::<echo>().await;
    let mut client = server.client("ada").await;
    let overhead = message(0).len();
    client.send_text(message(256 * 1024 - overhead)).await;
    client.expect_ack("x").await;
    let answer = appended(&client.read_turn().await).remove(1);
    assert_eq!(
        text(&answer).len(),
        256 * 1024 - overhead + "You said: ".len()
    );
    server.close([client]).await;
}

#[tokio::test]
async fn larger_frame_closes_with_1009() {
    let server = Server::of::<echo>().await;
    let overhead = message(0).len();
    for length in [256 * 1024 - overhead + 1, 300 * 1024] {
        let mut client = server.client("ada").await;
        client.send_text(message(length)).await;
        assert_eq!(client.expect_close().await, 1009);
    }
    let mut watching = server.client("ada").await;
    let list = watching
        .request("thread.list", json!({}), "thread.list.result")
        .await;
    assert_eq!(list["total_count"], 0);
    server.close([watching]).await;
}

#[tokio::test]
async fn frame_of_64_mib_closes_early_with_1009() {
    let server = Server::of::<echo>().await;
    for _ in 0..5 {
        let client = server.client("ada").await.into_raw();
        assert_eq!(client.flood(64 * 1024 * 1024).await, Some(1009));
    }
    server.close([]).await;
}

#[tokio::test]
async fn endless_message_of_empty_parts_is_closed() {
    let server = Server::of::<echo>().await;
    let mut client = server.client("ada").await;
    // The beginning of a text, and parts without content: opcode, masked length 0, mask. The last one is above the limit.
    let begin = [0x01, 0x80, 0, 0, 0, 0];
    let part = [0x00, 0x80, 0, 0, 0, 0];
    let parts = (2 * 256 + 64) * 1024 / part.len();
    client.send_bytes(&begin).await;
    client.send_bytes(&part.repeat(parts)).await;
    assert_eq!(client.expect_close().await, 1009);
    server.close([]).await;
}

#[tokio::test]
async fn fragmented_message_size_counts_as_a_whole() {
    let server = Server::of::<echo>().await;
    let mut client = server.client("ada").await;
    let part = vec![b'x'; 64 * 1024];
    client
        .send_bytes(&frame_bytes(opcode::TEXT, false, true, &part))
        .await;
    for _ in 0..4 {
        client
            .send_bytes(&frame_bytes(opcode::CONTINUATION, false, true, &part))
            .await;
    }
    assert_eq!(client.expect_close().await, 1009);
    server.close([]).await;
}

#[tokio::test]
async fn fragmented_message_is_one_message() {
    let server = Server::of::<echo>().await;
    let mut client = server.client("ada").await;
    // The fragments end in the middle of characters.
    let text = message(0).replace(r#""text":"""#, r#""text":"größer 😀""#);
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let opcode = if at == 0 {
            opcode::TEXT
        } else {
            opcode::CONTINUATION
        };
        let frame = frame_bytes(opcode, at + 1 == bytes.len(), true, &[*byte]);
        client.send_bytes(&frame).await;
    }
    client.expect_ack("x").await;
    let answer = appended(&client.read_turn().await).remove(1);
    assert_eq!(crate::asserts::text(&answer), "You said: größer 😀");
    server.close([client]).await;
}

#[tokio::test]
async fn frame_sent_byte_by_byte_is_answered() {
    let server = Server::of::<echo>().await;
    let mut client = server.client("ada").await;
    let ping = json!({"id": "1", "type": "ping", "payload": {}}).to_string();
    for byte in frame_bytes(opcode::TEXT, true, true, ping.as_bytes()) {
        client.send_bytes(&[byte]).await;
        tokio::task::yield_now().await;
    }
    client.expect("pong").await;
    server.close([client]).await;
}

#[tokio::test]
async fn text_that_is_not_utf_8_closes_with_1007() {
    let server = Server::of::<echo>().await;
    let begun = frame_bytes(opcode::TEXT, false, true, &[0xe2, 0x82]);
    let broken = [
        frame_bytes(opcode::TEXT, true, true, &[0xff]),
        frame_bytes(opcode::TEXT, true, true, b"{\"id\":\"\xc3\x28\"}"),
        // UTF-8 has no surrogates.
        frame_bytes(opcode::TEXT, true, true, &[0xed, 0xa0, 0x80]),
        // Ends in the middle of a character.
        frame_bytes(opcode::TEXT, true, true, &[0xe2, 0x82]),
        [
            begun.clone(),
            frame_bytes(opcode::CONTINUATION, true, true, b"x"),
        ]
        .concat(),
        [begun, frame_bytes(opcode::CONTINUATION, true, true, b"")].concat(),
    ];
    for bytes in broken {
        let mut client = server.client("ada").await;
        client.send_bytes(&bytes).await;
        assert_eq!(client.expect_close().await, 1007, "{bytes:?}");
    }
    server.close([]).await;
}

#[tokio::test]
async fn websocket_protocol_error_closes_with_1002() {
    let server = Server::of::<echo>().await;
    let ping = b"{\"id\":\"1\",\"type\":\"ping\"}";
    let mut reserved_bit = frame_bytes(opcode::TEXT, true, true, ping);
    reserved_bit[0] |= 0x40;
    let broken = [
        frame_bytes(opcode::TEXT, true, false, ping),
        frame_bytes(opcode::RESERVED, true, true, ping),
        reserved_bit,
        // A continuation without a start, a text inside a fragmented text, a fragmented ping, and a ping
        // that is too long.
        frame_bytes(opcode::CONTINUATION, true, true, ping),
        [
            frame_bytes(opcode::TEXT, false, true, ping),
            frame_bytes(opcode::TEXT, true, true, ping),
        ]
        .concat(),
        frame_bytes(opcode::PING, false, true, b"x"),
        frame_bytes(opcode::PING, true, true, &[b'x'; 126]),
        // A close frame with a truncated code.
        frame_bytes(opcode::CLOSE, true, true, &[3]),
    ];
    for bytes in broken {
        let mut client = server.client("ada").await;
        client.send_bytes(&bytes).await;
        assert_eq!(client.expect_close().await, 1002, "{bytes:?}");
    }
    server.close([]).await;
}

#[tokio::test]
async fn protocol_error_affects_only_its_client() {
    let server = Server::of::<echo>().await;
    let mut steady = server.client("ada").await;
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0; 64]] {
        let mut client = server.client("ada").await;
        client.send_bytes(bytes).await;
        assert_eq!(client.expect_close().await, 1002);
        steady.expect_nothing().await;
    }
    // A client that disconnects without a close frame.
    drop(server.client("ada").await);
    steady.start_thread("hello").await;
    server.close([steady]).await;
}
