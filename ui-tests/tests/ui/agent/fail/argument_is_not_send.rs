use dooers::prelude::*;

use std::rc::Rc;

struct Cart(Rc<str>);

impl FromTurn for Cart {
    async fn from_turn(_: &Turn) -> Result<Self> {
        Ok(Self("empty".into()))
    }
}

#[dooers::agent]
async fn support(Cart(items): Cart, request: WorkerRequest, _: WorkerResponse) -> String {
    format!("{items}: {}", request.message)
}

fn main() {}
