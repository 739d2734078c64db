use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(rename = "")]
    name: Option<String>,
}

fn main() {}
