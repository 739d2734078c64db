//! Texts that PostgreSQL cannot hold.
//!
//! Neither `jsonb` nor `text` can hold U+0000, which the server does not give to a store.

/// Whether the database can have this text. What has an id that it cannot have is not there.
pub(super) fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}
