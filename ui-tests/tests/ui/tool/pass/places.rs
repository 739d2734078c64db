//! Tools in modules and functions, with every visibility.

use crate::call;
use dooers::{Tool, Tools};
use serde_json::json;

mod private {
    #[dooers::tool]
    async fn inherited() {}

    #[dooers::tool]
    #[expect(clippy::needless_pub_self, reason = "every visibility is tested")]
    pub(self) async fn to_self() {}

    #[dooers::tool]
    pub(super) async fn to_super() {}

    #[dooers::tool]
    pub(in crate::places) async fn to_path() {}

    #[dooers::tool]
    pub(crate) async fn to_crate() {}

    #[dooers::tool]
    #[expect(unreachable_pub, reason = "every visibility is tested")]
    pub async fn to_all() {}

    #[tokio::test]
    async fn private_tools_are_visible_in_their_module() {
        assert!(!crate::call::<inherited>(super::json!({})).await.is_error());
        assert!(!crate::call::<to_self>(super::json!({})).await.is_error());
    }
}

#[tokio::test]
async fn tool_type_has_the_functions_visibility() {
    // One `use` imports the function and the type.
    use private::to_all;
    assert!(!call::<to_all>(json!({})).await.is_error());
    to_all().await;
    let tools = Tools::new()
        .with::<private::to_super>()
        .with::<private::to_path>()
        .with::<private::to_crate>()
        .with::<ui_tests::strict_tools::weather>();
    assert_eq!(
        tools.names(),
        ["to_super", "to_path", "to_crate", "weather"]
    );
}

#[tokio::test]
async fn tool_in_a_function_is_called() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Local {
        number: u8,
    }

    #[dooers::tool]
    async fn inner(local: Local) -> u8 {
        local.number
    }

    assert_eq!(inner::NAME, "inner");
    let result = call::<inner>(json!({"local": {"number": 7}})).await;
    assert_eq!(result.value(), &json!(7));
}
