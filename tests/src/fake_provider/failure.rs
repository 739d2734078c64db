//! Error responses, as the APIs send them.

use super::request::ProviderApi;
use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A response with an error status.
pub(super) fn refusal(
    api: ProviderApi,
    status: u16,
    message: &str,
    retry_after: Option<u64>,
) -> Response {
    let body = error_body(api, status, message).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    let headers = response.headers_mut();
    let id = if api == ProviderApi::Messages {
        "request-id"
    } else {
        "x-request-id"
    };
    headers.insert(id, "req_fake".parse().expect("a value"));
    let kind = "application/json".parse().expect("a value");
    headers.insert(header::CONTENT_TYPE, kind);
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response.into_response()
}

/// The text of an error that the rule did not write.
pub(super) fn message_of(status: u16) -> &'static str {
    match status {
        401 => "Incorrect API key provided.",
        403 => "The key has no access to this model.",
        404 => "The model does not exist.",
        429 => "Rate limit reached. Please try again later.",
        529 => "Overloaded",
        500.. => "The server had an error while processing your request.",
        _ => "The request is invalid.",
    }
}

/// The body of an error, which is also the data of an error event in Chat Completions and Messages.
pub(super) fn error_body(api: ProviderApi, status: u16, message: &str) -> Value {
    if api == ProviderApi::Messages {
        let kind = match status {
            401 => "authentication_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        };
        return json!({
            "type": "error",
            "error": {"type": kind, "message": message},
            "request_id": "req_fake",
        });
    }
    let (kind, code) = match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}
