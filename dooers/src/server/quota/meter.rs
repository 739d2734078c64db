//! The meter of a connection: what it spends, and from which account.

use super::account::{Account, Place, SentMessage};
use super::accounts::{Accounts, Owner};
use super::lane::is_large;
use super::{Quotas, refusal};
use crate::auth::Identity;
use crate::protocol::ErrorBody;
use crate::turn::TurnCompletion;
use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The number of frames before the first accepted `connect` that do not count unless they are large. Many clients may
/// reconnect from one address at the same time.
const FREE_FRAMES: u32 = 10;

/// The time without a frame over the quota after which a client counts as polite again.
const CALM_AFTER: Duration = Duration::from_secs(1);

/// The decision about a frame.
#[derive(Debug, PartialEq)]
pub(in crate::server) enum Verdict {
    /// The frame is answered.
    Admitted,
    /// The frame is refused with this error.
    Refused(ErrorBody),
    /// The frame is answered at this time, and nothing else is read until then.
    Held(Instant),
    /// The connection is closed at this time, and nothing is read until then.
    Flooding(Instant),
}

/// The work that a message starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Starts {
    /// A thread and a turn.
    Thread,
    /// A turn of an existing thread.
    Turn,
    /// Nothing: the message answers a form that a running turn waits for.
    Nothing,
}

/// The meter of a connection. Its quotas and its account are those of its identity, and those of its address before the
/// first `connect`.
#[derive(Debug)]
pub(in crate::server) struct Meter {
    accounts: Arc<Accounts>,
    /// The account of the address, or of the connection if its address is not known.
    origin: Arc<Account>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    quotas: Arc<Quotas>,
    account: Arc<Account>,
    free_frames: u32,
    pressure: Pressure,
    place: Option<Place>,
}

/// The behaviour of a client that is over its quota of frames.
#[derive(Debug, Clone, Copy)]
enum Pressure {
    /// The client is within its quota.
    None,
    /// The client was asked to send nothing until this time.
    Asked(Instant),
    /// The client has sent more since the first time. The last frame was held until the second time.
    Flood(Instant, Instant),
}

/// The account of an identity that is about to be set, with a place for the connection.
#[derive(Debug)]
pub(in crate::server) struct Entry {
    quotas: Arc<Quotas>,
    account: Arc<Account>,
    /// `None` if the connection has a place already.
    place: Option<Place>,
}

impl Meter {
    /// Creates the meter of a connection from this address.
    pub(in crate::server) fn new(accounts: &Arc<Accounts>, peer: Option<IpAddr>) -> Self {
        let origin = match peer {
            Some(peer) => accounts.account(&Owner::of_address(peer)),
            None => Arc::default(),
        };
        let state = State {
            quotas: Arc::clone(&accounts.quotas),
            account: Arc::clone(&origin),
            free_frames: FREE_FRAMES,
            pressure: Pressure::None,
            place: None,
        };
        Self {
            accounts: Arc::clone(accounts),
            origin,
            state: Mutex::new(state),
        }
    }

    /// Decides about a frame of this size.
    pub(in crate::server) fn frame(&self, bytes: usize) -> Verdict {
        let now = Instant::now();
        let state = &mut *self.lock();
        if state.free_frames > 0 && !is_large(bytes) {
            state.free_frames -= 1;
            return Verdict::Admitted;
        }
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let wait = state.account.wait_for_frame(&state.quotas, bytes, now);
        if wait.is_zero() {
            state.account.take_frame(&state.quotas, bytes, now);
            state.pressure = Pressure::None;
            return Verdict::Admitted;
        }
        let ready = now + wait;
        let since = match state.pressure {
            Pressure::Asked(until) if now < until => now,
            Pressure::Flood(since, held) if now < held + CALM_AFTER => since,
            Pressure::None | Pressure::Asked(_) | Pressure::Flood(..) => {
                state.pressure = Pressure::Asked(ready);
                return Verdict::Refused(refusal::frames(wait));
            }
        };
        let end = since + state.quotas.flood_timeout;
        if ready > end {
            return Verdict::Flooding(end);
        }
        // The frames of other connections of the user wait behind this one.
        state.account.take_frame(&state.quotas, bytes, now);
        state.pressure = Pressure::Flood(since, ready);
        Verdict::Held(ready)
    }

