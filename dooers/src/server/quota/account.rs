//! The consumption of one user.

use super::nodes::SharedAccount;
use super::recent_ids::RecentIds;
use super::unfinished::UnfinishedTurns;
use super::{Quotas, refusal};
use crate::broker::SharedRate;
use crate::protocol::ErrorBody;
use crate::throttle::{Bucket, Keep, Rate};
use crate::turn::TurnCompletion;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The consumption of one user, or of one address. All connections of the user share it.
#[derive(Debug, Default)]
pub(super) struct Account {
    spent: Mutex<Spent>,
    /// The account on the other nodes. `None` for a connection without a known address.
    elsewhere: Option<SharedAccount>,
}

#[derive(Debug, Default)]
struct Spent {
    frames: Bucket,
    frame_bytes: Bucket,
    messages: Bucket,
    settings_patches: Bucket,
    thread_updates: Bucket,
    threads: Bucket,
    failed_authentications: Bucket,
    connections: u32,
    recent: RecentIds,
    unfinished: UnfinishedTurns,
}

/// A message that is about to be stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct SentMessage {
    /// The hash of the client's own id of the message.
    pub(super) id: Option<u64>,
    pub(super) starts_thread: bool,
    /// False for the answer to a form that a running turn waits for.
    pub(super) starts_turn: bool,
}

/// The time until all of these units are admitted, by their buckets.
fn longest_wait(units: &[(&Bucket, Option<Rate>, u32)], now: Instant) -> Duration {
    let waits = units.iter().filter_map(|(bucket, rate, units)| {
        let rate = rate.as_ref()?;
        Some(bucket.wait(rate, *units, now))
    });
    waits.max().unwrap_or_default()
}

fn take(bucket: &mut Bucket, rate: Option<Rate>, units: u32, now: Instant) {
    if let Some(rate) = rate {
        bucket.take(&rate, units, now);
    }
}

impl Spent {
    fn bucket(&mut self, rate: SharedRate) -> &mut Bucket {
        match rate {
            SharedRate::Messages => &mut self.messages,
            SharedRate::Threads => &mut self.threads,
            SharedRate::SettingsPatches => &mut self.settings_patches,
            SharedRate::ThreadUpdates => &mut self.thread_updates,
            SharedRate::FailedAuthentications => &mut self.failed_authentications,
        }
    }
}

impl Account {
    /// Creates an account that other nodes have as well.
    pub(super) fn shared(elsewhere: SharedAccount) -> Self {
        Self {
            spent: Mutex::default(),
            elsewhere: Some(elsewhere),
        }
    }

    /// Takes one unit, here and on the other nodes.
    fn take_shared(&self, spent: &mut Spent, which: SharedRate, rate: Option<Rate>, now: Instant) {
        let Some(rate) = rate else {
            return;
        };
        spent.bucket(which).take(&rate, 1, now);
        if let Some(elsewhere) = &self.elsewhere {
            elsewhere.announce(which, rate.time_of(1));
        }
    }

    /// Takes one unit, here and on the other nodes, or returns the time until it is admitted.
    fn take_one(
        &self,
        which: SharedRate,
        rate: Option<Rate>,
        now: Instant,
    ) -> Result<(), Duration> {
        let spent = &mut *self.lock();
        let wait = longest_wait(&[(spent.bucket(which), rate, 1)], now);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.take_shared(spent, which, rate, now);
        Ok(())
    }

    /// Takes what the owner has spent on another node, which is earned in this time.
    pub(super) fn spent_elsewhere(&self, which: SharedRate, time: Duration, now: Instant) {
        self.lock().bucket(which).take_time(time, now);
    }

    /// The time until a frame of this size is admitted. Zero if it is admitted now.
    pub(super) fn wait_for_frame(&self, quotas: &Quotas, bytes: u32, now: Instant) -> Duration {
        let spent = self.lock();
        let frames = (&spent.frames, quotas.frames(), 1);
        let frame_bytes = (&spent.frame_bytes, quotas.frame_bytes(), bytes);
        longest_wait(&[frames, frame_bytes], now)
    }

    /// Counts a frame of this size, which may have to wait. Those that come after it wait behind it.
    pub(super) fn take_frame(&self, quotas: &Quotas, bytes: u32, now: Instant) {
        let spent = &mut *self.lock();
        take(&mut spent.frames, quotas.frames(), 1, now);
        take(&mut spent.frame_bytes, quotas.frame_bytes(), bytes, now);
    }

