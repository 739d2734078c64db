//! The layers around the routes of a server: the client behind proxies, the rules for browsers, and the security headers.

use super::client_address::{ClientAddress, Forwarded};
use super::config::WorkerConfig;
use super::connection_limit::ConnectionSlot;
use super::origin::{AllowedHosts, OriginRules};
use super::security_headers;
use super::trusted_proxies::TrustedProxies;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::sync::{Arc, Once};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// The time for which a browser may remember that an origin is allowed.
const PREFLIGHT_AGE: Duration = Duration::from_secs(600);

/// The layers of one server.
#[derive(Debug, Clone)]
pub(super) struct HttpLayers {
    rules: Arc<OriginRules>,
    proxies: Arc<Proxies>,
}

#[derive(Debug)]
struct Proxies {
    trusted: TrustedProxies,
    /// Limits a warning to one.
    warning: Once,
}

impl HttpLayers {
    /// Creates the layers. `hosts` contains the further host names of a server that listens on a loopback address, and is
    /// `None` for any other server.
    pub(super) fn new(config: &WorkerConfig, hosts: Option<AllowedHosts>) -> Self {
        Self {
            rules: Arc::new(OriginRules {
                origins: config.allowed_origins.clone(),
                hosts,
            }),
            proxies: Arc::new(Proxies {
                trusted: config.trusted_proxies.clone(),
                warning: Once::new(),
            }),
        }
    }

    /// Lets the pages of allowed origins read the answers of these routes. Other pages are refused.
    pub(super) fn for_allowed_pages<S>(&self, routes: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.check(self.for_everyone(routes))
    }

    /// Answers requests of the same pages, but only the server's own pages can read the answers.
    #[cfg(feature = "playground")]
    pub(super) fn for_own_pages<S>(&self, routes: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        self.check(routes)
    }

    /// Refuses requests from pages that may not use the server, and to names that the server does not accept.
    fn check<S>(&self, routes: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let check = from_fn_with_state(Arc::clone(&self.rules), check_origin);
        routes.route_layer(check)
    }

    /// Lets the pages of allowed origins read the answers of these routes. Anyone else is answered, too, but a browser
    /// does not show the answer to other pages.
    pub(super) fn for_everyone<S>(&self, routes: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        routes.route_layer(self.cors())
    }

    /// The same as [`for_everyone`](Self::for_everyone) for a fallback.
    pub(super) fn around_fallback<S>(&self, fallback: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        fallback.layer(self.cors())
    }

    /// Adds the client's address to requests and the security headers to answers. The fallback stays as it is, because a
    /// program may merge the routes into its own router.
    pub(super) fn around_routes<S>(&self, routes: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let surround = from_fn_with_state(Arc::clone(&self.proxies), surround);
        routes.route_layer(surround)
    }

    /// The same as [`around_routes`](Self::around_routes), also for paths without a route.
    pub(super) fn around_all<S>(&self, routes: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let surround = from_fn_with_state(Arc::clone(&self.proxies), surround);
        routes.layer(surround)
    }

    /// The answers to preflight requests, and the headers by which a browser shows answers to pages of other origins.
    /// Credentials of browsers, such as cookies, are not allowed: no route uses them.
    fn cors(&self) -> CorsLayer {
        let rules = Arc::clone(&self.rules);
        let is_allowed = AllowOrigin::predicate(move |_, request| {
            let forwarded = request.extensions.get::<Forwarded>();
            rules
                .check(&request.uri, &request.headers, forwarded)
                .is_ok()
        });
        CorsLayer::new()
            .allow_origin(is_allowed)
            .allow_methods([Method::GET, Method::HEAD])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
            .max_age(PREFLIGHT_AGE)
            .vary([header::ORIGIN])
    }
}

/// Refuses requests from pages that may not use the server.
async fn check_origin(
    State(rules): State<Arc<OriginRules>>,
    request: Request,
    next: Next,
) -> Response {
    let forwarded = request.extensions().get::<Forwarded>();
    match rules.check(request.uri(), request.headers(), forwarded) {
        Ok(()) => next.run(request).await,
        Err(refused) => {
            tracing::debug!(target: "dooers::server", %refused, "a request was refused");
            (StatusCode::FORBIDDEN, format!("{refused}\n")).into_response()
        }
    }
}

/// Adds what is known about the client to the request, and the security headers to the answer.
async fn surround(
    State(proxies): State<Arc<Proxies>>,
    mut request: Request,
    next: Next,
) -> Response {
    let trusted = &proxies.trusted;
    let client = ClientAddress::of_request(request.extensions(), request.headers(), trusted);
    let forwarded = Forwarded::of_request(request.extensions(), request.headers(), trusted);
    if client.ip().is_none() && !trusted.is_empty() {
        proxies.warning.call_once(|| {
            tracing::warn!(target: "dooers::server", "WORKER_TRUSTED_PROXIES has no effect, because the program does not provide the addresses of connections; serve the router with `into_make_service_with_connect_info::<SocketAddr>()`");
        });
    }
    let is_tls = forwarded.is_tls == Some(true);
    if let Some(slot) = request.extensions().get::<ConnectionSlot>() {
        slot.pending().set_client(client);
    }
    let extensions = request.extensions_mut();
    extensions.insert(client);
    extensions.insert(forwarded);
    let mut answer = next.run(request).await;
    security_headers::add(answer.headers_mut(), is_tls);
    answer
}
