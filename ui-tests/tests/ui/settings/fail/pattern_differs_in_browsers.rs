use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(pattern = r"^\d+$")]
    name: Option<String>,
}

fn main() {}
