use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = ["a\nb"])]
    hosts: Vec<String>,
}

fn main() {}
