use dooers::prelude::*;

#[dooers::tool]
async fn weather() -> Reply {
    Reply::text("sunny")
}

fn main() {}
