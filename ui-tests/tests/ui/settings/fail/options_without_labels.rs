use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(options("a", "b"))]
    model: Option<String>,
}

fn main() {}
