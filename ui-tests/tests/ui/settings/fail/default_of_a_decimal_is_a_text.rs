use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "0.5")]
    temperature: f64,
}

fn main() {}
