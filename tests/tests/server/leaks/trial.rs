//! A server with planted secrets, and everything that it shows.

use super::plan::plan;
use super::receiver::Receiver;
use dooers_tests::leaks::{Channel, Evidence, Exception, Secrets, logged};
use dooers_tests::{Client, Process};
use std::net::SocketAddr;

/// A running server, its secrets, and everything that was observed so far.
pub(super) struct Trial {
    pub(super) secrets: Secrets,
    pub(super) evidence: Evidence,
    pub(super) address: SocketAddr,
    /// The status of the first answer of `/readyz`.
    pub(super) readiness: u16,
    /// Texts of internal errors that clients received, and the name of the secret in the error, if it has one.
    pub(super) internal: Vec<(String, Option<&'static str>)>,
    /// The id of a thread with feedback.
    pub(super) thread: String,
    /// The text for users about the turn that was interrupted.
    pub(super) interrupted: String,
    process: Option<Process>,
    receiver: Receiver,
}

impl Trial {
    /// Starts the server with these variables in addition. `more` are further secrets of the program.
    pub(super) async fn start(
        mut secrets: Secrets,
        more: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let receiver = Receiver::start().await;
        let planned = plan(&mut secrets, more, &receiver.url);
        let planned = planned.iter().map(|(name, value)| (&**name, &**value));
        let all: Vec<_> = planned.chain(variables.iter().copied()).collect();
        let mut process = Process::start("leak-server", &all);
        Self {
            secrets,
            evidence: Evidence::default(),
            address: process.address(),
            readiness: 200,
            internal: Vec::new(),
            thread: String::new(),
            interrupted: String::new(),
            process: Some(process),
            receiver,
        }
    }

    /// Collects the frames of a client, and disconnects it.
    pub(super) async fn collect(&mut self, mut client: Client) {
        client.read_pending().await;
        let frames = client.received().iter().cloned();
        self.evidence.extend(Channel::Frames, frames);
        client.disconnect().await;
    }

    /// Stops the server, and collects its output and the requests to its webhook.
    pub(super) fn stop(&mut self) {
        let process = self.process.take().expect("the server is running");
        process.terminate();
        let printed = process.printed().to_owned();
        let (status, output, errors) = process.wait();
        assert_eq!(status, Some(0), "{errors}");
        self.evidence.add_output(&(printed + &output));
        self.evidence.add_output(&errors);
        let requests = self.receiver.requests();
        self.evidence.extend(Channel::Webhook, requests);
    }

    /// Checks that no secret is anywhere, except where it is permitted, and that the log has the id and the secret of
    /// each internal error that a client received.
    pub(super) fn check(self, exceptions: &[Exception]) {
        let mut rows = self.evidence.of(Channel::Rows);
        let text = self.interrupted.as_bytes();
        let is_stored = |row: &[u8]| row.windows(text.len()).any(|part| part == text);
        assert!(rows.any(is_stored), "{}", self.interrupted);
        for (text, secret) in &self.internal {
            let line = logged(&self.evidence, text);
            let part = secret.and_then(|name| self.secrets.get(name));
            let part = part.unwrap_or_default();
            let first: String = part.chars().take(8).collect();
            assert!(line.contains(&first), "not the error of {secret:?}: {line}");
        }
        self.evidence.check(&self.secrets, exceptions);
    }
}
