//! The errors of the macros and their texts.
//!
//! All error texts of this crate are in this file, and a UI test shows each of them. A text names the rule, its reason
//! and the way out, in lower case, without a full stop and with code in backticks.

use proc_macro2::TokenStream;
use quote::ToTokens;
use std::fmt;

/// The errors of one annotated item. They are collected, so that one build shows all of them.
#[derive(Default)]
pub(crate) struct Diagnostics(Vec<syn::Error>);

impl Diagnostics {
    /// Adds an error at these tokens.
    pub(crate) fn add(&mut self, tokens: impl ToTokens, diagnostic: Diagnostic) {
        self.0.push(syn::Error::new_spanned(tokens, diagnostic));
    }

    /// Adds an error of the parser.
    pub(crate) fn add_syn_error(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Reports if there are no errors.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of errors.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

impl ToTokens for Diagnostics {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.0.iter().map(syn::Error::to_compile_error));
    }
}

/// The kind of value that an option takes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum ValueKind {
    String,
    Ident,
    Path,
    Bool,
    Count,
    Number,
}

impl fmt::Display for ValueKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String => write!(f, "a string in quotes"),
            Self::Ident => write!(f, "the name of a new type, without quotes"),
            Self::Path => write!(f, "a path, without quotes"),
            Self::Bool => write!(f, "`true` or `false`"),
            Self::Count => write!(f, "a whole number from 0 on"),
            Self::Number => write!(f, "a number"),
        }
    }
}

/// An error of the user. The fields are pieces of the user's code or of an option table.
pub(crate) enum Diagnostic {
    // The annotated item of an agent.
    NotAFunction {
        keyword: String,
    },
    MissingBody,
    NotAsync {
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

    // The arguments of an agent.
    Receiver,
    ReferenceArgument {
        by_value: String,
    },
    StrArgument,
    ImplArgument,
    CfgArgument,

    // The options of any macro.
    ExpectedOption {
        macro_name: &'static str,
        usages: String,
    },
    UnknownOption {
        macro_name: &'static str,
        key: String,
        suggestion: Option<&'static str>,
        usages: String,
    },
    DuplicateOption {
        key: String,
    },
    MissingComma,
    MissingValue {
        key: String,
        usage: String,
    },
    UnexpectedValue {
        key: String,
    },
    WrongValue {
        key: String,
        kind: ValueKind,
        usage: String,
    },

    // The values of the options of an agent.
    InvalidRun {
        value: String,
    },
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
    TooManyRetries {
        max: u32,
    },
    InvalidOnBusy {
        value: String,
        suggestion: Option<&'static str>,
    },
    ZeroQueue,
    QueueTooLong {
        max: u32,
    },
    UnusedQueue {
        on_busy: String,
    },
    EmptyName,
    NameTooLong {
        length: usize,
        max: usize,
    },
    DotsAsName {
        name: String,
    },
    InvalidNameCharacter {
        character: char,
    },
    InvalidFunctionNameCharacter {
        character: char,
    },
    FunctionNameTooLong {
        length: usize,
        max: usize,
    },

    // Structs of settings.
    SettingsNotAStruct {
        keyword: &'static str,
    },
    UnnamedFields,
    GenericSettings,
    NestedGroup,
    UnsupportedType {
        ty: String,
    },
    InvalidGroupType {
        ty: String,
    },
    OptionalGroup,
    CollapsibleNotAGroup {
        ty: String,
    },

    // Ids and attributes.
    EmptyId,
    IdTooLong {
        length: usize,
        max: usize,
    },
    DuplicateId {
        id: String,
    },
    InvalidAttributeForm,

    // The options of a setting.
    OptionNotAllowed {
        key: String,
        subject: String,
        applies_to: &'static str,
    },
    ConflictingVisibility,
    MissingDefault,
    ReadonlyMissingDefault,
    SecretMissingDefault,
    SecretWithDefault,
    InvalidVariableName,
    RedundantDefault,
    WrongDefaultType {
        expected: &'static str,
        usage: &'static str,
    },
    DefaultOutOfRange {
        range: String,
    },
    DefaultOffStep {
        step: String,
    },
    DefaultLengthOutOfRange {
        length: usize,
        range: String,
    },
    DefaultNotAnOption {
        values: String,
    },
    InvalidDefaultFormat {
        expected: &'static str,
        usage: &'static str,
    },
    FractionalBound {
        key: String,
    },
    BoundOutOfRange {
        key: String,
        ty: String,
    },
    MinAboveMax,
    MinLengthAboveMax,
    StepNotPositive,
    MaxOffStep,
    InvalidPair {
        usage: String,
    },
    EmptyOptionList,
    DuplicateListOption {
        value: String,
    },
    UnsupportedPattern {
        error: String,
    },
    ImageMissingSource,
    InvalidCollapsible {
        value: String,
    },

    // Enums of choices.
    ChoiceNotAnEnum {
        keyword: &'static str,
    },
    GenericChoice,
    ChoiceWithoutVariants,
    VariantWithFields,
    DuplicateChoice {
        value: String,
    },
    EmptyChoiceValue,
}

impl fmt::Display for Diagnostic {
    #[rustfmt::skip] // Each text is one line, however long it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFunction { keyword } => write!(f, "only an `async fn` can be an agent, this is `{keyword}`; move the attribute to the function that answers a message"),
            Self::MissingBody => write!(f, "an agent needs a body: it is the function itself that answers a message, and not a declaration of it; annotate an `async fn` outside of any `trait`, `impl` or `extern` block"),
            Self::NotAsync { name } => write!(f, "an agent must be `async`, as the server runs many of them at once on few threads; write `async fn {name}`"),
            Self::Const { name } => write!(f, "an agent cannot be `const`, as it runs when a message arrives and never at compile time; write `async fn {name}`"),
            Self::Unsafe { name } => write!(f, "an agent cannot be `unsafe`, as the server that calls it can promise it nothing; write `async fn {name}` and put the `unsafe` blocks inside"),
            Self::Extern { name } => write!(f, "an agent cannot be `extern`, as nothing but the server calls it; write `async fn {name}`"),
            Self::Variadic => write!(f, "an agent cannot be variadic, as each argument is made by its type; list the arguments one by one"),
            Self::Generic => write!(f, "an agent cannot be generic, as the server calls it and has no types or lifetimes to choose; write the types out"),
            Self::WhereClause => write!(f, "an agent cannot have a `where` clause, as it has no generic parameters to bound; remove the clause"),
            Self::AnnotatedTwice => write!(f, "a function is one agent, and this one has `#[dooers::agent]` twice; remove one of them"),

