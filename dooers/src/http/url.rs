//! The URL of a server that dooers sends requests to.

use super::address::{is_host, is_public};
use super::invalid_url::InvalidUrl;
use hyper::Uri;
use rustls::pki_types::ServerName;
use std::fmt;
use std::net::IpAddr;

/// The URL of a server that dooers sends requests to. `Debug` shows only its origin, because the path may contain a token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HttpUrl {
    pub(super) is_https: bool,
    /// The name or the address, without the brackets of an IPv6 address.
    pub(super) host: String,
    /// The host, as certificates name it.
    pub(super) name: ServerName<'static>,
    pub(super) port: u16,
    /// The header `Host`.
    pub(super) authority: String,
    pub(super) path: String,
    /// `true` if private addresses are permitted.
    allow_private: bool,
}

impl HttpUrl {
    /// Parses a URL. Private addresses need `allow_private`, except those of this machine.
    pub(crate) fn parse(text: &str, allow_private: bool) -> Result<Self, InvalidUrl> {
        let uri: Uri = text.trim().parse().map_err(|_| InvalidUrl::NotHttp)?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(InvalidUrl::NotHttp),
        };
        let authority = uri.authority().ok_or(InvalidUrl::NotHttp)?;
        if authority.as_str().contains('@') {
            return Err(InvalidUrl::Password);
        }
        let host = authority.host().to_ascii_lowercase();
        let inside = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = inside.map(str::to_owned).unwrap_or(host);
        // Refuses a host that is neither an address nor a name, such as an address with a zone, or a number that the
        // system would read as an address.
        let name = ServerName::try_from(host.clone()).map_err(|_| InvalidUrl::NotHttp)?;
        let has_port = authority.as_str().len() > authority.host().len();
        let port = match authority.port_u16() {
            Some(0) => return Err(InvalidUrl::NotHttp),
            Some(port) => port,
            None if has_port => return Err(InvalidUrl::NotHttp),
            None if is_https => 443,
            None => 80,
        };
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        // A query may follow the authority.
        let slash = if path.starts_with('/') { "" } else { "/" };
        let url = Self {
            is_https,
            host,
            name,
            port,
            authority: authority.as_str().to_owned(),
            path: format!("{slash}{path}"),
            allow_private,
        };
        if !is_https && !url.is_loopback() {
            return Err(InvalidUrl::NotEncrypted);
        }
        if url.address().is_some_and(|address| !url.permits(address)) {
            return Err(InvalidUrl::Private);
        }
        Ok(url)
    }

    /// Returns the address if the host is one.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Returns `true` if the host names this machine: `localhost` or a loopback address.
    fn is_loopback(&self) -> bool {
        let address = self.address().map(|address| address.to_canonical());
        self.host == "localhost" || address.is_some_and(|address| address.is_loopback())
    }

    /// Returns `true` if a request for this URL may be sent to an address. A URL that names this machine leads to
    /// loopback addresses only, because it need not be encrypted.
    pub(super) fn permits(&self, address: IpAddr) -> bool {
        if self.is_loopback() {
            return address.to_canonical().is_loopback();
        }
        is_public(address) || self.allow_private && is_host(address)
    }
}

/// Writes the origin.
impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_https { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

impl fmt::Debug for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<HttpUrl, InvalidUrl> {
        HttpUrl::parse(text, false)
    }

    #[test]
    fn parts_of_a_url_are_read() {
        let url = parsed("https://Hooks.example.com:8443/in?key=1#part").unwrap();
        let parts = (&*url.host, url.port, &*url.authority, &*url.path);
        let expected = (
            "hooks.example.com",
            8443,
            "Hooks.example.com:8443",
            "/in?key=1",
        );
        assert_eq!(parts, expected);
        let url = parsed("https://[2606:4700::1111]").unwrap();
        let parts = (&*url.host, url.port, &*url.path);
        assert_eq!(parts, ("2606:4700::1111", 443, "/"));
        let url = parsed("https://hooks.example.com?key=1").unwrap();
        assert_eq!(url.path, "/?key=1");
    }

    #[test]
    fn debug_shows_no_path() {
        let url = parsed("https://hooks.example.com/token").unwrap();
        assert_eq!(format!("{url:?}"), "`https://hooks.example.com`");
    }

    #[test]
    fn text_that_is_not_a_url_is_refused() {
        for text in [
            "",
            "hooks.example.com",
            "/path",
            "ftp://hooks.example.com",
            "https://",
            "https:///path",
            "https://hooks.example.com:99999",
            "https://hooks.example.com:0",
            "https://a b",
            "https://*",
            "https://.",
            "https://[::1%25lo]",
            "https://127.1",
            "https://2130706433",
            "https://0177.0.0.1",
            "https://0x7f000001",
        ] {
            assert_eq!(parsed(text), Err(InvalidUrl::NotHttp), "{text}");
        }
        let password = parsed("https://user:pass@hooks.example.com");
        assert_eq!(password, Err(InvalidUrl::Password));
    }

    #[test]
    fn http_is_accepted_for_this_machine_only() {
        for text in [
            "http://localhost",
            "http://LOCALHOST:8080/x",
            "http://127.0.0.1",
            "http://127.8.0.1",
            "http://[::1]:1",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(parsed(text).is_ok(), "{text}");
        }
        for text in [
            "http://hooks.example.com",
            "http://10.0.0.1",
            "http://localhost.example.com",
        ] {
            let refused = HttpUrl::parse(text, true);
            assert_eq!(refused, Err(InvalidUrl::NotEncrypted), "{text}");
        }
    }

    #[test]
    fn private_address_needs_permission() {
        for text in [
            "https://10.0.0.1",
            "https://[fd00::1]",
            "https://[::ffff:10.0.0.1]",
        ] {
            assert_eq!(parsed(text), Err(InvalidUrl::Private), "{text}");
            assert!(HttpUrl::parse(text, true).is_ok(), "{text}");
        }
        let unspecified = HttpUrl::parse("https://0.0.0.0", true);
        assert_eq!(unspecified, Err(InvalidUrl::Private));
    }

    #[test]
    fn name_is_checked_by_its_addresses() {
        let [local, private, public] =
            ["127.0.0.1", "10.0.0.1", "1.1.1.1"].map(|text| text.parse().unwrap());
        let name = parsed("https://hooks.example.com").unwrap();
        assert!(name.permits(public) && !name.permits(private) && !name.permits(local));
        let name = HttpUrl::parse("https://hooks.example.com", true).unwrap();
        assert!(name.permits(public) && name.permits(private) && name.permits(local));
        // Without encryption, nothing leaves this machine.
        let name = HttpUrl::parse("http://localhost", true).unwrap();
        assert!(name.permits(local) && !name.permits(private) && !name.permits(public));
    }
}
