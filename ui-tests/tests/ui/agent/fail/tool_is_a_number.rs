use dooers::prelude::*;

#[dooers::agent(tools(3))]
async fn support(tools: Tools) -> usize {
    tools.len()
}

fn main() {}
