//! Agents in modules and functions, with every visibility.

use crate::run;
use dooers::Agent;

#[dooers::agent]
async fn one() {}

#[dooers::agent]
async fn two() {}

mod private {
    #[dooers::agent]
    async fn inherited() {}

    #[dooers::agent]
    #[expect(clippy::needless_pub_self, reason = "every visibility is tested")]
    pub(self) async fn to_self() {}

    #[dooers::agent]
    pub(super) async fn to_super() {}

    #[dooers::agent]
    pub(in crate::places) async fn to_path() {}

    #[dooers::agent]
    pub(crate) async fn to_crate() {}

    #[dooers::agent]
    #[expect(unreachable_pub, reason = "every visibility is tested")]
    pub async fn to_all() {}

    #[test]
    fn private_agents_are_visible_in_their_module() {
        assert!(crate::run::<inherited>("").0.is_ok());
        assert!(crate::run::<to_self>("").0.is_ok());
    }
}

#[test]
fn agent_type_has_the_functions_visibility() {
    // One `use` imports the function and the type.
    use private::to_all;
    assert!(run::<to_all>("").0.is_ok());
    ui_tests::now(to_all());
    assert!(run::<one>("").0.is_ok());
    assert!(run::<two>("").0.is_ok());
    assert!(run::<private::to_super>("").0.is_ok());
    assert!(run::<private::to_path>("").0.is_ok());
    assert!(run::<private::to_crate>("").0.is_ok());
    assert!(run::<ui_tests::strict::support>("").0.is_ok());
}

#[test]
fn agent_in_a_function_is_called() {
    struct Local;

    impl dooers::FromTurn for Local {
        async fn from_turn(_: &dooers::Turn) -> dooers::Result<Self> {
            Ok(Self)
        }
    }

    #[dooers::agent]
    async fn inner(_: Local) {}

    assert_eq!(inner::DEFINITION.name(), "inner");
    assert!(run::<inner>("").0.is_ok());
}
