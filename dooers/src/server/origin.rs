//! The pages whose scripts may use a server, and the names by which it may be reached.
//!
//! A browser lets any page open a WebSocket to any address, including addresses of the user's own machine. The header
//! `Origin` contains the origin of the page. An attacker can point a name at a loopback address, so that such a page
//! looks like a page of the server itself (DNS rebinding). A server on a loopback address therefore checks `Host` as
//! well.

use super::authority::Authority;
use super::client_address::{self, Forwarded};
use super::list::entries;
use axum::http::{HeaderMap, HeaderName, Uri, header};
use std::fmt;
use std::str::FromStr;

/// Further origins whose pages may use a server. Its own pages and those of the user's machine may always use it.
///
/// ```
/// use dooers::{AllowedOrigins, WorkerConfig};
///
/// let origins: AllowedOrigins = "https://chat.example.com, https://example.org:8443".parse()?;
/// let config = WorkerConfig::new().allowed_origins(origins);
/// # Ok::<(), dooers::InvalidOrigin>(())
/// ```
///
/// `*` allows the pages of every origin. A server without an authenticator does not start with it, unless
/// [`WorkerConfig::allow_open_on_any_address`](crate::WorkerConfig::allow_open_on_any_address) allows that: any page that a
/// user visits could otherwise read and write the conversations on the user's own machine, under any user name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedOrigins {
    every: bool,
    origins: Vec<Origin>,
}

/// Further host names by which a server on a loopback address may be reached. The loopback names are always allowed.
/// Ports are ignored.
///
/// ```
/// use dooers::{AllowedHosts, WorkerConfig};
///
/// let hosts: AllowedHosts = "chat.example.com, chat.internal".parse()?;
/// let config = WorkerConfig::new().allowed_hosts(hosts);
/// # Ok::<(), dooers::InvalidHost>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<String>);

/// An entry of a list that is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an origin; write scheme, host and, unless it is the default of the scheme, port, such as https://chat.example.com:8443"
)]
#[non_exhaustive]
pub struct InvalidOrigin(pub String);

/// An entry of a list that is not the name of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not the name of a host; write it without a scheme and a port, such as chat.example.com"
)]
#[non_exhaustive]
pub struct InvalidHost(pub String);

impl AllowedOrigins {
    /// Returns true if the pages of every origin are allowed.
    pub(super) fn every(&self) -> bool {
        self.every
    }
}

impl FromStr for AllowedOrigins {
    type Err = InvalidOrigin;

    /// Reads origins that are separated by commas.
    fn from_str(list: &str) -> Result<Self, InvalidOrigin> {
        let mut allowed = Self::default();
        for text in entries(list) {
            match Origin::parse(text) {
                _ if text == "*" => allowed.every = true,
                Some(origin) => allowed.origins.push(origin),
                None => return Err(InvalidOrigin(text.to_owned())),
            }
        }
        Ok(allowed)
    }
}

impl FromStr for AllowedHosts {
    type Err = InvalidHost;

    /// Reads names that are separated by commas.
    fn from_str(list: &str) -> Result<Self, InvalidHost> {
        let host = |text: &str| match Authority::parse(text) {
            Some(Authority { host, port: None }) => Ok(host),
            _ => Err(InvalidHost(text.to_owned())),
        };
        entries(list).map(host).collect::<Result<_, _>>().map(Self)
    }
}

/// The rules for one server.
#[derive(Debug, Clone)]
pub(super) struct OriginRules {
    pub(super) origins: AllowedOrigins,
    /// The names of a server that listens on a loopback address. `None` for any other server.
    pub(super) hosts: Option<AllowedHosts>,
}

