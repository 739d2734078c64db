use dooers::prelude::*;

const PORT: u16 = 80;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = ["a.example", PORT])]
    hosts: Vec<String>,
}

fn main() {}
