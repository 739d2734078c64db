//! The access matrix: every verb, every live frame and every way of the program, for each relation of the caller to the owner
//! of a thread, with private and with shared threads, on all stores.

use crate::calls;
use crate::fixtures::{Ids, clerk, desk};
use crate::frames::{self, FRAMES};
use crate::names::names;
use crate::relations::{Place, RELATIONS, connect};
use crate::verbs::{Request, requests};
use dooers::auth::{ConnectRequest, Identity, Refusal};
use dooers::repository::Repository;
use dooers::settings::{Field, SettingsSchema};
use dooers::store::SqliteOptions;
use dooers::{Database, WorkerServer};
use dooers_tests::postgres::shared;
use dooers_tests::{Client, Server, in_memory};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// The agents: one with private threads, and one with shared threads.
const AGENTS: [&str; 2] = ["desk", "clerk"];

async fn start(database: Database) -> Server {
    let schema = || {
        let fields = SettingsSchema::builder()
            .field(Field::text("greeting").default("hello"))
            .field(Field::number("budget").default(10).creator());
        fields.build().unwrap()
    };
    let config = in_memory().database(database).drain_timeout(Duration::ZERO);
    let worker = WorkerServer::new(config)
        .agent::<desk>()
        .agent::<clerk>()
        .settings_schema::<desk>(schema())
        .settings_schema::<clerk>(schema())
        .authenticator(async |request: ConnectRequest| {
            let token = request.token().unwrap_or_default();
            let identity = serde_json::from_str::<Identity>(token);
            identity.map_err(|_| Refusal::unauthorized("unknown token"))
        });
    Server::start(worker).await
}

/// All requests: those that name no thread, those whose result depends on the rights of the caller, and those of
/// [`requests`].
fn all_requests(
    owner: &Place,
    caller: Option<&Place>,
    ids: &Ids,
    (home, cursor): (&str, &str),
) -> Vec<Request> {
    let worker = json!({"agent_id": owner.worker});
    let creator = json!({
        "agent_id": owner.worker,
        "audience": "creator",
        "agent_owner_user_id": caller.unwrap_or(owner).user(),
    });
    let patch = |field: &str, value: Value| json!({"field_id": field, "value": value});
    let again = json!({
        "client_event_id": ids.sent,
        "event": {"type": "message", "actor": "user", "content": [{"type": "text", "text": "form"}]},
    });
    let same = |results| [results; 2];
    let mut all = vec![
        (
            "connect",
            connect(&owner.worker, caller, owner),
            same("+++++F+U"),
        ),
        ("ping", json!({}), same("++++++++")),
        ("settings.public_schema", json!({}), same("++++++++")),
        ("thread.list", json!({}), same("+++++++N")),
        ("thread.list", json!({"cursor": cursor}), same("+++++++N")),
        ("thread.list", json!({"query": "TITLE"}), same("+++++++N")),
        ("settings.subscribe", worker.clone(), same("+++++F+N")),
        ("settings.subscribe", creator, same("FF++FFFN")),
        (
            "settings.patch",
            patch("greeting", json!("hi")),
            same("++++F++N"),
        ),
        (
            "settings.patch",
            patch("budget", json!(99)),
            same("--++F--N"),
        ),
        ("settings.unsubscribe", worker.clone(), same("+++++F+N")),
        ("analytics.subscribe", worker.clone(), same("FF++FFFN")),
        ("analytics.unsubscribe", worker, same("+++++F+N")),
    ];
    all.extend(requests(ids, home));
    // The id belongs to the user in all agents of the place. The last two requests delete the threads.
    let last = all.len() - 2;
    all.insert(last, ("event.create", again, same("++++++CN")));
    all
}

/// Sends a request. Returns the letter of its result, and all frames until the request has been answered.
async fn ask(client: &mut Client, verb: &str, payload: Value) -> (char, Vec<Value>) {
    let frame = client.send(verb, payload).await;
    // `pong` has no id, so a ping would not do.
    let barrier = client.send("settings.public_schema", json!({})).await;
    let is_last = |frame: &Value| frame["id"] == *barrier;
    let mut frames = client.read_until("the answers", is_last).await;
    frames.pop();
    assert!(!frames.is_empty(), "`{verb}` is not answered");
    let of_request = |sent: &&Value| sent["payload"]["ack_id"] == *frame;
    let ack = frames.iter().find(of_request).unwrap_or(&Value::Null);
    let letter = match ack["payload"]["error"]["code"].as_str() {
        None => '+',
        Some("NOT_FOUND") => '-',
        Some("FORBIDDEN") => 'F',
        Some("CONFLICT") => 'C',
        Some("UNAUTHORIZED") => 'U',
        Some("NOT_CONNECTED") => 'N',
        Some(_) => '?',
    };
    (letter, frames)
}

