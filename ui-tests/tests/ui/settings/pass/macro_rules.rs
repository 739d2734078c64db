//! Structs that `macro_rules!` generates.

use dooers::prelude::*;

macro_rules! tuning {
    ($name:ident, $ty:ty, $default:expr, $label:literal) => {
        #[derive(Clone, WorkerSettings)]
        struct $name {
            #[setting(default = $default, label = $label)]
            value: $ty,
        }
    };
}

tuning!(Whole, u8, 3, "Whole");
tuning!(Text, String, "x", "Text");
tuning!(Maybe, Option<i32>, -4, "Some");

#[test]
fn structs_from_macros_have_defaults() {
    assert_eq!(Whole::default().value, 3);
    assert_eq!(Text::default().value, "x");
    assert_eq!(Maybe::default().value, Some(-4));
}
