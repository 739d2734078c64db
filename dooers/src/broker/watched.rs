//! The topics that the connections of this node need.

use super::place::{PlaceKey, ThreadKey};
use super::topic::Topic;
use crate::store::Scope;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

/// The time for which a topic is kept after its last watcher has left, because clients often return.
const LINGER: Duration = Duration::from_secs(5);

/// The longest time for which a reader waits until the news of a topic arrive.
const LONGEST_WAIT: Duration = Duration::from_millis(250);

/// The topics that the connections of this node need. Empty and without effect if the broker carries all news to every node.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched(Option<Arc<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    /// The broker must subscribe or unsubscribe.
    changed: Notify,
    /// The news of more topics arrive, or those of none.
    heard: Notify,
}

#[derive(Debug, Default)]
struct State {
    topics: HashMap<Topic, Entry>,
    /// Topics to which the broker must subscribe.
    added: HashSet<Topic>,
    /// Topics whose last watcher has left, with the times at which it left. Each topic is listed at most once, so that the list
    /// does not grow while the broker is not connected and takes nothing.
    idle: VecDeque<(Instant, Topic)>,
    /// The broker is connected.
    is_linked: bool,
}

#[derive(Debug, Default)]
struct Entry {
    watchers: usize,
    /// The id of the thread, if the topic is a thread.
    thread_id: Option<Box<str>>,
    /// The time at which the last watcher left.
    idle_since: Option<Instant>,
    /// The topic is in the list of idle topics.
    is_listed: bool,
    /// The news of the topic arrive.
    is_heard: bool,
    /// A reader has not waited until they arrived.
    is_late: bool,
}

/// A reason to hear the news of a topic, until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Watch(Option<(Arc<Inner>, Topic)>);

/// Topics whose news arrive later than a reader could wait for them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Late {
    /// The ids of threads.
    pub(crate) threads: Vec<String>,
    /// Some topics are places.
    pub(crate) has_places: bool,
}

impl Watched {
    /// Watches a thread.
    pub(crate) fn thread(&self, thread_id: &str) -> Watch {
        self.watch(|| (Topic::Thread(ThreadKey::of(thread_id)), Some(thread_id)))
    }

    /// Watches the rows of the threads in the place of a scope.
    pub(crate) fn place(&self, scope: &Scope) -> Watch {
        self.watch(|| (Topic::Place(PlaceKey::of(scope)), None))
    }

    /// Watches the analytics of the worker of a scope, in its organization.
    pub(crate) fn analytics(&self, scope: &Scope) -> Watch {
        self.watch(|| (Topic::Place(PlaceKey::of_analytics(scope)), None))
    }

    fn watch<'a>(&self, topic: impl FnOnce() -> (Topic, Option<&'a str>)) -> Watch {
        let Some(inner) = &self.0 else {
            return Watch(None);
        };
        let (topic, thread_id) = topic();
        inner.watch(topic, thread_id);
        Watch(Some((Arc::clone(inner), topic)))
    }
}

impl Inner {
    fn watch(&self, topic: Topic, thread_id: Option<&str>) {
        let mut state = self.state();
        let State { topics, added, .. } = &mut *state;
        let entry = topics.entry(topic).or_insert_with(|| {
            added.insert(topic);
            self.changed.notify_one();
            Entry {
                thread_id: thread_id.map(Box::from),
                ..Entry::default()
            }
        });
        entry.watchers += 1;
        entry.idle_since = None;
    }

    fn unwatch(&self, topic: Topic) {
        let mut state = self.state();
        let State {
            topics,
            added,
            idle,
            ..
        } = &mut *state;
        let Some(entry) = topics.get_mut(&topic) else {
            return;
        };
        entry.watchers -= 1;
        if entry.watchers > 0 {
            return;
        }
        if added.remove(&topic) {
            // The broker has not subscribed to it.
            topics.remove(&topic);
            return crate::shrink::shrink(topics);
        }
        let now = Instant::now();
        entry.idle_since = Some(now);
        if !std::mem::replace(&mut entry.is_listed, true) {
            idle.push_back((now, topic));
            self.changed.notify_one();
        }
    }

    /// Returns true if a reader of the topic need not wait. Without a connection, it would wait in vain.
    fn is_heard(&self, topic: Topic) -> bool {
        let state = self.state();
        let entry = state.topics.get(&topic);
        !state.is_linked || entry.is_none_or(|entry| entry.is_heard)
    }

