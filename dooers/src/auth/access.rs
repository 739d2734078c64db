//! The decision about access. Every verb and every live frame is decided here.
//!
//! The rule for threads is applied by the stores, which find a thread only within the scope of a call. Its form for live
//! frames is [`can_see`].

use super::Identity;
use crate::broker::ParticipantKey;
use crate::protocol::{Audience, ErrorBody, ErrorCode};
use crate::store::{Scope, ThreadRecord, Viewer};
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
                "the audience `creator` requires the role `owner` or `manager`, and an identity that names the worker",
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
            "analytics require the role `owner` or `manager`, and an identity that names the worker",
        )),
    }
}

/// Returns true if a live frame about a thread may be sent to a connection of this scope.
pub(crate) fn can_see(scope: &Scope, thread: &ThreadRecord) -> bool {
    thread.is_visible_in(scope)
}

/// Returns true if the deletion of a thread may be reported to a connection of this scope. The thread was in the place of the
/// scope, and had these participants.
pub(crate) fn could_see(scope: &Scope, participants: &[ParticipantKey]) -> bool {
    match &scope.viewer {
        Viewer::Everyone => true,
        Viewer::Only(viewer) => participants.contains(&ParticipantKey::of(viewer)),
    }
}

fn forbidden(text: &str) -> ErrorBody {
    ErrorBody::new(ErrorCode::Forbidden, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{AllowedWorkers, Rights};
    use chrono::TimeDelta;

    fn decide(identity: &Identity, action: Action, worker: &str) -> Result<(), ErrorCode> {
        let scope = Scope::new("agent", "w");
        let subject = Subject {
            identity,
            scope: &scope,
        };
        can(subject, action, worker).map_err(|error| error.code)
    }

    const ACTIONS: [Action; 6] = [
        Action::Converse,
        Action::ReadSettings(Audience::User),
        Action::PatchSettings(Audience::User),
        Action::ReadSettings(Audience::Creator),
        Action::PatchSettings(Audience::Creator),
        Action::ReadAnalytics,
    ];

    /// The actions that are allowed for the own worker, by their places in [`ACTIONS`].
    fn allowed(identity: &Identity) -> Vec<usize> {
        let is_allowed = |at: &usize| decide(identity, ACTIONS[*at], "w").is_ok();
        (0..ACTIONS.len()).filter(is_allowed).collect()
    }

    #[test]
    fn rights_follow_from_roles_and_named_workers() {
        let every = Identity::new("ana");
        let named = every.clone().workers(AllowedWorkers::only(["w", "v"]));
        let right = |change: fn(&mut Rights)| allowed(&every.clone().rights(change));
        for (identity, expected) in [
            (&every, vec![0, 1]),
            // Every organization shares the worker, so a role gives no rights over it.
            (&every.clone().organization_role("owner"), vec![0, 1]),
            (&named, vec![0, 1, 2]),
            (
                &named.clone().organization_role("owner"),
                vec![0, 1, 2, 3, 4, 5],
            ),
            (
                &named.clone().organization_role("manager"),
                vec![0, 1, 2, 3, 4, 5],
            ),
            (&named.clone().organization_role("Owner"), vec![0, 1, 2]),
        ] {
            assert_eq!(allowed(identity), expected, "{identity:?}");
        }
        assert_eq!(right(|rights| rights.settings = true), [0, 1, 2]);
        assert_eq!(
            right(|rights| rights.creator_settings = true),
            [0, 1, 2, 3, 4]
        );
        assert_eq!(right(|rights| rights.analytics = true), [0, 1, 5]);
    }

    #[test]
    fn other_workers_are_forbidden() {
        let all = |rights: &mut Rights| {
            *rights = Rights {
                settings: true,
                creator_settings: true,
                analytics: true,
            };
        };
        let every = Identity::new("ana").organization_role("owner").rights(all);
        let others = every.clone().workers(AllowedWorkers::only(["v"]));
        for action in ACTIONS {
            assert_eq!(decide(&every, action, "v"), Err(ErrorCode::Forbidden));
            assert_eq!(decide(&others, action, "w"), Err(ErrorCode::Forbidden));
            assert_eq!(decide(&others, action, "v"), Err(ErrorCode::Forbidden));
        }
    }

    #[test]
    fn expired_identity_may_do_nothing() {
        let identity = |left| Identity::new("ana").expires_at(Utc::now() + left);
        for action in &ACTIONS[..2] {
            let decided = |left| decide(&identity(left), *action, "w");
            assert_eq!(decided(TimeDelta::hours(1)), Ok(()));
            assert_eq!(decided(TimeDelta::zero()), Err(ErrorCode::Unauthorized));
            assert_eq!(decided(-TimeDelta::hours(1)), Err(ErrorCode::Unauthorized));
        }
    }
}
