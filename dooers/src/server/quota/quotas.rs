//! The quotas of a server.

use crate::auth::IdentityLimits;
use crate::throttle::{Quota, Rate};
use std::time::Duration;

/// Quotas of clients. They bind each user of an organization, over all connections of the user.
///
/// Anonymous users are bound by address: all of one IPv4 address, or of one IPv6 network of 64 bits, count together. If the
/// address is not known, as in a [`router`](crate::WorkerServer::router) without connection information, each connection
/// counts alone. An [`Identity`](crate::auth::Identity::limits) may have its own quotas.
///
/// Without an authenticator, or with one that [believes clients](crate::auth::Authenticator::believes_clients), there are no
/// quotas unless the program sets one with [`WorkerConfig::quotas`](crate::WorkerConfig::quotas) or a variable. Messages of
/// [`dispatch`](crate::WorkerServer::dispatch), changes by a [`Repository`](crate::repository::Repository) and clients in the
/// same process have none.
///
/// A frame over a quota is answered with `RATE_LIMITED` and changes nothing. `retry_after_ms` is the exact time after which
/// it is admitted, unless the user sends something else in the meantime. A message that is sent again with the same
/// `client_event_id` does not count again.
///
/// The counters are in memory, and are zero when a process starts.
///
/// # Several processes
///
/// The processes that share a database notify each other of what each user has spent of the quotas of messages, new threads, changes
/// of settings, changes of titles, and refused authentications. A user who sends to one process after another therefore gets the
/// same as with one process. A user who sends to *n* processes within the time of a notification, which is about 10 ms, can
/// spend the burst on each of them. The difference is earned before anything else is admitted: in any time, at most *n* bursts
/// and what is earned in that time are admitted. While the processes cannot notify each other, each of them admits the whole
/// quota. A message that is sent again through another process counts again.
///
/// Frames and their bytes, connections, subscriptions and waiting turns count for each process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quotas {
    /// Maximum number of messages per minute. 60 by default.
    pub messages_per_minute: Quota,
    /// The number of messages that may come at once. 20 by default. 0 counts as 1.
    pub message_burst: u32,
    /// Maximum number of frames per second, of any kind. 100 by default.
    ///
    /// A client that continues to send over this quota is not read until its next frame is admitted. See
    /// [`flood_timeout`](Self::flood_timeout).
    pub frames_per_second: Quota,
    /// The number of frames that may come at once. 200 by default. 0 counts as 1.
    pub frame_burst: u32,
    /// Maximum number of bytes of frames per minute. 33,554,432 (32 MiB) by default.
    pub frame_bytes_per_minute: Quota,
    /// The number of bytes of frames that may come at once, at most those of a minute. 1,048,576 (1 MiB) by default. 0 counts
    /// as 1.
    ///
    /// It is a multiple of the largest frame, and small because the bursts of many users may come together. A frame that is
    /// larger is admitted if the user has sent nothing for the time in which the burst is earned: 2 s by default.
    pub frame_byte_burst: u32,
    /// Maximum number of changes of settings per minute, which may all come at once. 30 by default.
    pub settings_patches_per_minute: Quota,
    /// Maximum number of changes of threads' titles per minute, which may all come at once. 30 by default.
    pub thread_updates_per_minute: Quota,
    /// Maximum number of new threads per 24 hours, which may all come at once. Off by default.
    pub threads_per_day: Quota,
    /// Maximum number of messages whose turns have not ended. 100 by default. A message counts for at most 10 minutes.
    pub waiting_turns: Quota,
    /// Maximum number of simultaneous connections. 20 by default. A client above it is refused at `connect`.
    pub connections: Quota,
    /// Maximum number of threads that one connection is subscribed to. 1,000 by default.
    pub subscriptions: Quota,
    /// Maximum number of refused authentications per minute, which may all come at once. 20 by default. They count by
    /// address, and those of a client that is connected already by user.
    ///
    /// Above it, a refused client is answered `RATE_LIMITED`, and is not logged. A client that the authenticator accepts is
    /// never delayed, so others at the same address cannot keep it out.
    pub failed_authentications_per_minute: Quota,
    /// The time after which a connection is closed with 1013 whose client sends more frames than it may without a pause of
    /// one second. 30 s by default. Until then, the server reads the frames as slowly as the quota allows.
    pub flood_timeout: Duration,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            messages_per_minute: Quota::at_most(60),
            message_burst: 20,
            frames_per_second: Quota::at_most(100),
            frame_burst: 200,
            frame_bytes_per_minute: Quota::at_most(32 * 1024 * 1024),
            frame_byte_burst: 1024 * 1024,
            settings_patches_per_minute: Quota::at_most(30),
            thread_updates_per_minute: Quota::at_most(30),
            threads_per_day: Quota::Off,
            waiting_turns: Quota::at_most(100),
            connections: Quota::at_most(20),
            subscriptions: Quota::at_most(1_000),
            failed_authentications_per_minute: Quota::at_most(20),
            flood_timeout: Duration::from_secs(30),
        }
    }
}

