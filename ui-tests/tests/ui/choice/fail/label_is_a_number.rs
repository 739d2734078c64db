use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    #[setting(label = 1)]
    Friendly,
}

fn main() {}
