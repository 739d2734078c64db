// errors: 2
use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 0, min = 1)]
    size: u8,
    name: String,
}

#[dooers::agent]
async fn support(tuning: Tuning) -> String {
    let other = Tuning::default();
    format!("{} {}", tuning.name, other.size)
}

fn main() {}
