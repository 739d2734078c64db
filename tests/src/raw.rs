//! The bytes below a WebSocket.

use crate::{TIMEOUT, within};
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What kind of frame it is.
pub mod opcode {
    /// The next part of a message.
    pub const CONTINUATION: u8 = 0;
    /// A text, or its first part.
    pub const TEXT: u8 = 1;
    /// Bytes, or their first part.
    pub const BINARY: u8 = 2;
    /// Reserved by the standard for later.
    pub const RESERVED: u8 = 3;
    /// A question whether the other end is there.
    pub const PING: u8 = 9;
    /// The answer to a ping.
    pub const PONG: u8 = 10;
    /// The closing frame.
    pub const CLOSE: u8 = 8;
}

/// The bytes of one frame of a client.
#[must_use]
pub fn frame_bytes(opcode: u8, is_final: bool, is_masked: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = header_bytes(opcode, is_final, is_masked, payload.len());
    // The mask that changes nothing is a valid one.
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

/// A connection on which the test itself writes and reads the frames of the WebSocket. It answers no ping.
#[derive(Debug)]
pub struct RawClient {
    stream: TcpStream,
}

impl RawClient {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream }
    }

    /// Writes a text frame of so many bytes, without waiting for the server to read it, and reads the code of the
    /// closing frame meanwhile.
    pub async fn flood(self, length: usize) -> Option<u16> {
        let (mut reader, mut writer) = self.stream.into_split();
        let writing = tokio::spawn(async move {
            let mut rest = length;
            let chunk = vec![b'x'; 64 * 1024];
            let header = header_bytes(opcode::TEXT, true, true, length);
            // The server may close before it has all.
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

    /// Writes the bytes of a frame.
    pub async fn write(&mut self, frame: &[u8]) {
        within("the server to take bytes", self.stream.write_all(frame))
            .await
            .expect("the server is there");
    }

    /// The next frame: its opcode and its payload.
    pub async fn next(&mut self) -> (u8, Vec<u8>) {
        within("a frame", read_frame(&mut self.stream))
            .await
            .expect("the server is there")
    }

    /// The same, of which this many bytes are read at each tick.
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
            .expect("the server is there")
    }

    /// Waits until something arrives, and does not read it.
    pub async fn wait_readable(&mut self) {
        let count = within("something to arrive", self.stream.peek(&mut [0])).await;
        assert_eq!(count.expect("the server is there"), 1);
    }

    /// Reads this many bytes at each tick until the server ends the connection; the result is how many there were.
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

    /// Reads until the server ends the connection; the result is the code of its closing frame, if there was one.
    pub async fn close_code(&mut self) -> Option<u16> {
        close_code(&mut self.stream).await
    }

    /// Writes the same frame again and again, and reads nothing, until the server has ended the connection.
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
