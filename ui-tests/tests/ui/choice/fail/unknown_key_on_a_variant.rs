use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {
    #[setting(name = "nice")]
    Friendly,
}

fn main() {}
