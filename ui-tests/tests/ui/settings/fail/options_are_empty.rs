use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(options())]
    model: Option<String>,
}

fn main() {}
