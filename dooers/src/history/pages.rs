//! Reading a thread page by page.

use super::MemoryError;
use super::filter::{Filter, VisibleEvents};
use super::source::Source;
use super::view::Range;
use crate::protocol::ThreadEvent;
use crate::store::Order;
use std::collections::VecDeque;

/// Maximum number of events that are read at once.
pub(super) const PAGE: usize = 200;

/// The source, the ranges and the filters of a query.
#[derive(Debug, Clone)]
pub(super) struct PageQuery {
    pub(super) source: Source,
    pub(super) ranges: Vec<Range>,
    pub(super) filter: Filter,
    pub(super) shown: VisibleEvents,
}

/// Reads a query page by page, from one end.
#[derive(Debug)]
pub(super) struct Pages {
    reading: PageQuery,
    ranges: VecDeque<Range>,
    order: Order,
    left: usize,
}

/// Events in the order in which they were read. A page is never empty.
#[derive(Debug)]
pub(super) struct ReadPage {
    pub(super) events: Vec<ThreadEvent>,
    /// The index of the range that contains the events.
    range: usize,
}

impl PageQuery {
    /// Reads at most `limit` events from one end. With `NewestFirst`, events of the turn itself are not counted.
    pub(super) fn pages(self, order: Order, limit: usize) -> Pages {
        Pages {
            ranges: self.ranges.clone().into(),
            reading: self,
            order,
            left: limit,
        }
    }

    /// Reads the newest events and returns them from the oldest to the newest: up to `limit`, plus the events that the
    /// turn itself wrote. At most `keep` of them may be kept in memory.
    ///
    /// The oldest of these events is only known after reading backwards. If there are more than `keep` events, they
    /// are read a second time, forwards.
    pub(super) async fn newest(self, limit: usize, keep: usize) -> Result<PageFeed, MemoryError> {
        if limit == 0 {
            return Ok(PageFeed::Kept(Vec::new()));
        }
        let mut pages = self.clone().pages(Order::NewestFirst, limit);
        let mut kept = Some(Vec::new());
        let (mut newest, mut oldest) = (None, None);
        while let Some(page) = pages.next().await? {
            let place = |event: Option<&ThreadEvent>| Some((page.range, event?.seq));
            newest = newest.or_else(|| place(page.events.first()));
            oldest = place(page.events.last());
            kept = kept.filter(|kept| kept.len() + page.events.len() <= keep);
            if let Some(kept) = &mut kept {
                kept.extend(page.events);
            }
        }
        if let Some(mut kept) = kept {
            kept.reverse();
            return Ok(PageFeed::Kept(kept));
        }
        let (Some((first, begin)), Some((last, end))) = (oldest, newest) else {
            return Ok(PageFeed::Kept(Vec::new()));
        };
        let mut reading = self;
        // The first range starts at the oldest event, and the last range ends with the newest one.
        reading.ranges[first].after = begin.saturating_sub(1);
        reading.ranges[last].before = end.saturating_add(1);
        reading.ranges.truncate(last + 1);
        reading.ranges.drain(..first);
        let pages = reading.pages(Order::OldestFirst, usize::MAX);
        Ok(PageFeed::Read(Box::new(pages)))
    }
}

impl Pages {
    /// Reads the next page. `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<ReadPage>, MemoryError> {
        loop {
            let last = self.ranges.len().wrapping_sub(1);
            let (range, place) = match self.order {
                Order::OldestFirst => {
                    let place = self.reading.ranges.len() - self.ranges.len();
                    (self.ranges.front_mut(), place)
                }
                Order::NewestFirst => (self.ranges.back_mut(), last),
            };
            let Some(range) = range else { break };
            let is_counted = !range.is_own || self.order == Order::OldestFirst;
            let limit = if is_counted {
                self.left.min(PAGE)
            } else {
                PAGE
            };
            if limit == 0 {
                break;
            }
            let filter = &self.reading.filter;
            let query = filter.query(range, self.reading.shown, self.order, limit);
            let events = match query {
                Some(query) => self.reading.source.find(&query).await?,
                None => Vec::new(),
            };
            match (events.last(), self.order) {
                (Some(last), Order::OldestFirst) => range.after = last.seq,
                (Some(last), Order::NewestFirst) => range.before = last.seq,
                (None, _) => {}
            }
            if events.len() < limit {
                match self.order {
                    Order::OldestFirst => self.ranges.pop_front(),
                    Order::NewestFirst => self.ranges.pop_back(),
                };
            }
            if !events.is_empty() {
                if is_counted {
                    self.left -= events.len();
                }
                return Ok(Some(ReadPage {
                    events,
                    range: place,
                }));
            }
        }
        Ok(None)
    }
}

/// A source of events from the oldest to the newest.
#[derive(Debug)]
pub(super) enum PageFeed {
    /// All events, in memory.
    Kept(Vec<ThreadEvent>),
    /// Pages that are read when they are needed.
    Read(Box<Pages>),
}

impl PageFeed {
    /// Returns the next events. The list is empty at the end.
    pub(super) async fn next(&mut self) -> Result<Vec<ThreadEvent>, MemoryError> {
        match self {
            Self::Kept(events) => Ok(std::mem::take(events)),
            Self::Read(pages) => {
                let page = pages.next().await?;
                Ok(page.map(|page| page.events).unwrap_or_default())
            }
        }
    }
}
