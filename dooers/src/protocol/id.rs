//! Ids.

/// Maximum length in bytes of ids that clients or the program create. It also applies to the ids of workers,
/// organizations, workspaces and users. Longer ids are refused.
pub const MAX_CLIENT_ID_BYTES: usize = 128;

/// Creates a UUIDv7. Ids that are created later sort later.
pub(crate) fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
