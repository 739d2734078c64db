use dooers::prelude::*;

struct Weather;

#[dooers::agent(tools(Weather))]
async fn support(tools: Tools) -> usize {
    tools.len()
}

fn main() {}
