use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = true, min = 0)]
    loud: bool,
}

fn main() {}
