use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    #[default(1)]
    Friendly,
    Formal,
}

fn main() {}
