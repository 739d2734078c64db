use dooers::prelude::*;

type Name = String;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "x")]
    value: Name,
}

fn main() {}
