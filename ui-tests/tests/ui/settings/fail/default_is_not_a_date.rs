use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "2026-02-30")]
    day: dooers::settings::NaiveDate,
}

fn main() {}
