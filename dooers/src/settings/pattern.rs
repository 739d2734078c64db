//! The syntax that the regular expressions of the `regex` crate and of ECMA-262 (with the flag `u`) share.

use regex_syntax::ast::{
    AssertionKind, Ast, ClassSet, ClassSetItem, GroupKind, HexLiteralKind, Literal, LiteralKind,
    RepetitionKind, RepetitionRange, Span, SpecialLiteralKind, parse::Parser,
};

/// The meaning of `.` in ECMA-262: any character except line terminators.
const DOT: &str = r"[^\n\r\u{2028}\u{2029}]";

/// Translates a pattern for the `regex` crate. The error names the syntax that is not shared and an alternative.
pub(crate) fn translated(pattern: &str) -> Result<String, String> {
    let ast = Parser::new()
        .parse(pattern)
        .map_err(|error| format!("it is not a regular expression: {}", error.kind()))?;
    let mut translator = Translator {
        pattern,
        dots: Vec::new(),
    };
    translator.ast(&ast)?;
    let mut translated = pattern.to_owned();
    for dot in translator.dots.iter().rev() {
        translated.replace_range(dot.start.offset..dot.end.offset, DOT);
    }
    Ok(translated)
}

struct Translator<'a> {
    pattern: &'a str,
    dots: Vec<Span>,
}

impl Translator<'_> {
    fn text(&self, span: &Span) -> &str {
        &self.pattern[span.start.offset..span.end.offset]
    }

    fn ast(&mut self, ast: &Ast) -> Result<(), String> {
        match ast {
            Ast::Empty(_) => Ok(()),
            Ast::Dot(span) => {
                self.dots.push(**span);
                Ok(())
            }
            Ast::Literal(literal) => self.literal(literal, false),
            Ast::Flags(_) => Err("it sets flags, which browsers do not support; list the letters of both cases in a character class".to_owned()),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::StartLine | AssertionKind::EndLine => Ok(()),
                _ => Err(format!(
                    "`{}` does not mean the same in all engines; the supported anchors are `^` and `$`",
                    self.text(&assertion.span)
                )),
            },
            Ast::ClassPerl(class) => Err(perl(self.text(&class.span))),
            Ast::ClassUnicode(class) => Err(format!(
                "`{}` does not mean the same in all engines; list the characters in a character class",
                self.text(&class.span)
            )),
            Ast::ClassBracketed(class) => self.class(&class.kind),
            Ast::Repetition(repetition) => {
                if matches!(*repetition.ast, Ast::Assertion(_)) {
                    return Err("it repeats an anchor, which browsers do not support; repeat the expression beside the anchor".to_owned());
                }
                let written = self.text(&repetition.op.span);
                if let RepetitionKind::Range(RepetitionRange::Bounded(..)) = repetition.op.kind
                    && (written.starts_with("{,") || written.contains(' '))
                {
                    return Err(format!(
                        "`{written}` does not mean the same in all engines; write both bounds, as in `{{0,3}}`"
                    ));
                }
                self.ast(&repetition.ast)
            }
            Ast::Group(group) => {
                match &group.kind {
                    GroupKind::CaptureIndex(_) => {}
                    GroupKind::NonCapturing(flags) if flags.items.is_empty() => {}
                    GroupKind::CaptureName { .. } | GroupKind::NonCapturing(_) => {
                        return Err("it has a group with a name or flags, which not all engines support; write `(…)` or `(?:…)`".to_owned());
                    }
                }
                self.ast(&group.ast)
            }
            Ast::Alternation(alternation) => alternation.asts.iter().try_for_each(|ast| self.ast(ast)),
            Ast::Concat(concat) => concat.asts.iter().try_for_each(|ast| self.ast(ast)),
        }
    }

    fn class(&mut self, class: &ClassSet) -> Result<(), String> {
        match class {
            ClassSet::Item(item) => self.item(item),
            ClassSet::BinaryOp(_) => Err(
                "it combines character classes, which browsers interpret differently; write one class".to_owned(),
            ),
        }
    }

    fn item(&mut self, item: &ClassSetItem) -> Result<(), String> {
        match item {
            ClassSetItem::Empty(_) => Ok(()),
            ClassSetItem::Literal(literal) => self.literal(literal, true),
            ClassSetItem::Range(range) => {
                self.literal(&range.start, true)?;
                self.literal(&range.end, true)
            }
            ClassSetItem::Perl(class) => Err(perl(self.text(&class.span))),
            ClassSetItem::Ascii(_) | ClassSetItem::Unicode(_) | ClassSetItem::Bracketed(_) => Err(
                "it has a character class in another one, which browsers interpret differently; list the characters"
                    .to_owned(),
            ),
            ClassSetItem::Union(union) => union.items.iter().try_for_each(|item| self.item(item)),
        }
    }

    fn literal(&self, literal: &Literal, is_in_class: bool) -> Result<(), String> {
        let written = self.text(&literal.span);
        let is_common = match &literal.kind {
            LiteralKind::Verbatim => is_in_class || !matches!(literal.c, ']' | '{' | '}'),
            LiteralKind::Meta => {
                matches!(
                    literal.c,
                    '^' | '$'
                        | '\\'
                        | '.'
                        | '*'
                        | '+'
                        | '?'
                        | '('
                        | ')'
                        | '['
                        | ']'
                        | '{'
                        | '}'
                        | '|'
                ) || (is_in_class && literal.c == '-')
            }
            LiteralKind::Superfluous => literal.c == '/',
            LiteralKind::Special(kind) => matches!(
                kind,
                SpecialLiteralKind::FormFeed
                    | SpecialLiteralKind::Tab
                    | SpecialLiteralKind::LineFeed
                    | SpecialLiteralKind::CarriageReturn
                    | SpecialLiteralKind::VerticalTab
            ),
            LiteralKind::HexFixed(kind) => {
                matches!(kind, HexLiteralKind::X | HexLiteralKind::UnicodeShort)
            }
            LiteralKind::HexBrace(kind) => matches!(kind, HexLiteralKind::UnicodeShort),
            LiteralKind::Octal => false,
        };
        if is_common {
            return Ok(());
        }
        Err(match literal.kind {
            LiteralKind::Verbatim => format!("`{written}` is not escaped; write `\\{written}`"),
            _ => {
                format!(
                    "`{written}` does not mean the same in all engines; write the character itself"
                )
            }
        })
    }
}

