use dooers::prelude::*;

#[derive(Clone)]
struct Tuning {}

#[dooers::agent]
async fn support(tuning: Tuning) {
    let _ = tuning;
}

fn main() {}
