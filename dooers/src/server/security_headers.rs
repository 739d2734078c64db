//! The security headers of every answer over HTTP.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");

/// The headers of answers that are not pages.
///
/// The REST Security Cheat Sheet of OWASP asks for the first four and for [`ONLY_TLS`] in each answer of an API, beside a
/// `Content-Type`. Its further advice matters if a browser shows an answer as a page: `default-src` and
/// `Referrer-Policy`. `Permissions-Policy` is left out, because an answer without scripts and frames has nothing that
/// could use a permission.
///
/// `Cross-Origin-Resource-Policy` keeps other sites from embedding an answer, for example as a script. It does not apply to
/// requests with CORS, so the allowed origins can read answers.
const HEADERS: [(HeaderName, HeaderValue); 6] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        CONTENT_SECURITY_POLICY,
        // A snippet that is pasted into the console of such a page may connect to the server itself.
        HeaderValue::from_static("default-src 'none'; connect-src 'self'; frame-ancestors 'none'"),
    ),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    // For browsers that do not know `frame-ancestors`.
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
];

/// Makes browsers use TLS for one year. Browsers ignore it without TLS. Other names below the host may not have TLS, so it
/// does not include them.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the headers to an answer. A header that the route has set stays as it is, so that a route which serves a page can
/// have a policy of its own. `is_tls` is true if the client is known to use TLS.
pub(super) fn add(answer: &mut HeaderMap, is_tls: bool) {
    let tls = is_tls.then_some((STRICT_TRANSPORT_SECURITY, ONLY_TLS));
    for (name, value) in HEADERS.into_iter().chain(tls) {
        answer.entry(name).or_insert(value);
    }
}

/// The lines of the headers, for an answer that is written to the socket directly.
pub(super) fn lines() -> String {
    let line = |(name, value): &(HeaderName, HeaderValue)| {
        format!("{name}: {}\r\n", value.to_str().unwrap_or_default())
    };
    HEADERS.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_of_the_route_stays() {
        let mut headers = HeaderMap::new();
        let own = HeaderValue::from_static("default-src 'self'");
        headers.insert(CONTENT_SECURITY_POLICY, own.clone());
        add(&mut headers, true);
        let policies: Vec<_> = headers.get_all(CONTENT_SECURITY_POLICY).iter().collect();
        assert_eq!(policies, [&own]);
        assert_eq!(headers[X_FRAME_OPTIONS], "DENY");
        assert_eq!(headers[STRICT_TRANSPORT_SECURITY], "max-age=31536000");
        // A second layer changes nothing.
        let once = headers.clone();
        add(&mut headers, false);
        assert_eq!(headers, once);
    }

    #[test]
    fn lines_are_the_headers_without_tls() {
        let mut headers = HeaderMap::new();
        add(&mut headers, false);
        assert!(!headers.contains_key(STRICT_TRANSPORT_SECURITY));
        let lines = lines();
        assert_eq!(lines.lines().count(), headers.len());
        for (name, value) in &headers {
            let line = format!("{name}: {}\r\n", value.to_str().unwrap());
            assert!(lines.contains(&line), "{line}");
        }
    }
}
