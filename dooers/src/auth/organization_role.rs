//! The roles in an organization, and the roles that give rights.

use crate::similar::similar;

/// The roles that give the rights over the workers which an identity names, the highest first.
const MANAGING: [&str; 2] = ["owner", "manager"];

/// The role without further rights. It is the default.
const MEMBER: &str = "member";

/// Returns true if a member with this role has the rights over the workers which its identity names.
pub(super) fn manages(role: &str) -> bool {
    MANAGING.contains(&role)
}

/// Returns true for the roles that the server knows. All others are only shown, and give no rights.
pub(crate) fn is_known(role: &str) -> bool {
    manages(role) || role == MEMBER
}

/// Returns the known role that was probably meant.
pub(super) fn meant(role: &str) -> Option<&'static str> {
    similar(role, MANAGING.into_iter().chain([MEMBER]))
}

/// Selects the role of a member that has several: the highest role that gives rights, otherwise the first.
#[cfg(feature = "jwt")]
pub(super) fn of_several<'a>(roles: &[&'a str]) -> Option<&'a str> {
    let highest = MANAGING.into_iter().find(|role| roles.contains(role));
    highest.or_else(|| roles.first().copied())
}
