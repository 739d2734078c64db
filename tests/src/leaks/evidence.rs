//! Everything that a server has shown, stored and logged.

use super::{Exception, Secrets};
use std::collections::BTreeSet;

/// The number of bytes on both sides of a secret that a failed check prints.
const SHOWN: usize = 200;

/// A place in which something is observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// The frames that clients receive.
    Frames,
    /// Stored rows, and the files of a database.
    Rows,
    /// Log lines at any level, except those of the next two channels.
    Log,
    /// Log lines of the crates that `dooers::log_directives` turns off.
    FrameLog,
    /// The `Debug` output of public types, which a program logs under the target `leaks::debug`.
    Debug,
    /// The rest of a process's output: announcements, errors of `main` and panics.
    Output,
    /// Whole answers over HTTP.
    Http,
    /// Whole requests to the analytics webhook.
    Webhook,
}

/// Observed items: a frame, a line, a row or an answer each.
#[derive(Debug, Default)]
pub struct Evidence(Vec<(Channel, Vec<u8>)>);

impl Evidence {
    /// Adds an item.
    pub fn add(&mut self, channel: Channel, item: impl Into<Vec<u8>>) {
        self.0.push((channel, item.into()));
    }

    /// Adds several items.
    pub fn extend<T: Into<Vec<u8>>>(
        &mut self,
        channel: Channel,
        items: impl IntoIterator<Item = T>,
    ) {
        for item in items {
            self.add(channel, item);
        }
    }

    /// Adds the output of a process that logs with the default format of `tracing-subscriber`, without colours. Lines that
    /// begin with `row ` are stored rows.
    pub fn add_output(&mut self, output: &str) {
        let is_off = dooers::log_directives();
        let off: Vec<_> = is_off
            .split(',')
            .filter_map(|directive| directive.strip_suffix("=off"))
            .collect();
        let mut last = None;
        for line in output.lines() {
            let channel = match target_of(line) {
                Some(target) if off.iter().any(|off| target.starts_with(off)) => Channel::FrameLog,
                Some("leaks::debug") => Channel::Debug,
                Some(_) => Channel::Log,
                None if line.starts_with("row ") => Channel::Rows,
                None => Channel::Output,
            };
            let begins = ["thread '", "Error: "].map(|begin| line.starts_with(begin));
            let is_continued = channel == Channel::Output && begins == [false; 2];
            match self.0.last_mut() {
                // A message of several lines, or the message of a panic after its place.
                Some((_, item))
                    if is_continued && last.is_some_and(|last| last != Channel::Rows) =>
                {
                    item.extend(b"\n");
                    item.extend(line.as_bytes());
                }
                _ => {
                    last = Some(channel);
                    self.add(channel, line);
                }
            }
        }
    }

    /// The items of a channel.
    pub fn of(&self, channel: Channel) -> impl Iterator<Item = &[u8]> {
        let items = self.0.iter().filter(move |(at, _)| *at == channel);
        items.map(|(_, item)| item.as_slice())
    }

    /// Checks that no secret is in any item, except where one of these exceptions permits it, and that each exception
    /// occurs.
    ///
    /// # Panics
    ///
    /// If it is not so, with a list of all leaks.
    pub fn check(&self, secrets: &Secrets, exceptions: &[Exception]) {
        for exception in exceptions {
            let name = exception.secret;
            assert!(secrets.get(name).is_some(), "`{name}` is not planted");
        }
        let search = secrets.search();
        let mut seen = BTreeSet::new();
        let mut leaks = BTreeSet::new();
        for (channel, item) in &self.0 {
            for (name, form, at) in search.find(item) {
                let permits = |exception: &&Exception| {
                    exception.secret == name
                        && exception.channel == *channel
                        && contains(item, exception.within)
                };
                let all = exceptions.iter().enumerate();
                let permitted: Vec<_> = all.filter(|(_, it)| permits(it)).collect();
                if permitted.is_empty() {
                    let around = at.saturating_sub(SHOWN)..item.len().min(at + SHOWN);
                    let shown = String::from_utf8_lossy(&item[around]);
                    leaks.insert(format!("`{name}`, {form}, in {channel:?}: {shown}"));
                }
                seen.extend(permitted.into_iter().map(|(at, _)| at));
            }
        }
        let missing = exceptions.iter().enumerate();
        let missing = missing.filter(|(at, _)| !seen.contains(at));
        let missing: Vec<_> = missing.map(|(_, it)| format!("{it:?}")).collect();
        let leaks: Vec<_> = leaks.into_iter().collect();
        assert!(leaks.is_empty(), "secrets leak:\n{}", leaks.join("\n"));
        assert!(
            missing.is_empty(),
            "exceptions that no longer occur:\n{}",
            missing.join("\n")
        );
    }
}

