use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(pattern = "^2")]
    day: Option<dooers::settings::NaiveDate>,
}

fn main() {}
