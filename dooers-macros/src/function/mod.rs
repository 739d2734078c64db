//! Macros for functions: the parts that `#[dooers::agent]` and `#[dooers::tool]` share.

mod argument;
mod duration;
mod expand;
mod generated_type;
mod parse;
mod role;
mod signature;
#[cfg(test)]
mod snapshot;
mod surroundings;
mod timeout;
mod type_names;
mod type_options;

pub(crate) use argument::check_arguments;
pub(crate) use expand::{FunctionMacro, cleaned, expand};
pub(crate) use generated_type::{at_the_function, located_at};
pub(crate) use parse::Function;
pub(crate) use role::Role;
pub(crate) use signature::check_signature;
#[cfg(test)]
pub(crate) use snapshot::check_expansion;
pub(crate) use timeout::timeout;
pub(crate) use type_names::Hidden;
pub(crate) use type_options::TypeOptions;
