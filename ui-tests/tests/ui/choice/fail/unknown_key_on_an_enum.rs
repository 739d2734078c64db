use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
#[setting(wrong = "x")]
enum Tone {
    Friendly,
}

fn main() {}