    /// Counts a message, unless it was sent before.
    pub(super) fn message(
        &self,
        quotas: &Quotas,
        message: SentMessage,
        now: Instant,
    ) -> Result<(), ErrorBody> {
        let spent = &mut *self.lock();
        if message.id.is_some_and(|id| spent.recent.repeat(id)) {
            return Ok(());
        }
        if message.starts_turn
            && let Some(most) = quotas.waiting_turns.number()
            && spent.unfinished.count(now) >= most as usize
        {
            return Err(refusal::waiting_turns(most));
        }
        let (messages, threads) = (quotas.messages(), quotas.threads());
        let threads = threads.filter(|_| message.starts_thread);
        let for_message = longest_wait(&[(&spent.messages, messages, 1)], now);
        let for_thread = longest_wait(&[(&spent.threads, threads, 1)], now);
        if for_thread > for_message {
            return Err(refusal::threads(for_thread));
        }
        if !for_message.is_zero() {
            return Err(refusal::messages(for_message));
        }
        self.take_shared(spent, SharedRate::Messages, messages, now);
        self.take_shared(spent, SharedRate::Threads, threads, now);
        if let Some(id) = message.id {
            spent.recent.remember(id);
        }
        Ok(())
    }

    /// Counts the turn of a message that was stored, until it ends.
    pub(super) fn add_turn(&self, quotas: &Quotas, turn: TurnCompletion, now: Instant) {
        if quotas.waiting_turns.number().is_some() {
            self.lock().unfinished.add(turn, now);
        }
    }

    /// Counts a change of settings.
    pub(super) fn settings_patch(&self, quotas: &Quotas, now: Instant) -> Result<(), ErrorBody> {
        let rate = quotas.settings_patches();
        let taken = self.take_one(SharedRate::SettingsPatches, rate, now);
        taken.map_err(refusal::settings_patches)
    }

    /// Counts a change of a thread's title.
    pub(super) fn thread_update(&self, quotas: &Quotas, now: Instant) -> Result<(), ErrorBody> {
        let rate = quotas.thread_updates();
        let taken = self.take_one(SharedRate::ThreadUpdates, rate, now);
        taken.map_err(refusal::thread_updates)
    }

    /// Counts an authentication that was refused, unless there were too many before it.
    pub(super) fn failed_authentication(
        &self,
        quotas: &Quotas,
        now: Instant,
    ) -> Result<(), ErrorBody> {
        let rate = quotas.failed_authentications();
        let taken = self.take_one(SharedRate::FailedAuthentications, rate, now);
        taken.map_err(refusal::failed_authentications)
    }

    /// Reserves a place for one more connection. `None` if all places are taken.
    pub(super) fn reserve(self: &Arc<Self>, quotas: &Quotas) -> Option<Place> {
        let mut spent = self.lock();
        let most = quotas.connections.number().unwrap_or(u32::MAX);
        if spent.connections >= most {
            return None;
        }
        spent.connections += 1;
        drop(spent);
        Some(Place(Arc::clone(self)))
    }

    fn lock(&self) -> MutexGuard<'_, Spent> {
        // Nothing panics while the lock is held.
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of a connection among those of its user, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Account>);

impl Place {
    pub(super) fn is_of(&self, account: &Arc<Account>) -> bool {
        Arc::ptr_eq(&self.0, account)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().connections -= 1;
    }
}

impl Keep for Arc<Account> {
    fn unused_from(&self) -> Option<Instant> {
        if Arc::strong_count(self) > 1 {
            return None;
        }
        let spent = self.lock();
        let buckets = [
            &spent.frames,
            &spent.frame_bytes,
            &spent.messages,
            &spent.settings_patches,
            &spent.thread_updates,
            &spent.threads,
            &spent.failed_authentications,
        ];
        let full_at = buckets.into_iter().filter_map(Keep::unused_from).max();
        full_at.max(spent.unfinished.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttle::Quota;

    fn message(id: u64, starts_thread: bool) -> SentMessage {
        SentMessage {
            id: Some(id),
            starts_thread,
            starts_turn: true,
        }
    }

    #[test]
    fn refused_message_spends_nothing() {
        let quotas = Quotas {
            threads_per_day: Quota::at_most(1),
            message_burst: 3,
            ..Quotas::default()
        };
        let (account, now) = (Account::default(), Instant::now());
        assert_eq!(account.message(&quotas, message(1, true), now), Ok(()));
        let refused = account.message(&quotas, message(2, true), now);
        assert_eq!(refused.unwrap_err().retry_after_ms, Some(86_400_000));
        // Neither the message nor its id was counted.
        assert_eq!(account.message(&quotas, message(2, false), now), Ok(()));
        assert_eq!(account.message(&quotas, message(3, false), now), Ok(()));
        let refused = account.message(&quotas, message(4, false), now);
        assert_eq!(refused.unwrap_err().retry_after_ms, Some(1_000));
        for id in 1..=3 {
            assert_eq!(account.message(&quotas, message(id, true), now), Ok(()));
        }
    }

    #[test]
    fn account_is_kept_while_it_is_used_or_in_debt() {
        let (account, now) = (Arc::new(Account::default()), Instant::now());
        let quotas = Quotas::default();
        let place = account.reserve(&quotas).unwrap();
        assert_eq!(account.unused_from(), None);
        drop(place);
        account.message(&quotas, message(1, false), now).unwrap();
        let second = Duration::from_secs(1);
        assert_eq!(account.unused_from(), Some(now + second));
        assert_eq!(account.lock().connections, 0);
    }
}
