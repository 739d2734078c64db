use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "x")]
    when: When,
}

#[derive(Clone)]
struct When;

fn main() {}