    async fn heard(&self, topic: Topic) {
        loop {
            let mut heard = std::pin::pin!(self.heard.notified());
            // Registered before the state is read, so that no notification is missed.
            heard.as_mut().enable();
            if self.is_heard(topic) {
                return;
            }
            heard.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Waits until the news of the topic arrive. Read the store afterwards, and no change is missed. If that takes too long,
    /// it returns, and the topic counts as [late](Late).
    pub(crate) async fn heard(&self) {
        let Some((inner, topic)) = &self.0 else {
            return;
        };
        if timeout(LONGEST_WAIT, inner.heard(*topic)).await.is_err()
            && let Some(entry) = inner.state().topics.get_mut(topic)
        {
            entry.is_late = !entry.is_heard;
        }
    }
}

impl Clone for Watch {
    fn clone(&self) -> Self {
        if let Some((inner, topic)) = &self.0 {
            inner.watch(*topic, None);
        }
        Self(self.0.clone())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some((inner, topic)) = &self.0 {
            inner.unwatch(*topic);
        }
    }
}

/// The part for brokers that carry news by their topics.
impl Watched {
    /// Creates an empty set.
    pub(super) fn by_topic() -> Self {
        Self(Some(Arc::default()))
    }

    /// Waits until the broker must subscribe or unsubscribe. Dropping the future loses nothing.
    pub(super) async fn changed(&self) {
        let Some(inner) = &self.0 else {
            return std::future::pending().await;
        };
        loop {
            let changed = inner.changed.notified();
            let expiry = {
                let state = inner.state();
                if !state.added.is_empty() {
                    return;
                }
                state.idle.front().map(|(since, _)| *since + LINGER)
            };
            match expiry {
                Some(at) if at <= Instant::now() => return,
                Some(at) => {
                    tokio::select! {
                        () = changed => {}
                        () = sleep_until(at) => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    /// Takes the topics to which the broker must subscribe, and those that it must unsubscribe from.
    pub(super) fn take_changes(&self) -> (Vec<Topic>, Vec<Topic>) {
        let Some(inner) = &self.0 else {
            return Default::default();
        };
        let mut state = inner.state();
        let State {
            topics,
            added,
            idle,
            ..
        } = &mut *state;
        let now = Instant::now();
        let mut removed = Vec::new();
        while let Some((_, topic)) = idle.pop_front_if(|(since, _)| *since + LINGER <= now) {
            let Some(entry) = topics.get_mut(&topic) else {
                continue;
            };
            // The topic may have been watched again in the meantime.
            match entry.idle_since {
                Some(since) if since + LINGER <= now => {
                    topics.remove(&topic);
                    removed.push(topic);
                }
                Some(since) => idle.push_back((since, topic)),
                None => entry.is_listed = false,
            }
        }
        if !removed.is_empty() {
            crate::shrink::shrink(topics);
        }
        (std::mem::take(added).into_iter().collect(), removed)
    }

    /// Notes that the news of these topics arrive. Returns those that a reader has not waited for.
    pub(super) fn set_heard(&self, heard: &[Topic]) -> Late {
        let mut late = Late::default();
        let Some(inner) = &self.0 else {
            return late;
        };
        let mut state = inner.state();
        for topic in heard {
            let Some(entry) = state.topics.get_mut(topic) else {
                continue;
            };
            entry.is_heard = true;
            if std::mem::take(&mut entry.is_late) {
                late.add(entry);
            }
        }
        drop(state);
        inner.heard.notify_waiters();
        late
    }

    /// Notes whether the broker is connected. The news of all topics stop when it is not.
    pub(super) fn set_linked(&self, is_linked: bool) {
        let Some(inner) = &self.0 else {
            return;
        };
        let mut state = inner.state();
        state.is_linked = is_linked;
        if !is_linked {
            for entry in state.topics.values_mut() {
                entry.is_heard = false;
            }
        }
        drop(state);
        inner.heard.notify_waiters();
    }

    /// The ids of the threads among these topics.
    pub(super) fn named(&self, topics: &[Topic]) -> Late {
        let mut named = Late::default();
        if let Some(inner) = &self.0 {
            let state = inner.state();
            let entries = topics.iter().filter_map(|topic| state.topics.get(topic));
            entries.for_each(|entry| named.add(entry));
        }
        named
    }
}

impl Late {
    fn add(&mut self, entry: &Entry) {
        match &entry.thread_id {
            Some(thread_id) => self.threads.push(thread_id.to_string()),
            None => self.has_places = true,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.threads.is_empty() && !self.has_places
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use tokio::time::sleep;

    fn topic(thread_id: &str) -> Topic {
        Topic::Thread(ThreadKey::of(thread_id))
    }

    #[test]
    fn broker_with_one_channel_watches_nothing() {
        let watched = Watched::default();
        let watch = watched.thread("t");
        assert!(watch.heard().now_or_never().is_some());
        assert!(watched.changed().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn topics_are_not_kept_for_a_broker_that_takes_none() {
        let watched = Watched::by_topic();
        let kept = watched.thread("kept");
        assert_eq!(watched.take_changes(), (vec![topic("kept")], vec![]));
        drop(kept);
        for number in 0..100 {
            drop(watched.thread(&number.to_string()));
            drop(watched.thread("kept"));
            sleep(Duration::from_secs(1)).await;
        }
        let inner = watched.0.as_ref().unwrap();
        let sizes = |state: &State| (state.topics.len(), state.added.len(), state.idle.len());
        assert_eq!(sizes(&inner.state()), (1, 0, 1));
        assert_eq!(watched.take_changes(), (vec![], vec![]));
        sleep(LINGER).await;
        assert_eq!(watched.take_changes(), (vec![], vec![topic("kept")]));
        assert_eq!(sizes(&inner.state()), (0, 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn topic_lingers_after_its_last_watcher() {
        let watched = Watched::by_topic();
        let first = watched.thread("t");
        let second = first.clone();
        assert!(watched.changed().now_or_never().is_some());
        assert_eq!(watched.take_changes(), (vec![topic("t")], vec![]));
        drop(first);
        assert!(watched.changed().now_or_never().is_none());
        drop(second);
        assert!(watched.changed().now_or_never().is_none());
        // A client that returns keeps the topic.
        let again = watched.thread("t");
        sleep(2 * LINGER).await;
        assert_eq!(watched.take_changes(), (vec![], vec![]));
        drop(again);
        let left = Instant::now();
        watched.changed().await;
        assert!(left.elapsed() >= LINGER);
        assert_eq!(watched.take_changes(), (vec![], vec![topic("t")]));
        assert!(watched.changed().now_or_never().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn topic_that_left_before_it_was_taken_is_skipped() {
        let watched = Watched::by_topic();
        drop(watched.thread("t"));
        sleep(LINGER).await;
        let (added, _) = watched.take_changes();
        assert!(added.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn reader_waits_until_its_topic_is_heard() {
        let watched = Watched::by_topic();
        let watch = watched.thread("t");
        // Without a connection, nobody waits.
        assert!(watch.heard().now_or_never().is_some());
        watched.set_linked(true);
        let mut heard = std::pin::pin!(watch.heard());
        assert!(heard.as_mut().now_or_never().is_none());
        watched.set_heard(&[topic("other")]);
        assert!(heard.as_mut().now_or_never().is_none());
        assert!(watched.set_heard(&[topic("t")]).is_empty());
        heard.await;
        watched.set_linked(false);
        watched.set_linked(true);
        let mut heard = std::pin::pin!(watch.heard());
        assert!(heard.as_mut().now_or_never().is_none());
        watched.set_linked(false);
        heard.await;
    }

    #[tokio::test(start_paused = true)]
    async fn topic_that_a_reader_gave_up_is_late() {
        let watched = Watched::by_topic();
        watched.set_linked(true);
        let (thread, patient) = (watched.thread("t"), watched.thread("u"));
        let place = watched.place(&Scope::new("a", "w"));
        tokio::join!(thread.heard(), place.heard());
        let (added, _) = watched.take_changes();
        let late = watched.set_heard(&added);
        assert_eq!(late.threads, ["t"]);
        assert!(late.has_places);
        assert!(watched.set_heard(&added).is_empty());
        patient.heard().await;
        let mut named = watched.named(&added);
        named.threads.sort_unstable();
        assert_eq!(named.threads, ["t", "u"]);
    }
}
