use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
#[setting(group)]
struct Tuning {}

#[dooers::agent]
async fn support(tuning: Settings<Tuning>) {
    let _ = tuning;
}

fn main() {}
