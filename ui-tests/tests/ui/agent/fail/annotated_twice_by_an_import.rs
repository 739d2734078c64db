use dooers::prelude::*;

#[agent]
#[agent]
async fn support() {}

fn main() {}
