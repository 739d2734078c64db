//! Tests of the client with a receiver on a real socket.

use super::client::{Answer, HttpClient};
use super::receiver::{CONFIRMS, Reaction, Receiver, answer, read};
use super::{HttpError, HttpUrl};
use crate::tls::trusting;
use axum::body::Body;
use hyper::{Method, StatusCode};
use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

fn client(url: &str) -> HttpClient {
    HttpClient::new(HttpUrl::parse(url, false).unwrap(), Duration::from_secs(5))
}

async fn get(client: &HttpClient, max_body: Option<usize>) -> Result<Answer, HttpError> {
    let request = client.request(Method::GET).body(Body::empty()).unwrap();
    client.send(request, max_body).await
}

/// Sends a request to a receiver that answers it in this way.
async fn answered(reaction: Reaction, max_body: Option<usize>) -> Result<Answer, HttpError> {
    let receiver = Receiver::start(vec![reaction]).await;
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    get(&client(&url), max_body).await
}

#[tokio::test]
async fn body_is_read_up_to_the_limit() {
    let whole = || answer("200 OK\r\nContent-Length: 5\r\n\r\nabcde");
    let chunks = || answer("200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0");
    let until_the_end = || Reaction::Answer("HTTP/1.1 200 OK\r\n\r\nabcde".to_owned());
    for reaction in [whole(), chunks(), until_the_end()] {
        let read = answered(reaction.clone(), Some(5)).await.unwrap();
        assert_eq!(read.status, StatusCode::OK);
        assert_eq!(read.body, b"abcde", "{reaction:?}");
        let refused = answered(reaction, Some(4)).await.unwrap_err();
        let expected = "the answer of the receiver has more than 4 bytes";
        assert_eq!(refused.to_string(), expected);
    }
}

#[tokio::test]
async fn body_that_ends_early_is_an_error() {
    let short = answer("200 OK\r\nContent-Length: 50\r\n\r\nabcde");
    let error = answered(short, Some(100)).await.unwrap_err();
    assert!(matches!(error, HttpError::Http(_)), "{error}");
}

#[tokio::test]
async fn body_of_an_answer_is_not_awaited() {
    let endless = answer("200 OK\r\nContent-Length: 1000000");
    assert!(answered(endless, None).await.unwrap().body.is_empty());
}

#[tokio::test]
async fn name_of_a_private_address_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("https://hooks.example.com:{port}/");
    let mut url = HttpUrl::parse(&url, false).unwrap();
    // The system resolves this text to 127.0.0.1, as it would resolve a name whose owner wants that.
    url.host = "0x7f000001".to_owned();
    let client = HttpClient::new(url, Duration::from_secs(5));
    let error = get(&client, None).await.unwrap_err();
    assert!(matches!(error, HttpError::Private), "{error}");
    let connection = futures::poll!(std::pin::pin!(listener.accept()));
    assert!(connection.is_pending(), "no connection was opened");
}

#[tokio::test]
async fn https_sends_nothing_in_plain_text() {
    let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = receiver.local_addr().unwrap().port();
    let url = format!("https://localhost:{port}/");
    let client = client(&url);
    let accept = async {
        let (mut stream, _) = receiver.accept().await.unwrap();
        let mut first = [0];
        stream.read_exact(&mut first).await.unwrap();
        first[0]
    };
    let (error, first) = tokio::join!(get(&client, None), accept);
    // 22 is the type of a TLS handshake.
    assert_eq!(first, 22);
    assert!(matches!(error, Err(HttpError::Connect(_))), "{error:?}");
}

#[tokio::test]
async fn https_verifies_the_certificate() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = own.cert.der().clone();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ServerConfig::builder_with_provider(provider);
    let tls = tls.with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_no_client_auth();
    let tls = tls
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    );
    let receive = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                read(&mut stream).await;
                stream.write_all(CONFIRMS.as_bytes()).await.unwrap();
            }
        }
    });
    let refused = get(&client(&url), None).await.unwrap_err();
    let error = refused.source().map(ToString::to_string);
    assert!(
        error
            .as_ref()
            .is_some_and(|error| error.contains("certificate")),
        "{error:?}"
    );
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let client = client(&url);
    client.tls.set(Arc::new(trusting(roots).unwrap())).unwrap();
    get(&client, None).await.unwrap();
    receive.abort();
}
