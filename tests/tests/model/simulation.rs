//! The server, its clients, and the steps of a simulation.

use crate::client::ModelClient;
use crate::oracle::Oracle;
use crate::registry::{PEOPLE, Registry};
use crate::server::{Policy, Setup, TestDatabase, TestServer};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A step of a simulation. Numbers select one of the existing items.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sends a message to a new thread.
    Begin {
        member: usize,
        text: String,
    },
    /// Sends a message to any thread, including deleted and invisible ones.
    Write {
        member: usize,
        thread: usize,
        text: String,
    },
    /// Resends an earlier message.
    Repeat {
        member: usize,
        message: usize,
    },
    Subscribe {
        member: usize,
        thread: usize,
    },
    Unsubscribe {
        member: usize,
        thread: usize,
    },
    Delete {
        member: usize,
        thread: usize,
    },
    /// Cancels the newest turn in the client's view of a thread.
    Cancel {
        member: usize,
        thread: usize,
    },
    /// The client stops reading.
    Slow {
        member: usize,
    },
    /// The client resumes reading.
    Read {
        member: usize,
    },
    Go {
        member: usize,
        is_polite: bool,
    },
    Come {
        member: usize,
    },
    /// Closes and restarts the server.
    Restart,
    /// Drops all tasks of the server and restarts it.
    Crash,
    /// All clients read on, and their views are compared with the store.
    Settle,
}

impl Step {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        let member = 0..PEOPLE.len();
        let thread = 0..20_usize;
        prop_oneof![
            4 => (member.clone(), text()).prop_map(|(member, text)| Self::Begin { member, text }),
            16 => (member.clone(), thread.clone(), text())
                .prop_map(|(member, thread, text)| Self::Write { member, thread, text }),
            4 => (member.clone(), 0..100_usize)
                .prop_map(|(member, message)| Self::Repeat { member, message }),
            6 => (member.clone(), thread.clone())
                .prop_map(|(member, thread)| Self::Subscribe { member, thread }),
            2 => (member.clone(), thread.clone())
                .prop_map(|(member, thread)| Self::Unsubscribe { member, thread }),
            4 => (member.clone(), thread.clone())
                .prop_map(|(member, thread)| Self::Cancel { member, thread }),
            1 => (member.clone(), thread).prop_map(|(member, thread)| Self::Delete { member, thread }),
            3 => member.clone().prop_map(|member| Self::Slow { member }),
            3 => member.clone().prop_map(|member| Self::Read { member }),
            2 => (member.clone(), any::<bool>())
                .prop_map(|(member, is_polite)| Self::Go { member, is_polite }),
            3 => member.prop_map(|member| Self::Come { member }),
            1 => Just(Self::Restart),
            1 => Just(Self::Crash),
            1 => Just(Self::Settle),
        ]
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just("say hello".to_owned()),
        10 => (1..40_u8).prop_map(|count| format!("stream {count}")),
        4 => (1..8_u8).prop_map(|count| format!("each {count}")),
        4 => (1..60_u8).prop_map(|count| format!("burst {count}")),
        4 => (1..30_u8).prop_map(|count| format!("large {count} 3000")),
        4 => (0..100_u8).prop_map(|number| format!("title {number}")),
        2 => Just("fail on purpose".to_owned()),
        // Rare, as a retry starts only after a second.
        1 => Just("busy today".to_owned()),
    ]
}

/// The server and its clients.
#[derive(Debug)]
pub(crate) struct Simulation {
    database: TestDatabase,
    setup: Setup,
    server: Option<TestServer>,
    members: Vec<ModelClient>,
    registry: Registry,
    settled: u64,
}

impl Simulation {
    pub(crate) async fn new(setup: Setup, database: TestDatabase) -> Self {
        let members = PEOPLE.iter().enumerate();
        let mut simulation = Self {
            database,
            setup,
            server: None,
            members: members
                .map(|(number, person)| ModelClient::new(number, *person))
                .collect(),
            registry: Registry::new(setup.is_private, setup.policy == Policy::Reject),
            settled: 0,
        };
        simulation.start().await;
        for number in 0..PEOPLE.len() {
            simulation.connect(number).await;
        }
        simulation
    }

