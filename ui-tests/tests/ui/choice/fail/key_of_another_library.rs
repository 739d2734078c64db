use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
#[setting(default = "friendly")]
enum Tone {
    Friendly,
}

fn main() {}
