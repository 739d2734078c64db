use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 0.25, min = 0.0, max = 2.0, step = 0.1)]
    temperature: f64,
}

fn main() {}
