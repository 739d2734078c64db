use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = vec!["a.example", "b.example"])]
    hosts: Vec<String>,
}

fn main() {}
