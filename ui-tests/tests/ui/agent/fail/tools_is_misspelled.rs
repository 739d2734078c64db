use dooers::prelude::*;

#[dooers::tool]
async fn weather() {}

#[dooers::agent(tool(weather))]
async fn support(tools: Tools) -> String {
    tools.names().concat()
}

fn main() {}
