use dooers::prelude::*;

#[dooers::agent(tools(3))]
async fn support(tools: Tools) -> String {
    tools.names().concat()
}

fn main() {}
