use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "a", min = 3, options("a" = "A"))]
    model: String,
}

fn main() {}
