//! The direction of imports. `docs/architecture.md` describes the layers.

use crate::sources::Sources;

/// The top-level modules of the runtime crate, from the bottom to the top. A module may use those of lower layers only.
const LAYERS: &[&[&str]] = &[
    &[
        "back_off", "cipher", "crash", "guide", "logs", "secret", "shrink", "similar", "text",
        "tls",
    ],
    &["http"],
    &["throttle"],
    &["protocol"],
    &["store"],
    &["broker"],
    &["auth"],
    &["error", "hub", "history", "settings"],
    &["handler"],
    &["tool"],
    &["model"],
    &["turn"],
    &["server"],
    &["testing"],
];

fn layer_of(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn every_module_has_a_layer() {
    let sources = Sources::of_runtime();
    let modules = sources.iter().filter_map(|(module, _)| module.first());
    for module in modules {
        assert!(
            layer_of(module).is_some(),
            "`{module}` has no layer; add it to LAYERS and to docs/architecture.md"
        );
    }
    for module in LAYERS.concat() {
        let is_there = sources.iter().any(|(path, _)| path == &[module]);
        assert!(
            is_there,
            "there is no module `{module}`; remove it from LAYERS"
        );
    }
}

#[test]
fn imports_point_to_lower_layers() {
    let mut wrong = Vec::new();
    for (module, targets) in Sources::of_runtime().imports() {
        for target in targets.iter().filter(|target| target[0] != module[0]) {
            if layer_of(&target[0]) >= layer_of(&module[0]) {
                wrong.push(format!("{} uses {}", module.join("::"), target.join("::")));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "imports must point to lower layers; move what is shared down, or pass it in:\n{}",
        wrong.join("\n")
    );
}
