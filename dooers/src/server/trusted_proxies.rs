//! The proxies whose statements about their clients a server believes.

use super::list::entries;
use ipnet::{IpNet, Ipv4Net};
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

/// The addresses of the proxies in front of a server.
///
/// A list of IP addresses and of ranges in CIDR notation, separated by commas:
///
/// ```
/// use dooers::{TrustedProxies, WorkerConfig};
///
/// let proxies: TrustedProxies = "127.0.0.1, 10.0.0.0/8, fd00::/8".parse()?;
/// let config = WorkerConfig::new().trusted_proxies(proxies);
/// # Ok::<(), dooers::InvalidProxy>(())
/// ```
///
/// A range of every address, such as `0.0.0.0/0`, is refused. With such a range, each client could claim any address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// An entry of a list that does not name proxies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidProxy {
    /// The entry is neither an address nor a range.
    #[error(
        "`{0}` is not an IP address or a range of addresses; write the address of the proxy, such as 10.0.0.5, or a range in CIDR notation, such as 10.0.0.0/8 or fd00::/8"
    )]
    NotARange(String),
    /// The ranges of the list contain every address.
    #[error(
        "`{0}` contains every address, so that each client could claim any address; write the addresses of the proxies only"
    )]
    EveryAddress(String),
    /// The address is inside of its range, and not the first address of it.
    #[error(
        "`{range}` does not begin with the first address of its range; write `{whole}` for the whole range, or the address without `/` for one proxy"
    )]
    InsideOfRange {
        /// The entry.
        range: String,
        /// The range that contains the address.
        whole: String,
    },
}

impl TrustedProxies {
    /// Returns true if the list names no proxy.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if a proxy of the list has this address.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        // A socket for both versions of IP shows an IPv4 address as a part of IPv6.
        let address = address.to_canonical();
        self.0.iter().any(|range| range.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = InvalidProxy;

    /// Reads addresses and ranges that are separated by commas.
    fn from_str(list: &str) -> Result<Self, InvalidProxy> {
        let ranges: Vec<_> = entries(list).map(range).collect::<Result<_, _>>()?;
        // Several ranges can contain every address together.
        let ranges = IpNet::aggregate(&ranges);
        if ranges.iter().any(|range| range.prefix_len() == 0) {
            return Err(InvalidProxy::EveryAddress(list.to_owned()));
        }
        Ok(Self(ranges))
    }
}

fn range(text: &str) -> Result<IpNet, InvalidProxy> {
    let range = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text
            .parse()
            .map_err(|_| InvalidProxy::NotARange(text.to_owned()))?,
    };
    if range != range.trunc() {
        return Err(InvalidProxy::InsideOfRange {
            range: text.to_owned(),
            whole: range.trunc().to_string(),
        });
    }
    Ok(canonical(range))
}

/// Converts a range of IPv4 addresses that is written as a part of IPv6, such as `::ffff:10.0.0.0/104`.
fn canonical(range: IpNet) -> IpNet {
    let prefix = range.prefix_len().checked_sub(Ipv6Addr::BITS as u8 - 32);
    match (range.addr().to_canonical(), prefix) {
        (IpAddr::V4(address), Some(prefix)) if range.addr().is_ipv6() => {
            Ipv4Net::new(address, prefix).map_or(range, IpNet::V4)
        }
        _ => range,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(list: &str) -> Result<TrustedProxies, InvalidProxy> {
        list.parse()
    }

    #[test]
    fn addresses_and_ranges_are_trusted() {
        let proxies =
            parse(" 10.0.0.5,, 192.168.0.0/16 ,fd00::/8,::1,::ffff:172.16.0.0/108").unwrap();
        for address in [
            "10.0.0.5",
            "192.168.255.255",
            "fd12::1",
            "::1",
            "172.16.0.1",
            "::ffff:10.0.0.5",
            "::ffff:192.168.0.1",
        ] {
            assert!(proxies.contains(address.parse().unwrap()), "{address}");
        }
        for address in [
            "10.0.0.6",
            "192.169.0.0",
            "fe80::1",
            "127.0.0.1",
            "172.32.0.0",
            "::2",
        ] {
            assert!(!proxies.contains(address.parse().unwrap()), "{address}");
        }
        assert!(!parse("").unwrap().contains("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn entry_that_is_not_a_range_is_refused() {
        for entry in [
            "localhost",
            "*",
            "10.0.0",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/",
            "10.0.0.0/8/8",
            "10.0.0.0 /8",
            "10.0.0.0-10.0.0.9",
            "010.0.0.1",
            "10.0.0.5:80",
            "[::1]",
            "fe80::1%eth0",
            "fd00::/129",
            "http://10.0.0.5",
            "10.0.0.0/255.0.0.0",
        ] {
            let refused = parse(&format!("127.0.0.1,{entry}"));
            assert_eq!(refused, Err(InvalidProxy::NotARange(entry.to_owned())));
        }
    }

    #[test]
    fn range_of_every_address_is_refused() {
        for list in [
            "0.0.0.0/0",
            "::/0",
            "::ffff:0.0.0.0/96",
            "127.0.0.1, 0.0.0.0/1, 128.0.0.0/2, 192.0.0.0/2",
            "8000::/1,::/1",
        ] {
            let refused = parse(list);
            assert_eq!(refused, Err(InvalidProxy::EveryAddress(list.to_owned())));
        }
        let text = parse("0.0.0.0/0").unwrap_err().to_string();
        assert!(text.contains("claim any address"), "{text}");
    }

    #[test]
    fn address_inside_of_its_range_is_refused() {
        for (entry, whole) in [
            ("10.0.0.5/8", "10.0.0.0/8"),
            ("10.0.0.1/0", "0.0.0.0/0"),
            ("fd00::1/8", "fd00::/8"),
        ] {
            let text = parse(entry).unwrap_err().to_string();
            assert!(text.contains(&format!("write `{whole}` for")), "{text}");
        }
    }
}
