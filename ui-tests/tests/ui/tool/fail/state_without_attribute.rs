use dooers::prelude::*;

#[dooers::tool]
async fn weather(State(days): State<u8>) -> u8 {
    days
}

fn main() {}
