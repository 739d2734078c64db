//! The connections whose client has not sent `connect`.
//!
//! Anyone can open connections and send nothing, or next to nothing. Such connections end when their time is over. Until
//! then, they must not keep other clients out. A new connection is therefore never refused in their favor: if there are too
//! many of them, the oldest one is closed. A client that sends `connect` at once is not affected.

use super::client_address::ClientAddress;
use super::sparse::Sparse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// The pending connections of a listener, and their limits.
#[derive(Debug)]
pub(super) struct PendingConnections {
    limit: usize,
    per_address: usize,
    pending: Mutex<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    /// The number of the next connection.
    next: u64,
    /// By their numbers, so that the first is the oldest.
    connections: BTreeMap<u64, Entry>,
    by_address: BTreeMap<IpAddr, BTreeSet<u64>>,
    evicted: Sparse,
}

#[derive(Debug)]
struct Entry {
    address: Option<IpAddr>,
    eviction: CancellationToken,
}

/// A connection that is pending, until its client has connected or it is dropped.
#[derive(Debug)]
pub(super) struct PendingConnection {
    all: Arc<PendingConnections>,
    number: u64,
    eviction: CancellationToken,
}

impl PendingConnections {
    /// Creates limits of all pending connections, and of those of one client address. Both are at least 1, so that a new
    /// connection is never evicted by itself.
    pub(super) fn new(limit: usize, per_address: usize) -> Self {
        Self {
            limit: limit.max(1),
            per_address: per_address.max(1),
            pending: Mutex::default(),
        }
    }

    /// The limits of all connections, and of those of one client address.
    #[cfg(test)]
    pub(super) fn limits(&self) -> (usize, usize) {
        (self.limit, self.per_address)
    }

    /// Adds a connection. If it is one too many, the oldest one is evicted. Returns `true` if one was evicted.
    pub(super) fn add(self: &Arc<Self>, client: ClientAddress) -> (PendingConnection, bool) {
        let eviction = CancellationToken::new();
        let mut pending = self.pending();
        let number = pending.next;
        pending.next += 1;
        let entry = Entry {
            address: None,
            eviction: eviction.clone(),
        };
        pending.connections.insert(number, entry);
        let has_evicted = self.assign(&mut pending, number, client)
            || (pending.connections.len() > self.limit && pending.evict_oldest(number));
        let connection = PendingConnection {
            all: Arc::clone(self),
            number,
            eviction,
        };
        (connection, has_evicted)
    }

    /// Counts a connection for its client. If the client has one too many, its oldest one is evicted. Returns `true` if
    /// one was evicted.
    fn assign(&self, pending: &mut Pending, number: u64, client: ClientAddress) -> bool {
        let Some(address) = client.customer() else {
            return false;
        };
        // The connection may have ended its pending time.
        let Some(entry) = pending.connections.get_mut(&number) else {
            return false;
        };
        if entry.address == Some(address) {
            return false;
        }
        let former = entry.address.replace(address);
        if let Some(former) = former {
            pending.forget_address(former, number);
        }
        let numbers = pending.by_address.entry(address).or_default();
        numbers.insert(number);
        match numbers.first().copied() {
            Some(oldest) if numbers.len() > self.per_address => pending.evict(oldest),
            _ => false,
        }
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        // Nothing panics while the lock is held.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    /// Evicts the oldest connection other than `but`. Returns `false` if there is none.
    fn evict_oldest(&mut self, but: u64) -> bool {
        let mut numbers = self.connections.keys().copied();
        let oldest = numbers.find(|number| *number != but);
        oldest.is_some_and(|oldest| self.evict(oldest))
    }

    /// Evicts a connection. Returns `false` if it is not pending.
    fn evict(&mut self, number: u64) -> bool {
        let Some(entry) = self.remove(number) else {
            return false;
        };
        entry.eviction.cancel();
        if let Some(evicted) = self.evicted.count() {
            tracing::warn!(target: "dooers::server", evicted, "connections whose client had not sent `connect` were closed to make room for new ones; WORKER_MAX_PENDING_CONNECTIONS and WORKER_MAX_PENDING_PER_ADDRESS set the limits");
        }
        true
    }

    fn remove(&mut self, number: u64) -> Option<Entry> {
        let entry = self.connections.remove(&number)?;
        if let Some(address) = entry.address {
            self.forget_address(address, number);
        }
        Some(entry)
    }

    fn forget_address(&mut self, address: IpAddr, number: u64) {
        if let Some(numbers) = self.by_address.get_mut(&address) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_address.remove(&address);
            }
        }
    }
}

impl PendingConnection {
    /// Counts the connection for this client, which is known when the headers of the request have been read.
    pub(super) fn set_client(&self, client: ClientAddress) {
        let mut pending = self.all.pending();
        self.all.assign(&mut pending, self.number, client);
    }

