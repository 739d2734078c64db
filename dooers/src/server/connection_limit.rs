//! The limit of connections.

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

/// The place of one connection. The place becomes free when its last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct ConnectionSlot(
    #[expect(dead_code, reason = "held, not read")] Arc<OwnedSemaphorePermit>,
);

/// Gives places to connections, and refuses those above the limit.
#[derive(Debug)]
pub(super) struct Admission {
    limit: usize,
    places: Arc<Semaphore>,
    refusal: RawAnswer,
    lingering: Arc<Semaphore>,
    refused: Sparse,
}

impl Admission {
    /// Creates a limit of connections. The default leaves enough file descriptors for everything else.
    pub(super) fn new(limit: Option<usize>) -> Self {
        let limit = limit.unwrap_or_else(default_limit);
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            limit,
            places: Arc::new(Semaphore::new(limit)),
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

    /// Reserves a place for one more connection. `None` if all places are taken.
    pub(super) fn admit(&self) -> Option<ConnectionSlot> {
        let permit = Arc::clone(&self.places).try_acquire_owned();
        Some(ConnectionSlot(Arc::new(permit.ok()?)))
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

    #[test]
    fn place_becomes_free_with_its_last_clone() {
        let admission = Admission::new(Some(1));
        let place = admission.admit().unwrap();
        let clone = place.clone();
        drop(place);
        assert!(admission.admit().is_none());
        drop(clone);
        assert!(admission.admit().is_some());
    }
}
