//! Listening on the configured address.

use super::bind_address::BindAddress;
use super::error::ServerError;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, lookup_host};
use tokio::time::timeout;

/// Maximum time for resolving a name.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens a listener.
pub(super) async fn listen(bind: &BindAddress) -> Result<TcpListener, ServerError> {
    let failed = |hint, source| ServerError::Bind {
        address: bind.clone(),
        hint,
        source,
    };
    if !bind.is_valid() {
        return Err(failed(
            BindAddress::ALLOWED,
            io::ErrorKind::InvalidInput.into(),
        ));
    }
    let resolved = timeout(RESOLVE_TIMEOUT, lookup_host(bind.as_str())).await;
    let addresses: Vec<_> = resolved
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(|source| failed("the name cannot be resolved; check it, or set WORKER_BIND to an address, such as 127.0.0.1:8000", source))?
        .collect();
    let listener = listen_on_first(&addresses).await;
    listener.map_err(|source| failed(hint(&source), source))
}

/// Listens on the first address that this machine has. A name such as `localhost` may have an IPv6 address on a machine
/// without IPv6. If the address is in use, the next one is not tried: clients would reach the other program by the name.
async fn listen_on_first(addresses: &[SocketAddr]) -> io::Result<TcpListener> {
    let mut last = io::ErrorKind::NotFound.into();
    for address in addresses {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The way out of an error of the system.
fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there; stop it, or set WORKER_BIND to another address, such as 127.0.0.1:8001"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address; set WORKER_BIND to one that it has, such as 127.0.0.1:8000"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 require a privilege; set WORKER_BIND to a higher one, such as 127.0.0.1:8000"
        }
        _ => "set WORKER_BIND to another address, such as 127.0.0.1:8000",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn listener_skips_addresses_of_other_machines() {
        // 192.0.2.0/24 is reserved for documentation.
        let addresses = ["192.0.2.1:0", "127.0.0.1:0"].map(|text| text.parse().unwrap());
        let listener = listen_on_first(&addresses).await.unwrap();
        assert!(listener.local_addr().unwrap().ip().is_loopback());
        let error = listen_on_first(&addresses[..1]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[tokio::test]
    async fn listener_does_not_evade_another_program() {
        let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = [other.local_addr().unwrap(), "127.0.0.1:0".parse().unwrap()];
        let error = listen_on_first(&addresses).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn listen_error_names_the_address() {
        let text = |address: &'static str| async move {
            listen(&BindAddress::from(address))
                .await
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            text("8000").await,
            "cannot listen on 8000: it must be an address or a name with a port, such as 127.0.0.1:8000, [::1]:8000 or localhost:8000"
        );
        // A name with an empty label fails without a query over the network.
        let unknown = text("no..such.host:8000").await;
        let expected = "cannot listen on no..such.host:8000: the name cannot be resolved";
        assert!(unknown.starts_with(expected), "{unknown}");
    }
}
