//! The client of a request, as far as the server can know it behind proxies.
//!
//! Anyone can send the headers `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`. They count only if the
//! other end of the connection is a proxy of `WORKER_TRUSTED_PROXIES`.

use super::trusted_proxies::TrustedProxies;
use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The name by which a client reaches the proxy.
pub(super) const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The prefix of the network that an internet provider gives to one IPv6 customer, who can use each address in it.
const CUSTOMER_PREFIX: u32 = 64;

/// The prefix of IPv4 addresses in a network that has only IPv6.
const TRANSLATED: [u16; 6] = [0x64, 0xff9b, 0, 0, 0, 0];

/// The address of the client of a request. It is an extension of each request.
///
/// The address is unknown in a [`router`](crate::WorkerServer::router) whose program does not provide the addresses of
/// its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClientAddress(Option<IpAddr>);

/// The statements of a trusted proxy about a request. It is an extension of each request. Without a trusted proxy, it is
/// empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Forwarded {
    /// True if the client uses TLS. `None` if this is unknown.
    pub(super) is_tls: Option<bool>,
    /// The names by which the client reaches the first proxies, as they are in the header.
    pub(super) hosts: Vec<String>,
}

impl ClientAddress {
    /// The client of a connection before its request is read. Unknown behind a trusted proxy.
    pub(super) fn of_connection(peer: IpAddr, proxies: &TrustedProxies) -> Self {
        Self((!proxies.contains(peer)).then(|| peer.to_canonical()))
    }

    /// The client of a request.
    ///
    /// The connection shows the address of its other end. If that is a trusted proxy, the proxy has appended the address
    /// of its own client to `X-Forwarded-For`. If that is a trusted proxy, too, the entry before it counts, and so on.
    /// The entries further to the left come from the client, which may have invented them. If an entry is not an
    /// address, the client is unknown beyond it, and the last proxy before it counts as the client.
    pub(super) fn of_request(
        extensions: &Extensions,
        headers: &HeaderMap,
        proxies: &TrustedProxies,
    ) -> Self {
        let Some(peer) = peer(extensions) else {
            return Self(None);
        };
        let mut client = peer.to_canonical();
        let mut entries = entries(headers, &FOR).rev();
        while proxies.contains(client)
            && let Some(address) = entries.next().and_then(address)
        {
            client = address;
        }
        Self(Some(client))
    }

    /// The address. Addresses of IPv4 are never written as a part of IPv6.
    pub(super) fn ip(self) -> Option<IpAddr> {
        self.0
    }

    /// The [customer](customer_of) by which clients are counted.
    pub(super) fn customer(self) -> Option<IpAddr> {
        self.0.map(customer_of)
    }
}

/// The address by which clients are counted: of IPv6, the first address of the customer's network. One machine can use any
/// number of addresses in it. An address of IPv4 that a network translates (RFC 6052) counts as a whole.
pub(super) fn customer_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        address @ IpAddr::V4(_) => address,
        IpAddr::V6(translated) if translated.segments().starts_with(&TRANSLATED) => {
            translated.into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX << (Ipv6Addr::BITS - CUSTOMER_PREFIX);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

impl Forwarded {
    /// Reads the headers of a request.
    pub(super) fn of_request(
        extensions: &Extensions,
        headers: &HeaderMap,
        proxies: &TrustedProxies,
    ) -> Self {
        if !peer(extensions).is_some_and(|peer| proxies.contains(peer)) {
            return Self::default();
        }
        let mut schemes = entries(headers, &PROTO).map(is_tls);
        let is_tls = schemes.next().flatten();
        Self {
            // Several proxies may each append their view. The client itself may have added an entry.
            is_tls: is_tls.filter(|first| schemes.all(|scheme| scheme == Some(*first))),
            hosts: entries(headers, &HOST)
                .map(|host| String::from_utf8_lossy(host).into_owned())
                .collect(),
        }
    }
}

/// The address of the other end of the connection.
fn peer(extensions: &Extensions) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(peer.ip())
}

/// The entries of a list, which may be spread over several headers. Entries may be empty. A header with broken text does
/// not hide the other entries, because the client may have sent it.
fn entries<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> impl DoubleEndedIterator<Item = &'a [u8]> + use<'a> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    let entries = |line: &'a HeaderValue| line.as_bytes().split(|byte| *byte == b',');
    lines.into_iter().flat_map(entries).map(<[u8]>::trim_ascii)
}

