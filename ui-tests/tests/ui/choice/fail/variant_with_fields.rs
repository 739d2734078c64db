use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    Friendly,
    Other(String),
}

fn main() {}
