use dooers::prelude::*;

#[derive(SettingChoice)]
enum Tone {
    Friendly,
}

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "friendly")]
    tone: Tone,
}

fn main() {}