/// Reads an address. Some proxies add the port of their client.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let entry = str::from_utf8(entry).ok()?;
    let address = match entry
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        Some(address) => address.parse::<Ipv6Addr>().ok()?.into(),
        None => match entry.parse() {
            Ok(address) => address,
            Err(_) => without_zone(entry.parse().ok()?)?,
        },
    };
    Some(address.to_canonical())
}

/// The address of a socket. An address with a zone is not one of the internet.
fn without_zone(socket: SocketAddr) -> Option<IpAddr> {
    match socket {
        SocketAddr::V6(socket) if socket.scope_id() != 0 => None,
        socket => Some(socket.ip()),
    }
}

/// Reads the scheme of a client's URL. Some proxies write the schemes of WebSockets.
fn is_tls(entry: &[u8]) -> Option<bool> {
    match entry.to_ascii_lowercase().as_slice() {
        b"https" | b"wss" => Some(true),
        b"http" | b"ws" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The trusted proxies of all tests.
    const PROXIES: &str = "10.0.0.0/8, ::1";

    fn request(peer: &str, name: &HeaderName, lines: &[&[u8]]) -> (Extensions, HeaderMap) {
        let mut extensions = Extensions::new();
        let peer: IpAddr = peer.parse().unwrap();
        extensions.insert(ConnectInfo(SocketAddr::new(peer, 40_000)));
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_bytes(line).unwrap());
        }
        (extensions, headers)
    }

    fn client(peer: &str, lines: &[&str]) -> String {
        let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        let (extensions, headers) = request(peer, &FOR, &lines);
        let client = ClientAddress::of_request(&extensions, &headers, &PROXIES.parse().unwrap());
        client.ip().unwrap().to_string()
    }

    fn forwarded(peer: &str, name: &HeaderName, lines: &[&str]) -> Forwarded {
        let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        let (extensions, headers) = request(peer, name, &lines);
        Forwarded::of_request(&extensions, &headers, &PROXIES.parse().unwrap())
    }

    #[test]
    fn peer_that_is_not_a_proxy_is_the_client() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(client("::ffff:192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        let proto = forwarded("192.0.2.1", &PROTO, &["https"]);
        let host = forwarded("192.0.2.1", &HOST, &["chat.example.com"]);
        assert_eq!((proto, host), Default::default());
    }

    #[test]
    fn unknown_peer_has_no_address() {
        let mut headers = HeaderMap::new();
        headers.insert(FOR, HeaderValue::from_static("192.0.2.1"));
        let proxies = PROXIES.parse().unwrap();
        let client = ClientAddress::of_request(&Extensions::new(), &headers, &proxies);
        assert_eq!((client.ip(), client.customer()), (None, None));
        let forwarded = Forwarded::of_request(&Extensions::new(), &headers, &proxies);
        assert_eq!(forwarded, Forwarded::default());
    }

    #[test]
    fn rightmost_untrusted_address_is_the_client() {
        for (lines, address) in [
            (&["192.0.2.1"][..], "192.0.2.1"),
            (&[" 192.0.2.1\t"], "192.0.2.1"),
            (&["192.0.2.1:4711"], "192.0.2.1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["::ffff:192.0.2.1"], "192.0.2.1"),
            (&["[::ffff:192.0.2.1]:4711"], "192.0.2.1"),
            (&["198.51.100.7, 192.0.2.1"], "192.0.2.1"),
            (&["198.51.100.7", "192.0.2.1"], "192.0.2.1"),
            (&["192.0.2.1, 10.9.9.9"], "192.0.2.1"),
            (
                &["198.51.100.7,192.0.2.1,10.9.9.9", "::1,::ffff:10.0.0.2"],
                "192.0.2.1",
            ),
            (&["127.0.0.1, 192.0.2.1"], "192.0.2.1"),
            (&["192.0.2.1, 10.0.0.2:443"], "192.0.2.1"),
            (&["::ffff:c000:201"], "192.0.2.1"),
            // What the client has sent is never reached.
            (&["\u{1f4a9}, <script>, 192.0.2.1"], "192.0.2.1"),
            (&["", ",,,", "192.0.2.1"], "192.0.2.1"),
            // All are proxies: a request of the proxy itself.
            (&["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
            (&[], "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", lines), address, "{lines:?}");
        }
        assert_eq!(client("::ffff:10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(client("::1", &["192.0.2.1"]), "192.0.2.1");
    }

    #[test]
    fn entry_without_an_address_ends_at_its_proxy() {
        for entry in [
            "",
            " ",
            "unknown",
            "_hidden",
            "unix:",
            "192.0.2",
            "192.0.2.256",
            "192.0.2.01",
            "192.0.2.1:",
            "192.0.2.1:65536",
            "192.0.2.1:+80",
            "192.0.2.1/24",
            "192.0.2.1 198.51.100.7",
            "192.0.2.1;198.51.100.7",
            "\"192.0.2.1\"",
            "for=192.0.2.1",
            "2001:db8::1::2",
            "[2001:db8::1",
            "2001:db8::1]",
            "[2001:db8::1]:",
            "[192.0.2.1]",
            "[2001:db8::1]4711",
            "fe80::1%eth0",
            "[fe80::1%1]:80",
            "chat.example.com",
            "0x7f000001",
            "2130706433",
            "\u{ff11}92.0.2.1",
            "192.0.2.1\u{a0}",
            "192.0.2.1, ::1%lo",
        ] {
            assert_eq!(client("10.0.0.1", &[entry]), "10.0.0.1", "{entry:?}");
            let behind = format!("198.51.100.7, {entry}, 10.0.0.2");
            assert_eq!(client("10.0.0.1", &[&behind]), "10.0.0.2", "{entry:?}");
        }
    }

    #[test]
    fn broken_text_of_a_client_hides_no_entry() {
        for line in [&b"\xff\xfe, 192.0.2.1"[..], b"\xf0\x9f,192.0.2.1"] {
            let (extensions, headers) = request("10.0.0.1", &FOR, &[line]);
            let proxies = PROXIES.parse().unwrap();
            let client = ClientAddress::of_request(&extensions, &headers, &proxies);
            assert_eq!(client.ip(), Some([192, 0, 2, 1].into()));
        }
    }

    #[test]
    fn scheme_is_known_if_all_entries_agree() {
        for (lines, is_tls) in [
            (&["https"][..], Some(true)),
            (&["HTTPS"], Some(true)),
            (&["wss"], Some(true)),
            (&["http"], Some(false)),
            (&["ws"], Some(false)),
            (&["https, wss", "https"], Some(true)),
            (&["https, http"], None),
            (&["http", "https"], None),
            (&["https,"], None),
            (&["https, ftp"], None),
            (&[""], None),
            (&["https://"], None),
            (&["https;q=1"], None),
            (&["on"], None),
            (&[], None),
        ] {
            let forwarded = forwarded("10.0.0.1", &PROTO, lines);
            assert_eq!(forwarded.is_tls, is_tls, "{lines:?}");
        }
    }

    #[test]
    fn hosts_of_a_proxy_are_read() {
        let hosts = |lines| forwarded("10.0.0.1", &HOST, lines).hosts;
        assert_eq!(
            hosts(&["a.example, b.example:8443", "c"]),
            ["a.example", "b.example:8443", "c"]
        );
        assert_eq!(hosts(&[" "]), [""]);
        assert!(hosts(&[]).is_empty());
    }

    #[test]
    fn connection_of_a_proxy_has_no_client_yet() {
        let proxies = PROXIES.parse().unwrap();
        let of = |peer: &str| ClientAddress::of_connection(peer.parse().unwrap(), &proxies).ip();
        assert_eq!(of("10.0.0.1"), None);
        assert_eq!(of("::ffff:192.0.2.1"), Some([192, 0, 2, 1].into()));
    }

    #[test]
    fn addresses_of_one_customer_are_counted_together() {
        let customer = |address: &str| ClientAddress(Some(address.parse().unwrap())).customer();
        assert_eq!(customer("2001:db8:1:2:3:4:5:6"), customer("2001:db8:1:2::"));
        assert_ne!(customer("2001:db8:1:2::"), customer("2001:db8:1:3::"));
        assert_ne!(customer("192.0.2.1"), customer("192.0.2.2"));
        assert_ne!(
            customer("64:ff9b::192.0.2.1"),
            customer("64:ff9b::192.0.2.2")
        );
    }
}
