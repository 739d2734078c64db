//! A receiver of analytics events. It refuses batches with tracked events, so that these stay stored.

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// The receiver.
pub(super) struct Receiver {
    /// Its address, without a path.
    pub(super) url: String,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let received = Arc::clone(&requests);
        let receive = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| async move {
            let mut request = format!("{method} {uri}\n{headers:?}\n").into_bytes();
            request.extend(&body);
            received.lock().unwrap().push(request);
            if String::from_utf8_lossy(&body).contains(r#""tracked""#) {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::NO_CONTENT
            }
        };
        let router = Router::new().fallback(receive);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, requests }
    }

    /// The requests so far.
    pub(super) fn requests(&self) -> Vec<Vec<u8>> {
        self.requests.lock().unwrap().clone()
    }
}
