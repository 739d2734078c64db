use dooers::prelude::*;

#[dooers::agent(tools())]
async fn support(tools: Tools) -> String {
    tools.names().concat()
}

fn main() {}
