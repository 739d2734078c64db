//! A client that moves between nodes.

use super::progress::{Progress, Step};
use crate::client::{Message, ResilientClient};
use crate::connection::Disconnected;
use crate::member::SAYS;
use crate::oracle::COUNTS;
use dooers::CancellationToken;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// The time between two messages of a client. It is the load, and nothing waits for it.
const PAUSE: Duration = Duration::from_millis(1200);

/// Maximum number of unacknowledged messages.
const WINDOW: usize = 3;

/// Of this number of messages, one is answered until it is cancelled.
const COUNTING: u64 = 20;

/// Of this number of other messages, one is cancelled.
const CANCELED: u64 = 11;

/// Of this number of clients, one changes a setting with each message.
const PATCHING: usize = 10;

/// The settings of the agent.
const SETTINGS: [&str; 2] = ["tone", "pitch"];

/// A client that moves to another node when its connection ends.
#[derive(Debug)]
pub(crate) struct RoamingClient {
    pub(crate) client: ResilientClient,
    number: usize,
    threads: Vec<String>,
    /// The number of nodes to which it has connected.
    journeys: usize,
    /// The `client_event_id`s of messages whose turns it cancels.
    unwanted: Vec<String>,
}

/// The nodes that accept clients, the progress of all clients, and the end of the load.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) available: watch::Receiver<Vec<SocketAddr>>,
    /// True if some messages are answered until they are cancelled.
    pub(crate) counts: bool,
    pub(crate) progress: Progress,
    /// Ends the load.
    pub(crate) stop: CancellationToken,
    /// Ends the clients.
    pub(crate) end: CancellationToken,
}

impl RoamingClient {
    /// A client that subscribes to these threads and writes to them.
    pub(crate) fn new(number: usize, threads: Vec<String>) -> Self {
        let takes_deltas = (number / 3).is_multiple_of(2);
        let client = ResilientClient::new(format!("roamer{number}"), takes_deltas, &threads);
        Self {
            client,
            number,
            threads,
            journeys: 0,
            unwanted: Vec::new(),
        }
    }

    /// Writes to its threads until the load ends, and reads until the world ends. Moves to another node whenever its connection
    /// ends.
    pub(crate) async fn roam(mut self, mut world: World) -> Self {
        loop {
            let address = self.next_node(&mut world).await;
            if self.stay(address, &mut world).await.is_ok() {
                return self;
            }
        }
    }

    /// Connects to the next node, for a client that only reads.
    pub(crate) async fn move_on(&mut self, world: &mut World) {
        loop {
            let address = self.next_node(world).await;
            if self.connect(address).await.is_ok() {
                return;
            }
        }
    }

    async fn next_node(&mut self, world: &mut World) -> SocketAddr {
        let place = self.number + self.journeys;
        self.journeys += 1;
        let available = world.available.wait_for(|all| !all.is_empty()).await;
        let available = available.expect("the nodes outlive their clients");
        available[place % available.len()]
    }

    async fn connect(&mut self, address: SocketAddr) -> Result<(), Disconnected> {
        self.client.connect(address).await?;
        self.client.subscribe_to_settings().await
    }

    /// Uses a node until the connection or the world ends.
    async fn stay(&mut self, address: SocketAddr, world: &mut World) -> Result<(), Disconnected> {
        let mut available = world.available.clone();
        let is_gone = async {
            // The nodes outlive their clients.
            let _ = available.wait_for(|all| !all.contains(&address)).await;
        };
        tokio::pin!(is_gone);
        tokio::select! {
            connected = self.connect(address) => connected?,
            // A frozen node accepts the connection and never answers.
            () = &mut is_gone => return Err(Disconnected),
        }
        for message in self.client.pending.clone() {
            self.client.send_again(message).await?;
        }
        let mut pauses = interval(PAUSE);
        pauses.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Half of the clients wait for a frozen node, and the others leave it.
        let waits = self.number.is_multiple_of(2);
        let (mut is_last, mut is_done) = (false, false);
        loop {
            let is_over = world.stop.is_cancelled();
            if is_over && !is_last && self.knows_its_messages() {
                self.cancel_unwanted().await?;
                is_last = true;
            }
            tokio::select! {
                read = self.client.read() => read?,
                _ = pauses.tick() => {
                    // The broker may have lost an earlier request.
                    self.cancel_unwanted().await?;
                    for message in std::mem::take(&mut self.client.overloaded) {
                        self.client.send_again(message).await?;
                    }
                    if !is_over {
                        self.act(world.counts).await?;
                    }
                }
                () = world.stop.cancelled(), if !is_over => {}
                () = world.end.cancelled() => return Ok(()),
                () = &mut is_gone, if !waits => return Err(Disconnected),
            }
            is_done |= is_last && self.client.is_answered();
            let step = Step {
                acked: self.client.acked.len(),
                is_done,
            };
            world.progress.set(self.number, step);
        }
    }

    /// Sends the next message.
    async fn act(&mut self, counts: bool) -> Result<(), Disconnected> {
        if self.client.pending.len() >= WINDOW {
            return Ok(());
        }
        let number = self.client.sent + self.number as u64;
        if self.number.is_multiple_of(PATCHING) {
            let field = SETTINGS[self.client.sent as usize % SETTINGS.len()];
            let value = format!("{} {number}", self.client.name);
            self.client.patch(field, &value).await?;
        }
        let thread = &self.threads[number as usize % self.threads.len()];
        let is_count = counts && number.is_multiple_of(COUNTING);
        let verb = if is_count { COUNTS.trim() } else { SAYS };
        let message = self.client.new_message(Some(thread.clone()), verb);
        if is_count || number.is_multiple_of(CANCELED) {
            self.unwanted.push(message.client_event_id.clone());
        }
        self.client.send_message(message).await
    }

    /// Returns true if all messages are acknowledged, and the ids of the unwanted ones are known.
    fn knows_its_messages(&self) -> bool {
        self.client.pending.is_empty()
            && self
                .unwanted
                .iter()
                .all(|unwanted| self.event_of(unwanted).is_some())
    }

    /// Cancels the turns of unwanted messages, unless the client knows that they have ended.
    async fn cancel_unwanted(&mut self) -> Result<(), Disconnected> {
        let mut running = Vec::new();
        let unwanted = std::mem::take(&mut self.unwanted);
        for client_event_id in unwanted {
            match self.event_of(&client_event_id) {
                Some((_, true)) => {}
                Some((event_id, false)) => {
                    running.push(event_id);
                    self.unwanted.push(client_event_id);
                }
                None => self.unwanted.push(client_event_id),
            }
        }
        for event_id in running {
            self.client.cancel(&event_id).await?;
        }
        Ok(())
    }

    /// The id of the stored event of a message, and true if its run has ended.
    fn event_of(&self, client_event_id: &str) -> Option<(String, bool)> {
        self.client.views.values().find_map(|view| {
            let is_it = |event: &&Value| event["client_event_id"] == client_event_id;
            let event = view.events.iter().rev().find(is_it)?;
            let mut runs = view.runs.values();
            let has_ended =
                runs.any(|run| run["event_id"] == event["id"] && run["status"] != "running");
            Some((event["id"].as_str()?.to_owned(), has_ended))
        })
    }
}

/// All messages that the clients know to be acknowledged.
pub(crate) fn acked(clients: &[RoamingClient]) -> impl Iterator<Item = &Message> {
    clients.iter().flat_map(|roamer| &roamer.client.acked)
}
