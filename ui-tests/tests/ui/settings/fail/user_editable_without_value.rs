use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(user_editable)]
    name: Option<String>,
}

fn main() {}
