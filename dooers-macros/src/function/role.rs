//! The roles that an annotated function can have.

use crate::diagnostic::{FunctionDiagnostic, FunctionMistake};
use syn::Attribute;

/// The names of all roles, with their articles.
const ROLES: [(&str, &str); 2] = [("agent", "an agent"), ("tool", "a tool")];

/// The words for the role of an annotated function, for error texts and documentation.
pub(crate) struct Role {
    /// The name of the role, which is also the name of the macro's attribute.
    pub(crate) name: &'static str,
    pub(crate) with_article: &'static str,
    /// The attribute, such as `#[dooers::agent]`.
    pub(crate) macro_name: &'static str,
    /// The purpose of the function, after "the function that".
    pub(crate) purpose: &'static str,
    /// The reason for a call, after "it runs when".
    pub(crate) start: &'static str,
    /// The caller of the function, after "while".
    pub(crate) caller: &'static str,
    /// One use of the function.
    pub(crate) unit: &'static str,
    /// Advice for an argument of the type `&str`.
    pub(crate) instead_of_str: &'static str,
    /// The end of a suggested name of the type.
    pub(crate) type_suffix: &'static str,
    /// The method that takes the type.
    pub(crate) taken_by: &'static str,
}

impl Role {
    /// Makes the error of a mistake.
    pub(crate) fn error(&'static self, mistake: FunctionMistake) -> FunctionDiagnostic {
        FunctionDiagnostic {
            role: self,
            mistake,
        }
    }

    /// Returns true if an attribute gives a function any role.
    pub(crate) fn is_any_given_by(attribute: &Attribute) -> bool {
        ROLES.iter().any(|(name, _)| is_named(attribute, name))
    }

    /// Returns another role that an attribute gives a function, with its article.
    pub(crate) fn other_given_by(&self, attribute: &Attribute) -> Option<&'static str> {
        let mut others = ROLES.iter().filter(|(name, _)| *name != self.name);
        let given = others.find(|(name, _)| is_named(attribute, name));
        given.map(|(_, with_article)| *with_article)
    }

    /// Returns true if an attribute gives a function this role, by its name. It may be imported.
    pub(crate) fn is_given_by(&self, attribute: &Attribute) -> bool {
        is_named(attribute, self.name)
    }
}

fn is_named(attribute: &Attribute, name: &str) -> bool {
    let path = attribute.path();
    let names = path.segments.iter().map(|segment| &segment.ident);
    path.is_ident(name) || names.eq(["dooers", name])
}
