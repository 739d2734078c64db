use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "a.example")]
    hosts: Vec<String>,
}

fn main() {}
