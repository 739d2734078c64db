//! What the annotation says, once it is checked.

use super::parse::{Function, Other};
use super::policy::Policy;
use crate::attributes::{allowed, attributes_of, description};
use crate::diagnostic::{Mistake, Mistakes};
use crate::options::{Options, Table};
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, FnArg, Ident, PatType, Path, ReturnType, Safety, Type, TypeImplTrait,
    parse_quote,
};

const TABLE: Table = Table {
    of: "#[dooers::agent]",
    options: &[
        ("name", "name = \"…\""),
        ("default", "default"),
        ("run", "run = \"manual\""),
        ("timeout", "timeout = \"90s\""),
        ("retry", "retry = 2"),
        ("on_busy", "on_busy = \"queue\""),
        ("queue", "queue = 32"),
        ("type", "type = Name"),
        ("crate", "crate = path"),
    ],
};

const LONGEST_NAME: usize = 64;

/// An agent as it is to be generated.
pub(super) struct Agent {
    /// How generated code names the runtime crate.
    pub(super) runtime: Path,
    pub(super) type_name: Ident,
    pub(super) name: String,
    pub(super) description: Vec<Expr>,
    pub(super) is_default: bool,
    pub(super) has_manual_runs: bool,
    pub(super) policy: Policy,
    pub(super) conditions: Vec<Attribute>,
    /// What the user allows in the function, and so in the code that repeats its types.
    pub(super) allowed: Vec<TokenStream>,
    /// The types of its arguments, if the function can be called.
    pub(super) arguments: Option<Vec<Type>>,
}

/// Checks all of it: the function, its arguments, the options.
pub(super) fn agent(function: &Function, options: TokenStream, mistakes: &mut Mistakes) -> Agent {
    let mut options = Options::parse(options, &TABLE, mistakes);
    let name = name(&mut options, &function.signature.ident);
    let is_default = options.flag("default");
    let has_manual_runs = has_manual_runs(&mut options);
    let policy = Policy::of(&mut options);
    let type_name = options.name("type");
    let runtime = options.path("crate");

    let before = mistakes.count();
    check_signature(function, mistakes);
    let arguments = arguments(function, mistakes);
    Agent {
        runtime: runtime.unwrap_or_else(default_runtime),
        type_name: type_name.unwrap_or_else(|| function.signature.ident.clone()),
        name,
        description: description(&function.attributes),
        is_default,
        has_manual_runs,
        policy,
        conditions: attributes_of(&function.attributes, "cfg"),
        allowed: allowed(&function.attributes),
        arguments: (mistakes.count() == before).then_some(arguments),
    }
}

/// Says that it is no function. Of its options, only the path of the runtime crate matters.
pub(super) fn no_function(other: &Other, options: TokenStream, mistakes: &mut Mistakes) -> Path {
    let keyword = other.keyword.to_string().replace(' ', "");
    mistakes.add(&other.keyword, Mistake::NotAFunction { keyword });
    let path = Options::parse(options, &TABLE, mistakes).path("crate");
    path.unwrap_or_else(default_runtime)
}

fn default_runtime() -> Path {
    parse_quote!(::dooers)
}

fn name(options: &mut Options<'_>, function: &Ident) -> String {
    let Some(text) = options.text("name") else {
        let name = function.unraw().to_string();
        let length = name.chars().count();
        if let Some(character) = name.chars().find(|c| !can_stand_in_a_url(*c)) {
            let mistake = Mistake::FunctionNameCharacter { character };
            options.mistakes().add(function, mistake);
        } else if length > LONGEST_NAME {
            let longest = LONGEST_NAME;
            let mistake = Mistake::LongFunctionName { length, longest };
            options.mistakes().add(function, mistake);
        }
        return name;
    };
    let name = text.value();
    let length = name.chars().count();
    let mistake = if name.is_empty() {
        Mistake::EmptyName
    } else if let Some(character) = name.chars().find(|c| !can_stand_in_a_url(*c)) {
        Mistake::NameCharacter { character }
    } else if length > LONGEST_NAME {
        let longest = LONGEST_NAME;
        Mistake::LongName { length, longest }
    } else if name == "." || name == ".." {
        Mistake::DotName { name: name.clone() }
    } else {
        return name;
    };
    options.mistakes().add(text, mistake);
    name
}

/// Whether it needs no encoding in a path segment.
fn can_stand_in_a_url(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~".contains(character)
}

fn has_manual_runs(options: &mut Options<'_>) -> bool {
    let Some(run) = options.text("run") else {
        return false;
    };
    if run.value() != "manual" {
        let value = run.to_token_stream().to_string();
        options.mistakes().add(run, Mistake::NoSuchRun { value });
    }
    true
}

