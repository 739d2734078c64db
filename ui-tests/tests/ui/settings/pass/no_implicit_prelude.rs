//! Generated code uses full paths only, so that a module can have other items with the usual names.
#![no_implicit_prelude]
#![forbid(unsafe_code)]

#[allow(dead_code)]
mod shadows {
    pub(super) struct Option;
    pub(super) struct Vec;
    pub(super) trait Default {}
    pub(super) trait Into {}
    pub(super) mod std {}
    pub(super) mod core {}
}
#[allow(unused_imports)]
use self::shadows::*;

#[derive(::std::clone::Clone, ::dooers::SettingChoice)]
enum Tone {
    Warm,
    Cold,
}

#[derive(::std::clone::Clone, ::dooers::WorkerSettings)]
struct Tuning {
    #[setting(default = "a", options("a" = "A"))]
    model: ::std::string::String,
    #[setting(default = "cold")]
    tone: Tone,
    #[setting(group)]
    more: More,
}

#[derive(::std::clone::Clone, ::dooers::WorkerSettings)]
#[setting(group)]
struct More {
    #[setting(default = 2, validate = fine)]
    size: u8,
    none: ::std::option::Option<::dooers::Secret>,
}

fn fine(_: &u8) -> ::std::result::Result<(), &'static str> {
    ::std::result::Result::Ok(())
}

#[test]
fn settings_without_a_prelude_have_defaults() {
    let tuning = <Tuning as ::std::default::Default>::default();
    ::std::assert_eq!(tuning.model, "a");
    ::std::assert!(::std::matches!(tuning.tone, Tone::Cold));
    ::std::assert_eq!(tuning.more.size, 2);
    ::std::assert!(::std::option::Option::is_none(&tuning.more.none));
    let _ = Tone::Warm;
}