            Self::Receiver => write!(f, "an agent has no `self`, as the server calls it without any value of yours; make it a free function outside of the `impl` block"),
            Self::ReferenceArgument { by_value } => write!(f, "an argument of an agent cannot be a reference, as it is made for one turn and given away; take it by value: write `{by_value}`"),
            Self::StrArgument => write!(f, "an argument of an agent cannot be `&str`, as arguments are made by their type; take a `WorkerRequest`, whose field `message` is the text"),
            Self::ImplArgument => write!(f, "an argument of an agent cannot be `impl Trait`, as arguments are made by their type; write the type itself"),
            Self::CfgArgument => write!(f, "an argument of an agent cannot have `#[cfg]`, as the code that calls the agent would not know of it; put `#[cfg]` on two versions of the function"),

            Self::ExpectedOption { macro_name, usages } => write!(f, "this is no option of `{macro_name}`; its options are {usages}"),
            Self::UnknownOption { macro_name, key, suggestion: None, usages } => write!(f, "`{macro_name}` has no option `{key}`; its options are {usages}"),
            Self::UnknownOption { macro_name, key, suggestion: Some(suggestion), usages } => write!(f, "`{macro_name}` has no option `{key}`, did you mean `{suggestion}`? its options are {usages}"),
            Self::DuplicateOption { key } => write!(f, "the option `{key}` is given twice; keep one of them"),
            Self::MissingComma => write!(f, "options are separated by commas; write `,` before this"),
            Self::MissingValue { key, usage } => write!(f, "the option `{key}` needs a value; write `{usage}`"),
            Self::UnexpectedValue { key } => write!(f, "the option `{key}` takes no value; write just `{key}`, or leave it out"),
            Self::WrongValue { key, kind, usage } => write!(f, "the option `{key}` takes {kind}; write `{usage}`"),

