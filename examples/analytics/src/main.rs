//! An agent whose analytics events are sent to a webhook, and a receiver that verifies and prints them.
//!
//! Run with: `cargo run -p example-analytics`, open http://127.0.0.1:8000, and send a message. About a second later,
//! the receiver prints the events of the turn. Usually the receiver is another program, and
//! `WORKER_ANALYTICS_WEBHOOK_URL` and `WORKER_ANALYTICS_WEBHOOK_SECRET` configure the server.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use dooers::prelude::*;
use dooers::{AnalyticsWebhook, Secret};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Only for this example. A program reads its secret from its environment.
const SECRET: &str = "only-for-this-example";

/// The maximum age of a signature, in seconds. An older request may be a recording that somebody sends again.
const MAX_AGE: i64 = 300;

/// Looks up an order with a tool, and tracks an event of its own.
#[dooers::agent]
async fn orders(
    request: WorkerRequest,
    response: WorkerResponse,
    analytics: WorkerAnalytics,
) -> Result<()> {
    let call = ToolCall::new("call-1", "look_up", json!({ "order": request.message }));
    response.tool_call(call.clone()).await?;
    let found = json!({ "state": "on its way" });
    response.tool_result(call, found).await?;
    response.text("Your order is on its way.").await?;
    analytics.track("order.looked_up", json!({ "was_found": true }));
    Ok(())
}

/// The batches that were received before. A batch may arrive more than once.
type Known = Arc<Mutex<HashSet<String>>>;

/// Accepts a batch. A status other than 2xx makes the server send it again.
async fn receive(Shared(known): Shared<Known>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("x-dooers-signature");
    let signature = signature.and_then(|value| value.to_str().ok());
    let now = chrono::Utc::now().timestamp();
    if !signature.is_some_and(|signature| is_valid(signature, &body, now)) {
        println!("refused a request without a valid signature");
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(batch) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let id = batch["batch_id"].as_str().unwrap_or_default().to_owned();
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if known.insert(id) {
        let events = batch["events"].as_array().map_or(&[][..], |events| events);
        println!(
            "a batch of {} events of {}",
            events.len(),
            batch["worker_id"]
        );
        for event in events {
            println!("  {} {}", event["event"], event["data"]);
        }
    }
    StatusCode::NO_CONTENT
}

/// Checks a header of the form `t=SECONDS,v1=HEX`: the HMAC-SHA256 of `SECONDS.BODY`.
fn is_valid(header: &str, body: &[u8], now: i64) -> bool {
    let parts = header.split_once(',');
    let parts =
        parts.and_then(|(time, mac)| Some((time.strip_prefix("t=")?, mac.strip_prefix("v1=")?)));
    let Some((time, mac)) = parts else {
        return false;
    };
    let is_recent = time
        .parse()
        .is_ok_and(|at: i64| at.abs_diff(now) <= MAX_AGE.unsigned_abs());
    let Ok(hmac) = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) else {
        return false;
    };
    let hmac = hmac.chain_update(time).chain_update(".").chain_update(body);
    // The comparison takes the same time for every wrong signature.
    is_recent && bytes_of(mac).is_some_and(|mac| hmac.verify_slice(&mac).is_ok())
}

/// Decodes hexadecimal digits.
fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok())
        .collect()
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    let receiver = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", receiver.local_addr()?);
    let router = Router::new()
        .route("/", post(receive))
        .with_state(Known::default());
    tokio::spawn(async move { axum::serve(receiver, router).await });
    let webhook = AnalyticsWebhook::builder(url, Secret::new(SECRET));
    let webhook = webhook.max_age(Duration::from_secs(1)).build()?;
    let config = WorkerConfig::from_env()?.analytics_webhook(webhook);
    WorkerServer::new(config).serve().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_covers_the_time_and_the_body() {
        // Computed by `printf '%s' '100.{}' | openssl dgst -sha256 -hmac only-for-this-example`.
        let header = "t=100,v1=37e47aa07a79a8838f159961783efd89de02a38032878c742ef50dc16c225e13";
        assert!(is_valid(header, b"{}", 100 + MAX_AGE));
        assert!(!is_valid(header, b"{}", 101 + MAX_AGE));
        assert!(!is_valid(header, b"{ }", 100));
        assert!(!is_valid(&header.replace("100", "101"), b"{}", 100));
        for header in ["", "t=100", "t=100,v1=", "t=100,v1=é"] {
            assert!(!is_valid(header, b"{}", 100), "{header}");
        }
    }
}
