//! Tokens in the headers of a request that opens a WebSocket.
//!
//! A program sends `Authorization: Bearer <token>` (RFC 6750). A page cannot set that header for a WebSocket, so it offers
//! the subprotocols `dooers.v1` and `dooers.bearer.<token>`, of which the server selects only the first.

use crate::protocol::AuthToken;
use axum::http::{HeaderMap, header};

/// The subprotocol that the server selects if the client offers it.
pub(crate) const SUBPROTOCOL: &str = "dooers.v1";

/// The beginning of the subprotocol that carries a token.
const TOKEN_SUBPROTOCOL: &str = "dooers.bearer.";

/// Returns the token in the headers.
pub(super) fn token_in(headers: &HeaderMap) -> Option<AuthToken> {
    let token = in_authorization(headers).or_else(|| in_subprotocols(headers));
    token.map(AuthToken::from)
}

fn in_authorization(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    // Of two headers, a proxy may have checked the other one.
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let value = value.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn in_subprotocols(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|offered| offered.trim().strip_prefix(TOKEN_SUBPROTOCOL))
        .filter(|token| !token.is_empty())
}

/// Returns true if the client offers the subprotocol that the server selects.
pub(crate) fn offers_subprotocol(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    values
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|offered| offered.trim() == SUBPROTOCOL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn token(headers: &[(HeaderName, &str)]) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value.parse().unwrap());
        }
        token_in(&map).map(|token| token.as_str().to_owned())
    }

    #[test]
    fn token_is_found_in_either_header() {
        use header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL};
        for (headers, expected) in [
            (vec![(AUTHORIZATION, "Bearer t")], Some("t")),
            (vec![(AUTHORIZATION, "bearer  t ")], Some("t")),
            (vec![(AUTHORIZATION, "Basic t")], None),
            (vec![(AUTHORIZATION, "Bearer")], None),
            (
                vec![(AUTHORIZATION, "Bearer t"), (AUTHORIZATION, "Bearer u")],
                None,
            ),
            (vec![(AUTHORIZATION, "Bearer ")], None),
            (
                vec![(SEC_WEBSOCKET_PROTOCOL, "dooers.v1, dooers.bearer.t")],
                Some("t"),
            ),
            (
                vec![
                    (SEC_WEBSOCKET_PROTOCOL, "dooers.v1"),
                    (SEC_WEBSOCKET_PROTOCOL, "dooers.bearer.t"),
                ],
                Some("t"),
            ),
            (vec![(SEC_WEBSOCKET_PROTOCOL, "dooers.bearer.")], None),
            (vec![(SEC_WEBSOCKET_PROTOCOL, "dooers.v1")], None),
            (
                vec![
                    (SEC_WEBSOCKET_PROTOCOL, "dooers.bearer.s"),
                    (AUTHORIZATION, "Bearer t"),
                ],
                Some("t"),
            ),
            (vec![], None),
        ] {
            assert_eq!(token(&headers).as_deref(), expected, "{headers:?}");
        }
    }
}