/// The owner's threads, and the settings of its worker, as text.
async fn state(repository: &Repository, place: &Place, ids: &Ids) -> [String; 2] {
    let scope = place.scope();
    let threads = repository.threads(&scope).await;
    let mut threads = format!("{:?}", threads.map(|page| page.items));
    for thread in [&ids.thread, &ids.busy_thread] {
        let events = repository.events(&scope, thread).await;
        let runs = repository.runs(&scope).thread(thread).await;
        let feedback = repository.feedback(&scope).thread(thread).await;
        threads += &format!(
            "{:?} {:?} {:?}",
            events.map(|page| page.items),
            runs.map(|page| page.items),
            feedback.map(|page| page.items)
        );
    }
    let setting = async |field| repository.setting(&scope, field).await.unwrap();
    let settings = format!("{} {}", setting("greeting").await, setting("budget").await);
    [threads, settings]
}

/// One column of the matrix: a caller in this relation to the owner of a thread.
struct Column {
    agent: usize,
    relation: usize,
    wrong: Vec<String>,
}

impl Column {
    /// Returns true if the caller may see the thread.
    fn sees(&self) -> bool {
        self.relation == 0 || (AGENTS[self.agent] == "clerk" && self.relation <= 2)
    }

    fn expect(&mut self, what: &str, expected: &str, actual: char) {
        let expected = expected.chars().nth(self.relation).unwrap();
        if expected != actual {
            self.wrong(format!("{what}: expected {expected}, but got {actual}"));
        }
    }

    fn wrong(&mut self, what: impl AsRef<str>) {
        let (agent, relation) = (AGENTS[self.agent], RELATIONS[self.relation]);
        self.wrong
            .push(format!("{agent}, {relation}: {}", what.as_ref()));
    }

    /// Compares the types of received frames with the table.
    fn expect_frames(&mut self, frames: &[Value], is_subscribed: bool) {
        let received: BTreeSet<_> = frames.iter().map(frames::label).collect();
        for (label, needs_subscription, results) in FRAMES {
            let is_received = received.contains(label);
            let expected = if is_subscribed || !needs_subscription {
                results[self.agent]
            } else {
                "........"
            };
            let what = format!("{label}, subscribed: {is_subscribed}");
            self.expect(&what, expected, if is_received { '+' } else { '.' });
        }
        let known: BTreeSet<_> = FRAMES
            .iter()
            .map(|(label, ..)| (*label).to_owned())
            .collect();
        for label in received.difference(&known) {
            self.wrong(format!("{label} is not in the table of frames"));
        }
    }

