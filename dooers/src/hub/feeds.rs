//! The feeds of all threads.

use super::feed::Feed;
use super::lock::lock;
use crate::shrink::shrink;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

/// The feeds of all threads that are being read or written.
#[derive(Debug, Default)]
pub(super) struct Feeds {
    pub(super) by_thread: HashMap<String, Arc<Mutex<Feed>>>,
    /// The number of operations that are storing changes of threads which are not known yet.
    pub(super) writing_anywhere: usize,
    /// Threads with idle feeds that are kept until these changes have been published.
    pub(super) kept: HashSet<String>,
}

impl Feeds {
    /// Removes the feed of a thread that is neither read nor written.
    pub(super) fn tidy(&mut self, thread_id: &str) {
        let Some(feed) = self.by_thread.get(thread_id) else {
            return;
        };
        let feed = lock(feed);
        if !feed.is_idle() {
            return;
        }
        let has_sent_row = feed.has_sent_row();
        drop(feed);
        // Clients can name any number of threads that do not exist. Their feeds are not kept.
        if self.writing_anywhere > 0 && has_sent_row {
            self.kept.insert(thread_id.to_owned());
        } else {
            self.by_thread.remove(thread_id);
            shrink(&mut self.by_thread);
        }
    }

    pub(super) fn end_writing_anywhere(&mut self) {
        self.writing_anywhere -= 1;
        if self.writing_anywhere == 0 {
            for thread_id in std::mem::take(&mut self.kept) {
                self.tidy(&thread_id);
            }
        }
    }
}
