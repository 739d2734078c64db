use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    #[default]
    Warm,
    #[default]
    Formal,
}

fn main() {}
