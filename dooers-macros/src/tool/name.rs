//! The names of a tool and its arguments, which all providers must accept.

use crate::diagnostic::ToolMistake;
use crate::options::Options;
use syn::Ident;
use syn::ext::IdentExt;

/// The longest name that all providers accept.
pub(super) const MAX_NAME_CHARS: usize = 64;

/// Returns the name of the tool: that of the option or of the function.
pub(super) fn tool_name(options: &mut Options<'_>, function: &Ident) -> String {
    let Some(text) = options.string("name") else {
        let name = function.unraw().to_string();
        let mistake = match name_mistake(&name) {
            Some(NameMistake::Character(character)) => {
                ToolMistake::InvalidFunctionNameCharacter { character }
            }
            Some(NameMistake::TooLong(length)) => {
                let max = MAX_NAME_CHARS;
                ToolMistake::FunctionNameTooLong { length, max }
            }
            // The name of a function is never empty.
            Some(NameMistake::Empty) | None => return name,
        };
        options.report(function, mistake);
        return name;
    };
    let name = text.value();
    let mistake = match name_mistake(&name) {
        Some(NameMistake::Empty) => ToolMistake::EmptyName,
        Some(NameMistake::Character(character)) => ToolMistake::InvalidNameCharacter { character },
        Some(NameMistake::TooLong(length)) => {
            let max = MAX_NAME_CHARS;
            ToolMistake::NameTooLong { length, max }
        }
        None => return name,
    };
    options.report(text, mistake);
    name
}

/// The reason why a provider refuses a name.
pub(super) enum NameMistake {
    Empty,
    Character(char),
    TooLong(usize),
}

/// Returns the reason why a provider refuses a name.
pub(super) fn name_mistake(name: &str) -> Option<NameMistake> {
    let is_accepted =
        |character: &char| character.is_ascii_alphanumeric() || "_-".contains(*character);
    if name.is_empty() {
        return Some(NameMistake::Empty);
    }
    if let Some(character) = name.chars().find(|character| !is_accepted(character)) {
        return Some(NameMistake::Character(character));
    }
    let length = name.chars().count();
    (length > MAX_NAME_CHARS).then_some(NameMistake::TooLong(length))
}
