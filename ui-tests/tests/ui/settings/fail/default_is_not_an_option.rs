use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "c", options("a" = "A", "b" = "B"))]
    model: String,
}

fn main() {}
