use dooers::prelude::*;

#[derive(Clone, SettingChoice)]
enum Tone {}

fn main() {}
