use dooers::prelude::*;

#[dooers::agent]
async fn helper() {}

#[dooers::agent(tools(helper))]
async fn support(tools: Tools) -> String {
    tools.names().concat()
}

fn main() {}
