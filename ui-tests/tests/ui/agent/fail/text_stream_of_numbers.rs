use dooers::prelude::*;
use futures::stream;

#[dooers::agent]
async fn support() -> TextReply {
    TextReply::stream(stream::iter([1, 2]))
}

fn main() {}