    async fn check(&mut self, server: &Server) {
        let number = self.agent * RELATIONS.len() + self.relation;
        let owner = Place::new(AGENTS[self.agent], number);
        let repository = server.worker().repository().await.unwrap();
        let mut ana = owner.connect(server).await;
        let ids = Ids::create(&mut ana, "sent").await;
        let titled = json!({"thread_id": ids.thread, "title": "The title"});
        let id = ana.send("thread.update", titled).await;
        let upsert = ana.expect("thread.upsert").await;
        assert_eq!(upsert["thread"]["title"], "The title", "{upsert}");
        ana.expect_ack(&id).await;
        let like = json!({"target_type": "event", "target_id": ids.form, "feedback": "like"});
        ana.request("feedback", like, "feedback.ack").await;

        let related = owner.related(self.relation);
        let place = related.as_ref().unwrap_or(&owner);
        let mut client = place.open(server).await;
        if related.is_some() && place.agent == owner.agent && self.relation != 0 {
            // A connection that becomes another identity keeps no subscription.
            let hello = connect(&owner.worker, Some(&owner), &owner);
            client.send_expecting_ack("connect", hello).await;
            for (verb, payload) in frames::subscriptions(&owner, &ids) {
                ask(&mut client, verb, payload).await;
            }
        }
        let hello = connect(&place.worker, related.as_ref(), &owner);
        let (connected, _) = ask(&mut client, "connect", hello).await;
        self.expect("the own connect", "+++++++U", connected);
        let home = match &related {
            Some(place) => {
                let thread = repository.create_thread(&place.scope()).owner(place.user());
                let id = thread.await.unwrap().id;
                for client in [&mut ana, &mut client] {
                    client.read_pending().await;
                }
                id
            }
            None => Ids::missing().thread,
        };

        frames::act(&mut ana, &repository, &owner, &ids, 1).await;
        self.expect_frames(&client.read_pending().await, false);
        for (verb, payload) in frames::subscriptions(&owner, &ids) {
            ask(&mut client, verb, payload).await;
        }
        frames::act(&mut ana, &repository, &owner, &ids, 2).await;
        self.expect_frames(&client.read_pending().await, true);

        let first = ana.request("thread.list", json!({"limit": 1}), "thread.list.result");
        let cursor = first.await["cursor"].as_str().unwrap().to_owned();
        let before = state(&repository, &owner, &ids).await;
        if let Some(place) = &related {
            for made in calls::make(server, place, &home, &ids, self.sees()).await {
                self.expect(&made.what, made.expected[self.agent], made.letter);
                if made.shows && !self.sees() {
                    self.wrong(format!("{}: the answer shows the thread", made.what));
                }
            }
        }
        client.read_pending().await;
        let all = all_requests(&owner, related.as_ref(), &ids, (&home, &cursor));
        for (verb, payload, expected) in all {
            let what = format!("{verb} {}", ids.hide(&payload.to_string()));
            let shows = matches!(verb, "thread.list" | "thread.subscribe" | "event.list");
            let (letter, frames) = ask(&mut client, verb, payload.clone()).await;
            self.expect(&what, expected[self.agent], letter);
            // Analytics show ids of all users of an organization to its owners.
            let frames = frames
                .iter()
                .filter(|frame| frame["type"] != "analytics.event");
            let shown = frames
                .map(ToString::to_string)
                .any(|frame| ids.are_in(&frame));
            let is_of_home = payload["thread_id"] == *home;
            if shown && !self.sees() {
                self.wrong(format!("{what}: the answer shows the thread"));
            } else if !shown && shows && !is_of_home && self.sees() {
                self.wrong(format!("{what}: the answer does not show the thread"));
            }
        }
        if self.sees() {
            let threads = repository.threads(&owner.scope()).await.unwrap().items;
            let left = threads.iter().any(|thread| ids.are_in(&thread.id));
            assert!(!left, "the last requests delete both threads");
        } else {
            let [threads, settings] = state(&repository, &owner, &ids).await;
            if threads != before[0] {
                self.wrong("the threads have changed");
            }
            // Who may change settings depends on the rights, and not on the threads.
            if (settings != before[1]) != (self.relation <= 3) {
                self.wrong(format!("the settings are {settings}"));
            }
        }
        client.disconnect().await;
        ana.disconnect().await;
    }
}

/// Checks all columns on one server. They share nothing, so they are checked concurrently.
async fn check(database: Database) {
    let server = &start(database).await;
    let columns = (0..AGENTS.len()).flat_map(|agent| {
        (0..RELATIONS.len()).map(move |relation| async move {
            let mut column = Column {
                agent,
                relation,
                wrong: Vec::new(),
            };
            column.check(server).await;
            column.wrong
        })
    });
    let wrong = join_all(columns).await.concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    server.worker().close().await;
}

#[tokio::test]
async fn access_in_memory() {
    check(Database::Memory).await;
}

#[tokio::test]
async fn access_on_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let options = SqliteOptions::new(directory.path().join("worker.db"));
    check(Database::Sqlite(options)).await;
}

#[tokio::test]
async fn access_on_postgres() {
    let Some(options) = shared() else { return };
    check(Database::Postgres(options)).await;
}

/// A new verb needs a row in [`all_requests`] or [`requests`].
#[test]
fn every_verb_has_a_row() {
    let (place, ids) = (Place::new("desk", 0), Ids::missing());
    let rows = all_requests(&place, None, &ids, ("", "")).into_iter();
    let rows: BTreeSet<_> = rows.map(|(verb, ..)| verb.to_owned()).collect();
    let verbs = names(
        include_str!("../../../dooers/src/protocol/command.rs"),
        "IncomingKind",
    );
    assert_eq!(rows, verbs);
}

/// A new frame needs a row in [`FRAMES`], unless it is only an answer.
#[test]
fn every_live_frame_has_a_row() {
    let rows = FRAMES
        .iter()
        .filter_map(|(label, ..)| label.split(' ').next());
    let rows = rows.chain(frames::ANSWERS).map(str::to_owned);
    let rows: BTreeSet<_> = rows.collect();
    let frames = names(
        include_str!("../../../dooers/src/protocol/frame.rs"),
        "ServerFrame",
    );
    assert_eq!(rows, frames);
}
