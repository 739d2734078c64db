use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(min_length = 1)]
    hosts: Vec<String>,
}

fn main() {}
