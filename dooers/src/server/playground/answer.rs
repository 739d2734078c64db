//! The answers with the files of the playground.

use super::assets::Asset;
use super::coding::Coding;
use axum::body::{Body, Bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::borrow::Cow;

/// The headers of every answer with a file, also of an answer that only confirms a stored copy: a browser takes over the
/// headers of that answer for its copy.
///
/// The policy allows scripts, styles, fonts and connections of the server itself. Agents send the addresses of images and
/// of media, which may be anywhere. `'self'` includes the WebSockets of the server.
///
/// `no-cache` lets a browser keep a copy, and makes it ask whether the copy is still valid.
const HEADERS: [(HeaderName, &str); 3] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         img-src 'self' https: blob: data:; media-src 'self' https: blob: data:; font-src 'self'; \
         form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (CACHE_CONTROL, "no-cache"),
    (VARY, "Accept-Encoding"),
];

/// Answers a request for a file. The headers of the request choose the coding, and may name the copy that the client has.
pub(super) fn answer(asset: &Asset, request: &HeaderMap) -> Response {
    let Some(coding) = Coding::choose(request) else {
        let text = "this file is served as gzip or identity; accept one of them\n";
        return (
            StatusCode::NOT_ACCEPTABLE,
            [(VARY, "Accept-Encoding")],
            text,
        )
            .into_response();
    };
    let etag = asset.etag(coding);
    // One list and one loop: each call of `insert` would be half a kilobyte of the program.
    let mut fields = HEADERS
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .to_vec();
    fields.push((ETAG, value_of(&etag)));
    fields.push((CONTENT_LENGTH, asset.size(coding).into()));
    let mut answer = Response::new(Body::empty());
    if is_known(request, &etag) {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        let content_type = asset.content_type.header();
        fields.push((CONTENT_TYPE, HeaderValue::from_static(content_type)));
        if let Some(coding) = coding.header() {
            fields.push((CONTENT_ENCODING, HeaderValue::from_static(coding)));
        }
        *answer.body_mut() = match asset.contents(coding) {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes).into(),
            Cow::Owned(bytes) => bytes.into(),
        };
    }
    answer.headers_mut().extend(fields);
    answer
}

#[expect(clippy::expect_used, reason = "all tags are made of a digest")]
fn value_of(etag: &str) -> HeaderValue {
    HeaderValue::from_str(etag).expect("digits, letters and quotes are visible")
}

/// Returns true if the client has a copy with this `ETag`. A proxy may have marked it as weak, which makes no difference here.
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let lines = request.get_all(IF_NONE_MATCH).iter();
    let mut known = lines.flat_map(|line| line.to_str().unwrap_or_default().split(','));
    known.any(|known| {
        let known = known.trim();
        known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag
    })
}
