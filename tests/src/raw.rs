//! The byte level of a WebSocket connection.

use crate::{TIMEOUT, within};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Frame types.
pub mod opcode {
    /// A further fragment of a message.
    pub const CONTINUATION: u8 = 0;
    /// A text message or its first fragment.
    pub const TEXT: u8 = 1;
    /// A binary message or its first fragment.
    pub const BINARY: u8 = 2;
    /// Reserved by the standard.
    pub const RESERVED: u8 = 3;
    /// A ping.
    pub const PING: u8 = 9;
    /// A pong.
    pub const PONG: u8 = 10;
    /// A close frame.
    pub const CLOSE: u8 = 8;
}

/// Encodes one client frame.
#[must_use]
pub fn frame_bytes(opcode: u8, is_final: bool, is_masked: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header_bytes(opcode, is_final, is_masked, payload.len());
    // A mask of zeros is valid and changes nothing.
    bytes.extend_from_slice(payload);
    bytes
}

fn header_bytes(opcode: u8, is_final: bool, is_masked: bool, length: usize) -> Vec<u8> {
    let mut bytes = vec![opcode | if is_final { 0x80 } else { 0 }];
    let mask_bit = if is_masked { 0x80 } else { 0 };
    match length {
        0..126 => bytes.push(mask_bit | length as u8),
        126..0x1_0000 => {
            bytes.push(mask_bit | 126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(mask_bit | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    if is_masked {
        bytes.extend_from_slice(&[0; 4]);
    }
    bytes
}

/// A connection on which the test reads and writes WebSocket frames itself. It does not answer pings.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
}

impl RawClient {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream }
    }

    /// Writes a text frame of this length without waiting for the server to read it. Meanwhile reads until the
    /// server closes, and returns the close code.
    pub async fn flood(self, length: usize) -> Option<u16> {
        let (mut reader, mut writer) = self.stream.into_split();
        let writing = tokio::spawn(async move {
            let mut rest = length;
            let chunk = vec![b'x'; 64 * 1024];
            let header = header_bytes(opcode::TEXT, true, true, length);
            // The server may close before it has read everything.
            let mut outcome = writer.write_all(&header).await;
            while rest > 0 && outcome.is_ok() {
                let size = rest.min(chunk.len());
                outcome = writer.write_all(&chunk[..size]).await;
                rest -= size;
            }
            outcome
        });
        let code = close_code(&mut reader).await;
        writing.abort();
        code
    }

    /// Writes an encoded frame.
    pub async fn write(&mut self, frame: &[u8]) {
        within("the server to accept bytes", self.stream.write_all(frame))
            .await
            .expect("the server is running");
    }

    /// Reads the next frame: its opcode and its payload.
    pub async fn next(&mut self) -> (u8, Vec<u8>) {
        within("a frame", read_frame(&mut self.stream))
            .await
            .expect("the server is running")
    }

    /// Reads the next frame, `chunk` bytes per tick.
    pub async fn next_slowly(&mut self, chunk: usize, tick: Duration) -> (u8, Vec<u8>) {
        let mut ticks = tokio::time::interval(tick);
        let reading = async {
            let (opcode, length) = read_header(&mut self.stream).await?;
            let mut payload = vec![0; length];
            for part in payload.chunks_mut(chunk) {
                ticks.tick().await;
                self.stream.read_exact(part).await?;
            }
            io::Result::Ok((opcode, payload))
        };
        within("a frame that is read slowly", reading)
            .await
            .expect("the server is running")
    }

    /// Waits until data arrives, without reading it.
    pub async fn wait_readable(&mut self) {
        let count = within("something to arrive", self.stream.peek(&mut [0])).await;
        assert_eq!(count.expect("the server is running"), 1);
    }

    /// Reads `chunk` bytes per tick until the server ends the connection. Returns the number of bytes.
    pub async fn drip(&mut self, chunk: usize, tick: Duration) -> usize {
        let mut ticks = tokio::time::interval(tick);
        let mut part = vec![0; chunk];
        let mut all = 0;
        let reading = async {
            loop {
                ticks.tick().await;
                match self.stream.read(&mut part).await {
                    Ok(count) if count > 0 => all += count,
                    _ => return all,
                }
            }
        };
        within("the server to end the connection", reading).await
    }

    /// Reads until the server ends the connection. Returns the code of its close frame, if there was one.
    pub async fn close_code(&mut self) -> Option<u16> {
        close_code(&mut self.stream).await
    }

    /// Writes the same frame repeatedly without reading, until the server ends the connection.
    pub async fn write_until_refused(&mut self, frame: &[u8]) -> io::Error {
        let writing = async {
            loop {
                if let Err(error) = self.stream.write_all(frame).await {
                    return error;
                }
            }
        };
        within("the server to end a connection that reads nothing", writing).await
    }
}

async fn close_code(reader: &mut (impl AsyncReadExt + Unpin)) -> Option<u16> {
    loop {
        let frame = tokio::time::timeout(TIMEOUT, read_frame(reader)).await;
        match frame.expect("the server closes in time") {
            Ok((opcode::CLOSE, payload)) => {
                let code: [u8; 2] = payload.get(..2)?.try_into().ok()?;
                return Some(u16::from_be_bytes(code));
            }
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

async fn read_frame(reader: &mut (impl AsyncReadExt + Unpin)) -> io::Result<(u8, Vec<u8>)> {
    let (opcode, length) = read_header(reader).await?;
    let mut payload = vec![0; length];
    reader.read_exact(&mut payload).await?;
    Ok((opcode, payload))
}

async fn read_header(reader: &mut (impl AsyncReadExt + Unpin)) -> io::Result<(u8, usize)> {
    let opcode = reader.read_u8().await? & 0x0f;
    let length = match reader.read_u8().await? & 0x7f {
        126 => usize::from(reader.read_u16().await?),
        127 => reader.read_u64().await? as usize,
        short => usize::from(short),
    };
    Ok((opcode, length))
}
