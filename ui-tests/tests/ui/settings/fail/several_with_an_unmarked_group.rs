// errors: 3
use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    Friendly,
}

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(min = 1)]
    more: More,
    tone: Tone,
}

#[derive(Clone, WorkerSettings)]
struct More {}

fn main() {}
