//! The page that the server serves at `/`.

use crate::agents::quiet;
use crate::http::{self, Answer};
use axum::Router;
use axum::routing::get;
use dooers::auth::Refusal;
use dooers::{WorkerConfig, WorkerServer};
use dooers_tests::{Client, Server, in_memory, within};
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' https: blob: data:; media-src 'self' https: blob: data:; font-src 'self'; \
     form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const HOST: &str = "Host: localhost\r\n";

/// The folder of the files that are served.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dooers/playground")
}

/// The path of each file that is served, with its content type.
fn files() -> Vec<(String, &'static str)> {
    let (mut files, mut folders) = (Vec::new(), vec![folder()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let content_type = match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => {
                    folders.push(path);
                    continue;
                }
                Some("css") => "text/css; charset=utf-8",
                Some("html") => "text/html; charset=utf-8",
                Some("js") => "text/javascript; charset=utf-8",
                Some("png") => "image/png",
                Some("svg") => "image/svg+xml",
                Some("txt") => "text/plain; charset=utf-8",
                _ => continue,
            };
            let path = path.strip_prefix(folder()).unwrap().to_str().unwrap();
            files.push((path.to_owned(), content_type));
        }
    }
    files
}

/// The body of an answer without its compression.
fn decompressed(answer: &Answer) -> Vec<u8> {
    let mut bytes = Vec::new();
    match answer.header("content-encoding") {
        None => bytes.extend(&answer.bytes),
        Some("gzip") => {
            let mut decoder = flate2::read::GzDecoder::new(&answer.bytes[..]);
            decoder.read_to_end(&mut bytes).unwrap();
        }
        Some(other) => panic!("{other} is not a coding of the page"),
    }
    bytes
}

/// Asserts the headers that each answer with a file has, and those that it has in addition to other answers.
fn assert_headers(answer: &Answer, of: &str) {
    for (name, value) in [
        ("cache-control", "no-cache"),
        ("content-security-policy", POLICY),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "no-referrer"),
        ("vary", "Accept-Encoding"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{of}: {name}");
    }
    assert_eq!(answer.names("access-control-"), [""; 0], "{of}");
}

#[tokio::test]
async fn each_file_is_served_in_each_coding() {
    let server = Server::of::<quiet>().await;
    let files = files();
    assert!(files.len() > 2, "{files:?}");
    let index = [(
        "/".to_owned(),
        "index.html".to_owned(),
        "text/html; charset=utf-8",
    )];
    let files = files
        .into_iter()
        .map(|(file, content_type)| (format!("/{file}"), file, content_type));
    for (path, file, content_type) in files.chain(index) {
        let file = std::fs::read(folder().join(file)).unwrap();
        let mut tags = Vec::new();
        for (accept, coding) in [
            ("", None),
            ("Accept-Encoding: gzip, deflate, br, zstd\r\n", Some("gzip")),
        ] {
            let headers = format!("{HOST}{accept}");
            let of = format!("{path} {coding:?}");
            let answer = http::fetch(server.address, &format!("GET {path}"), &headers).await;
            assert_eq!(answer.status, 200, "{of}");
            assert_headers(&answer, &of);
            assert_eq!(answer.header("content-type"), Some(content_type), "{of}");
            assert_eq!(answer.header("content-encoding"), coding, "{of}");
            let length = answer.bytes.len().to_string();
            assert_eq!(
                answer.header("content-length"),
                Some(length.as_str()),
                "{of}"
            );
            assert!(decompressed(&answer) == file, "{of}");
            let tag = answer.header("etag").unwrap();
            assert!(tag.starts_with('"') && tag.ends_with('"'), "{of}: {tag}");

            let known = format!("{headers}If-None-Match: \"other\", W/{tag}\r\n");
            let same = http::fetch(server.address, &format!("GET {path}"), &known).await;
            assert_eq!((same.status, same.bytes.len()), (304, 0), "{of}");
            assert_headers(&same, &of);
            assert_eq!(same.header("etag"), Some(tag), "{of}");
            tags.push(tag.to_owned());
        }
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), 2, "{path}: {tags:?}");
    }
    server.close([]).await;
}

