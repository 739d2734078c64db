use dooers::{Reply, ReplyStream};
use std::pin::Pin;
use std::task::{Context, Poll};

#[dooers::agent]
async fn support() -> ReplyStream {
    Reply::stream(Numbers)
}

struct Numbers;

impl futures::Stream for Numbers {
    type Item = u8;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<u8>> {
        Poll::Ready(None)
    }
}

fn main() {}
