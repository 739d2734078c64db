//! The limit of connections.

use super::client_address::ClientAddress;
use super::config::Limits;
use super::pending_connections::{PendingConnection, PendingConnections};
use super::raw_answer::RawAnswer;
use super::sparse::Sparse;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The number of file descriptors that are kept for the store, the log and the program.
#[cfg(unix)]
const RESERVED_FILES: u64 = 64;

/// The divisor for the file descriptors that connections leave free: one eighth of the limit, if that is more than
/// [`RESERVED_FILES`]. Handlers open connections of their own.
#[cfg(unix)]
const FREE_PART: u64 = 8;

/// Maximum number of refused connections that wait for their client to read the refusal. Further ones are closed at
/// once.
const LINGERING: usize = 16;

/// The smallest default of the limits of pending connections. Fewer places would be too few for clients that connect
/// at the same moment.
const FEWEST_PENDING: usize = 16;

/// The place of one connection. The place becomes free when its last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct ConnectionSlot(Arc<Slot>);

#[derive(Debug)]
struct Slot {
    pending: PendingConnection,
    #[expect(dead_code, reason = "held, not read")]
    permit: OwnedSemaphorePermit,
}

impl ConnectionSlot {
    /// The connection in the list of those whose client has not sent `connect`.
    pub(super) fn pending(&self) -> &PendingConnection {
        &self.0.pending
    }
}

/// Gives places to connections, and refuses those above the limit.
#[derive(Debug)]
pub(super) struct Admission {
    limit: usize,
    places: Arc<Semaphore>,
    pending: Arc<PendingConnections>,
    refusal: RawAnswer,
    lingering: Arc<Semaphore>,
    refused: Sparse,
}

impl Admission {
    /// Creates the limits of connections. The default leaves enough file descriptors for everything else.
    pub(super) fn new(limits: &Limits) -> Self {
        let limit = limits.connections.unwrap_or_else(default_limit);
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        let half = |whole: usize| (whole / 2).max(FEWEST_PENDING);
        let pending = limits.pending_connections.unwrap_or(half(limit));
        let per_address = limits.pending_per_address.unwrap_or(half(pending));
        Self {
            limit,
            places: Arc::new(Semaphore::new(limit)),
            pending: Arc::new(PendingConnections::new(pending, per_address)),
            // The client cannot know when a place becomes free.
            refusal: RawAnswer::new(
                "503 Service Unavailable",
                "Retry-After: 5\r\n",
                "all places are taken; try again in a few seconds\n",
            ),
            lingering: Arc::new(Semaphore::new(LINGERING)),
            refused: Sparse::default(),
        }
    }

    /// Reserves a place for one more connection. If all places are taken, the oldest connection whose client has not sent
    /// `connect` is closed and its place is used. `None` if there is no such connection.
    pub(super) async fn admit(&self, client: ClientAddress) -> Option<ConnectionSlot> {
        let (pending, has_evicted) = self.pending.add(client);
        let place = Arc::clone(&self.places).try_acquire_owned();
        let permit = match place {
            Ok(permit) => permit,
            // The task of the evicted connection ends without waiting for its client.
            Err(_) if has_evicted || pending.evict_another() => {
                Arc::clone(&self.places).acquire_owned().await.ok()?
            }
            Err(_) => return None,
        };
        Some(ConnectionSlot(Arc::new(Slot { pending, permit })))
    }

    /// Counts a refused connection and returns the future that answers it. If too many refusals are in progress, the
    /// connection is answered and closed at once, and the answer may be lost.
    pub(super) fn refuse(&mut self, stream: TcpStream) -> Option<impl Future<Output = ()> + use<>> {
        if let Some(refused) = self.refused.count() {
            let limit = self.limit;
            tracing::warn!(target: "dooers::server", refused, limit, "connections were refused because the limit of connections is reached; WORKER_MAX_CONNECTIONS sets it, and the limit of open files bounds it");
        }
        let Ok(lingering) = Arc::clone(&self.lingering).try_acquire_owned() else {
            self.refusal.send_at_once(stream);
            return None;
        };
        let refusal = self.refusal.clone();
        Some(async move {
            refusal.send(stream).await;
            drop(lingering);
        })
    }
}

#[cfg(unix)]
fn default_limit() -> usize {
    // The system enforces the soft limit.
    let files = rlimit::Resource::NOFILE.get_soft();
    places_of(files.unwrap_or(1024))
}

#[cfg(not(unix))]
fn default_limit() -> usize {
    Semaphore::MAX_PERMITS
}

/// The default limit of a process that may have this many open files.
#[cfg(unix)]
fn places_of(files: u64) -> usize {
    let reserved = RESERVED_FILES.max(files / FREE_PART);
    let places = files.saturating_sub(reserved).max(1);
    usize::try_from(places).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn default_limit_leaves_files_for_the_store() {
        assert_eq!(places_of(80), 16);
        assert_eq!(places_of(1024), 896);
        assert_eq!(places_of(1 << 20), 917_504);
        // With fewer files than are reserved, the limit is still one connection.
        assert_eq!(places_of(20), 1);
        assert!(places_of(u64::MAX) > 1 << 40);
    }

    async fn admit(admission: &Admission) -> Option<ConnectionSlot> {
        let client = ClientAddress::of_connection([192, 0, 2, 1].into(), &Default::default());
        admission.admit(client).await
    }

    fn two_places() -> Admission {
        Admission::new(&Limits {
            connections: Some(2),
            ..Limits::default()
        })
    }

    #[tokio::test]
    async fn place_becomes_free_with_its_last_clone() {
        let admission = two_places();
        let places = [
            admit(&admission).await.unwrap(),
            admit(&admission).await.unwrap(),
        ];
        assert!(places.iter().all(|place| place.pending().has_connected()));
        assert!(admit(&admission).await.is_none());
        let clone = places[0].clone();
        drop(places);
        let _second = admit(&admission).await.unwrap();
        drop(clone);
        assert!(admit(&admission).await.is_some());
    }

    #[tokio::test]
    async fn pending_connection_gives_its_place_away() {
        let admission = two_places();
        let connected = admit(&admission).await.unwrap();
        assert!(connected.pending().has_connected());
        let pending = admit(&admission).await.unwrap();
        let leaving = async {
            pending.pending().evicted().await;
            drop(pending);
        };
        let (admitted, ()) = tokio::join!(admit(&admission), leaving);
        assert!(admitted.unwrap().pending().has_connected());
        assert!(admit(&admission).await.is_some());
    }

    #[test]
    fn pending_connections_have_half_of_the_places() {
        let of = |change: fn(&mut Limits)| {
            let mut limits = Limits::default();
            change(&mut limits);
            Admission::new(&limits).pending.limits()
        };
        assert_eq!(of(|limits| limits.connections = Some(1000)), (500, 250));
        assert_eq!(of(|limits| limits.connections = Some(40)), (20, 16));
        assert_eq!(of(|limits| limits.connections = Some(1)), (16, 16));
        assert_eq!(
            of(|limits| limits.pending_connections = Some(100)),
            (100, 50)
        );
        let both = of(|limits| {
            limits.pending_connections = Some(3);
            limits.pending_per_address = Some(1);
        });
        assert_eq!(both, (3, 1));
    }
}
