use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(group)]
    more: Option<More>,
}

#[derive(Clone, WorkerSettings)]
struct More {}

fn main() {}
