//! The lane of large frames.

use futures::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::ready;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::PollSemaphore;

/// The size from which a frame is large, in bytes. A `connect` with the longest token is smaller.
const LARGE: usize = 32 * 1024;

/// The lane of large frames. At most half of the threads of the runtime answer large frames at the same time, so that the
/// others remain for small frames, however many users send large ones.
///
/// Each user may send a burst of large frames, and nothing limits the number of users.
#[derive(Debug)]
pub(super) struct Lane(Arc<Semaphore>);

impl Lane {
    /// Creates the lane of this runtime.
    pub(super) fn new() -> Self {
        let threads = Handle::try_current().map_or(1, |runtime| runtime.metrics().num_workers());
        Self(Arc::new(Semaphore::new((threads / 2).max(1))))
    }

    /// Does the work of a frame of this size. If the frame is large, each step of the work waits for its turn.
    ///
    /// The work keeps its turn only while it computes. While it waits, for the store or an authenticator, others compute.
    pub(super) async fn run<T>(&self, size: usize, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        if !is_large(size) {
            return work.await;
        }
        let mut lane = PollSemaphore::new(Arc::clone(&self.0));
        poll_fn(|context| {
            // Nothing closes the semaphore, so there is a permit.
            let _turn = ready!(lane.poll_acquire(context));
            work.as_mut().poll(context)
        })
        .await
    }
}

/// Returns true if a frame of this size is large.
pub(super) fn is_large(size: usize) -> bool {
    size > LARGE
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Condvar, Mutex};
    use std::time::Duration;
    use tokio::sync::oneshot;
    use tokio::task::JoinSet;

    /// The most works that compute at the same time, of 8 with frames of this size, on 4 threads.
    async fn most_at_once(size: usize) -> usize {
        let lane = Arc::new(Lane::new());
        let counts = Arc::new((Mutex::new((0, 0)), Condvar::new()));
        let mut works = JoinSet::new();
        for _ in 0..8 {
            let (lane, counts) = (Arc::clone(&lane), Arc::clone(&counts));
            works.spawn(async move {
                let work = async {
                    let (counts, changed) = &*counts;
                    let mut held = counts.lock().unwrap();
                    held.0 += 1;
                    held.1 = held.1.max(held.0);
                    changed.notify_all();
                    // Gives a third work the time to begin.
                    let patience = Duration::from_millis(50);
                    let waited = changed.wait_timeout_while(held, patience, |held| held.1 < 3);
                    waited.unwrap().0.0 -= 1;
                };
                lane.run(size, work).await;
            });
        }
        works.join_all().await;
        counts.0.lock().unwrap().1
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn large_frames_leave_half_of_the_threads() {
        assert!(most_at_once(LARGE).await >= 3);
        assert_eq!(most_at_once(LARGE + 1).await, 2);
    }

    #[tokio::test]
    async fn waiting_work_does_not_keep_its_turn() {
        let lane = Lane::new();
        let (answer, answered) = oneshot::channel();
        let first = lane.run(LARGE + 1, answered);
        let second = lane.run(LARGE + 1, async {
            tokio::task::yield_now().await;
            answer.send(7).unwrap();
        });
        let (first, ()) = tokio::join!(first, second);
        assert_eq!(first, Ok(7));
    }
}
