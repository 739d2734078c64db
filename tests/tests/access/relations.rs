//! The relations of a caller to the owner of a thread.

use dooers::auth::{AllowedWorkers, Identity};
use dooers::repository::Scope;
use dooers_tests::{Client, Server};
use serde_json::{Value, json};

/// The relations, in the order of the letters of each result:
///
/// | letter | result |
/// |---|---|
/// | `+` | the request is accepted, or the frame is received |
/// | `-` | `NOT_FOUND` |
/// | `F` | `FORBIDDEN` |
/// | `C` | `CONFLICT` |
/// | `U` | `UNAUTHORIZED` |
/// | `N` | `NOT_CONNECTED` |
/// | `.` | the frame is not received |
///
/// Where the user may be the same, it is: only the place differs. Owners of the organization try to use their role.
pub(crate) const RELATIONS: [&str; 8] = [
    "same user",
    "same workspace",
    "owner of the organization",
    "other workspace, as owner",
    "other organization, as owner",
    "other worker, as owner",
    "other agent",
    "unknown token",
];

/// The place of a thread, and the user that owns it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) agent: &'static str,
    pub(crate) worker: String,
    pub(crate) identity: Identity,
}

impl Place {
    /// Creates a place that no other part of the test uses.
    pub(crate) fn new(agent: &'static str, number: usize) -> Self {
        let worker = format!("w{number}");
        Self {
            agent,
            identity: Identity::new(format!("ana{number}"))
                .organization(format!("o{number}"))
                .workspace("s1")
                .organization_role("member")
                .workers(AllowedWorkers::only([&worker])),
            worker,
        }
    }

    /// Returns the place and the identity of a caller in this relation. `None` for an unknown token.
    pub(crate) fn related(&self, relation: usize) -> Option<Self> {
        let Self {
            agent,
            worker,
            identity,
        } = self.clone();
        let owner = |identity: Identity| Self {
            identity: identity.organization_role("owner"),
            ..self.clone()
        };
        let of_user = |name: &str| {
            let mut identity = identity.clone();
            identity.user.user_id = format!("{name}-{worker}");
            identity
        };
        Some(match relation {
            0 => self.clone(),
            1 => Self {
                identity: of_user("ben"),
                ..self.clone()
            },
            2 => owner(of_user("olga")),
            3 => owner(identity.workspace("s2")),
            // The other organization shares the worker, because its identity does not name it.
            4 => owner(
                identity
                    .organization("other")
                    .workers(AllowedWorkers::Every),
            ),
            5 => {
                let other = format!("{worker}-other");
                let identity = identity.workers(AllowedWorkers::only([&other]));
                Self {
                    worker: other,
                    ..owner(identity)
                }
            }
            6 => Self {
                agent: if agent == "desk" { "clerk" } else { "desk" },
                ..self.clone()
            },
            _ => return None,
        })
    }

    pub(crate) fn user(&self) -> &str {
        &self.identity.user.user_id
    }

    /// The scope of a program that acts for the user.
    pub(crate) fn scope(&self) -> Scope {
        let Identity {
            organization_id,
            workspace_id,
            ..
        } = &self.identity;
        let everyone = Scope::new(self.agent, &self.worker)
            .organization(organization_id)
            .workspace(workspace_id);
        if self.agent == "desk" {
            everyone.only_user(self.user())
        } else {
            everyone
        }
    }

    /// Opens a connection to the agent.
    pub(crate) async fn open(&self, server: &Server) -> Client {
        Client::open(server.address, &format!("/agents/{}/ws", self.agent)).await
    }

    /// Opens a connection and sends `connect`.
    pub(crate) async fn connect(&self, server: &Server) -> Client {
        let mut client = self.open(server).await;
        let payload = connect(&self.worker, Some(self), self);
        client.send_expecting_ack("connect", payload).await;
        client
    }
}

/// The payload of a `connect` to a worker, with the token of a caller. The other members claim the identity of `claimed`.
pub(crate) fn connect(worker: &str, caller: Option<&Place>, claimed: &Place) -> Value {
    let token = caller.map(|caller| serde_json::to_string(&caller.identity).unwrap());
    let mut user = claimed.identity.user.clone();
    user.organization_role = "owner".to_owned();
    // The dialects differ in their snapshots.
    let dialect = if claimed.agent == "desk" {
        "agent_id"
    } else {
        "worker_id"
    };
    json!({
        dialect: worker,
        "auth_token": token,
        "organization_id": claimed.identity.organization_id,
        "workspace_id": claimed.identity.workspace_id,
        "user": user,
        "agent_owner_user_id": user.user_id,
        "capabilities": ["event.delta"],
    })
}
