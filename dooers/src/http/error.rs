//! The error of a request.

use std::io;
use std::time::Duration;

/// The reason why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    #[error("the receiver did not answer within {0:?}")]
    TooSlow(Duration),
    #[error("the name of the receiver cannot be resolved")]
    Resolve(#[source] io::Error),
    #[error("the name of the receiver resolves only to private addresses")]
    Private,
    #[error("the connection to the receiver failed")]
    Connect(#[source] io::Error),
    #[error("the encryption of the connection cannot be set up")]
    Tls(#[source] rustls::Error),
    #[error("the receiver closed the connection or did not answer in HTTP")]
    Http(#[source] hyper::Error),
    #[error("the answer of the receiver has more than {0} bytes")]
    TooLarge(usize),
    #[error("the request cannot be built")]
    Request(#[source] hyper::http::Error),
}
