//! The progress of all clients.

use tokio::sync::watch;

/// The progress of each client.
#[derive(Debug, Clone)]
pub(crate) struct Progress(watch::Sender<Vec<Step>>);

/// The progress of a client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// The number of its acknowledged messages.
    pub(crate) acked: usize,
    /// True once it waits for nothing of its own.
    pub(crate) is_done: bool,
}

impl Progress {
    pub(crate) fn of(clients: usize) -> Self {
        Self(watch::Sender::new(vec![Step::default(); clients]))
    }

    /// Notes the progress of a client.
    pub(crate) fn set(&self, client: usize, step: Step) {
        self.0.send_if_modified(|all| {
            let is_new = all[client] != step;
            all[client] = step;
            is_new
        });
    }

    /// Waits until this number of messages of each client are acknowledged from now on.
    pub(crate) async fn wait(&self, messages: usize) {
        let before = self.0.borrow().clone();
        let is_far = |(step, before): (&Step, &Step)| step.acked >= before.acked + messages;
        self.wait_for(|all| all.iter().zip(&before).all(is_far))
            .await;
    }

    /// Waits until all clients wait for nothing of their own.
    pub(crate) async fn wait_for_end(&self) {
        self.wait_for(|all| all.iter().all(|step| step.is_done))
            .await;
    }

    async fn wait_for(&self, is_true: impl FnMut(&Vec<Step>) -> bool) {
        // The sender is `self`.
        let _ = self.0.subscribe().wait_for(is_true).await;
    }
}
