//! Connections whose client does not send `connect`, and the clients that they must not keep out.
#![cfg(target_os = "linux")]

use crate::agents::quiet;
use crate::http::{self, UPGRADE};
use dooers::WorkerConfig;
use dooers_tests::{Client, Server, within};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// A server with these places. No time limit helps it.
async fn serve(places: usize, pending: usize, per_address: usize) -> Server {
    serve_with(places, pending, per_address, |config| config).await
}

async fn serve_with(
    places: usize,
    pending: usize,
    per_address: usize,
    change: impl FnOnce(WorkerConfig) -> WorkerConfig,
) -> Server {
    Server::with::<quiet>(|config| {
        change(config).limits(|limits| {
            limits.connections = Some(places);
            limits.pending_connections = Some(pending);
            limits.pending_per_address = Some(per_address);
            limits.request_timeout = Duration::from_secs(3600);
            limits.connect_timeout = Duration::from_secs(3600);
        })
    })
    .await
}

/// Connects from another address of this machine.
async fn connect_from(last: u8, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    let own = Ipv4Addr::new(127, 0, 0, last);
    socket.bind((own, 0).into()).unwrap();
    socket.connect(server).await.unwrap()
}

/// A half-open connection: the number chooses how far its client goes.
async fn half_open(stream: TcpStream, number: usize) -> TcpStream {
    let mut stream = stream;
    let upgrade = format!("GET /ws HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}\r\n");
    match number % 4 {
        0 => {}
        1 => stream.write_all(b"GET /ws HT").await.unwrap(),
        2 => stream
            .write_all(&upgrade.as_bytes()[..upgrade.len() - 2])
            .await
            .unwrap(),
        _ => {
            stream.write_all(upgrade.as_bytes()).await.unwrap();
            let answer = within("an answer", http::answer_of(&mut stream)).await;
            assert_eq!(answer.status, 101);
        }
    }
    stream
}

/// Waits until the server has closed the connection.
async fn expect_closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // The server may also reset it.
    let _ = within("the end of a connection", stream.read_to_end(&mut rest)).await;
    assert_eq!(
        rest, b"",
        "nothing is sent to a client that is closed for another one"
    );
}

fn is_open(stream: &TcpStream) -> bool {
    let read = stream.try_read(&mut [0; 16]);
    read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn polite_client_gets_in_beside_half_open_ones() {
    let server = serve(20, 8, 8).await;
    let mut first = server.client("ada").await;
    let mut silent = Vec::new();
    let mut polite = Vec::new();
    for round in 0..10 {
        for number in 0..20 {
            let stream = TcpStream::connect(server.address).await.unwrap();
            silent.push(half_open(stream, number).await);
        }
        // 19 clients connect: with them, the half-open connections have less than their limit.
        polite.push(server.client(format!("user-{round}").as_str()).await);
    }
    let rest = silent.split_off(silent.len() - 7);
    for stream in &mut silent {
        expect_closed(stream).await;
    }
    assert!(rest.iter().all(is_open));
    first.expect_nothing().await;
    for client in &mut polite {
        client.expect_nothing().await;
    }
    drop(rest);
    polite.push(first);
    server.close(polite).await;
}

#[tokio::test]
async fn polite_client_takes_the_place_of_a_silent_one() {
    let server = serve(2, 100, 100).await;
    let first = server.client("ada").await;
    // An open WebSocket has a place whether or not its client has sent `connect`.
    let mut silent = half_open(TcpStream::connect(server.address).await.unwrap(), 3).await;
    let second = server.client("ada").await;
    expect_closed(&mut silent).await;
    // Now nobody has to make room.
    assert_eq!(server.try_upgrade("/ws").await.0, 503);
    server.close([first, second]).await;
}

#[tokio::test]
async fn flood_of_one_address_closes_only_its_own() {
    let server = serve(1000, 100, 4).await;
    // Older than the flood.
    let early = half_open(connect_from(2, server.address).await, 0).await;
    let mut flood = Vec::new();
    for number in 0..60 {
        flood.push(half_open(connect_from(3, server.address).await, number).await);
    }
    let rest = flood.split_off(56);
    for stream in &mut flood {
        expect_closed(stream).await;
    }
    assert!(rest.iter().all(is_open));
    let mut client = Client::upgrade(early, server.address, "/ws").await;
    client.connect("ada").await;
    drop(rest);
    server.close([client]).await;
}

#[tokio::test]
async fn clients_behind_a_proxy_are_counted_by_header() {
    let server = serve_with(1000, 100, 4, |config| {
        config.trusted_proxies("127.0.0.1".parse().unwrap())
    })
    .await;
    let open = async |client: &str| {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let host = server.address;
        let request = format!(
            "GET /ws HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: 203.0.113.9, {client}\r\n{UPGRADE}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = within("an answer", http::answer_of(&mut stream)).await;
        assert_eq!(answer.status, 101);
        stream
    };
    let early = open("192.0.2.1").await;
    let early_v6 = open("2001:db8:0:1::1").await;
    let mut flood = Vec::new();
    for number in 0..20 {
        // One customer of a provider has many addresses of IPv6.
        flood.push(open(&format!("[2001:db8:0:2::{number:x}]:4711")).await);
        flood.push(open("192.0.2.2").await);
    }
    let rest = flood.split_off(32);
    for stream in &mut flood {
        expect_closed(stream).await;
    }
    assert!(rest.iter().all(is_open) && is_open(&early) && is_open(&early_v6));
    drop((rest, early, early_v6));
    server.close([]).await;
}
