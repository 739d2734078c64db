use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(options("a" = "A", "b" = "B", "a" = "C"))]
    model: Option<String>,
}

fn main() {}
