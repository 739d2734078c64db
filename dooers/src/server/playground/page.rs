//! The routes of the playground.

use super::answer::answer;
use super::assets::{ASSETS, Asset};
use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

/// The file that is also served at `/`.
const INDEX: &str = "index.html";

/// Builds one route for each file, and one for the page itself. It has no catch-all route, because a program may merge it into
/// its own router.
pub(in super::super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let mut routes = Router::new();
    for asset in ASSETS {
        routes = routes.route(&format!("/{}", asset.path), route(asset, false));
        if asset.path == INDEX {
            routes = routes.route("/", route(asset, true));
        }
    }
    routes
}

/// The route of a file, or of the page itself. Both have one handler without extractors, which is the smallest in the program.
fn route<S>(asset: &'static Asset, is_page: bool) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    get(async move |request: Request| {
        let original = request.extensions().get::<OriginalUri>();
        match original.map_or(request.uri(), |OriginalUri(uri)| uri) {
            uri if is_page => page(asset, uri, request.headers()),
            _ => answer(asset, request.headers()),
        }
    })
}

/// Answers a request for the page itself. All addresses in the page are relative, so they are wrong for a page at
/// `/playground`, where a program may nest the routes. axum does not route `/playground/` to nested routes, so the browser
/// is redirected to the file.
fn page(index: &Asset, uri: &Uri, headers: &HeaderMap) -> Response {
    match uri.path().rsplit_once('/') {
        Some((_, last)) if !last.is_empty() => {
            let query = uri.query().map(|query| format!("?{query}"));
            // Without `./`, a colon in the name would end a scheme.
            let file = format!("./{last}/{INDEX}{}", query.unwrap_or_default());
            (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, file)]).into_response()
        }
        _ => answer(index, headers),
    }
}
