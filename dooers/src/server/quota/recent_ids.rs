//! The messages that a user has sent recently.

use std::collections::VecDeque;

/// Maximum number of messages that are remembered.
const MOST: usize = 128;

/// The number of times that a message may be sent again without counting. Published clients reconnect five times.
const FREE_REPEATS: u8 = 5;

/// The hashes of the ids of recent messages. A client that received no answer sends its messages again, and they must not
/// count again.
#[derive(Debug, Default)]
pub(super) struct RecentIds(VecDeque<(u64, u8)>);

impl RecentIds {
    /// Returns true if the message was sent before and may be sent again. It may then be sent one time less.
    pub(super) fn repeat(&mut self, id: u64) -> bool {
        let sent = self.0.iter_mut().find(|(sent, _)| *sent == id);
        match sent {
            Some((_, left)) if *left > 0 => {
                *left -= 1;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Remembers a message that counted. The oldest is forgotten if there are too many.
    pub(super) fn remember(&mut self, id: u64) {
        self.0.retain(|(sent, _)| *sent != id);
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back((id, FREE_REPEATS));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_bounded_in_number() {
        let mut recent = RecentIds::default();
        assert!(!recent.repeat(1));
        recent.remember(1);
        for _ in 0..FREE_REPEATS {
            assert!(recent.repeat(1));
        }
        assert!(!recent.repeat(1));
        recent.remember(1);
        assert!(recent.repeat(1));
        for id in 2..=200 {
            recent.remember(id);
        }
        assert!(!recent.repeat(1));
        assert!(recent.repeat(200));
        assert_eq!(recent.0.len(), MOST);
    }
}
