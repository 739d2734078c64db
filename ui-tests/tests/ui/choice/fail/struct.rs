use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
struct Tone {
    name: String,
}

fn main() {}
