use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(options(1 = "One"))]
    value: Option<String>,
}

fn main() {}
