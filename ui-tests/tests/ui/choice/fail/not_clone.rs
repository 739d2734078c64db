use dooers::prelude::*;

#[derive(SettingChoice)]
enum Tone {
    Friendly,
}

fn main() {}
