//! The block around an annotated function.
//!
//! A macro sees only the annotated item. An annotated function cannot be in an `impl` block, where the compiler refuses the generated
//! type as a struct that the user never wrote. To report this mistake itself, the macro reads the source file of an
//! indented function. It reads the tokens only if a line around the function can be the start of such a block.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::Ident;

/// The name that replaces the function's name in its file, so that the function is found among the tokens.
const MARKER: &str = "__dooers_annotated";

/// Returns true if this is the name of a function that is directly in an `impl` block or a trait. Returns false if the
/// macro cannot find out, for example without a source file. `first` is the place of the function's first token.
pub(super) fn is_associated(first: Span, name: &Ident) -> bool {
    // Unit tests have no source file.
    if !proc_macro::is_available() || first.unwrap().column() == 1 {
        return false;
    }
    let place = name.span().unwrap();
    let Some(Ok(source)) = place.local_file().map(std::fs::read_to_string) else {
        return false;
    };
    is_in_associated_block(&source, &name.to_string(), place.line(), place.column())
}

/// Returns true if the name at this place is directly in an `impl` block or a trait. Lines and columns count from 1, and
/// columns count characters.
fn is_in_associated_block(source: &str, name: &str, line: usize, column: usize) -> bool {
    let start_of_line: usize = source
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let in_line = source[start_of_line..].char_indices().nth(column - 1);
    let Some((before, rest)) =
        in_line.and_then(|(at, _)| source.split_at_checked(start_of_line + at))
    else {
        return false;
    };
    if !can_be_associated(before) {
        return false;
    }
    // The name is missing if the file has changed since the compiler read it.
    let Some(after) = rest.strip_prefix(name) else {
        return false;
    };
    let tokens = format!("{before}{MARKER}{after}").parse();
    tokens.is_ok_and(|tokens| marker_is_associated(tokens, false) == Some(true))
}

/// Returns true if the last line of this code, or the nearest line above it that is indented less, can be the start of an
/// `impl` block or a trait. This costs much less than to read all tokens of the file.
fn can_be_associated(before: &str) -> bool {
    let mut lines = before.lines().rev();
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let names_block = |line: &str| line.contains("impl") || line.contains("trait");
    let Some(of_function) = lines.next() else {
        return false;
    };
    let limit = indentation(of_function);
    let around = lines.find(|line| !line.trim().is_empty() && indentation(line) < limit);
    names_block(of_function) || around.is_some_and(|line| line.trim() == "{" || names_block(line))
}

/// Finds the marker. Returns true if it is directly in an `impl` block or a trait, and `None` if it is not among the
/// tokens.
fn marker_is_associated(tokens: TokenStream, is_associated: bool) -> Option<bool> {
    // The first word of the current item that is not a qualifier.
    let mut first_word: Option<String> = None;
    for token in tokens {
        match token {
            TokenTree::Ident(word) if word == MARKER => return Some(is_associated),
            TokenTree::Ident(word) => {
                let word = word.to_string();
                let is_qualifier = ["pub", "unsafe", "default", "const"].contains(&word.as_str());
                if !is_qualifier {
                    first_word.get_or_insert(word);
                }
            }
            TokenTree::Group(group) => {
                let is_block = group.delimiter() == Delimiter::Brace;
                let starts_block = matches!(first_word.as_deref(), Some("impl" | "trait"));
                let found = marker_is_associated(group.stream(), is_block && starts_block);
                if found.is_some() {
                    return found;
                }
                // The braces end an item. Attributes and `pub(crate)` do not.
                if is_block {
                    first_word = None;
                }
            }
            TokenTree::Punct(sign) if sign.as_char() == ';' => first_word = None,
            // Attributes precede an item.
            TokenTree::Punct(sign) if "#!".contains(sign.as_char()) => {}
            TokenTree::Punct(_) | TokenTree::Literal(_) => {
                first_word.get_or_insert_default();
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::is_in_associated_block;

    fn finds_block(source: &str) -> bool {
        let at = source.find("fn here").expect("the function") + "fn ".len();
        let (line_start, line) = match source[..at].rfind('\n') {
            Some(end) => (end + 1, source[..at].matches('\n').count() + 1),
            None => (0, 1),
        };
        let column = source[line_start..at].chars().count() + 1;
        is_in_associated_block(source, "here", line, column)
    }

    #[test]
    fn impl_blocks_and_traits_are_found() {
        for source in [
            "impl A {\n    async fn here() {}\n}",
            "impl A {\r\n\tasync fn here() {}\r\n}",
            "mod a {\n    impl A {\n        fn b() {}\n\n        fn here() {}\n    }\n}",
            "unsafe impl<T> A for B<T>\nwhere\n    T: C,\n{\n    async fn here() {}\n}",
            "#[doc = \"é\"]\npub(crate) trait A {\n    /* é */ async fn here() {}\n}",
            "pub trait A { #[agent] async fn here() {} }",
            "const B: u8 = 1;\nimpl A {\n    const C: u8 = { 2 };\n    async fn here() {}\n}",
        ] {
            assert!(finds_block(source), "{source}");
        }
    }

    #[test]
    fn other_blocks_are_not_found() {
        for source in [
            "fn here() {}",
            "    fn here() {}",
            "impl A {}\nmod b {\n    fn here() {}\n}",
            "impl A {\n    fn b() {\n        async fn here() {}\n    }\n}",
            "fn a() -> impl B {\n    async fn here() {}\n}",
            "impl A {\nfn b() {\n    async fn here() {}\n}\n}",
            "/*\nimpl A {\n*/\n    fn here() {}",
            "const A: &str = \"\nimpl {\n\";\n    fn here() {}",
            "macro! {\n    impl A {\n        a!(fn here() {})\n    }\n}",
            "fn trait_object()\n{\n    fn here() {}\n}",
            "impl A {\n    fn here( {}\n",
        ] {
            assert!(!finds_block(source), "{source}");
        }
    }

    #[test]
    fn changed_file_is_not_searched() {
        let source = "impl A {\n    fn other() {}\n}";
        assert!(!is_in_associated_block(source, "here", 2, 8));
        assert!(!is_in_associated_block(source, "here", 9, 1));
        assert!(!is_in_associated_block(source, "here", 2, 80));
    }
}