#[tokio::test]
async fn page_answers_get_and_head_only() {
    let server = Server::of::<quiet>().await;
    let accept = format!("{HOST}Accept-Encoding: gzip\r\n");
    let whole = http::fetch(server.address, "GET /", &accept).await;
    let head = http::fetch(server.address, "HEAD /", &accept).await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    assert_headers(&head, "HEAD");
    for name in ["content-encoding", "content-length", "content-type", "etag"] {
        assert_eq!(head.header(name), whole.header(name), "{name}");
    }
    for (line, headers, status) in [
        ("GET /?thread=7", HOST.to_owned(), 200),
        ("GET /", format!("{HOST}If-None-Match: *\r\n"), 304),
        ("GET /", format!("{HOST}If-None-Match: \"other\"\r\n"), 200),
        // The tag of another coding is not the tag of this one.
        (
            "GET /",
            format!("{HOST}If-None-Match: {}\r\n", whole.header("etag").unwrap()),
            200,
        ),
        (
            "GET /",
            format!("{HOST}Accept-Encoding: zstd;q=1, *;q=0\r\n"),
            406,
        ),
        ("POST /", HOST.to_owned(), 405),
        ("DELETE /main.js", HOST.to_owned(), 405),
        ("OPTIONS /", HOST.to_owned(), 405),
        ("GET /missing.js", HOST.to_owned(), 404),
        ("GET /index.html/", HOST.to_owned(), 404),
        ("GET /styles", HOST.to_owned(), 404),
        ("GET /../Cargo.toml", HOST.to_owned(), 404),
        ("GET //", HOST.to_owned(), 404),
        ("GET /%2e/index.html", HOST.to_owned(), 404),
    ] {
        let answer = http::fetch(server.address, line, &headers).await;
        assert_eq!(answer.status, status, "{line} {headers}");
        if status == 405 {
            assert_eq!(answer.header("allow"), Some("GET,HEAD"), "{line}");
        }
        if status >= 400 {
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{line}");
        }
    }
    server.close([]).await;
}

#[tokio::test]
async fn page_has_the_rules_of_hosts_and_origins() {
    let server = Server::with::<quiet>(|config| {
        config
            .allowed_hosts("worker.example".parse().unwrap())
            .allowed_origins("https://chat.example".parse().unwrap())
    })
    .await;
    for (headers, status) in [
        ("Host: 127.0.0.1\r\n", 200),
        ("Host: worker.example:8000\r\n", 200),
        ("Host: evil.example\r\n", 403),
        ("Host: localhost.evil.example\r\n", 403),
        ("Host: localhost\r\nHost: localhost\r\n", 403),
        ("Host: localhost\r\nOrigin: http://localhost\r\n", 200),
        ("Host: localhost\r\nOrigin: https://chat.example\r\n", 200),
        ("Host: localhost\r\nOrigin: https://evil.example\r\n", 403),
        ("Host: localhost\r\nOrigin: null\r\n", 403),
    ] {
        let list = http::fetch(server.address, "GET /agents", headers).await;
        assert_eq!(list.status, status, "{headers}");
        for path in ["/", "/index.html", "/main.js"] {
            let answer = http::fetch(server.address, &format!("GET {path}"), headers).await;
            assert_eq!(answer.status, status, "{path} {headers}");
            if status == 403 {
                assert_eq!(answer.body, list.body, "{path} {headers}");
                assert_eq!(answer.header("etag"), None, "{path} {headers}");
            }
        }
    }
    server.close([]).await;
}

/// The status of the page of a server on this address.
async fn status_at(bind: &str, config: WorkerConfig) -> u16 {
    let listener = TcpListener::bind(bind).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // The page needs no token.
    let worker = WorkerServer::new(config)
        .authenticator(async |_| Err(Refusal::unauthorized("log in first")))
        .agent::<quiet>();
    let serving = worker.serve_on(listener);
    let asking = async {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let page = http::fetch(address, "GET /", HOST).await.status;
        let script = http::fetch(address, "GET /main.js", HOST).await.status;
        assert_eq!(page, script, "{bind}");
        worker.close().await;
        page
    };
    let (served, status) = within("the server to close", async {
        tokio::join!(serving, asking)
    })
    .await;
    served.unwrap();
    status
}

