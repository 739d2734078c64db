//! The size of a page, in items and in bytes.

use crate::protocol::json_bytes;
use serde::Serialize;

/// The size of a page, in items and in bytes.
///
/// Both limits apply. The size of an item is the length of its JSON in a frame. A page always contains its first item,
/// whatever the size of the item, so that a reader makes progress.
///
/// ```
/// use dooers::store::PageLimit;
///
/// let limit = PageLimit::new(50).bytes(512 * 1024);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageLimit {
    /// Maximum number of items.
    pub items: usize,
    /// Maximum number of bytes.
    pub bytes: usize,
}

impl PageLimit {
    /// Creates a limit of `items` items of any size.
    #[must_use]
    pub const fn new(items: usize) -> Self {
        Self {
            items,
            bytes: usize::MAX,
        }
    }

    /// Sets the maximum number of bytes.
    #[must_use]
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }
}

impl From<usize> for PageLimit {
    fn from(items: usize) -> Self {
        Self::new(items)
    }
}

/// Returns how many items of these sizes fit into a page. The first one always fits.
pub(crate) fn fitting(bytes: usize, sizes: impl IntoIterator<Item = usize>) -> usize {
    let mut left = bytes;
    let mut is_first = true;
    let fits = |size: &usize| {
        let fits = is_first || *size <= left;
        left = left.saturating_sub(*size);
        is_first = false;
        fits
    };
    sizes.into_iter().take_while(fits).count()
}

/// Returns the number of bytes of an item in a frame, including a comma.
pub(crate) fn encoded_len(item: &impl Serialize) -> usize {
    json_bytes(item) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn page_ends_in_front_of_the_item_too_many() {
        assert_eq!(fitting(100, [40, 60, 1]), 2);
        assert_eq!(fitting(100, [40, 61, 1]), 1);
        assert_eq!(fitting(100, [0; 7]), 7);
        assert_eq!(fitting(usize::MAX, [usize::MAX, 1]), 1);
        assert_eq!(fitting(100, []), 0);
    }

    #[test]
    fn first_item_fits_whatever_its_size() {
        assert_eq!(fitting(100, [500, 1]), 1);
        assert_eq!(fitting(0, [500, 0]), 2);
    }

    #[test]
    fn encoded_len_is_that_of_the_json() {
        let item = json!({"text": "ä\n\u{1}", "n": 1.5});
        assert_eq!(encoded_len(&item), item.to_string().len() + 1);
    }
}