            Self::InvalidRun { value } => write!(f, "`run` can be `\"manual\"` and nothing else, not `{value}`; leave the option out, and the server starts and ends the runs"),
            Self::InvalidTimeout { suggestion } => write!(f, "`timeout` is a text of whole numbers with the units `ms`, `s`, `m` and `h`, such as \"1m30s\"; write `timeout = \"{suggestion}\"`"),
            Self::TimeoutMissingUnit { suggestion } => write!(f, "`timeout` needs a unit behind each number, as it could be seconds or milliseconds: `ms`, `s`, `m` or `h`; write `timeout = \"{suggestion}\"`"),
            Self::TimeoutUnknownUnit { unit, suggestion } => write!(f, "`timeout` has no unit `{unit}`, its units are `ms`, `s`, `m` and `h`; write `timeout = \"{suggestion}\"`"),
            Self::FractionalTimeout { suggestion } => write!(f, "`timeout` takes whole numbers, as a smaller unit says what is less than one; write `timeout = \"{suggestion}\"`"),
            Self::ZeroTimeout => write!(f, "a timeout of nothing would end every turn before it begins; write a longer one, or leave the option out for none"),
            Self::TimeoutTooLong => write!(f, "a timeout has at max 24 hours, as nobody waits that long for an answer; write `timeout = \"24h\"` or less, or leave the option out for none"),
            Self::TooManyRetries { max } => write!(f, "a turn is tried again at max {max} times, as its user waits for it; write a smaller number"),
            Self::InvalidOnBusy { value, suggestion: Some(suggestion) } => write!(f, "`on_busy` cannot be `{value}`, did you mean `\"{suggestion}\"`? it is one of `\"queue\"`, `\"reject\"`, `\"interrupt\"` and `\"concurrent\"`"),
            Self::InvalidOnBusy { value, suggestion: None } => write!(f, "`on_busy` cannot be `{value}`; write `\"queue\"`, `\"reject\"`, `\"interrupt\"` or `\"concurrent\"`"),
            Self::ZeroQueue => write!(f, "a queue has room for at min one message; to refuse all that come while another is answered, write `on_busy = \"reject\"`"),
            Self::QueueTooLong { max } => write!(f, "a queue has room for at max {max} messages, as each of them is a user who waits; write a smaller number"),
            Self::UnusedQueue { on_busy } => write!(f, "`queue` is the length of the queue, and with `on_busy = \"{on_busy}\"` no message waits in one; remove one of the two"),
            Self::EmptyName => write!(f, "the name of an agent cannot be empty, as it is part of a URL; write a name, or leave the option out to take the function's"),
            Self::NameTooLong { length, max } => write!(f, "the name of an agent has at max {max} characters, as it is part of a URL, and this one has {length}; write a shorter one"),
            Self::DotsAsName { name } => write!(f, "the name of an agent cannot be `{name}`, as it is part of a URL, where this means another path; write a name with a letter in it"),
            Self::InvalidNameCharacter { character } => write!(f, "the name of an agent cannot contain {character:?}, as it is part of a URL; use letters from `a` to `z` and `A` to `Z`, digits, `-`, `_`, `.` and `~`"),
            Self::InvalidFunctionNameCharacter { character } => write!(f, "the function's name is the name of the agent, which cannot contain {character:?}, as it is part of a URL; give the agent a name of its own: `#[dooers::agent(name = \"…\")]`"),
            Self::FunctionNameTooLong { length, max } => write!(f, "the function's name is the name of the agent, which has at max {max} characters, and this one has {length}; give the agent a name of its own: `#[dooers::agent(name = \"…\")]`"),

            Self::SettingsNotAStruct { keyword } => write!(f, "settings are the fields of a `struct`, and this is `{keyword}`; for an enum to choose from write `#[derive(SettingChoice)]`"),
            Self::UnnamedFields => write!(f, "settings need fields with names, as a setting is patched by its name; write `struct Settings {{ model: String }}`"),
            Self::GenericSettings => write!(f, "settings cannot be generic, as their fields are known before the program runs; write the types out"),
            Self::NestedGroup => write!(f, "a group cannot have groups, as forms show one level of them; put these fields in the group itself, or remove `#[setting(group)]` from the struct"),
            Self::UnsupportedType { ty } => write!(f, "`{ty}` cannot be the type of a setting, as a form could not show it; use `String`, `bool`, an integer of up to 64 bits, `f32`, `f64`, `Email`, `NaiveDate`, `ImageUrl`, `Secret`, an enum with `#[derive(SettingChoice)]`, or an `Option` of any of these"),
            Self::InvalidGroupType { ty } => write!(f, "`{ty}` cannot be a group, as a group is a struct with `#[derive(WorkerSettings)]`; remove `group`"),
            Self::OptionalGroup => write!(f, "a group cannot be an `Option`, as it is a part of the form and always there; write the struct itself, and make its fields optional"),
            Self::CollapsibleNotAGroup { ty } => write!(f, "only a group is `collapsible`, and this field is not marked as one; if `{ty}` is a struct of settings, write `#[setting(group, collapsible = …)]`, or else remove `collapsible`"),

            Self::EmptyId => write!(f, "the id of a setting cannot be empty, as it is patched by it; write one, or leave `rename` out to take the field's name"),
            Self::IdTooLong { length, max } => write!(f, "the id of a setting has at max {max} bytes, and this one has {length}; write a shorter one"),
            Self::DuplicateId { id } => write!(f, "there are two settings with the id `{id}`, and a setting is patched by its id alone; give one of them another with `#[setting(rename = \"…\")]`"),
            Self::InvalidAttributeForm => write!(f, "options stand in parentheses: write `#[setting(label = \"…\")]`"),

