//! The trait of annotated tools.

use super::DynamicTool;

/// A tool: one async function that a model can call.
///
/// [`#[dooers::tool]`](macro@crate::tool) implements it for a type with the name of the function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool",
    label = "not created by `#[dooers::tool]`",
    note = "annotate an async function with `#[dooers::tool]` and use the name of that function here"
)]
pub trait Tool: 'static {
    /// The name by which the model calls the tool.
    const NAME: &'static str;

    /// The tool with its description, JSON Schema, options and handler.
    fn definition() -> DynamicTool;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::{Approval, ToolEffect};
    use crate::{AgentError, Requirements, State, Turn, WorkerRequest, WorkerResponse};
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use serde_json::{Value, json};
    use std::time::Duration;

    #[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Unit {
        Celsius,
        Kelvin,
    }

    #[derive(Serialize)]
    struct Weather {
        city: String,
        unit: Unit,
        days: usize,
    }

    /// Looks up the weather of a city.
    #[crate::tool(crate = crate, effect = "read", timeout = "10s")]
    async fn weather(
        /// The city, for example "Paris".
        city: String,
        /// Degrees.
        #[tool(default = "celsius")]
        unit: Unit,
        #[tool(context)] State(days): State<usize>,
        also: Option<Unit>,
    ) -> Result<Weather, String> {
        let unit = also.unwrap_or(unit);
        if city.is_empty() {
            return Err("no city".to_owned());
        }
        Ok(Weather { city, unit, days })
    }

    async fn call<T: Tool>(arguments: Value) -> Result<Value, AgentError> {
        let (response, _) = WorkerResponse::recorder();
        let turn = Turn::new(WorkerRequest::new("go"), response).with_state(3_usize);
        let output = T::definition().handler()(turn, arguments).await?;
        Ok(output.into_value())
    }

    #[test]
    fn schema_has_the_arguments_in_their_order() {
        let tool = weather::definition();
        assert_eq!((tool.name(), weather::NAME), ("weather", "weather"));
        assert_eq!(tool.description(), "Looks up the weather of a city.");
        assert_eq!(tool.timeout(), Some(Duration::from_secs(10)));
        assert_eq!(tool.effect(), ToolEffect::Read);
        let expected = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "The city, for example \"Paris\"."},
                "unit": {"$ref": "#/$defs/Unit", "description": "Degrees.", "default": "celsius"},
                "also": {"anyOf": [{"$ref": "#/$defs/Unit"}, {"type": "null"}]},
            },
            "required": ["city"],
            "additionalProperties": false,
            "$defs": {"Unit": {"type": "string", "enum": ["celsius", "kelvin"]}},
        });
        assert_eq!(tool.schema(), &expected);
        let names: Vec<_> = tool.schema()["properties"]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(names, ["city", "unit", "also"]);
    }

    #[tokio::test]
    async fn tool_is_called_with_values_and_context() {
        let output = call::<weather>(json!({"city": "Paris"})).await.unwrap();
        assert_eq!(
            output,
            json!({"city": "Paris", "unit": "celsius", "days": 3})
        );
        let arguments = json!({"city": "Paris", "unit": "celsius", "also": "kelvin"});
        assert_eq!(call::<weather>(arguments).await.unwrap()["unit"], "kelvin");
    }

    #[tokio::test]
    async fn misfit_is_a_text_for_the_model() {
        let error = call::<weather>(json!({"city": "Paris", "unit": 7}))
            .await
            .unwrap_err();
        let text = error.public_text().unwrap();
        assert!(
            text.starts_with("the argument `unit` does not fit: "),
            "{text}"
        );
        let error = call::<weather>(json!({"city": ""})).await.unwrap_err();
        assert_eq!(
            (error.public_text(), error.to_string().as_str()),
            (None, "no city")
        );
    }

    #[test]
    fn requirements_are_those_of_the_context() {
        let mut requirements = Requirements::default();
        weather::definition().requires(&mut requirements);
        let names: Vec<_> = requirements
            .states()
            .iter()
            .map(|state| state.name)
            .collect();
        assert_eq!(names, ["usize"]);
    }

    fn is_large(cents: &u64, reason: &str) -> bool {
        *cents > 100 || reason.is_empty()
    }

    /// Gives money back.
    #[crate::tool(crate = crate, name = "give-refund", approve = is_large)]
    async fn refund(
        cents: u64,
        #[tool(context)] _request: WorkerRequest,
        reason: String,
    ) -> String {
        format!("{cents} for {reason}")
    }

    #[crate::tool(crate = crate, approve = "always", strict)]
    async fn erase() {}

    #[test]
    fn approval_is_asked_about_the_values() {
        let approval = refund::definition().approval().clone();
        assert!(approval.is_needed(&json!({"cents": 101, "reason": "late"})));
        assert!(!approval.is_needed(&json!({"cents": 100, "reason": "late"})));
        assert!(!approval.is_needed(&json!({"cents": "many", "reason": "late"})));
        assert!(!Approval::is_needed(
            weather::definition().approval(),
            &json!({})
        ));
        let erase = erase::definition();
        assert!(erase.approval().is_needed(&json!({})) && erase.is_strict());
    }

    #[crate::tool(crate = crate)]
    async fn wrong_default(#[tool(default = "celsios")] unit: Unit) -> Unit {
        unit
    }

    #[test]
    fn wrong_default_is_a_mistake() {
        assert_eq!(weather::definition().mistake(), None);
        let mistake = wrong_default::definition().mistake().unwrap();
        let start = "the tool `wrong_default` cannot be used: the default of its argument `unit` does not fit: unknown";
        assert!(mistake.starts_with(start), "{mistake}");
    }

    #[tokio::test]
    async fn annotated_function_stays_callable() {
        assert_eq!(
            refund(7, WorkerRequest::new(""), "late".to_owned()).await,
            "7 for late"
        );
        assert!(
            weather(String::new(), Unit::Kelvin, State(1), None)
                .await
                .is_err()
        );
        erase().await;
    }
}
