//! Texts that PostgreSQL cannot store.
//!
//! Neither `jsonb` nor `text` can contain U+0000. The server never passes it to a store.

/// Returns `true` if the database can store this text. A row with another id cannot exist.
pub(super) fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}