fn check_signature(function: &Function, mistakes: &mut Mistakes) {
    let signature = &function.signature;
    let before = mistakes.count();
    let name = || signature.ident.to_string();
    if let Some(token) = &signature.constness {
        mistakes.add(token, Mistake::Const { name: name() });
    }
    if let Safety::Unsafe(token) = &signature.safety {
        mistakes.add(token, Mistake::Unsafe { name: name() });
    }
    if let Some(abi) = &signature.abi {
        mistakes.add(abi, Mistake::Extern { name: name() });
    }
    // The texts above say `async` already.
    if signature.asyncness.is_none() && mistakes.count() == before {
        mistakes.add(signature.fn_token, Mistake::NotAsync { name: name() });
    }
    if !signature.generics.params.is_empty() {
        mistakes.add(&signature.generics, Mistake::Generic);
    } else if let Some(clause) = &signature.generics.where_clause {
        mistakes.add(clause, Mistake::WhereClause);
    }
    if let Some(variadic) = &signature.variadic {
        mistakes.add(variadic, Mistake::Variadic);
    }
    for attribute in function
        .attributes
        .iter()
        .filter(|attribute| is_agent(attribute))
    {
        mistakes.add(attribute, Mistake::AnnotatedTwice);
    }
    if !function.has_body() {
        mistakes.add(&function.body, Mistake::WithoutBody);
    }
}

/// Whether it is this macro again, as far as its name tells.
pub(super) fn is_agent(attribute: &Attribute) -> bool {
    let names = attribute
        .path()
        .segments
        .iter()
        .map(|segment| &segment.ident);
    names.eq(["dooers", "agent"])
}

fn arguments(function: &Function, mistakes: &mut Mistakes) -> Vec<Type> {
    let mut types = Vec::new();
    for argument in &function.signature.inputs {
        match argument {
            FnArg::Receiver(receiver) => mistakes.add(receiver, Mistake::Receiver),
            FnArg::Typed(argument) => {
                check_argument(argument, mistakes);
                types.push((*argument.ty).clone());
            }
        }
    }
    types
}

fn check_argument(argument: &PatType, mistakes: &mut Mistakes) {
    for attribute in attributes_of(&argument.attrs, "cfg") {
        mistakes.add(attribute, Mistake::CfgArgument);
    }
    if let Some(hidden) = impl_trait_in(&argument.ty) {
        mistakes.add(hidden, Mistake::ImplArgument);
    } else if let Type::Reference(reference) = bare(&argument.ty) {
        let by_value = code(&reference.elem);
        let mistake = match by_value.as_str() {
            "str" => Mistake::StrArgument,
            _ => Mistake::ReferenceArgument { by_value },
        };
        mistakes.add(reference, mistake);
    }
}

/// The first `impl Trait` anywhere in a type.
pub(super) fn impl_trait_in(ty: &Type) -> Option<&TypeImplTrait> {
    #[derive(Default)]
    struct First<'a>(Option<&'a TypeImplTrait>);

    impl<'a> Visit<'a> for First<'a> {
        fn visit_type_impl_trait(&mut self, found: &'a TypeImplTrait) {
            self.0.get_or_insert(found);
        }

        fn visit_type(&mut self, ty: &'a Type) {
            if self.0.is_none() {
                visit::visit_type(self, ty);
            }
        }
    }

    let mut first = First::default();
    first.visit_type(ty);
    first.0
}

/// The type without parentheses, and without the invisible groups of `macro_rules!`.
fn bare(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            _ => return ty,
        }
    }
}

/// The type as people write it, without the spaces between all tokens.
fn code(ty: &Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, written) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
    ] {
        text = text.replace(spaced, written);
    }
    text
}

impl Function {
    /// Whether it is more than a declaration.
    pub(super) fn has_body(&self) -> bool {
        self.body.to_string() != ";"
    }

    /// Where it says what it returns.
    pub(super) fn output_span(&self) -> Span {
        match &self.signature.output {
            ReturnType::Type(_, ty) => ty.span(),
            ReturnType::Default => self.signature.ident.span(),
        }
    }

    /// What it returns, where that can be written as an argument of a generic function.
    pub(super) fn nameable_output(&self) -> Option<&Type> {
        match &self.signature.output {
            ReturnType::Type(_, ty)
                if impl_trait_in(ty).is_none() && !matches!(bare(ty), Type::Never(_)) =>
            {
                Some(ty)
            }
            ReturnType::Type(..) | ReturnType::Default => None,
        }
    }
}
