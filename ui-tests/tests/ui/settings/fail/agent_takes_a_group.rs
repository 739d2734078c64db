use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
#[setting(group)]
struct Tuning {
    #[setting(default = 1)]
    size: u8,
}

#[dooers::agent]
async fn support(tuning: Tuning) {
    let _ = tuning;
}

fn main() {}