/// The reason for refusing a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("the header {0} occurs twice, or is not valid")]
    Malformed(HeaderName),
    #[error(
        "a page without an origin of its own, such as a file or about:blank, may not use this server; use a page of the server itself, or serve your page over HTTP and add its origin to WORKER_ALLOWED_ORIGINS"
    )]
    NullOrigin,
    #[error(
        "pages of {0} may not use this server; to allow them, add that origin to WORKER_ALLOWED_ORIGINS"
    )]
    Origin(Origin),
    #[error(
        "this server listens on a loopback address and does not accept the name {0}; to allow it, add that name to WORKER_ALLOWED_HOSTS"
    )]
    Host(String),
}

impl OriginRules {
    /// Checks a request. A request without `Origin` is allowed: it does not come from a page's script, or the script
    /// cannot read the answer. `forwarded` has the statements of a trusted proxy.
    pub(super) fn check(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        forwarded: Option<&Forwarded>,
    ) -> Result<(), Refused> {
        let host = host_of(uri, headers)?;
        let forwarded_hosts = forwarded.map_or(Ok(Vec::new()), forwarded_hosts)?;
        if let Some(allowed) = &self.hosts {
            // A proxy on the same machine may use a loopback name for any name of its client.
            let foreign =
                |host: &&Authority| !host.is_loopback() && !allowed.0.contains(&host.host);
            if let Some(host) = host.iter().chain(&forwarded_hosts).find(foreign) {
                return Err(Refused::Host(host.host.clone()));
            }
        }
        let Some(origin) = single(headers, header::ORIGIN)? else {
            return Ok(());
        };
        if origin == "null" {
            return Err(Refused::NullOrigin);
        }
        let origin = Origin::parse(origin).ok_or(Refused::Malformed(header::ORIGIN))?;
        let is_tls = forwarded.and_then(|forwarded| forwarded.is_tls);
        // The client's own name for the server. If proxies state several, none of them is certain.
        let own = match forwarded_hosts.as_slice() {
            [first, others @ ..] if others.iter().all(|host| host == first) => Some(first),
            _ => host.as_ref(),
        };
        let is_allowed = origin.authority.is_loopback()
            || own.is_some_and(|host| origin.is_of(host, is_tls))
            || self.origins.every
            || self.origins.origins.contains(&origin);
        if is_allowed {
            Ok(())
        } else {
            Err(Refused::Origin(origin))
        }
    }
}

/// The host names that proxies have forwarded.
fn forwarded_hosts(forwarded: &Forwarded) -> Result<Vec<Authority>, Refused> {
    let host = |text: &String| Authority::parse(text);
    let hosts: Option<_> = forwarded.hosts.iter().map(host).collect();
    hosts.ok_or(Refused::Malformed(client_address::HOST))
}

/// The host name and port by which the client reaches the server. An absolute URI takes precedence over the header.
fn host_of(uri: &Uri, headers: &HeaderMap) -> Result<Option<Authority>, Refused> {
    let header = single(headers, header::HOST)?;
    let Some(text) = uri
        .authority()
        .map(axum::http::uri::Authority::as_str)
        .or(header)
    else {
        return Ok(None);
    };
    let host = Authority::parse(text).ok_or(Refused::Malformed(header::HOST))?;
    Ok(Some(host))
}

/// The text of a header that may occur at most once.
fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Refused> {
    let mut values = headers.get_all(&name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Refused::Malformed(name)),
        },
        (Some(_), Some(_)) => Err(Refused::Malformed(name)),
    }
}

/// A scheme, a host and a port, as a browser sends them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    scheme: String,
    /// The host and port. The default port of the scheme is left out.
    authority: Authority,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
        let scheme = is_scheme.then(|| scheme.to_ascii_lowercase())?;
        let mut authority = Authority::parse(authority)?;
        authority.port = authority
            .port
            .filter(|port| Some(*port) != port_of(&scheme));
        Some(Self { scheme, authority })
    }

    /// Returns true if the page belongs to the server that is reached by this name. The scheme is ignored if it is unknown
    /// whether the client uses TLS, because a proxy may speak TLS for the server.
    fn is_of(&self, host: &Authority, is_tls: Option<bool>) -> bool {
        let scheme = is_tls.map(|is_tls| if is_tls { "https" } else { "http" });
        if scheme.is_some_and(|scheme| scheme != self.scheme) {
            return false;
        }
        let own = port_of(&self.scheme);
        self.authority.host == host.host && self.authority.port.or(own) == host.port.or(own)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority.host)?;
        self.authority
            .port
            .map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// The default port of a scheme.
