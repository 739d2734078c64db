//! The processes that a process has started.

use std::fs;

/// A process that was running when it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundProcess {
    /// The process id.
    pub id: u32,
    /// The name of its program.
    pub name: String,
    /// The time of its start, which tells it from a later process with the same id.
    started: u64,
}

impl FoundProcess {
    /// Returns true if the process has not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        Stat::read(self.id).is_some_and(|stat| stat.started == self.started && !stat.has_ended)
    }
}

/// The processes that this process has started, those that they have started, and so on.
#[must_use]
pub fn descendants(id: u32) -> Vec<FoundProcess> {
    let mut found = Vec::new();
    let mut parents = vec![id];
    while let Some(parent) = parents.pop() {
        for child in children(parent) {
            // A process may end at any time.
            if let Some(stat) = Stat::read(child) {
                found.push(FoundProcess {
                    id: child,
                    name: stat.name,
                    started: stat.started,
                });
                parents.push(child);
            }
        }
    }
    found
}

/// The ids of the processes that this process has started.
pub(crate) fn children(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").expect("`/proc` exists on Linux");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let ids = names.filter_map(|name| name.parse().ok());
    ids.filter(|id| Stat::read(*id).is_some_and(|stat| stat.parent == parent))
        .collect()
}

/// The state of a process.
struct Stat {
    name: String,
    /// It has ended, and its parent has not asked for its status.
    has_ended: bool,
    parent: u32,
    started: u64,
}

impl Stat {
    /// Reads the state. `None` if the process does not exist.
    fn read(id: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name is in parentheses, and may contain any character.
        let (start, rest) = stat.rsplit_once(") ")?;
        let (_, name) = start.split_once('(')?;
        let fields: Vec<_> = rest.split(' ').collect();
        Some(Self {
            name: name.to_owned(),
            has_ended: matches!(*fields.first()?, "Z" | "X"),
            parent: fields.get(1)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}
