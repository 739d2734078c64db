use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    Friendly,
}

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "friendly", min = 1)]
    tone: Tone,
}

fn main() {}
