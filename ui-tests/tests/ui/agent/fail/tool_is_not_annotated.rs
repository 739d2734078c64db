use dooers::prelude::*;

async fn weather() {}

#[dooers::agent(tools(weather))]
async fn support(tools: Tools) -> usize {
    tools.len()
}

fn main() {}
