use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    Friendly,
    #[setting(rename = "friendly")]
    Formal,
}

fn main() {}
