//! What waits to be sent to one connection.

use super::lock;
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use tokio::sync::Notify;

/// An encoded frame. A clone shares the bytes.
pub(crate) type Frame = tokio_tungstenite::tungstenite::Utf8Bytes;

/// How much may wait for one connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OutboundLimits {
    pub(crate) frames: usize,
    pub(crate) bytes: usize,
}

/// The frames that wait to be sent to one connection, bounded in number and bytes.
#[derive(Debug)]
pub(crate) struct Outbound {
    queue: Mutex<Queue>,
    limits: OutboundLimits,
    filled: Notify,
    drained: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// How many frames have left.
    taken: u64,
    /// The frames that a newer one replaces as long as they wait: how many frames came before each.
    replaceable: HashMap<String, u64>,
}

impl Queue {
    fn has_room(&self, frame: &Frame, limits: OutboundLimits) -> bool {
        self.frames.is_empty()
            || (self.frames.len() < limits.frames && self.bytes + frame.len() <= limits.bytes)
    }

    fn add(&mut self, frame: Frame) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
    }

    /// Adds a frame that a newer one of its key replaces as long as it waits.
    fn add_replaceable(&mut self, key: &str, frame: Frame) {
        let place = self.taken + self.frames.len() as u64;
        self.replaceable.insert(key.to_owned(), place);
        self.add(frame);
    }

    /// The frame of this key, if it still waits.
    fn waiting(&mut self, key: &str) -> Option<&mut Frame> {
        let place = self.replaceable.get(key)?.checked_sub(self.taken)?;
        self.frames.get_mut(usize::try_from(place).ok()?)
    }
}

impl Outbound {
    pub(crate) fn new(limits: OutboundLimits) -> Self {
        Self {
            queue: Mutex::default(),
            limits,
            filled: Notify::new(),
            drained: Notify::new(),
        }
    }

    /// Queues an answer to something the client asked. The client is not read while the queue is full, so that
    /// it cannot make the queue grow.
    pub(crate) fn push(&self, frame: Frame) {
        lock(&self.queue).add(frame);
        self.filled.notify_one();
    }

    /// The same for a frame that belongs behind those that wait, also behind one of its key; newer ones of the key
    /// replace this one.
    pub(crate) fn push_replaceable(&self, key: &str, frame: Frame) {
        lock(&self.queue).add_replaceable(key, frame);
        self.filled.notify_one();
    }

    /// Queues a live frame, if there is room.
    pub(crate) fn offer(&self, frame: &Frame) -> bool {
        let mut queue = lock(&self.queue);
        let has_room = queue.has_room(frame, self.limits);
        if has_room {
            queue.add(frame.clone());
            self.filled.notify_one();
        }
        has_room
    }

    /// Queues a live frame, if there is room. One of the same key that still waits is replaced by it.
    pub(crate) fn offer_instead(&self, key: &str, frame: &Frame) -> bool {
        let mut queue = lock(&self.queue);
        if let Some(waiting) = queue.waiting(key) {
            let before = std::mem::replace(waiting, frame.clone()).len();
            queue.bytes = queue.bytes - before + frame.len();
            return true;
        }
        let has_room = queue.has_room(frame, self.limits);
        if has_room {
            queue.add_replaceable(key, frame.clone());
            self.filled.notify_one();
        }
        has_room
    }

    /// Waits for frames and takes some, in order: about as many bytes as are told, one frame at the least.
    pub(crate) async fn take(&self, bytes: usize, batch: &mut Vec<Frame>) {
        loop {
            let filled = self.filled.notified();
            if self.try_take(bytes, batch) {
                return;
            }
            filled.await;
        }
    }

    fn try_take(&self, bytes: usize, batch: &mut Vec<Frame>) -> bool {
        let mut queue = lock(&self.queue);
        let before = batch.len();
        let mut taken = 0;
        while taken < bytes
            && let Some(frame) = queue.frames.pop_front()
        {
            taken += frame.len();
            queue.taken += 1;
            batch.push(frame);
        }
        queue.bytes -= taken;
        if queue.frames.is_empty() {
            // An idle connection holds no memory for frames.
            queue.frames = VecDeque::new();
            queue.replaceable = HashMap::new();
        }
        if self.is_roomy(&queue) {
            self.drained.notify_waiters();
        }
        batch.len() > before
    }