/// The log line with the id that ends this text for users, if there is one.
///
/// # Panics
///
/// If the text has no id, or no line of the log with the level WARN or ERROR has it.
#[must_use]
pub fn logged(evidence: &Evidence, text: &str) -> String {
    let id = text
        .trim_end()
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once(" (error "));
    let Some((_, id)) = id else {
        panic!("no id of an error: {text}");
    };
    let mut lines = evidence.of(Channel::Log).map(String::from_utf8_lossy);
    let is_it = |line: &str| line.contains(id) && (line.contains("ERROR") || line.contains("WARN"));
    let line = lines.find(|line| is_it(line));
    line.unwrap_or_else(|| panic!("the log does not have the id {id} of {text:?}"))
        .into_owned()
}

fn contains(item: &[u8], text: &str) -> bool {
    text.is_empty() || item.windows(text.len()).any(|part| part == text.as_bytes())
}

/// The target of a log line: `TIME LEVEL SPAN{…}:SPAN{…}: TARGET: MESSAGE`. `None` for any other line.
fn target_of(line: &str) -> Option<&str> {
    let (time, rest) = line.split_once(' ')?;
    let (level, mut rest) = rest.trim_start().split_once(' ')?;
    if !time.ends_with('Z') || !["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].contains(&level) {
        return None;
    }
    loop {
        let end = rest.find(['{', ' '])?;
        if rest[end..].starts_with(' ') {
            return Some(rest[..end].trim_end_matches(':'));
        }
        rest = rest[end..].split_once("}:")?.1.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_split_by_target() {
        let mut evidence = Evidence::default();
        // The first line does not continue what was observed before.
        evidence.add(Frames, "{}");
        evidence.add_output(
            "dooers serves a on\n\
             2026-11-29T11:41:04.1Z TRACE tungstenite::protocol: frame\n\
             2026-11-29T11:41:04.1Z  INFO thread{id=\"1\"}: dooers::turn: done\nmore\n\
             thread 'x' panicked at y:\nmessage\n\
             2026-11-29T11:41:04.1Z  INFO leaks::debug: Config\nrow 1\nrow 2\n",
        );
        let channels: Vec<_> = evidence.0.iter().map(|(channel, _)| *channel).collect();
        use Channel::{Debug, FrameLog, Frames, Log, Output, Rows};
        assert_eq!(
            channels,
            [Frames, Output, FrameLog, Log, Output, Debug, Rows, Rows]
        );
        assert!(evidence.of(Log).any(|line| line.ends_with(b"done\nmore")));
    }

    #[test]
    fn leak_and_missing_exception_fail_the_check() {
        let mut secrets = Secrets::default();
        let value = secrets.text("one");
        let exception = |within| Exception {
            secret: "one",
            channel: Channel::Log,
            within,
            reason: "",
        };
        let mut evidence = Evidence::default();
        let fails = |evidence: &Evidence, exceptions: &[Exception]| {
            let check = std::panic::AssertUnwindSafe(|| evidence.check(&secrets, exceptions));
            std::panic::catch_unwind(check).is_err()
        };
        assert!(!fails(&evidence, &[]));
        assert!(fails(&evidence, &[exception("failed")]), "not seen");
        evidence.add(Channel::Log, format!("failed: {value}"));
        assert!(fails(&evidence, &[]), "not permitted");
        assert!(!fails(&evidence, &[exception("failed")]));
        evidence.add(Channel::Log, format!("other {value}"));
        assert!(fails(&evidence, &[exception("failed")]), "another line");
        let elsewhere = Exception {
            channel: Channel::Frames,
            ..exception("failed")
        };
        assert!(fails(&evidence, &[elsewhere]), "another channel");
    }
}
