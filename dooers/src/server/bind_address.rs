//! The address that a server listens on.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// An address or a name, with a port. It is created from a text, a [`SocketAddr`], or a pair of an IP address or
/// name and a port.
///
/// A name is resolved when the server starts to listen. If it has several addresses, the server listens on the first
/// one that this machine has. It does not try the next one if another program listens on that address and port.
///
/// ```
/// use dooers::WorkerConfig;
/// use std::net::Ipv6Addr;
///
/// let by_name = WorkerConfig::new().bind("localhost:8000");
/// let every_address = WorkerConfig::new().bind(([0, 0, 0, 0], 8000));
/// let name_and_port = WorkerConfig::new().bind(("localhost", 8000));
/// let ipv6 = WorkerConfig::new().bind((Ipv6Addr::LOCALHOST, 8000));
/// assert_eq!(ipv6.bind_address().as_str(), "[::1]:8000");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindAddress(String);

impl BindAddress {
    /// The rule for the text of an address.
    pub(super) const ALLOWED: &str = "it must be an address or a name with a port, such as 127.0.0.1:8000, [::1]:8000 or localhost:8000";

    /// The address as text, for example for `TcpListener::bind`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true for an address or a name with a port. A name need not exist.
    pub(super) fn is_valid(&self) -> bool {
        self.0.parse::<SocketAddr>().is_ok() || is_name_with_port(&self.0)
    }
}

impl fmt::Display for BindAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for BindAddress {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for BindAddress {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<SocketAddr> for BindAddress {
    fn from(address: SocketAddr) -> Self {
        Self(address.to_string())
    }
}

impl From<&String> for BindAddress {
    fn from(text: &String) -> Self {
        Self(text.clone())
    }
}

/// Creates an address from an IP address or a name, and a port.
impl From<(&str, u16)> for BindAddress {
    fn from((host, port): (&str, u16)) -> Self {
        match host.parse::<IpAddr>() {
            Ok(address) => (address, port).into(),
            Err(_) => Self(format!("{host}:{port}")),
        }
    }
}

impl From<(String, u16)> for BindAddress {
    fn from((host, port): (String, u16)) -> Self {
        (host.as_str(), port).into()
    }
}

/// A generic implementation would exclude the one for a name.
macro_rules! from_ip_address {
    ($($address:ty),*) => {$(
        impl From<($address, u16)> for BindAddress {
            fn from(pair: ($address, u16)) -> Self {
                SocketAddr::from(pair).into()
            }
        }
    )*};
}

from_ip_address!(IpAddr, Ipv4Addr, Ipv6Addr, [u8; 4], [u16; 8]);

fn is_name_with_port(text: &str) -> bool {
    let Some((name, port)) = text.rsplit_once(':') else {
        return false;
    };
    // The parser of numbers would accept `+80`.
    let is_port = port.starts_with(|c: char| c.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    is_port && !name.is_empty() && name.chars().all(is_of_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_or_name_needs_a_port() {
        for text in [
            "localhost:8000",
            "my-host.internal:0",
            "127.0.0.1:8000",
            "[::1]:8000",
            "[fe80::1%2]:8000",
        ] {
            assert!(BindAddress::from(text).is_valid(), "{text}");
        }
        for text in [
            "",
            "8000",
            ":8000",
            "localhost",
            "localhost:",
            "localhost:+80",
            "localhost:65536",
            "localhost:http",
            "::1:8000",
            "http://localhost:8000",
            "a b:8000",
            "localhost:8000/",
        ] {
            assert!(!BindAddress::from(text).is_valid(), "{text}");
        }
    }

    #[test]
    fn host_and_port_become_one_text() {
        let text = "localhost:80".to_owned();
        for (address, expected) in [
            (BindAddress::from(&text), "localhost:80"),
            (("localhost", 80).into(), "localhost:80"),
            (("localhost".to_owned(), 80).into(), "localhost:80"),
            (("::1", 80).into(), "[::1]:80"),
            ((Ipv6Addr::LOCALHOST, 80).into(), "[::1]:80"),
            (([0, 0, 0, 0, 0, 0, 0, 1], 80).into(), "[::1]:80"),
            (([127, 0, 0, 1], 80).into(), "127.0.0.1:80"),
        ] {
            assert_eq!(address.as_str(), expected);
        }
    }
}