    pub(crate) async fn step(&mut self, step: Step) {
        match step {
            Step::Begin { member, text } => {
                if let Some(member) = self.reader(member) {
                    self.members[member].write(None, text).await;
                    self.read_until_answered(member).await;
                }
            }
            Step::Write {
                member,
                thread,
                text,
            } => {
                let here = self.members[member].is_connected();
                if let Some(thread_id) = self.registry.pick(thread).filter(|_| here) {
                    self.members[member].write(Some(thread_id), text).await;
                    self.read_until_answered(member).await;
                }
            }
            Step::Repeat { member, message } => {
                let sent = &self.members[member].sent;
                let picked = message.checked_rem(sent.len()).map(|at| sent[at].clone());
                if let (Some(message), Some(member)) = (picked, self.reader(member)) {
                    self.members[member].resend(message).await;
                    self.read_until_answered(member).await;
                }
            }
            Step::Subscribe { member, thread } => {
                if let Some((member, thread_id)) = self.reader_and_thread(member, thread) {
                    let goes_on = !self.members[member].subscribed.contains(&thread_id);
                    self.members[member].subscribe(&thread_id, goes_on).await;
                    self.read_until_answered(member).await;
                }
            }
            Step::Unsubscribe { member, thread } => {
                if let Some((member, thread_id)) = self.reader_and_thread(member, thread) {
                    self.members[member].unsubscribe(thread_id).await;
                    self.read_until_answered(member).await;
                }
            }
            Step::Delete { member, thread } => {
                if let Some((member, thread_id)) = self.reader_and_thread(member, thread) {
                    let asking = &mut self.members[member];
                    asking.delete(thread_id, &mut self.registry).await;
                    self.read_until_answered(member).await;
                }
            }
            Step::Cancel { member, thread } => {
                if let Some((member, thread_id)) = self.reader_and_thread(member, thread) {
                    self.members[member].cancel(thread_id).await;
                    self.read_until_answered(member).await;
                }
            }
            Step::Slow { member } => self.members[member].is_slow = true,
            Step::Read { member } => {
                self.members[member].is_slow = false;
                self.read_until_answered(member).await;
            }
            Step::Go { member, is_polite } => self.members[member].disconnect(is_polite).await,
            Step::Come { member } => self.connect(member).await,
            Step::Restart => self.restart(true).await,
            Step::Crash => self.restart(false).await,
            Step::Settle => self.settle().await,
        }
    }

    /// Reconnects all clients, compares everything, and closes the server.
    pub(crate) async fn end(mut self) {
        for number in 0..PEOPLE.len() {
            self.connect(number).await;
        }
        self.settle().await;
        for member in &mut self.members {
            member.disconnect(true).await;
        }
        if let Some(server) = self.server.take() {
            server.closed().await;
        }
    }

    async fn start(&mut self) {
        self.server = Some(TestServer::start(self.setup, &self.database).await);
    }

    async fn restart(&mut self, is_orderly: bool) {
        let Some(server) = self.server.take() else {
            return;
        };
        if is_orderly {
            server.begin_close();
            self.wait_for_disconnects().await;
            server.closed().await;
        } else {
            server.crash().await;
            self.wait_for_disconnects().await;
        }
        self.start().await;
    }

    /// Waits until the server has ended all connections.
    async fn wait_for_disconnects(&mut self) {
        for member in &mut self.members {
            let leaving = member.read_until_closed(&mut self.registry);
            crate::within("the server to end its connections", leaving).await;
        }
    }

    async fn connect(&mut self, member: usize) {
        let (member, address) = (&mut self.members[member], self.server.as_ref());
        if let Some(server) = address.filter(|_| !member.is_connected()) {
            member
                .connect(server.address, self.setup.is_small, &mut self.registry)
                .await;
        }
    }

    /// The client, if it is connected and reading.
    fn reader(&self, member: usize) -> Option<usize> {
        let it = &self.members[member];
        (it.is_connected() && !it.is_slow).then_some(member)
    }

    fn reader_and_thread(&self, member: usize, thread: usize) -> Option<(usize, String)> {
        Some((self.reader(member)?, self.registry.pick(thread)?))
    }

    /// Reads the answers of a client that is reading.
    async fn read_until_answered(&mut self, member: usize) {
        if let Some(member) = self.reader(member) {
            self.members[member]
                .read_until_answered(&mut self.registry)
                .await;
        }
    }

    /// Lets all connected clients read on, and compares their views with the store.
    async fn settle(&mut self) {
        for number in 0..PEOPLE.len() {
            self.members[number].is_slow = false;
            self.read_until_answered(number).await;
        }
        let Some(address) = self.server.as_ref().map(|server| server.address) else {
            return;
        };
        let mut oracles = BTreeMap::new();
        let there: Vec<_> = self
            .registry
            .existing()
            .map(|(id, owner)| (id.clone(), owner))
            .collect();
        for (id, owner) in there {
            self.settled += 1;
            let oracle = Oracle::of(&id, owner, address, self.settled).await;
            oracles.insert(id, oracle);
        }
        for member in self
            .members
            .iter_mut()
            .filter(|member| member.is_connected())
        {
            let is_behind = |member: &ModelClient, registry: &Registry| {
                member.subscribed.iter().any(|id| match oracles.get(id) {
                    Some(oracle) => !oracle.has_reached(&member.views[id]),
                    // The thread is deleted, or was created by a message whose echo arrived just
                    // now.
                    None => registry.threads[id].is_deleted,
                })
            };
            let what = "what was stored last";
            member.read_while(&mut self.registry, what, is_behind).await;
            member.drain(&mut self.registry).await;
            for id in &member.subscribed {
                if let Some(oracle) = oracles.get(id) {
                    oracle.assert_matches_view(member, id);
                }
            }
        }
    }
}