            Self::OptionNotAllowed { key, subject, applies_to } => write!(f, "`{key}` does not fit {subject}; it is for {applies_to}, so remove it here"),
            Self::ConflictingVisibility => write!(f, "a setting is either `creator`, for those who manage the organization, or `internal`, for the program alone; remove one of them"),
            Self::MissingDefault => write!(f, "this setting needs a default, as it must have a value before anybody sets one; write `#[setting(default = …)]`, or make it an `Option`"),
            Self::ReadonlyMissingDefault => write!(f, "a `readonly` setting needs a default, as it can never get another value; write `default = …`, or remove `readonly`"),
            Self::SecretMissingDefault => write!(f, "a `Secret` needs a value before anybody sets one; name an environment variable that has it, which is read when the server starts: `#[setting(default_env = \"VARIABLE\")]`, or write `Option<Secret>`"),
            Self::SecretWithDefault => write!(f, "a `Secret` cannot have a `default`, as a value in the program would not be secret; name an environment variable that has it, which is read when the server starts: `default_env = \"VARIABLE\"`"),
            Self::InvalidVariableName => write!(f, "this cannot be the name of an environment variable, which is not empty and has no `=` in it; write it as in `default_env = \"SUPPORT_API_KEY\"`"),
            Self::RedundantDefault => write!(f, "an `Option` without a default is `None` anyway; remove `default`"),
            Self::WrongDefaultType { expected, usage } => write!(f, "the default of this setting must be {expected}; write `{usage}`"),
            Self::DefaultOutOfRange { range } => write!(f, "the default lies outside of what the setting takes, which is {range}; change one of them"),
            Self::DefaultOffStep { step } => write!(f, "the default is on no step: steps of {step} are counted from `min`, or else from 0; change one of them"),
            Self::DefaultLengthOutOfRange { length, range } => write!(f, "the default has {length} characters, and the setting takes {range}; change one of them"),
            Self::DefaultNotAnOption { values } => write!(f, "the default is none of the options; write one of {values}"),
            Self::InvalidDefaultFormat { expected, usage } => write!(f, "the default is not {expected}; write it as in `default = \"{usage}\"`"),
            Self::FractionalBound { key } => write!(f, "`{key}` of a whole number must be whole; write it without decimals"),
            Self::BoundOutOfRange { key, ty } => write!(f, "`{key}` cannot be held by `{ty}`; write a number that it can hold, or take a larger type"),
            Self::MinAboveMax => write!(f, "`min` is larger than `max`, so that no number is right; exchange them"),
            Self::MinLengthAboveMax => write!(f, "`min_length` is larger than `max_length`, so that no text is right; exchange them"),
            Self::StepNotPositive => write!(f, "`step` must be larger than 0, as it is the distance between two numbers"),
            Self::MaxOffStep => write!(f, "`step` does not divide the range, so that `max` can never be reached; change `step`, `min` or `max`"),
            Self::InvalidPair { usage } => write!(f, "options are pairs of a value and its label; write `{usage}`"),
            Self::EmptyOptionList => write!(f, "there is nothing to choose from; write `options(\"value\" = \"Label\")`"),
            Self::DuplicateListOption { value } => write!(f, "the option `{value}` is given twice; keep one of them"),
            Self::UnsupportedPattern { error } => write!(f, "this pattern cannot be used, as browsers and the server must understand it alike: {error}"),
            Self::ImageMissingSource => write!(f, "an image that is always there needs its address; write `#[setting(src = \"…\")]`, or make it an `Option`"),
            Self::InvalidCollapsible { value } => write!(f, "`collapsible` can be `\"open\"` or `\"closed\"`, not `{value}`; leave it out for a group that cannot be folded up"),

            Self::ChoiceNotAnEnum { keyword } => write!(f, "choices are the variants of an `enum`, and this is `{keyword}`; for a struct of settings write `#[derive(WorkerSettings)]`"),
            Self::GenericChoice => write!(f, "choices cannot be generic, as they are known before the program runs; write the types out"),
            Self::ChoiceWithoutVariants => write!(f, "there is nothing to choose from; write a variant for each choice"),
            Self::VariantWithFields => write!(f, "a choice cannot hold values, as a form shows nothing but its name; write the variant without fields"),
            Self::DuplicateChoice { value } => write!(f, "there are two choices with the value `{value}`; give one of them another with `#[setting(rename = \"…\")]`"),
            Self::EmptyChoiceValue => write!(f, "the value of a choice cannot be empty, as it is what is stored; write one, or leave `rename` out"),
        }
    }
}