    /// Ends the pending time, because the client has connected. Returns `false` if the connection was evicted before. If
    /// this returns `true`, the connection is never evicted.
    pub(super) fn has_connected(&self) -> bool {
        self.all.pending().remove(self.number).is_some()
    }

    /// Evicts the oldest other connection. Returns `false` if no other connection is pending.
    pub(super) fn evict_another(&self) -> bool {
        self.all.pending().evict_oldest(self.number)
    }

    /// Waits until the connection is evicted.
    pub(super) async fn evicted(&self) {
        self.eviction.cancelled().await;
    }
}

impl Drop for PendingConnection {
    fn drop(&mut self) {
        self.all.pending().remove(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::super::trusted_proxies::TrustedProxies;
    use super::*;

    /// The client at this address, or one that is not known yet.
    fn client(address: &str) -> ClientAddress {
        let proxies: TrustedProxies = "10.0.0.1".parse().unwrap();
        ClientAddress::of_connection(address.parse().unwrap(), &proxies)
    }

    const PROXY: &str = "10.0.0.1";

    fn limits(limit: usize, per_address: usize) -> Arc<PendingConnections> {
        Arc::new(PendingConnections::new(limit, per_address))
    }

    fn add(all: &Arc<PendingConnections>, address: &str) -> PendingConnection {
        all.add(client(address)).0
    }

    fn is_evicted(connection: &PendingConnection) -> bool {
        connection.eviction.is_cancelled()
    }

    #[test]
    fn oldest_connection_makes_room() {
        let all = limits(3, 3);
        let mut connections: Vec<_> = (1..=3)
            .map(|n| add(&all, &format!("192.0.2.{n}")))
            .collect();
        assert!(!connections.iter().any(is_evicted));
        // A connection that has ended leaves room.
        drop(connections.remove(1));
        connections.push(add(&all, "192.0.2.4"));
        assert!(!connections.iter().any(is_evicted));
        connections.push(add(&all, "192.0.2.5"));
        let evicted: Vec<_> = connections.iter().map(is_evicted).collect();
        assert_eq!(evicted, [true, false, false, false]);
    }

    #[test]
    fn client_with_many_connections_loses_its_own() {
        let all = limits(100, 2);
        let polite = add(&all, "192.0.2.1");
        let flood: Vec<_> = (0..50).map(|_| add(&all, "192.0.2.2")).collect();
        assert!(!is_evicted(&polite));
        let evicted = flood
            .iter()
            .filter(|connection| is_evicted(connection))
            .count();
        assert_eq!(evicted, 48);
        assert!(!is_evicted(&flood[48]) && !is_evicted(&flood[49]));
        // One customer has many addresses of IPv6.
        let flood: Vec<_> = (0..50)
            .map(|n| add(&all, &format!("2001:db8::{n:x}")))
            .collect();
        assert!(is_evicted(&flood[47]) && !is_evicted(&flood[48]) && !is_evicted(&polite));
    }

    #[test]
    fn new_connection_is_never_evicted_by_itself() {
        let all = limits(0, 0);
        let first = add(&all, "192.0.2.1");
        assert!(!is_evicted(&first));
        let second = add(&all, "192.0.2.1");
        assert!(is_evicted(&first) && !is_evicted(&second));
    }

    #[test]
    fn connected_client_is_never_evicted() {
        let all = limits(1, 1);
        let connected = add(&all, "192.0.2.1");
        assert!(connected.has_connected());
        let second = add(&all, "192.0.2.1");
        assert!(!second.evict_another());
        let third = add(&all, "192.0.2.1");
        assert!(!is_evicted(&connected) && is_evicted(&second) && !is_evicted(&third));
        assert!(!second.has_connected());
        // Neither counts any more.
        second.set_client(client("192.0.2.9"));
        connected.set_client(client("192.0.2.9"));
        assert_eq!(all.pending().by_address.len(), 1);
    }

    #[test]
    fn clients_of_a_proxy_are_counted_by_their_headers() {
        let all = limits(100, 2);
        let connections: Vec<_> = (0..10).map(|_| add(&all, PROXY)).collect();
        assert!(!connections.iter().any(is_evicted));
        for connection in &connections[..9] {
            connection.set_client(client("192.0.2.2"));
            // A second time changes nothing.
            connection.set_client(client("192.0.2.2"));
        }
        connections[9].set_client(client("192.0.2.1"));
        let evicted: Vec<_> = connections.iter().map(is_evicted).collect();
        assert_eq!(evicted, [[true; 7].as_slice(), &[false; 3]].concat());
    }

    #[test]
    fn nothing_is_left_of_ended_connections() {
        let all = limits(4, 2);
        for round in 0..100 {
            let connections: Vec<_> = (0..8)
                .map(|n| add(&all, &format!("192.0.2.{}", n % 5)))
                .collect();
            connections[round % 8].has_connected();
        }
        let pending = all.pending();
        assert!(pending.connections.is_empty() && pending.by_address.is_empty());
    }
}
