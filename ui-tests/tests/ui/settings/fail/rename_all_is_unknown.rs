use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
#[setting(rename_all = "kebab")]
struct Tuning {
    name: Option<String>,
}

fn main() {}
