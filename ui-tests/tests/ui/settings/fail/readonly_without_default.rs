use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(readonly)]
    name: Option<String>,
}

fn main() {}
