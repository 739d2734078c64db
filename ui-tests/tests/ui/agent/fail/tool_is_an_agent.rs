use dooers::prelude::*;

#[dooers::agent]
async fn helper() {}

#[dooers::agent(tools(helper))]
async fn support(tools: Tools) -> usize {
    tools.len()
}

fn main() {}