    /// Does the work of a frame of this size. Only a few large frames are worked on at the same time.
    pub(in crate::server) async fn in_lane<T>(
        &self,
        bytes: usize,
        work: impl Future<Output = T>,
    ) -> T {
        self.accounts.lane.run(bytes, work).await
    }

    /// Counts an authentication that was refused.
    ///
    /// # Errors
    ///
    /// `RATE_LIMITED` if there were too many before it, which this one is not added to.
    pub(in crate::server) fn failed_authentication(&self) -> Result<(), ErrorBody> {
        let state = self.lock();
        state
            .account
            .failed_authentication(&state.quotas, Instant::now())
    }

    /// Reserves a place for the connection among those of its user. Its frames count for the user from now on, unless they
    /// count for another user already.
    pub(in crate::server) fn enter(&self, identity: &Identity) -> Result<Entry, ErrorBody> {
        let quotas = Arc::new(self.accounts.quotas.of(&identity.limits));
        let account = if identity.user.user_id.is_empty() {
            Arc::clone(&self.origin)
        } else {
            self.accounts.account(&Owner::User {
                organization_id: identity.organization_id.clone(),
                user_id: identity.user.user_id.clone(),
            })
        };
        let mut state = self.lock();
        let has_place = state.place.as_ref().is_some_and(|it| it.is_of(&account));
        let place = if has_place {
            None
        } else {
            account.reserve(&quotas)
        };
        if place.is_some() || has_place {
            return Ok(Entry {
                quotas,
                account,
                place,
            });
        }
        let refused = refusal::connections(&quotas);
        if state.place.is_none() {
            state.quotas = quotas;
            state.account = account;
            state.free_frames = 0;
        }
        Err(refused)
    }

    /// Counts everything for the identity from now on.
    pub(in crate::server) fn set(&self, entry: Entry) {
        let mut state = self.lock();
        state.quotas = entry.quotas;
        state.account = entry.account;
        state.free_frames = 0;
        if entry.place.is_some() {
            state.place = entry.place;
        }
    }

    /// Releases the place of a connection that has ended.
    pub(in crate::server) fn leave(&self) {
        self.lock().place = None;
    }

    /// Counts a message before it is stored, unless it was sent before. `id` is the client's own id of the message, with
    /// everything within which it is unique for a user.
    pub(in crate::server) fn message(
        &self,
        id: Option<impl Hash>,
        starts: Starts,
    ) -> Result<(), ErrorBody> {
        let message = SentMessage {
            id: id.map(|id| self.accounts.hasher.hash_one(id)),
            starts_thread: starts == Starts::Thread,
            starts_turn: starts != Starts::Nothing,
        };
        let state = self.lock();
        let account = &state.account;
        account.message(&state.quotas, message, Instant::now())
    }

    /// Counts the turn of a message that was stored, until it ends.
    pub(in crate::server) fn turn(&self, turn: TurnCompletion) {
        let state = self.lock();
        let account = &state.account;
        account.add_turn(&state.quotas, turn, Instant::now());
    }

    /// Counts a change of settings.
    pub(in crate::server) fn settings_patch(&self) -> Result<(), ErrorBody> {
        let state = self.lock();
        state.account.settings_patch(&state.quotas, Instant::now())
    }

    /// Counts a change of a thread's title.
    pub(in crate::server) fn thread_update(&self) -> Result<(), ErrorBody> {
        let state = self.lock();
        state.account.thread_update(&state.quotas, Instant::now())
    }

    /// Checks that a connection with this many subscriptions may have another one.
    pub(in crate::server) fn subscription(&self, subscribed: usize) -> Result<(), ErrorBody> {
        match self.lock().quotas.subscriptions.number() {
            Some(most) if subscribed >= most as usize => Err(refusal::subscriptions(most)),
            Some(_) | None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
