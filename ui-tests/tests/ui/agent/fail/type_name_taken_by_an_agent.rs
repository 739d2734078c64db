#[dooers::agent(type = Support)]
async fn one() {}

#[dooers::agent(type = Support)]
async fn two() {}

fn main() {}
