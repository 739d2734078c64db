use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(user_editable = "false")]
    name: Option<String>,
}

fn main() {}
