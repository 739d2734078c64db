//! Texts that are made at run time and kept for the life of the process.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

static TEXTS: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

/// Keeps a text for the life of the process. Equal texts are kept once, so a program that makes the same agents again
/// uses no more memory.
pub(crate) fn interned(text: String) -> &'static str {
    // No code panics while it holds the lock.
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    let texts = texts.get_or_insert_default();
    match texts.get(text.as_str()) {
        Some(known) => known,
        None => {
            let kept: &'static str = Box::leak(text.into_boxed_str());
            texts.insert(kept);
            kept
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_kept_once() {
        let one = interned("of the unit test".to_owned());
        let again = interned("of the unit test".to_owned());
        assert!(std::ptr::eq(one, again));
        assert_eq!(interned(String::new()), "");
    }
}
