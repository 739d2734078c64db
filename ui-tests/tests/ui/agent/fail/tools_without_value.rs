use dooers::prelude::*;

#[dooers::agent(tools)]
async fn support(tools: Tools) -> usize {
    tools.len()
}

fn main() {}
