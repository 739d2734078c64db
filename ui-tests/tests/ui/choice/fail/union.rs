use dooers::prelude::*;

#[derive(Clone, Copy, SettingChoice)]
union Tone {
    size: u8,
}

fn main() {}
