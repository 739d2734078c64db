use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    more: Option<More>,
}

#[derive(Clone, WorkerSettings)]
#[setting(group)]
struct More {}

fn main() {}
