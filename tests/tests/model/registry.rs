//! The expected users and threads.

use dooers_tests::Identity;
use std::collections::BTreeMap;

/// A user on one device. The same user id in another organization is a different user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) tenant: usize,
    pub(crate) user: &'static str,
    /// True if the device uses the dialect in which a snapshot replaces the view.
    pub(crate) replaces: bool,
    /// True if the device receives streaming texts as deltas.
    pub(crate) takes_deltas: bool,
}

/// All users and devices.
pub(crate) const PEOPLE: [Person; 5] = [
    person(0, "ada", false, true),
    person(0, "bob", true, false),
    person(0, "ada", false, false),
    person(1, "ada", false, true),
    person(1, "eve", true, true),
];

const fn person(tenant: usize, user: &'static str, replaces: bool, takes_deltas: bool) -> Person {
    Person {
        tenant,
        user,
        replaces,
        takes_deltas,
    }
}

impl Person {
    pub(crate) fn identity(self) -> Identity {
        let identity = Identity::of(self.user)
            .with("agent_id", format!("worker{}", self.tenant))
            .with("organization_id", self.organization());
        let identity = match self.takes_deltas {
            true => identity.with_deltas(),
            false => identity,
        };
        match self.replaces {
            true => identity.using_worker_id(),
            false => identity,
        }
    }

    pub(crate) fn organization(self) -> String {
        format!("organization{}", self.tenant)
    }
}

/// The expected state of a thread.
#[derive(Debug, Clone)]
pub(crate) struct ThreadEntry {
    pub(crate) owner: Person,
    /// True if an authorized user has requested its deletion.
    pub(crate) is_deleted: bool,
}

/// All expected threads.
#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) is_private: bool,
    /// True if a message is rejected while its thread is busy.
    pub(crate) rejects: bool,
    pub(crate) threads: BTreeMap<String, ThreadEntry>,
    /// The thread ids, in the order in which they became known.
    order: Vec<String>,
}

impl Registry {
    pub(crate) fn new(is_private: bool, rejects: bool) -> Self {
        Self {
            is_private,
            rejects,
            threads: BTreeMap::new(),
            order: Vec::new(),
        }
    }

    /// Picks a thread by any number. Deleted threads are included, so that requests for them are tested.
    pub(crate) fn pick(&self, number: usize) -> Option<String> {
        let at = number.checked_rem(self.order.len())?;
        Some(self.order[at].clone())
    }

    /// Records that a user has written in a thread. An unknown thread was created by this user.
    pub(crate) fn record_writer(&mut self, id: &str, person: Person) {
        if self.threads.contains_key(id) {
            return;
        }
        let known = ThreadEntry {
            owner: person,
            is_deleted: false,
        };
        self.threads.insert(id.to_owned(), known);
        self.order.push(id.to_owned());
    }

    /// Returns true if the user may receive frames of a thread. An unknown thread was created a moment ago.
    pub(crate) fn can_receive(&self, person: Person, id: &str) -> bool {
        self.threads.get(id).is_none_or(|known| {
            known.owner.tenant == person.tenant
                && (!self.is_private || known.owner.user == person.user)
        })
    }

    /// Returns true if the user may read and write a thread.
    pub(crate) fn can_see(&self, person: Person, id: &str) -> bool {
        self.can_receive(person, id) && self.threads.get(id).is_some_and(|known| !known.is_deleted)
    }

    pub(crate) fn delete(&mut self, id: &str) {
        if let Some(known) = self.threads.get_mut(id) {
            known.is_deleted = true;
        }
    }

    /// The threads that are not deleted.
    pub(crate) fn existing(&self) -> impl Iterator<Item = (&String, Person)> {
        let is_there = |(_, known): &(&String, &ThreadEntry)| !known.is_deleted;
        let alive = self.threads.iter().filter(is_there);
        alive.map(|(id, known)| (id, known.owner))
    }
}
