//! The usage of an answer.

use crate::protocol::{MAX_USAGE, Usage};
use serde_json::Value;

/// The usage of a chat completion.
pub(super) fn of_chat(usage: &Value, answered_by: &Value, asked: &str) -> Usage {
    let cached = &usage["prompt_tokens_details"]["cached_tokens"];
    read(
        &usage["prompt_tokens"],
        &usage["completion_tokens"],
        // DeepSeek has its own member.
        if cached.is_null() {
            &usage["prompt_cache_hit_tokens"]
        } else {
            cached
        },
        [answered_by, &asked.into()],
    )
}

/// The usage of a response.
pub(super) fn of_responses(usage: &Value, answered_by: &Value, asked: &str) -> Usage {
    read(
        &usage["input_tokens"],
        &usage["output_tokens"],
        &usage["input_tokens_details"]["cached_tokens"],
        [answered_by, &asked.into()],
    )
}

/// Reads the numbers of a server as a usage that can be recorded. The model is the first name that can be recorded.
fn read(input: &Value, output: &Value, cached: &Value, models: [&Value; 2]) -> Usage {
    let number = |value: &Value| value.as_u64().unwrap_or_default().min(MAX_USAGE.into());
    let usage = |model: &str| {
        let input = number(input);
        Usage::new(model)
            .input_tokens(input)
            .output_tokens(number(output))
            .cached_tokens(number(cached).min(input))
    };
    let [answered_by, asked] = models.map(|model| usage(model.as_str().unwrap_or_default()));
    match answered_by.check() {
        Ok(()) => answered_by,
        Err(_) => asked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn usage_of_both_apis_is_read() {
        let chat = json!({
            "prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4},
        });
        let expected = Usage::new("m-1")
            .input_tokens(9)
            .output_tokens(2)
            .cached_tokens(4);
        assert_eq!(of_chat(&chat, &json!("m-1"), "m"), expected);
        let responses = json!({
            "input_tokens": 9, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 4},
        });
        assert_eq!(of_responses(&responses, &json!("m-1"), "m"), expected);
    }

    #[test]
    fn odd_numbers_and_names_can_be_recorded() {
        let odd = json!({"prompt_tokens": 3, "completion_tokens": u64::MAX, "prompt_cache_hit_tokens": 5});
        for name in [
            json!(null),
            json!(""),
            json!("a\nb"),
            json!("m".repeat(200)),
        ] {
            let usage = of_chat(&odd, &name, "m");
            assert_eq!(usage.check(), Ok(()));
            assert_eq!((&*usage.model, usage.cached_tokens), ("m", 3));
        }
        assert_eq!(
            of_chat(&json!({"prompt_tokens": -1.5}), &json!(1), "m"),
            Usage::new("m")
        );
    }
}