fn perl(class: &str) -> String {
    let instead = match class {
        r"\d" => "[0-9]",
        r"\D" => "[^0-9]",
        r"\w" => "[A-Za-z0-9_]",
        r"\W" => "[^A-Za-z0-9_]",
        r"\s" => "[ \\t]",
        _ => "[^ \\t]",
    };
    format!("`{class}` does not mean the same in all engines; write `{instead}`")
}

#[cfg(test)]
mod tests {
    use super::translated;

    #[test]
    fn shared_syntax_is_translated() {
        for common in [
            "",
            "abc",
            "^a+$",
            r"^[a-z0-9-]{2,8}$",
            r"(a|b)*?",
            "(?:ab)+",
            r"\.\/\-"[..4].trim(),
            r"[\]\-a]",
            r"\n\t",
            r"\x41\u0042\u{1F600}",
            "[^a]",
            "ä{3,}",
            "a{2}",
            "a||b",
        ] {
            assert_eq!(translated(common).as_deref(), Ok(common));
        }
        assert_eq!(translated("a.c").unwrap(), r"a[^\n\r\u{2028}\u{2029}]c");
        assert_eq!(translated(r"[.]\.").unwrap(), r"[.]\.");
    }

    #[test]
    fn syntax_that_is_not_shared_is_refused() {
        for other in [
            "(",
            "[a",
            "(?i)a",
            "(?i:a)",
            r"\bword",
            r"\Aa",
            r"\d+",
            r"[\w]",
            r"\s",
            r"\pL",
            r"[[:alpha:]]",
            "[a-z&&[^b]]",
            "(?P<name>a)",
            "(?<name>a)",
            r"\a",
            r"\U0001F600",
            r"\x{41}",
            "a{,3}",
            "^*",
            "]",
            "}",
            r"\-",
            r"(a)\1",
            "(?=a)",
            "a{2",
            "(?x) a",
            r"\<",
        ] {
            assert!(translated(other).is_err(), "{other}");
        }
    }
}