#[tokio::test]
async fn page_is_off_where_other_machines_connect() {
    let (loopback, any) = ("127.0.0.1:0", "0.0.0.0:0");
    for (bind, config, status) in [
        (loopback, in_memory(), 200),
        (loopback, in_memory().playground(false), 404),
        (any, in_memory(), 404),
        (any, in_memory().playground(true), 200),
    ] {
        assert_eq!(status_at(bind, config).await, status, "{bind}");
    }
}

/// Serves the router of a program. Returns its address.
async fn serve(app: Router) -> (SocketAddr, tokio::task::JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, app).await });
    (address, serving)
}

#[tokio::test]
async fn nested_page_has_an_address_for_its_files() {
    let worker = WorkerServer::new(in_memory()).agent::<quiet>();
    let page = worker.playground_router::<()>().await.unwrap();
    let app = Router::new()
        .route("/", get(async || "shop"))
        .nest("/playground", page.clone())
        .nest("/deep/a:b", page.clone())
        .nest("/slash/", page.clone())
        .nest_service("/service", page);
    let (address, serving) = serve(app).await;
    for (path, to) in [
        ("/playground", Some("./playground/index.html")),
        ("/playground?a=/b", Some("./playground/index.html?a=/b")),
        ("/deep/a:b", Some("./a:b/index.html")),
        ("/service", Some("./service/index.html")),
        ("/service/", None),
        ("/slash/", None),
        ("/playground/index.html", None),
        ("/deep/a:b/main.js", None),
        ("/slash/main.js", None),
        ("/service/main.js", None),
    ] {
        let answer = http::fetch(address, &format!("GET {path}"), HOST).await;
        assert_eq!(answer.header("location"), to, "{path}");
        assert_eq!(
            answer.status,
            if to.is_some() { 307 } else { 200 },
            "{path}"
        );
        if to.is_none() {
            assert_headers(&answer, path);
        }
    }
    for path in ["/playground/agents", "/slash/agents", "/service/agents"] {
        let answer = http::fetch(address, &format!("GET {path}"), HOST).await;
        assert_eq!(answer.status, 200, "{path}");
    }
    let foreign = format!("{HOST}Origin: https://evil.example\r\n");
    for path in ["/playground", "/playground/main.js", "/playground/agents"] {
        let answer = http::fetch(address, &format!("GET {path}"), &foreign).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    let mut client = Client::open(address, "/playground/ws").await;
    client.connect("ada").await;
    // The program's own routes, and paths without a route, stay as they are.
    for (path, status) in [("/", 200), ("/playground/missing", 404)] {
        let answer = http::fetch(address, &format!("GET {path}"), HOST).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-security-policy"), None, "{path}");
    }
    let closing = async { tokio::join!(worker.close(), client.expect_close()) };
    within("the server to close", closing).await;
    serving.abort();
}

#[tokio::test]
async fn merged_page_is_at_the_root() {
    let worker = WorkerServer::new(in_memory()).agent::<quiet>();
    let off = WorkerServer::new(in_memory().playground(false)).agent::<quiet>();
    let own = Router::new().route("/name", get(async || "shop"));
    for (router, status) in [
        (worker.playground_router().await.unwrap(), 200),
        (worker.router().await.unwrap(), 404),
        (off.playground_router().await.unwrap(), 404),
    ] {
        let (address, serving) = serve(own.clone().merge(router)).await;
        for path in ["/", "/index.html", "/main.js"] {
            let answer = http::fetch(address, &format!("GET {path}"), HOST).await;
            assert_eq!(answer.status, status, "{path}");
        }
        let answer = http::fetch(address, "GET /agents", HOST).await;
        assert_eq!(answer.status, 200);
        assert_eq!(http::fetch(address, "GET /name", HOST).await.body, "shop");
        serving.abort();
    }
    worker.close().await;
    off.close().await;
}
