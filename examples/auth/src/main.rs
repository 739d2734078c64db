//! An agent for users who log in. It signs tokens for two users of two organizations, shows that they do not see each
//! other's threads, and serves.
//!
//! Run with: `cargo run -p example-auth`, and open http://127.0.0.1:8000. The server refuses you. Press "Change
//! identity", and paste a printed token. Other clients send it in `connect`: `{"worker_id": "w1", "auth_token": "…"}`.
//!
//! Usually a login service signs the tokens, and variables configure the server: the guide has them under "Who can
//! connect".

use dooers::auth::Jwt;
use dooers::prelude::*;
use dooers::{Database, WorkerServer};
use futures::{SinkExt, StreamExt};
use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

// The system's allocator does not return all freed memory. This matters for a server that runs for months.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ISSUER: &str = "https://login.example.com/";
const AUDIENCE: &str = "example-auth";

/// Greets the user of the token. The identity in `connect` has no effect.
#[dooers::agent]
async fn greeter(request: WorkerRequest) -> String {
    let (user, organization) = (&request.user.user_id, &request.organization_id);
    format!(
        "Hello {user} of {organization}. You said: {}",
        request.message
    )
}

/// Signs a token for an hour, as a login service does.
fn token(secret: &str, user: &str, organization: &str) -> Result<String> {
    let claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user,
        "org_id": organization,
        "exp": get_current_timestamp() + 3600,
    });
    let key = EncodingKey::from_secret(secret.as_bytes())?;
    Ok(encode(&Header::default(), &claims, &key)?)
}

/// Starts a server in memory, and lets both users look for the thread of the first.
async fn show_separation(server: &WorkerServer, ana: &str, bob: &str) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("ws://{}/ws", listener.local_addr()?);
    let serving = server.clone();
    let serving = tokio::spawn(async move { serving.serve_on(listener).await });

    let mut first = Client::connect(&url, ana).await?;
    let event =
        json!({"type": "message", "actor": "user", "content": [{"type": "text", "text": "hi"}]});
    first
        .send("event.create", json!({ "event": event }))
        .await?;
    let thread = first.read("event.append").await?["thread_id"].clone();
    let mut second = Client::connect(&url, bob).await?;
    for (client, name) in [(&mut first, "ana of acme"), (&mut second, "bob of globex")] {
        client.send("thread.list", json!({})).await?;
        let listed = client.read("thread.list.result").await?;
        let threads = listed["threads"].as_array().map_or(0, Vec::len);
        println!("{name} sees threads: {threads}");
    }
    second
        .send("thread.subscribe", json!({ "thread_id": thread }))
        .await?;
    let answer = second.read("ack").await?;
    println!(
        "bob of globex opens the thread of ana: {}",
        answer["error"]["code"]
    );

    server.close().await;
    serving.await??;
    Ok(())
}

/// A client as small as it can be.
struct Client(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    async fn connect(url: &str, token: &str) -> Result<Self> {
        let mut client = Self(connect_async(url).await?.0);
        let payload = json!({"worker_id": "w1", "auth_token": token});
        client.send("connect", payload).await?;
        client.read("ack").await?;
        Ok(client)
    }

    async fn send(&mut self, kind: &str, payload: Value) -> Result<()> {
        let frame = json!({"id": kind, "type": kind, "payload": payload});
        Ok(self.0.send(Message::text(frame.to_string())).await?)
    }

    /// Returns the payload of the next frame of this type.
    async fn read(&mut self, kind: &str) -> Result<Value> {
        while let Some(message) = self.0.next().await {
            let mut frame: Value = serde_json::from_str(message?.to_text()?)?;
            if frame["type"] == kind {
                return Ok(frame["payload"].take());
            }
        }
        Err(AgentError::public("the server has closed the connection"))
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(dooers::log_directives())
        .init();
    // Only this process knows the secret, so tokens of an earlier one are refused.
    let secret = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let jwt = Jwt::hs256(&secret)
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .build()?;
    let ana = token(&secret, "ana", "acme")?;
    let bob = token(&secret, "bob", "globex")?;

    let in_memory = WorkerConfig::new().database(Database::Memory);
    let server = WorkerServer::new(in_memory).authenticator(jwt.clone());
    show_separation(&server, &ana, &bob).await?;

    println!("token of ana: {ana}");
    println!("token of bob: {bob}");
    let server = WorkerServer::new(WorkerConfig::from_env()?).authenticator(jwt);
    server.serve().await?;
    Ok(())
}
