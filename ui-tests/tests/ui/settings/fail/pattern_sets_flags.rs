use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(pattern = "(?i)abc")]
    name: Option<String>,
}

fn main() {}
