//! The processes that a process has started.

use std::fs;
use std::time::Duration;

/// The unit of the times in `/proc`. It is the same on all architectures.
const TICK: Duration = Duration::from_millis(10);

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
    /// The process with this id. `None` if it does not exist.
    #[must_use]
    pub fn find(id: u32) -> Option<Self> {
        let stat = Stat::read(id)?;
        Some(Self {
            id,
            name: stat.name,
            started: stat.started,
        })
    }

    /// Returns true if the process has not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.stat().is_some_and(|stat| !stat.has_ended)
    }

    /// The processor time that the process has used. Zero if it has ended.
    #[must_use]
    pub fn processor_time(&self) -> Duration {
        self.stat().map_or(Duration::ZERO, |stat| TICK * stat.ticks)
    }

    fn stat(&self) -> Option<Stat> {
        Stat::read(self.id).filter(|stat| stat.started == self.started)
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
            found.extend(FoundProcess::find(child));
            parents.push(child);
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
    /// The processor time, of the program and of the system for it.
    ticks: u32,
}

impl Stat {
    /// Reads the state. `None` if the process does not exist.
    fn read(id: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name is in parentheses, and may contain any character.
        let (start, rest) = stat.rsplit_once(") ")?;
        let (_, name) = start.split_once('(')?;
        let fields: Vec<_> = rest.split(' ').collect();
        let ticks = |place: usize| fields.get(place)?.parse::<u32>().ok();
        Some(Self {
            name: name.to_owned(),
            has_ended: matches!(*fields.first()?, "Z" | "X"),
            parent: fields.get(1)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
            ticks: ticks(11)? + ticks(12)?,
        })
    }
}
