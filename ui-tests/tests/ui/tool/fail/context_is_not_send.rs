use dooers::prelude::*;

use std::rc::Rc;

struct Cart(Rc<str>);

impl FromTurn for Cart {
    async fn from_turn(_: &Turn) -> Result<Self> {
        Ok(Self("empty".into()))
    }
}

#[dooers::tool(approve = is_long)]
async fn weather(city: String, #[tool(context)] Cart(items): Cart) -> String {
    format!("{city}: {items}")
}

fn is_long(city: &str) -> bool {
    city.len() > 10
}

fn main() {}
