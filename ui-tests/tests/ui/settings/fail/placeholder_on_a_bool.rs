use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = true, placeholder = "yes")]
    loud: bool,
}

fn main() {}