impl Quotas {
    /// The quotas of an identity with these limits.
    pub(super) fn of(&self, limits: &IdentityLimits) -> Self {
        let IdentityLimits {
            messages_per_minute,
            message_burst,
            frames_per_second,
            frame_burst,
            frame_bytes_per_minute,
            frame_byte_burst,
            settings_patches_per_minute,
            thread_updates_per_minute,
            threads_per_day,
            waiting_turns,
            connections,
            subscriptions,
        } = *limits;
        Self {
            messages_per_minute: messages_per_minute.unwrap_or(self.messages_per_minute),
            message_burst: message_burst.unwrap_or(self.message_burst),
            frames_per_second: frames_per_second.unwrap_or(self.frames_per_second),
            frame_burst: frame_burst.unwrap_or(self.frame_burst),
            frame_bytes_per_minute: frame_bytes_per_minute.unwrap_or(self.frame_bytes_per_minute),
            frame_byte_burst: frame_byte_burst.unwrap_or(self.frame_byte_burst),
            settings_patches_per_minute: settings_patches_per_minute
                .unwrap_or(self.settings_patches_per_minute),
            thread_updates_per_minute: thread_updates_per_minute
                .unwrap_or(self.thread_updates_per_minute),
            threads_per_day: threads_per_day.unwrap_or(self.threads_per_day),
            waiting_turns: waiting_turns.unwrap_or(self.waiting_turns),
            connections: connections.unwrap_or(self.connections),
            subscriptions: subscriptions.unwrap_or(self.subscriptions),
            ..*self
        }
    }

    pub(super) fn messages(&self) -> Option<Rate> {
        let rate = Rate::per_minute(self.messages_per_minute.number()?);
        Some(rate.burst(self.message_burst))
    }

    pub(super) fn frames(&self) -> Option<Rate> {
        let rate = Rate::per_second(self.frames_per_second.number()?);
        Some(rate.burst(self.frame_burst))
    }

    pub(super) fn frame_bytes(&self) -> Option<Rate> {
        let bytes = self.frame_bytes_per_minute.number()?;
        // An operator who sets fewer bytes per minute means all of them.
        Some(Rate::per_minute(bytes).burst(self.frame_byte_burst.min(bytes)))
    }

    pub(super) fn settings_patches(&self) -> Option<Rate> {
        let number = self.settings_patches_per_minute.number();
        number.map(Rate::per_minute)
    }

    pub(super) fn thread_updates(&self) -> Option<Rate> {
        let number = self.thread_updates_per_minute.number();
        number.map(Rate::per_minute)
    }

    pub(super) fn threads(&self) -> Option<Rate> {
        self.threads_per_day.number().map(Rate::per_day)
    }

    pub(super) fn failed_authentications(&self) -> Option<Rate> {
        let number = self.failed_authentications_per_minute.number();
        number.map(Rate::per_minute)
    }
}
