//! The decision about access. Every verb and every live frame is decided here.
//!
//! The rule for threads is applied by the stores, which find a thread only within the scope of a call. Its form for live
//! frames is [`can_see`].

use super::Identity;
use crate::protocol::{Audience, ErrorBody, ErrorCode};
use crate::store::{Participant, Scope};
use chrono::Utc;

/// A client that wants to do something: its identity, and the threads that it may touch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) scope: &'a Scope,
}

/// An action of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Using a worker: `connect`, and every verb of conversations. Within the scope, conversations need no further right.
    Converse,
    /// Reading settings for an audience.
    ReadSettings(Audience),
    /// Changing a setting as a member of an audience.
    PatchSettings(Audience),
    /// Reading analytics events.
    ReadAnalytics,
}

/// Decides if a client may do something with a worker. Threads, events and runs are found within the scope.
///
/// # Errors
///
/// * `UNAUTHORIZED` if the identity has expired.
/// * `FORBIDDEN` if the client may not do it. The answer does not depend on the worker's existence.
pub(crate) fn can(subject: Subject<'_>, action: Action, worker: &str) -> Result<(), ErrorBody> {
    let Subject { identity, scope } = subject;
    if identity.expires_at.is_some_and(|at| at <= Utc::now()) {
        return Err(ErrorBody::new(
            ErrorCode::Unauthorized,
            "the authentication has expired; send `connect` with a new token",
        ));
    }
    if !identity.workers.allows(worker) {
        return Err(forbidden(
            "your account may not use this worker; `connect` to another one",
        ));
    }
    if scope.worker_id != worker {
        return Err(forbidden(
            "this connection is for another worker; `connect` to that worker first",
        ));
    }
    let names = identity.workers.names(worker);
    let manages = names && identity.manages_organization();
    let rights = identity.rights;
    match action {
        Action::Converse | Action::ReadSettings(Audience::User) => Ok(()),
        Action::ReadSettings(Audience::Creator) | Action::PatchSettings(Audience::Creator)
            if rights.creator_settings || manages =>
        {
            Ok(())
        }
        Action::ReadSettings(Audience::Creator) | Action::PatchSettings(Audience::Creator) => {
            Err(forbidden(
                "the audience `creator` requires the role `owner` or `manager` in the organization of the worker",
            ))
        }
        Action::PatchSettings(Audience::User)
            if rights.settings || rights.creator_settings || names =>
        {
            Ok(())
        }
        Action::PatchSettings(Audience::User) => Err(forbidden(
            "your account may not change the settings of this worker",
        )),
        Action::ReadAnalytics if rights.analytics || manages => Ok(()),
        Action::ReadAnalytics => Err(forbidden(
            "analytics require the role `owner` or `manager` in the organization of the worker",
        )),
    }
}

/// Returns true if a live frame about a thread with these participants may be sent to a connection of this scope. The room
/// of the connection has the other members of the scope in common with the thread.
pub(crate) fn can_see(scope: &Scope, participants: &[Participant]) -> bool {
    scope.admits(participants)
}

fn forbidden(text: &str) -> ErrorBody {
    ErrorBody::new(ErrorCode::Forbidden, text)
}
