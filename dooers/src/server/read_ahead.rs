//! A stream that reads ahead for a reader with a small buffer.

use axum::body::Bytes;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Maximum number of bytes that are read from the socket by one system call.
const AT_ONCE: usize = 8 * 1024;

/// A stream that reads up to 8 KiB at once, however small the reader's buffer is.
///
/// It allocates memory only for bytes that the reader has not taken yet. The reader's own buffer can therefore be
/// small, which matters because thousands of readers wait for their clients at the same time.
#[derive(Debug)]
pub(super) struct ReadAhead<T> {
    inner: T,
    unread: Bytes,
    message: MessageBytes,
    most: usize,
}

impl<T> ReadAhead<T> {
    /// Creates a stream that fails when it has read this many bytes without a complete message. A client could send empty
    /// parts of a message forever, which no other limit counts.
    pub(super) fn new(inner: T, most: usize) -> Self {
        Self {
            inner,
            unread: Bytes::new(),
            message: MessageBytes::default(),
            most,
        }
    }

    /// The number of bytes since the last message.
    pub(super) fn message_bytes(&self) -> MessageBytes {
        self.message.clone()
    }

    fn count(&self, bytes: usize) -> io::Result<()> {
        if self.message.add(bytes) <= self.most {
            return Ok(());
        }
        let text = "too many bytes were read without a complete message";
        Err(io::Error::new(io::ErrorKind::FileTooLarge, text))
    }
}

/// The number of bytes that a stream has read since the last message. Clones share the number.
#[derive(Debug, Clone, Default)]
pub(super) struct MessageBytes(Arc<AtomicUsize>);

impl MessageBytes {
    fn add(&self, bytes: usize) -> usize {
        self.0.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    /// Records a message of this size, whose frames carried this many bytes. Returns the number of bytes that it counts as:
    /// its size, unless it consisted of very many parts.
    pub(super) fn of_message(&self, size: usize) -> usize {
        // Later messages may have been read together with this one.
        size.max(
            self.0
                .swap(0, Ordering::Relaxed)
                .saturating_sub(2 * AT_ONCE),
        )
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for ReadAhead<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.unread.is_empty() {
            if buffer.remaining() >= AT_ONCE {
                let before = buffer.filled().len();
                ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
                let counted = self.count(buffer.filled().len() - before);
                if counted.is_err() {
                    // A read that fails has read nothing.
                    buffer.set_filled(before);
                }
                return Poll::Ready(counted);
            }
            let mut bytes = [MaybeUninit::uninit(); AT_ONCE];
            let mut read = ReadBuf::uninit(&mut bytes);
            ready!(Pin::new(&mut self.inner).poll_read(context, &mut read))?;
            let read = read.filled();
            self.count(read.len())?;
            let (now, later) = read.split_at(read.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.unread = Bytes::copy_from_slice(later);
        } else {
            let taken = self.unread.len().min(buffer.remaining());
            // The memory is released when the last byte is taken.
            buffer.put_slice(&self.unread.split_to(taken));
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for ReadAhead<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// A source of bytes that counts how often it is read.
    struct Counted<'a> {
        bytes: &'a [u8],
        reads: usize,
    }

    impl AsyncRead for Counted<'_> {
        fn poll_read(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            self.reads += 1;
            Pin::new(&mut self.bytes).poll_read(context, buffer)
        }
    }

    #[tokio::test]
    async fn small_reads_share_a_system_call() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
        let counted = Counted {
            bytes: &bytes,
            reads: 0,
        };
        let mut stream = ReadAhead::new(counted, bytes.len());
        let mut read = Vec::new();
        let mut small = [0; 500];
        loop {
            let length = stream.read(&mut small).await.unwrap();
            if length == 0 {
                break;
            }
            read.extend_from_slice(&small[..length]);
        }
        assert!(read == bytes, "the same bytes in the same order");
        // One more for the end.
        assert_eq!(stream.inner.reads, bytes.len().div_ceil(AT_ONCE) + 1);
    }

    #[tokio::test]
    async fn large_reads_are_not_copied() {
        let bytes = [7; 3 * AT_ONCE];
        let counted = Counted {
            bytes: &bytes,
            reads: 0,
        };
        let mut stream = ReadAhead::new(counted, bytes.len());
        let mut large = [0; 2 * AT_ONCE];
        assert_eq!(stream.read(&mut large).await.unwrap(), 2 * AT_ONCE);
        assert_eq!(stream.inner.reads, 1);
        assert!(stream.unread.is_empty());
    }

    #[tokio::test]
    async fn bytes_are_written_through_while_others_are_unread() {
        let (client, server) = duplex(64);
        let (mut client, mut server) = (client, ReadAhead::new(server, 64));
        client.write_all(b"hello").await.unwrap();
        let mut two = [0; 2];
        server.read_exact(&mut two).await.unwrap();
        server.write_all(b"answer").await.unwrap();
        let mut answer = [0; 6];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!((&two, &answer), (b"he", b"answer"));
        drop(client);
        let mut rest = Vec::new();
        server.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"llo");
    }

    #[tokio::test]
    async fn endless_message_fails() {
        let endless = tokio::io::repeat(0);
        let mut stream = ReadAhead::new(endless, 3 * AT_ONCE);
        let message = stream.message_bytes();
        let mut small = [0; 512];
        for _ in 0..10 {
            for _ in 0..32 {
                stream.read_exact(&mut small).await.unwrap();
            }
            // Messages of 16 KiB never come near the limit.
            assert_eq!(message.of_message(5), 5);
        }
        let mut all = Vec::new();
        let error = stream.read_to_end(&mut all).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(all.len() <= 3 * AT_ONCE, "{} bytes were read", all.len());
        assert!(message.of_message(5) >= AT_ONCE);
    }
}
