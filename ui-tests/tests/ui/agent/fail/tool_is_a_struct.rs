use dooers::prelude::*;

struct Weather;

#[dooers::agent(tools(Weather))]
async fn support(tools: Tools) -> String {
    tools.names().concat()
}

fn main() {}
