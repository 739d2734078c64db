//! The errors of annotated functions, and their texts. Each text serves agents and tools.

use crate::function::{Hidden, Role};
use std::fmt;

/// An error in an annotated function.
pub(crate) struct FunctionDiagnostic {
    pub(crate) role: &'static Role,
    pub(crate) mistake: FunctionMistake,
}

/// A mistake in an annotated function. The fields are pieces of the user's code.
pub(crate) enum FunctionMistake {
    // The annotated item.
    NotAFunction {
        keyword: String,
    },
    MissingBody,
    NotAsync {
        name: String,
    },
    StartsARuntime {
        name: String,
    },
    Const {
        name: String,
    },
    Unsafe {
        name: String,
    },
    Extern {
        name: String,
    },
    Variadic,
    Generic,
    WhereClause,
    AnnotatedTwice,
    TwoRoles {
        other: &'static str,
    },
    EntryPoint {
        attribute: String,
    },
    Main,

    // The arguments.
    Receiver,
    SelfType,
    Associated,
    ReferenceArgument {
        by_value: String,
    },
    StrArgument,
    ImplArgument,
    CfgArgument,

    // The values of the options.
    InvalidTimeout {
        suggestion: String,
    },
    TimeoutMissingUnit {
        suggestion: String,
    },
    TimeoutUnknownUnit {
        unit: String,
        suggestion: String,
    },
    FractionalTimeout {
        suggestion: String,
    },
    ZeroTimeout,
    TimeoutTooLong,
    TypeHides {
        hidden: Hidden,
        name: String,
        suggestion: String,
    },
}

impl fmt::Display for FunctionDiagnostic {
    #[rustfmt::skip] // Each text is one line, however long it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use FunctionMistake as Mistake;
        let Role { name: role, with_article: a_role, macro_name, purpose, start, caller, unit, instead_of_str, .. } = self.role;
        match &self.mistake {
            Mistake::NotAFunction { keyword } => write!(f, "{a_role} must be an `async fn`, but this is `{keyword}`; move the attribute to the function that {purpose}"),
            Mistake::MissingBody => write!(f, "{a_role} must have a body, as the server calls this function itself; annotate an `async fn` outside of `trait`, `impl` and `extern` blocks"),
            Mistake::NotAsync { name } => write!(f, "{a_role} must be `async`, as the server runs many {role}s at the same time on few threads; write `async fn {name}`"),
            Mistake::StartsARuntime { name } => write!(f, "{a_role} cannot start a runtime with `block_on`, as the server calls it in its own runtime; remove `#[tokio::main]`, or write `async fn {name}` without `block_on`"),
            Mistake::Const { name } => write!(f, "{a_role} cannot be `const`, as it runs when {start} and never at compile time; write `async fn {name}`"),
            Mistake::Unsafe { name } => write!(f, "{a_role} cannot be `unsafe`, as the server that calls it cannot uphold its safety requirements; write `async fn {name}` and put the `unsafe` blocks inside"),
            Mistake::Extern { name } => write!(f, "{a_role} cannot be `extern`, as only the server calls it; write `async fn {name}`"),
            Mistake::Variadic => write!(f, "{a_role} cannot be variadic, as each argument is created from its type; list the arguments one by one"),
            Mistake::Generic => write!(f, "{a_role} cannot be generic, as the server that calls it cannot choose types or lifetimes; use concrete types"),
            Mistake::WhereClause => write!(f, "{a_role} cannot have a `where` clause, as it has no generic parameters; remove the clause"),
            Mistake::AnnotatedTwice => write!(f, "a function can be only one {role}, but this one has `{macro_name}` twice; remove one of them"),
            Mistake::TwoRoles { other } => write!(f, "a function cannot be both {a_role} and {other}, as users call agents and models call tools; write two functions"),
            Mistake::EntryPoint { attribute } => write!(f, "a function with `#[{attribute}]` cannot be {a_role}, as the program starts it, while {caller}; move `{macro_name}` to another function"),
            Mistake::Main => write!(f, "`main` cannot be {a_role}, as the program starts it, while {caller}; move `{macro_name}` to another function"),

            Mistake::Receiver => write!(f, "{a_role} cannot take `self`, as the server has no value to call it on; move it out of the `impl` block and make it a free function"),
            Mistake::SelfType => write!(f, "{a_role} cannot name `Self`, as it must be outside of `impl` blocks and traits; make it a free function and write the type itself"),
            Mistake::Associated => write!(f, "{a_role} cannot be in an `impl` block or a trait, as these cannot contain the type that names the {role}; make it a free function"),
            Mistake::ReferenceArgument { by_value } => write!(f, "an argument of {a_role} cannot be a reference, as it is created for one {unit} and passed by value; write `{by_value}`"),
            Mistake::StrArgument => write!(f, "an argument of {a_role} cannot be `&str`, as arguments are created from their types; {instead_of_str}"),
            Mistake::ImplArgument => write!(f, "an argument of {a_role} cannot be `impl Trait`, as arguments are created from their types; write a concrete type"),
            Mistake::CfgArgument => write!(f, "an argument of {a_role} cannot have `#[cfg]`, as the generated code passes all arguments; put `#[cfg]` on two versions of the function"),

            Mistake::InvalidTimeout { suggestion } => write!(f, "`timeout` must be a string of integers with the units `ms`, `s`, `m` and `h`, such as `\"1m30s\"`; write `timeout = \"{suggestion}\"`"),
            Mistake::TimeoutMissingUnit { suggestion } => write!(f, "each number of `timeout` needs a unit (`ms`, `s`, `m` or `h`), as it could mean seconds or milliseconds; write `timeout = \"{suggestion}\"`"),
            Mistake::TimeoutUnknownUnit { unit, suggestion } => write!(f, "`{unit}` is not a unit of `timeout`, whose units are `ms`, `s`, `m` and `h`; write `timeout = \"{suggestion}\"`"),
            Mistake::FractionalTimeout { suggestion } => write!(f, "`timeout` takes only integers, as a smaller unit can express a fraction; write `timeout = \"{suggestion}\"`"),
            Mistake::ZeroTimeout => write!(f, "`timeout` must be longer than zero, as otherwise every {unit} would end before it starts; write a longer time, or remove the option for no timeout"),
            Mistake::TimeoutTooLong => write!(f, "`timeout` can be at most 24 hours, as no user waits longer for an answer; write `timeout = \"24h\"` or less, or remove the option for no timeout"),
            Mistake::TypeHides { hidden, name, suggestion } => write!(f, "the type of {a_role} cannot be named `{name}`, as it would hide the {hidden} `{name}` in this module; name it with `#[dooers::{role}(type = {suggestion})]`"),
        }
    }
}
