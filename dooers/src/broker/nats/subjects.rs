//! The subjects of the topics.

use crate::broker::topic::Topic;

/// The subjects of the processes that share their tables. Other processes use other subjects, also on the same NATS server.
#[derive(Debug)]
pub(super) struct Subjects {
    /// `dooers.` and the identifier of the tables.
    prefix: String,
    node: String,
}

impl Subjects {
    /// `place` identifies the tables, and `node` this node. Both contain only letters, digits and `-`.
    pub(super) fn new(place: &str, node: &str) -> Self {
        Self {
            prefix: format!("dooers.{place}"),
            node: node.to_owned(),
        }
    }

    /// The subject of a topic.
    pub(super) fn of(&self, topic: Topic) -> String {
        let prefix = &self.prefix;
        match topic {
            Topic::All => format!("{prefix}.all"),
            Topic::Place(place) => format!("{prefix}.p.{place:016x}"),
            Topic::Thread(thread) => format!("{prefix}.t.{thread:016x}"),
        }
    }

    /// The subject on which this node hears itself, to find out whether the server answers.
    pub(super) fn of_probes(&self) -> String {
        format!("{}.n.{}", self.prefix, self.node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::PlaceKey;
    use crate::broker::place::ThreadKey;
    use crate::store::Scope;

    #[test]
    fn subjects_name_the_tables_and_the_topic() {
        let subjects = Subjects::new("5f", "node-1");
        assert_eq!(subjects.of(Topic::All), "dooers.5f.all");
        assert_eq!(subjects.of_probes(), "dooers.5f.n.node-1");
        let thread = subjects.of(Topic::Thread(ThreadKey::of("t")));
        let place = subjects.of(Topic::Place(PlaceKey::of(&Scope::new("a", "w"))));
        for (subject, start) in [(thread, "dooers.5f.t."), (place, "dooers.5f.p.")] {
            let key = subject.strip_prefix(start).unwrap();
            assert_eq!(key.len(), 16, "{subject}");
            assert!(
                key.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{subject}"
            );
        }
    }
}
