use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = String::from("x"))]
    value: String,
}

fn main() {}
