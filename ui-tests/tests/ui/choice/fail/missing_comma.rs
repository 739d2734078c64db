use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    Warm
    Cold,
}

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = "warm")]
    tone: Tone,
}

fn main() {}
