//! A receiver of analytics events.

use crate::within;
use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A receiver that confirms every batch.
#[derive(Debug)]
pub(crate) struct Receiver {
    port: u16,
    batches: mpsc::UnboundedReceiver<Value>,
    /// The events of each batch.
    received: BTreeMap<String, Value>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (received, batches) = mpsc::unbounded_channel();
        let receive = move |headers: HeaderMap, body: Bytes| async move {
            assert!(headers.contains_key("x-dooers-signature"));
            let _ = received.send(serde_json::from_slice(&body).unwrap());
        };
        let router = Router::new().route("/", post(receive));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            port,
            batches,
            received: BTreeMap::new(),
        }
    }

    /// The environment variables of a server that sends to this receiver.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let url = format!("http://127.0.0.1:{}/", self.port);
        vec![
            ("WORKER_ANALYTICS_WEBHOOK_URL", url),
            (
                "WORKER_ANALYTICS_WEBHOOK_SECRET",
                "0123456789abcdef".to_owned(),
            ),
            ("WORKER_ANALYTICS_WEBHOOK_MAX_AGE", "0.05".to_owned()),
            // The batch of a killed process is taken over after this time and the lease.
            ("WORKER_ANALYTICS_WEBHOOK_TIMEOUT", "1".to_owned()),
        ]
    }

    /// Waits until this many events were delivered, and returns the name and the id of each, in order. A batch that was
    /// delivered again counts once, and must have the same events.
    pub(crate) async fn delivered(&mut self, count: usize) -> Vec<String> {
        let receive = async {
            while self.events().count() < count {
                let mut batch = self.batches.recv().await.expect("a running receiver");
                let id = batch["batch_id"].as_str().unwrap().to_owned();
                let events = batch["events"].take();
                if let Some(before) = self.received.insert(id, events.clone()) {
                    assert_eq!(before, events, "the events of a repeated batch");
                }
            }
        };
        within("the analytics events", receive).await;
        let mut events: Vec<_> = self.events().collect();
        events.sort_unstable();
        events
    }

    fn events(&self) -> impl Iterator<Item = String> {
        let events = self
            .received
            .values()
            .flat_map(|events| events.as_array().unwrap());
        events.map(|event| {
            let name = event["event"].as_str().unwrap();
            let id = match name.split_once('.').unwrap().0 {
                "thread" => &event["thread_id"],
                "message" => &event["event_id"],
                _ => &event["run_id"],
            };
            format!("{name} {}", id.as_str().unwrap())
        })
    }
}
