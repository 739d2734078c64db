//! A proxy that records the statements of its clients.

use super::shared::fresh_prefix;
use dooers::store::{PostgresOptions, SslMode};
use sqlx::postgres::PgConnectOptions;
use std::collections::HashMap;
use std::fmt::Write;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// A proxy between clients and a PostgreSQL server that records the executed statements and counts the round trips. It
/// does not depend on the code of the clients.
#[derive(Debug)]
pub struct StatementLog {
    traffic: Arc<Traffic>,
    prefix: String,
    _accepting: JoinSet<()>,
}

/// The statements that clients have executed in a period.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Executed {
    /// The texts of the statements, without the table prefix, in the order in which they were sent.
    pub statements: Vec<String>,
    /// The number of times that a client waited for an answer. Preparing a statement does not count, because each
    /// connection does that once.
    pub round_trips: usize,
}

impl Executed {
    /// Removes the statements with this text, with their round trips.
    #[must_use]
    pub fn without(mut self, text: &str) -> Self {
        let before = self.statements.len();
        self.statements
            .retain(|statement| !statement.contains(text));
        self.round_trips -= before - self.statements.len();
        self
    }

    /// The first words of each statement, in one line each.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = format!("{} round trips", self.round_trips);
        for statement in &self.statements {
            let words: Vec<_> = statement.split_whitespace().collect();
            let line: String = words.join(" ").chars().take(300).collect();
            let _ = write!(text, "\n  {line}");
        }
        text
    }
}

#[derive(Debug, Default)]
struct Traffic {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    executed: Executed,
    /// The connections, by their numbers.
    connections: HashMap<usize, Connection>,
}

#[derive(Debug, Default)]
struct Connection {
    /// The texts of the prepared statements, by their names.
    prepared: HashMap<String, String>,
    /// The name of the last bound statement.
    bound: String,
    /// `true` if a statement was executed since the last round trip.
    has_executed: bool,
    /// The number of answers that are missing.
    waits: usize,
    is_in_transaction: bool,
}

impl StatementLog {
    /// Starts a proxy in front of the server with this URL. Returns it with the options of an empty store that uses it.
    /// The connections of the store are not encrypted, and only one of them reads.
    ///
    /// # Panics
    ///
    /// If no port is free, or `url` is not a URL.
    pub async fn start(url: &str) -> (Self, PostgresOptions) {
        let server = PgConnectOptions::from_str(url).expect("a URL");
        let server = (server.get_host().to_owned(), server.get_port());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound listener").port();
        let prefix = fresh_prefix();
        let options = PostgresOptions::from_url(url)
            .expect("a URL")
            .table_prefix(prefix.parse().expect("a prefix"))
            .host("127.0.0.1")
            .port(port)
            .ssl_mode(SslMode::Disable)
            .pool_size(1);
        let traffic = Arc::new(Traffic::default());
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, server, Arc::clone(&traffic)));
        let log = Self {
            traffic,
            prefix,
            _accepting: accepting,
        };
        (log, options)
    }

    /// Waits until no connection waits for an answer or is in a transaction, and returns what was executed since the
    /// last call.
    pub async fn take(&self) -> Executed {
        let taken = async {
            loop {
                let changed = self.traffic.changed.notified();
                if let Some(executed) = self.traffic.take_idle() {
                    return executed;
                }
                changed.await;
            }
        };
        let mut executed = crate::within("the connections to be idle", taken).await;
        for statement in &mut executed.statements {
            *statement = statement.replace(&self.prefix, "");
        }
        executed
    }
}

impl Traffic {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_idle(&self) -> Option<Executed> {
        let mut state = self.state();
        let mut connections = state.connections.values();
        let is_idle =
            connections.all(|connection| connection.waits == 0 && !connection.is_in_transaction);
        is_idle.then(|| std::mem::take(&mut state.executed))
    }

    /// Records a message of a client.
    fn sent(&self, number: usize, kind: u8, body: &[u8]) {
        let mut state = self.state();
        let State {
            executed,
            connections,
        } = &mut *state;
        let connection = connections.entry(number).or_default();
        let mut texts = body
            .split(|byte| *byte == 0)
            .map(|text| String::from_utf8_lossy(text).into_owned());
        match kind {
            b'P' => {
                let name = texts.next().unwrap_or_default();
                let statement = texts.next().unwrap_or_default();
                connection.prepared.insert(name, statement);
            }
            b'B' => connection.bound = texts.nth(1).unwrap_or_default(),
            b'E' => {
                let statement = connection.prepared.get(&connection.bound);
                executed.statements.extend(statement.cloned());
                connection.has_executed = true;
            }
            b'Q' => {
                executed.statements.extend(texts.next());
                executed.round_trips += 1;
                connection.waits += 1;
            }
            b'S' => {
                executed.round_trips += usize::from(std::mem::take(&mut connection.has_executed));
                connection.waits += 1;
            }
            _ => {}
        }
    }

    /// Records that the server is ready for the next message, with its state of the transaction.
    fn answered(&self, number: usize, status: u8) {
        let mut state = self.state();
        let connection = state.connections.entry(number).or_default();
        // The first answer ends the login.
        connection.waits = connection.waits.saturating_sub(1);
        connection.is_in_transaction = status != b'I';
        drop(state);
        self.changed.notify_one();
    }

    fn ended(&self, number: usize) {
        self.state().connections.remove(&number);
        self.changed.notify_one();
    }
}

async fn accept(listener: TcpListener, server: (String, u16), traffic: Arc<Traffic>) {
    let mut connections = JoinSet::new();
    for number in 0.. {
        let (client, _) = listener.accept().await.expect("the listener is open");
        let server = TcpStream::connect(server.clone())
            .await
            .expect("the server is running");
        client.set_nodelay(true).expect("the socket is open");
        server.set_nodelay(true).expect("the socket is open");
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let traffic = Arc::clone(&traffic);
        connections.spawn(async move {
            // Each direction ends with an error when its connection is closed.
            tokio::select! {
                _ = forward_client(from_client, to_server, &traffic, number) => {}
                _ = forward_server(from_server, to_client, &traffic, number) => {}
            }
            traffic.ended(number);
        });
    }
}

async fn forward_client(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    traffic: &Traffic,
    number: usize,
) -> std::io::Result<()> {
    // The first message has no kind.
    let login = read_body(&mut from).await?;
    to.write_all(&login).await?;
    loop {
        let kind = from.read_u8().await?;
        let body = read_body(&mut from).await?;
        traffic.sent(number, kind, &body[4..]);
        to.write_u8(kind).await?;
        to.write_all(&body).await?;
    }
}

async fn forward_server(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    traffic: &Traffic,
    number: usize,
) -> std::io::Result<()> {
    loop {
        let kind = from.read_u8().await?;
        let body = read_body(&mut from).await?;
        // Counted first, so that a client that has its answer is idle here.
        if kind == b'Z' {
            traffic.answered(number, body[4]);
        }
        to.write_u8(kind).await?;
        to.write_all(&body).await?;
    }
}

/// Reads the length of a message and the rest of it.
async fn read_body(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let mut message = length.to_be_bytes().to_vec();
    message.resize(length as usize, 0);
    from.read_exact(&mut message[4..]).await?;
    Ok(message)
}
