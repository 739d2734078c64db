use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "ada@example.org", pattern = "@example\\.com$")]
    contact: Email,
}

fn main() {}
