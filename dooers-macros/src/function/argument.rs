//! The checks of the arguments.

use super::{Function, Role};
use crate::attributes::attributes_named;
use crate::diagnostic::{Diagnostics, FunctionMistake};
use crate::syntax::{first_impl_trait, peel_type, type_source};
use syn::{FnArg, PatType, Type};

/// Checks the arguments, and that the function is not a method. Returns the arguments with a type.
pub(crate) fn check_arguments<'a>(
    role: &'static Role,
    function: &'a Function,
    diagnostics: &mut Diagnostics,
) -> Vec<&'a PatType> {
    check_place(role, function, diagnostics);
    let mut arguments = Vec::new();
    for argument in &function.signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => {
                diagnostics.add(receiver, role.error(FunctionMistake::Receiver));
            }
            FnArg::Typed(argument) => {
                check_argument(role, argument, diagnostics);
                arguments.push(argument);
            }
        }
    }
    arguments
}

/// Reports a function that is in an `impl` block or a trait, unless its `self` shows this already.
fn check_place(role: &'static Role, function: &Function, diagnostics: &mut Diagnostics) {
    if function.signature.receiver().is_some() || !function.has_body() {
        return;
    }
    if let Some(name) = &function.self_type {
        diagnostics.add(name, role.error(FunctionMistake::SelfType));
    } else if function.is_in_associated_block {
        let name = &function.signature.ident;
        diagnostics.add(name, role.error(FunctionMistake::Associated));
    }
}

/// Reports an argument whose type cannot be created, or that is not always there.
fn check_argument(role: &'static Role, argument: &PatType, diagnostics: &mut Diagnostics) {
    for attribute in attributes_named(&argument.attrs, "cfg") {
        diagnostics.add(attribute, role.error(FunctionMistake::CfgArgument));
    }
    if let Some(hidden) = first_impl_trait(&argument.ty) {
        diagnostics.add(hidden, role.error(FunctionMistake::ImplArgument));
    } else if let Type::Reference(reference) = peel_type(&argument.ty) {
        let target = type_source(&reference.elem);
        let mistake = match (&*reference.elem, target.as_str()) {
            (_, "str") => FunctionMistake::StrArgument,
            (Type::Slice(slice), _) => FunctionMistake::ReferenceArgument {
                by_value: format!("Vec<{}>", type_source(&slice.elem)),
            },
            (Type::TraitObject(_), _) => FunctionMistake::ReferenceArgument {
                by_value: format!("Box<{target}>"),
            },
            (_, _) => FunctionMistake::ReferenceArgument { by_value: target },
        };
        diagnostics.add(reference, role.error(mistake));
    }
}
