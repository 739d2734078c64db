use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    Friendly,
    Formal,
}

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "rude")]
    tone: Tone,
}

fn main() {}
