use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(group, collapsible = "shut")]
    more: More,
}

#[derive(Clone, WorkerSettings)]
struct More {}

fn main() {}
