use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
#[setting(rename_all = "kebab-case")]
enum Tone {
    Friendly,
}

fn main() {}
