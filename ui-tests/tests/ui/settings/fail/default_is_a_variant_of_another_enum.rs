use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    Friendly,
}

enum Other {
    Friendly,
}

#[derive(Clone, WorkerSettings)]
struct Tuning {
    #[setting(default = Other::Friendly)]
    tone: Tone,
}

fn main() {}
