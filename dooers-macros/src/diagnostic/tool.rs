//! The errors of the options and arguments of tools, and their texts.

use std::fmt;

/// A mistake in the options or the arguments of a tool. The fields are pieces of the user's code.
pub(crate) enum ToolMistake {
    // The name of the tool.
    EmptyName,
    NameTooLong {
        length: usize,
        max: usize,
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

    // The other options.
    InvalidEffect {
        value: String,
        suggestion: Option<&'static str>,
    },
    InvalidApprove {
        value: String,
        suggestion: Option<String>,
    },
    ApproveIsAClosure,

    // The arguments.
    UnnamedArgument,
    DuplicateArgument {
        name: String,
    },
    InvalidArgumentNameCharacter {
        character: char,
    },
    ArgumentNameTooLong {
        length: usize,
        max: usize,
    },
    AttributeOfAType {
        name: String,
    },
    ContextDefault,
    DefaultNotJson {
        usage: String,
    },

    // The option `tools` of an agent.
    EmptyToolList,
    NotAToolPath {
        value: String,
        usage: String,
    },
    DuplicateTool {
        path: String,
    },
}

impl fmt::Display for ToolMistake {
    #[rustfmt::skip] // Each text is one line, however long it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyName => write!(f, "the name of a tool cannot be empty, as the model calls the tool by it; write a name, or remove the option to use the name of the function"),
            Self::NameTooLong { length, max } => write!(f, "the name of a tool can have at most {max} characters, as some providers accept no longer names, but this one has {length}; write a shorter name"),
            Self::InvalidNameCharacter { character } => write!(f, "the name of a tool cannot contain {character:?}, as some providers refuse it; use ASCII letters, digits, `_` and `-`"),
            Self::InvalidFunctionNameCharacter { character } => write!(f, "the name of the function is also the name of the tool, which cannot contain {character:?}, as some providers refuse it; give the tool another name: `#[dooers::tool(name = \"…\")]`"),
            Self::FunctionNameTooLong { length, max } => write!(f, "the name of the function is also the name of the tool, which can have at most {max} characters, as some providers accept no longer names, but this one has {length}; give the tool another name: `#[dooers::tool(name = \"…\")]`"),

            Self::InvalidEffect { value, suggestion: Some(suggestion) } => write!(f, "`effect` cannot be `{value}`; did you mean `\"{suggestion}\"`? its values are `\"read\"` and `\"write\"`"),
            Self::InvalidEffect { value, suggestion: None } => write!(f, "`effect` cannot be `{value}`; write `\"read\"` if the tool changes nothing, otherwise `\"write\"`"),
            Self::InvalidApprove { value, suggestion: Some(suggestion) } => write!(f, "`approve` cannot be `{value}`; write `{suggestion}`; its values are `\"never\"`, `\"always\"` and the path of a function"),
            Self::InvalidApprove { value, suggestion: None } => write!(f, "`approve` cannot be `{value}`; write `\"never\"`, `\"always\"`, or the path of a function that takes references to the arguments and returns `true` if a person must approve the call"),
            Self::ApproveIsAClosure => write!(f, "`approve` cannot be a closure, as the macro checks the types of a function; write a function that takes references to the arguments, and its path here"),

            Self::UnnamedArgument => write!(f, "this argument needs a name, as the model sets it by its name; write a name in place of the pattern, or mark it with `#[tool(context)]` if it is created from the turn"),
            Self::DuplicateArgument { name } => write!(f, "two arguments have the name `{name}`, but the model sets an argument by its name alone; rename one of them"),
            Self::InvalidArgumentNameCharacter { character } => write!(f, "the name of an argument is also its name in the schema, which cannot contain {character:?}, as some providers refuse it; use ASCII letters, digits and `_`"),
            Self::ArgumentNameTooLong { length, max } => write!(f, "the name of an argument is also its name in the schema, which can have at most {max} characters, as some providers accept no longer names, but this one has {length}; write a shorter name"),
            Self::AttributeOfAType { name } => write!(f, "an argument cannot have `#[{name}(…)]`, which belongs to types; write it on the type of the argument, or write `#[tool(default = …)]` for a default"),
            Self::ContextDefault => write!(f, "an argument with `context` cannot have a default, as it is created from the turn; remove one of the two"),
            Self::DefaultNotJson { usage } => write!(f, "the default of an argument must be written out as JSON, as the model sees it in the schema: a text, a number, `true`, `false` or a list of these; write it as in `{usage}`"),

            Self::EmptyToolList => write!(f, "`tools` lists no tools; write their names, as in `tools(weather, refund)`, or remove the option"),
            Self::NotAToolPath { value, usage } => write!(f, "`{value}` is not the name of a tool; write the names of functions with `#[dooers::tool]`, as in `{usage}`"),
            Self::DuplicateTool { path } => write!(f, "the tool `{path}` is listed twice; remove one of them"),
        }
    }
}