    /// Waits until the queue is no more than half full.
    pub(crate) async fn has_room(&self) {
        loop {
            let drained = self.drained.notified();
            tokio::pin!(drained);
            // Registered before the look, so that no draining in between is missed.
            drained.as_mut().enable();
            if self.is_roomy(&lock(&self.queue)) {
                return;
            }
            drained.await;
        }
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.queue).frames.is_empty()
    }

    fn is_roomy(&self, queue: &Queue) -> bool {
        queue.frames.len() <= self.limits.frames / 2 && queue.bytes <= self.limits.bytes / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: OutboundLimits = OutboundLimits {
        frames: 4,
        bytes: 100,
    };

    #[tokio::test]
    async fn frames_leave_in_the_order_in_which_they_came() {
        let outbound = Outbound::new(LIMITS);
        for text in ["a", "b", "c"] {
            assert!(outbound.offer(&Frame::from_static(text)));
        }
        let mut batch = Vec::new();
        outbound.take(2, &mut batch).await;
        assert_eq!(batch, ["a", "b"].map(Frame::from_static));
        outbound.take(2, &mut batch).await;
        assert_eq!(batch, ["a", "b", "c"].map(Frame::from_static));
    }

    #[tokio::test]
    async fn a_live_frame_is_refused_when_frames_or_bytes_are_too_many() {
        let outbound = Outbound::new(LIMITS);
        for _ in 0..4 {
            assert!(outbound.offer(&Frame::from_static("a")));
        }
        assert!(!outbound.offer(&Frame::from_static("a")));

        let outbound = Outbound::new(LIMITS);
        let large = Frame::from("x".repeat(90));
        assert!(outbound.offer(&large));
        assert!(!outbound.offer(&large));
        outbound.push(large.clone());
        let mut batch = Vec::new();
        outbound.take(1000, &mut batch).await;
        assert_eq!(batch.len(), 2);
        assert!(outbound.offer(&large));
    }

    #[tokio::test]
    async fn a_newer_frame_takes_the_place_of_one_of_its_key_that_waits() {
        let outbound = Outbound::new(LIMITS);
        let mut batch = Vec::new();
        assert!(outbound.offer(&Frame::from_static("gone")));
        assert!(outbound.offer_instead("e", &Frame::from_static("one")));
        outbound.take(1, &mut batch).await;
        for text in ["a", "b"] {
            assert!(outbound.offer(&Frame::from_static(text)));
        }
        assert!(outbound.offer_instead("e", &Frame::from_static("two")));
        assert!(outbound.offer_instead("f", &Frame::from_static("other")));
        // A full queue takes no more, but what replaces.
        assert!(!outbound.offer_instead("g", &Frame::from_static("refused")));
        assert!(outbound.offer_instead("e", &Frame::from_static("three")));
        outbound.take(1000, &mut batch).await;
        assert_eq!(
            batch,
            ["gone", "three", "a", "b", "other"].map(Frame::from_static)
        );
        // It has left, so the next one comes behind the others.
        assert!(outbound.offer(&Frame::from_static("c")));
        assert!(outbound.offer_instead("e", &Frame::from_static("four")));
        batch.clear();
        outbound.take(1000, &mut batch).await;
        assert_eq!(batch, ["c", "four"].map(Frame::from_static));
        assert!(outbound.is_empty());
    }

    #[tokio::test]
    async fn a_frame_above_the_limit_goes_through_an_empty_queue() {
        let outbound = Outbound::new(LIMITS);
        assert!(outbound.offer(&Frame::from("x".repeat(500))));
        assert!(!outbound.offer(&Frame::from_static("a")));
    }

    #[tokio::test]
    async fn who_waits_for_room_goes_on_once_half_is_sent() {
        let outbound = Outbound::new(LIMITS);
        for _ in 0..4 {
            outbound.push(Frame::from_static("a"));
        }
        let mut batch = Vec::new();
        let (taken, ()) = tokio::join!(
            async {
                tokio::task::yield_now().await;
                outbound.take(2, &mut batch).await;
                true
            },
            outbound.has_room()
        );
        assert!(taken);
        assert_eq!(batch.len(), 2);
    }
}
