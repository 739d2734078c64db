//! The exact sizes of events that were read.

use crate::protocol::ThreadEvent;
use crate::store::Order;
use crate::store::limit::encoded_len;
use crate::store::snapshot_window::{SizedEvent, Window};

/// Replaces the sizes of the first events of a window by the exact sizes of these events, and drops the other sizes.
/// `events` are ordered by `seq`.
pub(super) fn measured<'a>(
    sizes: &mut Vec<SizedEvent>,
    window: Window,
    events: impl ExactSizeIterator<Item = &'a ThreadEvent> + DoubleEndedIterator,
) {
    sizes.truncate(events.len());
    let exact = events.map(encoded_len);
    let set = |(size, bytes): (&mut SizedEvent, usize)| size.bytes = bytes;
    match window.order {
        Order::OldestFirst => sizes.iter_mut().zip(exact).for_each(set),
        Order::NewestFirst => sizes.iter_mut().zip(exact.rev()).for_each(set),
    }
}