fn port_of(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &OriginRules, host: &str, origin: &str) -> Result<(), Refused> {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::HOST, host), (header::ORIGIN, origin)] {
            if value != "-" {
                headers.insert(name, value.parse().unwrap());
            }
        }
        rules.check(&Uri::from_static("/ws"), &headers, None)
    }

    /// Checks a request of a trusted proxy. Its own `Host` is `worker.internal:8000`.
    fn check_forwarded(
        rules: &OriginRules,
        hosts: &[&str],
        is_tls: Option<bool>,
        origin: &str,
    ) -> Result<(), Refused> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "worker.internal:8000".parse().unwrap());
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        let hosts = hosts.iter().copied().map(str::to_owned).collect();
        let forwarded = Forwarded { is_tls, hosts };
        rules.check(&Uri::from_static("/ws"), &headers, Some(&forwarded))
    }

    /// The rules of a server on every address.
    fn public(origins: &str) -> OriginRules {
        OriginRules {
            origins: origins.parse().unwrap(),
            hosts: None,
        }
    }

    /// The rules of a server on a loopback address.
    fn local(hosts: &str) -> OriginRules {
        OriginRules {
            hosts: Some(hosts.parse().unwrap()),
            ..public("")
        }
    }

    #[test]
    fn request_without_origin_is_answered() {
        for host in ["-", "example.com", "example.com:8000", "[::2]:8000"] {
            assert_eq!(check(&public(""), host, "-"), Ok(()), "{host}");
        }
    }

    #[test]
    fn origin_of_the_same_host_and_port_is_allowed() {
        for (host, origin) in [
            ("example.com:8000", "http://example.com:8000"),
            ("example.com:8000", "https://example.com:8000"),
            ("example.com", "http://example.com"),
            ("example.com", "https://example.com"),
            ("example.com:443", "https://example.com"),
            ("example.com:80", "http://example.com:80"),
            ("EXAMPLE.com", "https://example.COM"),
            ("example.com.", "https://example.com"),
            ("[2001:db8::1]:80", "http://[2001:DB8:0::1]"),
            ("192.0.2.1:8000", "http://192.0.2.1:8000"),
        ] {
            assert_eq!(check(&public(""), host, origin), Ok(()), "{host} {origin}");
        }
    }

    #[test]
    fn origin_of_another_host_or_port_is_refused() {
        for (host, origin) in [
            ("example.com:8000", "http://example.com"),
            ("example.com", "http://example.com:8000"),
            ("example.com:443", "http://example.com"),
            ("example.com", "https://www.example.com"),
            ("127.0.0.1:8000", "https://evil.example"),
            ("127.0.0.1:8000", "http://localhost.evil.example"),
            ("127.0.0.1:8000", "http://127.0.0.1.evil.example"),
            ("127.0.0.1:8000", "http://notlocalhost"),
            ("127.0.0.1:8000", "http://0.0.0.0:8000"),
            ("127.0.0.1:8000", "http://192.168.0.1:8000"),
            ("127.0.0.1:8000", "http://[::2]:8000"),
            ("-", "https://example.com"),
        ] {
            let refused = check(&public(""), host, origin);
            assert!(
                matches!(refused, Err(Refused::Origin(_))),
                "{host} {origin}"
            );
        }
    }

    #[test]
    fn loopback_origin_is_allowed_with_any_port() {
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "https://LOCALHOST:3000",
            "http://app.localhost:5173",
            "http://127.0.0.1:3000",
            "http://127.255.0.7",
            "http://[::1]:3000",
            "http://[::ffff:127.0.0.1]",
            "tauri://localhost",
        ] {
            let checked = check(&public(""), "example.com", origin);
            assert_eq!(checked, Ok(()), "{origin}");
        }
    }

    #[test]
    fn malformed_origin_is_refused() {
        let rules = public("*");
        assert_eq!(check(&rules, "localhost", "null"), Err(Refused::NullOrigin));
        for origin in [
            "",
            "NULL",
            "localhost",
            "http:localhost",
            "://localhost",
            "http://",
            "http://localhost/",
            "http://localhost:",
            "http://localhost:+80",
            "http://localhost:65536",
            "http://user@localhost",
            "http://localhost#x",
            "http://localhost http://evil.example",
            "http://localhost, http://evil.example",
            "http://[::1",
            "http://[::1]x",
            "http://[localhost]",
            "http://l\u{f6}calhost",
            "1http://localhost",
            "http://.",
        ] {
            let malformed = Err(Refused::Malformed(header::ORIGIN));
            assert_eq!(check(&rules, "localhost", origin), malformed, "{origin}");
        }
        let mut twice = HeaderMap::new();
        for origin in ["http://localhost", "https://evil.example"] {
            twice.append(header::ORIGIN, origin.parse().unwrap());
        }
        let checked = rules.check(&Uri::from_static("/ws"), &twice, None);
        assert_eq!(checked, Err(Refused::Malformed(header::ORIGIN)));
    }

    #[test]
    fn origin_of_the_list_is_allowed() {
        let rules = public(" https://chat.example.com ,, http://example.org:80");
        let origin = |origin| check(&rules, "worker.internal", origin).is_ok();
        assert!(origin("https://chat.example.com"));
        assert!(origin("https://chat.example.com:443"));
        assert!(origin("http://example.org"));
        // A list contains origins, so the scheme is compared.
        assert!(!origin("http://chat.example.com"));
        assert!(!origin("https://chat.example.com:8443"));
        assert!(check(&public("*"), "worker.internal", "https://evil.example").is_ok());
    }

    #[test]
    fn host_of_a_loopback_server_is_loopback_or_listed() {
        let rules = local("chat.example.com, [2001:db8::1]");
        for host in [
            "-",
            "localhost",
            "localhost:9000",
            "a.localhost.",
            "127.0.0.1:8000",
            "127.0.0.2",
            "[::1]:8000",
            "chat.example.com",
            "Chat.Example.com:8443",
            "[2001:db8:0::1]",
        ] {
            assert_eq!(check(&rules, host, "-"), Ok(()), "{host}");
        }
        for host in ["evil.example:8000", "127.0.0.1.evil.example", "192.168.0.1"] {
            // The origin has the same host, because the attacker's page was loaded by the rebound name.
            let refused = check(&rules, host, &format!("http://{host}"));
            assert!(matches!(refused, Err(Refused::Host(_))), "{host}");
        }
        for host in ["", "a b", "user@localhost", "localhost:x"] {
            let malformed = Err(Refused::Malformed(header::HOST));
            assert_eq!(check(&rules, host, "-"), malformed, "{host}");
        }
    }

    #[test]
    fn absolute_uri_goes_before_the_host_header() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "localhost".parse().unwrap());
        let uri = Uri::from_static("http://evil.example/ws");
        let refused = local("").check(&uri, &headers, None);
        assert_eq!(refused, Err(Refused::Host("evil.example".to_owned())));
    }

    #[test]
    fn forwarded_host_is_the_name_of_the_server() {
        let rules = public("");
        for (hosts, is_tls, origin) in [
            (&["chat.example.com"][..], None, "https://chat.example.com"),
            (&["chat.example.com"], None, "http://chat.example.com"),
            (
                &["chat.example.com"],
                Some(true),
                "https://chat.example.com",
            ),
            (
                &["Chat.example.com:443"],
                Some(true),
                "https://chat.example.com",
            ),
            (
                &["chat.example.com:8080"],
                Some(false),
                "http://chat.example.com:8080",
            ),
            (&["a.example", "A.example"], None, "https://a.example"),
            (&["a.example."], Some(true), "https://a.example"),
            (
                &["[2001:db8:0::1]:8443"],
                Some(true),
                "https://[2001:db8::1]:8443",
            ),
            // Names that differ are not used. The header `Host` is.
            (
                &["a.example", "b.example"],
                None,
                "http://worker.internal:8000",
            ),
            (&[], Some(false), "http://worker.internal:8000"),
            (&["chat.example.com"], Some(true), "http://localhost:3000"),
        ] {
            let checked = check_forwarded(&rules, hosts, is_tls, origin);
            assert_eq!(checked, Ok(()), "{hosts:?} {is_tls:?} {origin}");
        }
        for (hosts, is_tls, origin) in [
            (
                &["chat.example.com"][..],
                Some(true),
                "http://chat.example.com",
            ),
            (
                &["chat.example.com"],
                Some(false),
                "https://chat.example.com",
            ),
            (
                &["chat.example.com:80"],
                Some(true),
                "https://chat.example.com",
            ),
            (&["chat.example.com"], None, "http://worker.internal:8000"),
            (&["a.example", "b.example"], None, "https://a.example"),
            (&["a.example", "b.example"], None, "https://b.example"),
            (&[], Some(true), "http://worker.internal:8000"),
        ] {
            let refused = check_forwarded(&rules, hosts, is_tls, origin);
            let is_refused = matches!(refused, Err(Refused::Origin(_)));
            assert!(is_refused, "{hosts:?} {is_tls:?} {origin}");
        }
    }

    #[test]
    fn malformed_forwarded_host_is_refused() {
        for host in [
            "",
            "a b",
            "https://a.example",
            "user@a.example",
            "[::1",
            "a.example:x",
            "a.example/",
            "\u{fffd}",
        ] {
            let checked = check_forwarded(
                &public("*"),
                &["a.example", host],
                None,
                "https://a.example",
            );
            assert_eq!(
                checked,
                Err(Refused::Malformed(client_address::HOST)),
                "{host}"
            );
        }
    }

    #[test]
    fn loopback_server_checks_forwarded_hosts() {
        let rules = local("worker.internal, chat.example.com");
        let check = |hosts: &[&str]| check_forwarded(&rules, hosts, None, "http://localhost");
        assert_eq!(check(&["chat.example.com"]), Ok(()));
        assert_eq!(check(&["localhost:8000", "chat.example.com"]), Ok(()));
        let refused = Err(Refused::Host("evil.example".to_owned()));
        assert_eq!(check(&["evil.example"]), refused);
        assert_eq!(check(&["evil.example", "chat.example.com"]), refused);
    }

    #[test]
    fn refusal_names_the_way_out() {
        let text =
            |rules: &OriginRules, host, origin| check(rules, host, origin).unwrap_err().to_string();
        assert_eq!(
            text(&public(""), "localhost", "https://evil.example:443"),
            "pages of https://evil.example may not use this server; to allow them, add that origin to WORKER_ALLOWED_ORIGINS"
        );
        assert!(text(&public(""), "localhost", "null").contains("WORKER_ALLOWED_ORIGINS"));
        assert!(text(&local(""), "evil.example", "-").contains("WORKER_ALLOWED_HOSTS"));
    }

    #[test]
    fn lists_with_mistakes_name_them() {
        for list in [
            "chat.example.com",
            "https://a.example, b",
            "https://*.example.com",
            "https://a.example/",
        ] {
            assert!(list.parse::<AllowedOrigins>().is_err(), "{list}");
        }
        let wrong = "a, https://b.example".parse::<AllowedHosts>().unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "`https://b.example` is not the name of a host; write it without a scheme and a port, such as chat.example.com"
        );
        assert!("a:80".parse::<AllowedHosts>().is_err());
        assert!("*".parse::<AllowedHosts>().is_err());
    }
}
