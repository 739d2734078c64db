use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = 2.5, min = 0.0, max = 2.0)]
    temperature: f64,
}

fn main() {}
