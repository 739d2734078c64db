use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "", src = "a.png")]
    logo: String,
}

fn main() {}
