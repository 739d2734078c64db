use dooers::prelude::*;

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(options("de" = "German", "en" = "English"))]
    languages: Vec<String>,
}

fn main() {}
