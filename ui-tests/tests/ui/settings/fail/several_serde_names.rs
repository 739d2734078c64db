// errors: 2
use dooers::prelude::*;

#[derive(Clone, serde::Serialize, serde::Deserialize, WorkerSettings)]
#[serde(rename_all(serialize = "camelCase", deserialize = "kebab-case"))]
struct Tuning {
    #[serde(default, rename(serialize = "called", deserialize = "name"))]
    name: Option<String>,
}

fn main() {}
