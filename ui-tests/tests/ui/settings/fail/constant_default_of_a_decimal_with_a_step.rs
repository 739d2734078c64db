use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 1.0 / 4.0, step = 0.25)]
    value: f64,
}

fn main() {}
