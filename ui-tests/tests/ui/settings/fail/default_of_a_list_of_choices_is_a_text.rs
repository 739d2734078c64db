use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    Warm,
}

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = ["warm"])]
    tones: Vec<Tone>,
}

fn main() {}
