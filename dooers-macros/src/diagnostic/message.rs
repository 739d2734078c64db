//! The errors of options, settings and choices, and their texts.

use std::fmt;

/// The kind of value that an option takes.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum ValueKind {
    String,
    Ident,
    Path,
    Function,
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
            Self::Function => write!(f, "the path of a function or a closure, without quotes"),
            Self::Bool => write!(f, "`true` or `false`"),
            Self::Count => write!(f, "a non-negative integer of up to 32 bits"),
            Self::Number => write!(
                f,
                "a number that is written out, as the macro compares it with other options"
            ),
        }
    }
}

/// An error in the user's code. The fields are pieces of that code, or of an option table.
pub(crate) enum Diagnostic {
    // The features of the crate.
    FeatureIsMissing {
        subject: &'static str,
    },

    // The options of any macro.
    ExpectedOption {
        macro_name: &'static str,
        usages: String,
    },
    TextWithoutKey {
        macro_name: &'static str,
        usage: String,
    },
    UnknownOption {
        macro_name: &'static str,
        key: String,
        usages: String,
    },
    MisspelledOption {
        macro_name: &'static str,
        key: String,
        suggestion: &'static str,
    },
    OptionOfAnotherLibrary {
        macro_name: &'static str,
        key: String,
        advice: &'static str,
    },
    DuplicateOption {
        key: String,
    },
    MissingComma,
    MissingValue {
        key: String,
        usage: String,
    },
    MissingEquals {
        key: String,
        usage: String,
    },
    ListWithoutParentheses {
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
    InvalidAttributeForm {
        subject: &'static str,
        usage: &'static str,
    },
    EmptyAttribute {
        name: &'static str,
        usage: &'static str,
    },

    // The options of a setting.
    OptionNotAllowed {
        key: String,
        subject: String,
        applies_to: &'static str,
    },
    OptionsOfAList,
    ConflictingVisibility,
    MissingDefault,
    ReadonlyMissingDefault,
    SecretMissingDefault,
    SecretWithDefault,
    InvalidVariableName,
    RedundantDefault,
    WrongDefaultType {
        subject: &'static str,
        expected: &'static str,
        usage: String,
    },
    DefaultNotALiteral {
        reason: &'static str,
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
    DefaultBreaksPattern {
        pattern: String,
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
    TwoDefaultChoices,
    DefaultChoiceWithValue,
    UnknownCase {
        value: String,
        cases: String,
    },
    TwoSerdeNames {
        key: &'static str,
    },
    ListDefault {
        items: &'static str,
        usage: String,
    },
    OptionalList,
}

impl fmt::Display for Diagnostic {
    #[rustfmt::skip] // Each text is one line, however long it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FeatureIsMissing { subject } => write!(f, "{subject} needs the feature `tools` of the crate `dooers`; add it in `Cargo.toml`: `features = [\"tools\"]`"),

            Self::ExpectedOption { macro_name, usages } => write!(f, "this is not an option of {macro_name}; its options are {usages}"),
            Self::TextWithoutKey { macro_name, usage } => write!(f, "each option of {macro_name} needs its key; write `{usage}`"),
            Self::UnknownOption { macro_name, key, usages } => write!(f, "{macro_name} has no option `{key}`; its options are {usages}"),
            Self::MisspelledOption { macro_name, key, suggestion } => write!(f, "{macro_name} has no option `{key}`; did you mean `{suggestion}`?"),
            Self::OptionOfAnotherLibrary { macro_name, key, advice } => write!(f, "{macro_name} has no option `{key}`; {advice}"),
            Self::DuplicateOption { key } => write!(f, "the option `{key}` is given twice; remove one of them"),
            Self::MissingComma => write!(f, "options must be separated by commas; write `,` before this"),
            Self::MissingValue { key, usage } => write!(f, "the option `{key}` needs a value; write `{usage}`"),
            Self::MissingEquals { key, usage } => write!(f, "the value of `{key}` must follow `=`; write `{usage}`"),
            Self::ListWithoutParentheses { key, usage } => write!(f, "the option `{key}` takes a list in parentheses; write `{usage}`"),
            Self::UnexpectedValue { key } => write!(f, "the option `{key}` does not take a value; write `{key}`, or remove the option"),
            Self::WrongValue { key, kind, usage } => write!(f, "the option `{key}` takes {kind}; write `{usage}`"),

            Self::InvalidRun { value } => write!(f, "`run` can only be `\"manual\"`, not `{value}`; remove the option to let the server start and end the runs"),
            Self::TooManyRetries { max } => write!(f, "`retry` can be at most {max}, as the user waits while a turn is retried; write a smaller number"),
            Self::InvalidOnBusy { value, suggestion: Some(suggestion) } => write!(f, "`on_busy` cannot be `{value}`; did you mean `\"{suggestion}\"`? its values are `\"queue\"`, `\"reject\"`, `\"interrupt\"` and `\"concurrent\"`"),
            Self::InvalidOnBusy { value, suggestion: None } => write!(f, "`on_busy` cannot be `{value}`; write `\"queue\"`, `\"reject\"`, `\"interrupt\"` or `\"concurrent\"`"),
            Self::ZeroQueue => write!(f, "`queue` must be at least 1; to refuse messages while another one is being answered, write `on_busy = \"reject\"`"),
            Self::QueueTooLong { max } => write!(f, "`queue` can be at most {max}, as a user waits for each message in the queue; write a smaller number"),
            Self::UnusedQueue { on_busy } => write!(f, "`queue` has no effect with `on_busy = \"{on_busy}\"`, as no message waits in a queue; remove one of the two"),
            Self::EmptyName => write!(f, "the name of an agent cannot be empty, as it is part of a URL; write a name, or remove the option to use the name of the function"),
            Self::NameTooLong { length, max } => write!(f, "the name of an agent can have at most {max} characters, as it is part of a URL, but this one has {length}; write a shorter name"),
            Self::DotsAsName { name } => write!(f, "the name of an agent cannot be `{name}`, as it is part of a URL, where it would refer to another path; write a name with a letter in it"),
            Self::InvalidNameCharacter { character } => write!(f, "the name of an agent cannot contain {character:?}, as it is part of a URL; use ASCII letters, digits, `-`, `_`, `.` and `~`"),
            Self::InvalidFunctionNameCharacter { character } => write!(f, "the name of the function is also the name of the agent, which cannot contain {character:?}, as it is part of a URL; give the agent another name: `#[dooers::agent(name = \"…\")]`"),
            Self::FunctionNameTooLong { length, max } => write!(f, "the name of the function is also the name of the agent, which can have at most {max} characters, as it is part of a URL, but this one has {length}; give the agent another name: `#[dooers::agent(name = \"…\")]`"),

            Self::SettingsNotAStruct { keyword } => write!(f, "settings must be a `struct`, as each field is a setting, but this is `{keyword}`; for an enum of choices, write `#[derive(SettingChoice)]`"),
            Self::UnnamedFields => write!(f, "settings need named fields, as a setting is changed by its name; write `struct Settings {{ model: String }}`"),
            Self::GenericSettings => write!(f, "settings cannot be generic, as the schema lists the type of each field; use concrete types"),
            Self::NestedGroup => write!(f, "a group cannot contain groups, as a form shows only one level of groups; move these fields into the group, or remove `#[setting(group)]` from the struct"),
            Self::UnsupportedType { ty } => write!(f, "`{ty}` cannot be the type of a setting, as a form has no input for it; use `String`, `bool`, an integer of up to 64 bits, `f32`, `f64`, `Email`, `NaiveDate`, `NaiveTime`, `Duration`, `HttpUrl`, `Color`, `ImageUrl`, `Secret`, an enum with `#[derive(SettingChoice)]`, an `Option` of any of these, or a `Vec` of `String` or of such an enum"),
            Self::InvalidGroupType { ty } => write!(f, "`{ty}` cannot be a group, as a group is a struct with `#[derive(WorkerSettings)]`; remove `group`"),
            Self::OptionalGroup => write!(f, "a group cannot be an `Option`, as it is a part of the form that is always there; use the struct itself and make its fields optional"),
            Self::CollapsibleNotAGroup { ty } => write!(f, "only a group can be `collapsible`, but this field is not marked as a group; if `{ty}` is a struct of settings, write `#[setting(group, collapsible = …)]`, otherwise remove `collapsible`"),

            Self::EmptyId => write!(f, "the id of a setting cannot be empty, as a setting is changed by its id; write an id, or remove `rename` to use the name of the field"),
            Self::IdTooLong { length, max } => write!(f, "the id of a setting can have at most {max} bytes, but this one has {length}; write a shorter id"),
            Self::DuplicateId { id } => write!(f, "two settings have the id `{id}`, but a setting is changed by its id alone; give one of them another id with `#[setting(rename = \"…\")]`"),
            Self::InvalidAttributeForm { subject, usage } => write!(f, "the options of {subject} must be in parentheses; write `{usage}`"),

            Self::EmptyAttribute { name, usage } => write!(f, "`#[{name}]` has no effect without options; write them in parentheses, as in `{usage}`, or remove the attribute"),

            Self::OptionNotAllowed { key, subject, applies_to } => write!(f, "`{key}` is not allowed on {subject}, as it is only for {applies_to}; remove it here"),
            Self::OptionsOfAList => write!(f, "`options` is not allowed on a list, as an enum lists the choices of a `Vec`; use a `Vec` of an enum with `#[derive(SettingChoice)]`"),
            Self::ConflictingVisibility => write!(f, "a setting cannot be both `creator`, which only owners and managers of the organization can see, and `internal`, which only the program can see; remove one of them"),
            Self::MissingDefault => write!(f, "this setting needs a default, as it must have a value before anyone sets one; write `#[setting(default = …)]`, or make it an `Option`"),
            Self::ReadonlyMissingDefault => write!(f, "a `readonly` setting needs a default, as its value can never be changed; write `default = …`, or remove `readonly`"),
            Self::SecretMissingDefault => write!(f, "a `Secret` must have a value before anyone sets one; name an environment variable that the server reads when it starts: `#[setting(default_env = \"VARIABLE\")]`, or make it an `Option<Secret>`"),
            Self::SecretWithDefault => write!(f, "a `Secret` cannot have a `default`, as a value in the source code would not be secret; name an environment variable that the server reads when it starts: `default_env = \"VARIABLE\"`"),
            Self::InvalidVariableName => write!(f, "the name of an environment variable cannot be empty and cannot contain `=`; write a name, as in `default_env = \"SUPPORT_API_KEY\"`"),
            Self::RedundantDefault => write!(f, "the default of an `Option` is already `None`; remove `default`"),
            Self::WrongDefaultType { subject, expected, usage } => write!(f, "the default of this {subject} must be {expected}; write `{usage}`"),
            Self::DefaultNotALiteral { reason, usage } => write!(f, "the default of this setting must be written out, as {reason}; write `{usage}`"),
            Self::DefaultOutOfRange { range } => write!(f, "the default is out of range, as this setting takes numbers {range}; change the default or the bounds"),
            Self::DefaultOffStep { step } => write!(f, "the default is not on a step, as steps of {step} are counted from `min`, or from 0 without `min`; change the default, `min` or `step`"),
            Self::DefaultLengthOutOfRange { length, range } => write!(f, "the length of the default is {length}, but it must be {range}; change the default or the bounds"),
            Self::DefaultBreaksPattern { pattern } => write!(f, "the default does not match `{pattern}`, but each value of this setting must; change the default or the `pattern`"),
            Self::DefaultNotAnOption { values } => write!(f, "the default is not one of the options; write one of {values}"),
            Self::InvalidDefaultFormat { expected, usage } => write!(f, "the default is not {expected}; write it as in `default = \"{usage}\"`"),
            Self::FractionalBound { key } => write!(f, "`{key}` must be an integer, as the setting is one; write it without a fraction"),
            Self::BoundOutOfRange { key, ty } => write!(f, "`{key}` does not fit into `{ty}`; write a number that does, or use another type"),
            Self::MinAboveMax => write!(f, "`min` is larger than `max`, so no number is valid; swap them"),
            Self::MinLengthAboveMax => write!(f, "`min_length` is larger than `max_length`, so no text is valid; swap them"),
            Self::StepNotPositive => write!(f, "`step` must be larger than 0, as it is the distance between two numbers; write a larger number"),
            Self::MaxOffStep => write!(f, "`step` does not divide the range, so `max` can never be reached; change `step`, `min` or `max`"),
            Self::InvalidPair { usage } => write!(f, "`options` takes values in quotes, each with a label in quotes if the form should show another text; write `{usage}`"),
            Self::EmptyOptionList => write!(f, "`options` is empty, so there is nothing to choose from; write `options(\"value\" = \"Label\")`"),
            Self::DuplicateListOption { value } => write!(f, "the value `{value}` is given twice; remove one of them"),
            Self::UnsupportedPattern { error } => write!(f, "this pattern is not supported, as browsers and the server must interpret it in the same way: {error}"),
            Self::ImageMissingSource => write!(f, "this image needs an address, as it is always shown; write `#[setting(src = \"…\")]`, or make it an `Option`"),
            Self::InvalidCollapsible { value } => write!(f, "`collapsible` can only be `\"open\"` or `\"closed\"`, not `\"{value}\"`; remove it if the group should not be collapsible"),

            Self::ChoiceNotAnEnum { keyword } => write!(f, "choices must be an `enum`, as each variant is a choice, but this is `{keyword}`; for a struct of settings, write `#[derive(WorkerSettings)]`"),
            Self::GenericChoice => write!(f, "an enum of choices cannot be generic, as its variants have no fields; remove the generic parameters"),
            Self::ChoiceWithoutVariants => write!(f, "an enum without variants has nothing to choose from; write a variant for each choice"),
            Self::VariantWithFields => write!(f, "a choice cannot have fields, as a form shows only its label; write the variant without fields"),
            Self::DuplicateChoice { value } => write!(f, "two choices have the value `{value}`, but a choice is stored by its value alone; give one of them another value with `#[setting(rename = \"…\")]`"),
            Self::TwoDefaultChoices => write!(f, "two choices are marked `#[default]`, but a setting can start with only one of them; remove one `#[default]`"),
            Self::DefaultChoiceWithValue => write!(f, "`#[default]` on a variant takes no value, as the variant is the value; write `#[default]`"),
            Self::UnknownCase { value, cases } => write!(f, "`{value}` is not a case of names; write one of {cases}"),
            Self::TwoSerdeNames { key } => write!(f, "serde's `{key}` has different names for the two directions here, but a setting has only one; write `{key}` in `#[setting(…)]` as well"),
            Self::ListDefault { items, usage } => write!(f, "the default of this list must be an array of {items}; write `{usage}`"),
            Self::OptionalList => write!(f, "a list cannot be an `Option`, as a list without items is empty; write the `Vec` alone"),
            Self::EmptyChoiceValue => write!(f, "the value of a choice cannot be empty, as it is what the server stores; write a value, or remove `rename` to use the name of the variant"),
        }
    }
}
