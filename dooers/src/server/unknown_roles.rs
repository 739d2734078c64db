//! A log line for each role that gives no rights.

use crate::auth::organization_role::is_known;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Maximum number of roles that are logged. A login service could have a role for each user.
const MAX_ROLES: usize = 100;

/// The roles in organizations that the server does not know, each of which was logged once.
#[derive(Debug, Default)]
pub(super) struct UnknownRoles(Mutex<BTreeSet<String>>);

impl UnknownRoles {
    /// Logs the role of an identity if it is not a known one. It is only shown then: its members have no rights from it.
    pub(super) fn log(&self, role: &str) {
        if role.is_empty() || is_known(role) {
            return;
        }
        // Nothing panics while the lock is held.
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() < MAX_ROLES && !logged.contains(role) {
            logged.insert(role.to_owned());
            tracing::info!(target: "dooers::auth", role, "an identity has an organization_role that gives no rights; only owner and manager give rights");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_capture::CapturedLog;

    #[test]
    fn unknown_role_is_logged_once() {
        let (log, _guard) = CapturedLog::start();
        let roles = UnknownRoles::default();
        for role in ["owner", "manager", "member", ""] {
            roles.log(role);
        }
        assert_eq!(log.text(), "");
        for role in ["ownr", "Owner", "ownr"] {
            roles.log(role);
        }
        assert_eq!(
            log.text().matches("gives no rights").count(),
            2,
            "{}",
            log.text()
        );
        for number in 0..2 * MAX_ROLES {
            roles.log(&format!("role-{number}"));
        }
        assert_eq!(log.text().matches("gives no rights").count(), MAX_ROLES);
    }
}
