use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
#[setting(rename_all = "x")]
enum Tone {
    Friendly,
}

fn main() {}
