//! The address of a server.

use crate::model::ModelError;
use reqwest::Url;
use std::net::IpAddr;

/// The address of a server.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// The address, without a slash at its end.
    pub(super) base_url: String,
    /// The scheme, the name and the port, which can be logged.
    pub(super) origin: String,
    /// True if the server is on this machine.
    pub(super) is_local: bool,
}

impl Endpoint {
    /// Parses an address.
    ///
    /// # Errors
    ///
    /// An address that is not a URL of HTTP, or that contains more than a place. The error does not contain the address.
    pub(super) fn parse(text: &str) -> Result<Self, ModelError> {
        let text = text.trim().trim_end_matches('/');
        let refused = |reason: &str| {
            let text = format!(
                "the address of the model's server {reason}; check OPENAI_BASE_URL or `OpenAi::base_url`"
            );
            ModelError::new(text)
        };
        let url = Url::parse(text).map_err(|_| refused("is not a URL"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused("does not begin with `https://` or `http://`"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("contains a user or a password; pass a key instead"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("contains `?` or `#`"));
        }
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        Ok(Self {
            base_url: text.to_owned(),
            origin: url.origin().ascii_serialization(),
            is_local: host == "localhost" || address.is_ok_and(|address| address.is_loopback()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_has_an_origin_and_no_slash_at_its_end() {
        let endpoint = Endpoint::parse(" https://example.org/v1/ ").unwrap();
        assert_eq!(endpoint.base_url, "https://example.org/v1");
        assert_eq!(endpoint.origin, "https://example.org");
        assert!(!endpoint.is_local);
        for local in [
            "http://localhost:11434/v1",
            "http://127.0.0.1/",
            "http://[::1]:1",
        ] {
            assert!(Endpoint::parse(local).unwrap().is_local, "{local}");
        }
    }

    #[test]
    fn address_with_more_than_a_place_is_refused() {
        for (text, reason) in [
            ("", "is not a URL"),
            ("api.openai.com/v1", "is not a URL"),
            ("ftp://example.org", "does not begin with"),
            ("https://sk-secret@example.org/v1", "a user or a password"),
            ("https://example.org/v1?key=sk-secret", "contains `?`"),
        ] {
            let error = Endpoint::parse(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(!error.contains("sk-secret"), "{error}");
        }
    }
}
