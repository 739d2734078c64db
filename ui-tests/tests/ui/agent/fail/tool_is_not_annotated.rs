use dooers::prelude::*;

async fn weather() {}

#[dooers::agent(tools(weather))]
async fn support(tools: Tools) -> String {
    tools.names().concat()
}

fn main() {}
