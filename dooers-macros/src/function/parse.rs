//! Parses the annotated item. The body of a function is not parsed.

use super::surroundings::is_associated;
use crate::incomplete::function_name;
use crate::syntax::{first_impl_trait, peel_type};
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{
    Attribute, Generics, Ident, ReturnType, Signature, Token, Type, Visibility, parse_quote,
};

pub(super) enum AnnotatedItem {
    Function(Box<Function>),
    NonFunction(NonFunction),
}

/// A function. Its body stays unparsed.
pub(crate) struct Function {
    /// The whole item.
    pub(crate) tokens: TokenStream,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: TokenStream,
    /// `false` if the item could not be parsed. Then only its name is known, and the signature is not the user's.
    pub(crate) is_complete: bool,
    /// The first `Self` in the signature.
    pub(crate) self_type: Option<Ident>,
    /// `true` if the source file shows that the function is in an `impl` block or a trait.
    pub(crate) is_in_associated_block: bool,
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self {
            attributes,
            visibility,
            signature,
            body,
            ..
        } = self;
        tokens.extend(quote!(#(#attributes)* #visibility #signature #body));
    }
}

impl Function {
    /// Returns true if the function has a body, which a declaration in a trait does not.
    pub(crate) fn has_body(&self) -> bool {
        let first = self.body.clone().into_iter().next();
        !matches!(first, Some(TokenTree::Punct(end)) if end.as_char() == ';')
    }

    /// Returns the places of the first and the last token of the function, without its attributes.
    pub(crate) fn ends(&self) -> (Span, Span) {
        let signature = &self.signature;
        // In the common cases, the first token is known without the tokens of the whole signature.
        let first = match (&self.visibility, &signature.asyncness) {
            (Visibility::Public(public), _) => public.span,
            (Visibility::Inherited, Some(asyncness)) if signature.constness.is_none() => {
                asyncness.span
            }
            (visibility, _) => {
                let visibility = visibility.to_token_stream();
                let mut tokens = visibility.into_iter().chain(signature.to_token_stream());
                span_or_call_site(tokens.next())
            }
        };
        let last = self.body.clone().into_iter().last();
        (first, span_or_call_site(last))
    }

    /// Returns true if the function is certainly in an `impl` block or a trait.
    pub(crate) fn is_associated(&self) -> bool {
        self.is_in_associated_block
            || self.signature.receiver().is_some()
            || self.self_type.is_some()
    }

    /// Returns the span of the return type, or of the name if there is none.
    pub(crate) fn output_span(&self) -> Span {
        match &self.signature.output {
            ReturnType::Type(_, ty) => ty.span(),
            ReturnType::Default => self.signature.ident.span(),
        }
    }

    /// Returns the return type if it can be named as a generic argument.
    pub(crate) fn nameable_output(&self) -> Option<&Type> {
        match &self.signature.output {
            ReturnType::Type(_, ty)
                if first_impl_trait(ty).is_none() && !matches!(peel_type(ty), Type::Never(_)) =>
            {
                Some(ty)
            }
            ReturnType::Type(..) | ReturnType::Default => None,
        }
    }
}

fn span_or_call_site(token: Option<TokenTree>) -> Span {
    token.map_or_else(Span::call_site, |token| token.span())
}

fn self_type(signature: &Signature) -> Option<Ident> {
    let arguments = signature.inputs.to_token_stream();
    first_self(arguments).or_else(|| first_self(signature.output.to_token_stream()))
}

fn first_self(tokens: TokenStream) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(name) if name == "Self" => Some(name),
        TokenTree::Group(group) => first_self(group.stream()),
        _ => None,
    })
}

/// Any other item that an attribute can annotate.
pub(super) struct NonFunction {
    /// The whole item.
    pub(super) tokens: TokenStream,
    /// The keyword, such as `struct` or `impl`.
    pub(super) keyword: TokenStream,
    /// The type that the item defines, if it has no generic parameters.
    pub(super) type_name: Option<Ident>,
}

/// Parses the item. An error comes with the tokens that could not be parsed.
pub(super) fn parse_item(tokens: TokenStream) -> Result<AnnotatedItem, (TokenStream, syn::Error)> {
    let all = tokens.clone();
    let read = |input: ParseStream<'_>| {
        let attributes = input.call(Attribute::parse_outer)?;
        let first = input.span();
        let visibility = input.parse()?;
        if is_function(input)? {
            let signature: Signature = input.parse()?;
            Ok(AnnotatedItem::Function(Box::new(Function {
                tokens: all.clone(),
                attributes,
                visibility,
                is_in_associated_block: is_associated(first, &signature.ident),
                self_type: self_type(&signature),
                signature,
                body: input.parse()?,
                is_complete: true,
            })))
        } else {
            non_function(all.clone(), input).map(AnnotatedItem::NonFunction)
        }
    };
    read.parse2(tokens).map_err(|error| (all, error))
}

/// Returns a function that could not be parsed, if its name can be read.
pub(super) fn incomplete_function(tokens: TokenStream) -> Option<Function> {
    let (attributes, visibility, name) = function_name(tokens.clone())?;
    Some(Function {
        tokens,
        attributes,
        visibility,
        signature: parse_quote!(async fn #name()),
        body: quote!({}),
        is_complete: false,
        is_in_associated_block: is_associated(name.span(), &name),
        self_type: None,
    })
}

/// Returns true if a `fn` follows, with only its qualifiers before it.
fn is_function(input: ParseStream<'_>) -> syn::Result<bool> {
    let ahead = input.fork();
    ahead.parse::<Option<Token![const]>>()?;
    ahead.parse::<Option<Token![async]>>()?;
    ahead.parse::<Option<Token![unsafe]>>()?;
    if ahead.parse::<Option<Token![extern]>>()?.is_some() {
        ahead.parse::<Option<syn::LitStr>>()?;
    }
    Ok(ahead.peek(Token![fn]))
}

fn non_function(tokens: TokenStream, input: ParseStream<'_>) -> syn::Result<NonFunction> {
    let first: TokenTree = input.parse()?;
    let mut keyword = first.to_token_stream();
    if input.peek(Token![!]) {
        keyword.extend([input.parse::<TokenTree>()?]);
    }
    let is_type = ["struct", "enum", "union"].contains(&first.to_string().as_str());
    let type_name = if is_type { type_name(input) } else { None };
    input.parse::<TokenStream>()?;
    Ok(NonFunction {
        tokens,
        keyword,
        type_name,
    })
}

fn type_name(input: ParseStream<'_>) -> Option<Ident> {
    let name = input.call(Ident::parse_any).ok()?;
    let generics: Generics = input.parse().ok()?;
    generics.params.is_empty().then_some(name)
}
