//! The option `tools`, which lists the tools of an agent.

use crate::diagnostic::{Diagnostic, ToolMistake};
use crate::options::Options;
use crate::syntax::{as_path, as_string, peel_groups, source};
use quote::ToTokens;
use std::collections::HashSet;
use syn::{Expr, LitStr, Path};

/// Reads the paths of the tools. `None` if the agent has none.
pub(super) fn tool_list(options: &mut Options<'_>) -> Option<Vec<Path>> {
    let key = options.key("tools")?;
    if !cfg!(feature = "tools") {
        let subject = "the option `tools`";
        options.report(key, Diagnostic::FeatureIsMissing { subject });
        options.discard("tools");
        return None;
    }
    let items = options.exprs("tools", bare_list)?;
    if items.is_empty() {
        options.report(key, ToolMistake::EmptyToolList);
        return None;
    }
    let mut known = HashSet::new();
    let mut paths = Vec::new();
    for item in items {
        let Some(path) = as_path(&item) else {
            let name = tool_name(&item).unwrap_or_else(|| "weather".to_owned());
            let mistake = ToolMistake::NotAToolPath {
                value: source(&item),
                usage: format!("tools({name})"),
            };
            options.report(item, mistake);
            continue;
        };
        if known.insert(path.to_token_stream().to_string()) {
            paths.push(path.clone());
        } else {
            let path = source(path);
            options.report(item, ToolMistake::DuplicateTool { path });
        }
    }
    Some(paths)
}

/// Rewrites `weather` and `[weather, refund]` as the list that belongs in parentheses.
fn bare_list(value: &Expr) -> Option<String> {
    match peel_groups(value) {
        Expr::Array(list) => {
            let names: Option<Vec<_>> = list.elems.iter().map(tool_name).collect();
            names
                .filter(|names| !names.is_empty())
                .map(|names| names.join(", "))
        }
        Expr::Reference(list) => bare_list(&list.expr),
        other => tool_name(other),
    }
}

/// Returns the path that a value most likely stands for, such as `"weather"` and `weather()`.
fn tool_name(value: &Expr) -> Option<String> {
    if let Some(path) = as_path(value) {
        return Some(source(path));
    }
    if let Some(text) = as_string(value).map(LitStr::value) {
        return syn::parse_str::<Path>(&text).is_ok().then_some(text);
    }
    match peel_groups(value) {
        Expr::Call(call) => tool_name(&call.func),
        _ => None,
    }
}
