use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    Friendly,
}

#[derive(Clone, WorkerSettings)]
struct Tuning {
    tone: Tone,
}

fn main() {}
