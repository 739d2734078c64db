//! Structs that a macro writes.

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
fn they_are_structs_like_others() {
    assert_eq!(Whole::default().value, 3);
    assert_eq!(Text::default().value, "x");
    assert_eq!(Maybe::default().value, Some(-4));
}
