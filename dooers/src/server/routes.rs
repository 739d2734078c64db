//! The HTTP routes of a server.

use super::agent_list::agents;
use super::client_origin::ClientOrigin;
use super::connection_limit::ConnectionSlot;
use super::connection_task;
use super::http_layers::HttpLayers;
use super::origin::AllowedHosts;
#[cfg(feature = "playground")]
use super::playground;
use super::server_state::ServerState;
use super::upgrade::{NotAWebSocket, Upgrade};
use crate::handler::AgentDefinition;
use crate::protocol::{new_id, with_error_id};
use crate::store::NodeState;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Router};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The time within which the store must answer for the server to be ready.
const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// Builds the routes of a server for a program that nests them in its own router.
pub(super) fn router<S>(server: Arc<ServerState>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let layers = HttpLayers::new(&server.config, None);
    let routes = layers.around_routes(routes(&layers));
    routes.with_state(server)
}

/// Builds the same routes, with those of the playground unless it is turned off.
#[cfg(feature = "playground")]
pub(super) fn playground_router<S>(server: Arc<ServerState>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let layers = HttpLayers::new(&server.config, None);
    let routes = with_page(routes(&layers), &layers, server.config.has_playground(true));
    layers.around_routes(routes).with_state(server)
}

/// Builds everything that the server's own listener serves. `hosts` contains the further host names of a server that
/// listens on a loopback address, and is `None` for any other server.
pub(super) fn whole(server: Arc<ServerState>, hosts: Option<AllowedHosts>) -> Router {
    #[cfg(feature = "playground")]
    let has_playground = server.config.has_playground(hosts.is_some());
    let layers = HttpLayers::new(&server.config, hosts);
    let routes = routes(&layers);
    #[cfg(feature = "playground")]
    let routes = with_page(routes, &layers, has_playground);
    let unknown_paths = layers.around_fallback(Router::new().fallback(unknown_path));
    layers
        .around_all(routes.merge(unknown_paths))
        .with_state(server)
}

/// Adds the routes of the playground, if it is served.
#[cfg(feature = "playground")]
fn with_page(
    routes: Router<Arc<ServerState>>,
    layers: &HttpLayers,
    is_served: bool,
) -> Router<Arc<ServerState>> {
    if is_served {
        routes.merge(layers.for_own_pages(playground::routes()))
    } else {
        routes
    }
}

fn routes(layers: &HttpLayers) -> Router<Arc<ServerState>> {
    let conversations = Router::new()
        .route("/ws", any(default_socket))
        .route("/agents", get(agents))
        .route("/agents/{name}/ws", any(named_socket));
    let health = Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz));
    layers
        .for_allowed_pages(conversations)
        .merge(layers.for_everyone(health))
}

/// The paths of all sockets.
pub(super) fn paths(server: &ServerState) -> Vec<String> {
    let mut paths = Vec::new();
    if server.default_agent().is_some() {
        paths.push("/ws".to_owned());
    }
    if server.agents.len() > 1 {
        let named = |agent: &AgentDefinition| format!("/agents/{}/ws", agent.name());
        paths.extend(server.agents.iter().map(named));
    }
    paths
}

/// Reports that the process is alive.
async fn healthz() -> &'static str {
    "ok\n"
}

/// The text of a server that serves from the database without hearing the other nodes.
const READY_ALONE: &str =
    "ready; the other nodes cannot be reached, so their changes arrive some seconds later\n";

/// The text of a server that does not hear some of the other nodes.
const READY_DEAF: &str = "ready; nothing arrives from some of the other nodes, so their changes arrive some seconds later\n";

/// Reports whether clients should be sent to the server. It is not ready from the request to stop on, or if the store does
/// not answer.
async fn readyz(State(server): State<Arc<ServerState>>) -> Response {
    if server.node.state() != NodeState::Serving {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server is stopping\n").into_response();
    }
    let error: Box<dyn Error + Send + Sync> =
        match timeout(READY_TIMEOUT, server.store.ping()).await {
            Ok(Ok(())) if !server.broker.is_connected() => return READY_ALONE.into_response(),
            Ok(Ok(())) if !server.hears_all() => return READY_DEAF.into_response(),
            Ok(Ok(())) => return "ready\n".into_response(),
            Ok(Err(error)) => error.into(),
            Err(elapsed) => elapsed.into(),
        };
    let error_id = new_id();
    tracing::warn!(target: "dooers::server", error_id, error = &*error as &dyn Error, "not ready: the store does not answer");
    let text = with_error_id("the store does not answer", &error_id);
    (StatusCode::SERVICE_UNAVAILABLE, text + "\n").into_response()
}

async fn default_socket(
    State(server): State<Arc<ServerState>>,
    place: Option<Extension<ConnectionSlot>>,
    upgrade: Result<Upgrade, NotAWebSocket>,
) -> Response {
    match server.default_agent() {
        Some(agent) => open(&server, agent, place, upgrade),
        None => not_found(
            &server,
            "there are several agents, and none is marked `default`",
        ),
    }
}

async fn named_socket(
    State(server): State<Arc<ServerState>>,
    Path(name): Path<String>,
    place: Option<Extension<ConnectionSlot>>,
    upgrade: Result<Upgrade, NotAWebSocket>,
) -> Response {
    match server.agent(&name) {
        Some(agent) => open(&server, agent, place, upgrade),
        None => not_found(&server, "there is no agent of this name"),
    }
}

/// Answers a request for an unknown path. It names no agent, because pages of every origin may ask.
async fn unknown_path() -> (StatusCode, &'static str) {
    let text = "there is nothing at this path; /agents lists the agents, and WebSockets open at /ws and /agents/{name}/ws\n";
    (StatusCode::NOT_FOUND, text)
}

/// How the client reached the server, for its authenticator.
fn origin_of(server: &ServerState, upgrade: &mut Upgrade) -> ClientOrigin {
    let peer = upgrade.peer;
    if server.config.authenticator.believes_clients() {
        if let (Some(peer), false) = (peer, server.config.allow_open) {
            server.open_warning.reached_from(peer);
        }
        return ClientOrigin {
            peer,
            ..ClientOrigin::default()
        };
    }
    ClientOrigin {
        headers: Arc::new(std::mem::take(&mut upgrade.headers)),
        peer,
    }
}

fn not_found(server: &ServerState, reason: &str) -> Response {
    let named = |agent: &AgentDefinition| format!("/agents/{}/ws", agent.name());
    let paths: Vec<_> = server.agents.iter().map(named).collect();
    let text = format!("{reason}; connect to {}\n", paths.join(" or "));
    (StatusCode::NOT_FOUND, text).into_response()
}

fn open(
    server: &Arc<ServerState>,
    agent: AgentDefinition,
    place: Option<Extension<ConnectionSlot>>,
    upgrade: Result<Upgrade, NotAWebSocket>,
) -> Response {
    let mut upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refused) => return refused.into_response(),
    };
    let origin = origin_of(server, &mut upgrade);
    let (answer, opening) = upgrade.accept(server.config.limits.frame_bytes);
    let serving = Arc::clone(server);
    // Both are boxed. Otherwise a session would keep the memory of its opening, and the opening that of a session.
    let opening = Box::pin(opening);
    let place = place.map(|Extension(place)| place);
    server.spawn(async move {
        if let Some(socket) = opening.await {
            Box::pin(connection_task::run(socket, serving, agent, origin, place)).await;
        }
    });
    answer
}
