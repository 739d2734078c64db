use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    #[setting(rename = "")]
    Friendly,
}

fn main() {}
