//! Deserialization of the answers to a form, in all the forms in which clients send them.

use crate::protocol::is_unanswered;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};
use std::iter::once;

/// The answers by the names of the form's elements. Elements without an answer are absent.
pub(super) struct AnswerValues<'de>(pub(super) &'de Map<String, Value>);

impl<'de> Deserializer<'de> for AnswerValues<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let answered = self.0.iter().filter(|(_, value)| !is_unanswered(value));
        let answers = answered.map(|(name, value)| (name.as_str(), AnswerValue(value)));
        visitor.visit_map(MapDeserializer::new(answers))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// One answer.
struct AnswerValue<'de>(&'de Value);

impl<'de> AnswerValue<'de> {
    /// The number in a text. `None` if the answer is not such a text.
    fn number<T: std::str::FromStr>(&self) -> Option<T> {
        self.0.as_str()?.trim().parse().ok()
    }
}

impl<'de> IntoDeserializer<'de, Error> for AnswerValue<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads numbers from texts too.
macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.number::<$type>() {
                Some(number) => visitor.$visit(number),
                None => self.0.$method(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for AnswerValue<'de> {
    type Error = Error;

    numbers! {
        deserialize_i8 visit_i64 i64,
        deserialize_i16 visit_i64 i64,
        deserialize_i32 visit_i64 i64,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u64 u64,
        deserialize_u16 visit_u64 u64,
        deserialize_u32 visit_u64 u64,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.number::<f64>().filter(|number| number.is_finite()) {
            Some(number) => visitor.visit_f64(number),
            None => self.0.deserialize_f64(visitor),
        }
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(values) => {
                let answered = values.iter().filter(|value| !is_unanswered(value));
                visitor.visit_seq(SeqDeserializer::new(answered.map(AnswerValue)))
            }
            single => visitor.visit_seq(SeqDeserializer::new(once(AnswerValue(single)))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use crate::{FormAnswer, FromTurn, InvalidData, Turn, WorkerRequest, WorkerResponse};
    use serde::Deserialize;
    use serde_json::{Value, json};
    use std::collections::{BTreeMap, BTreeSet};

    #[derive(Debug, PartialEq, Deserialize)]
    struct Count(u8);

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
        Large,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Order {
        name: String,
        age: Option<u32>,
        count: Option<Count>,
        price: f64,
        balance: i64,
        sizes: Vec<Option<Size>>,
        size: Option<Size>,
        ids: BTreeSet<u16>,
        rest: Option<Value>,
    }

    fn parse<T: serde::de::DeserializeOwned>(values: Value) -> Result<T, InvalidData> {
        let request = WorkerRequest::form_response("f", values);
        request.form().unwrap().parse()
    }

    #[test]
    fn answers_are_read_in_every_form() {
        let order: Order = parse(json!({
            "name": "Ada", "age": " 36 ", "count": "2", "price": "1.5e1", "balance": "-3", "sizes": "small",
            "size": "large", "ids": ["1", 2, ""], "rest": "7",
        }))
        .unwrap();
        let expected = Order {
            name: "Ada".to_owned(),
            age: Some(36),
            count: Some(Count(2)),
            price: 15.0,
            balance: -3,
            sizes: vec![Some(Size::Small)],
            size: Some(Size::Large),
            ids: BTreeSet::from([1, 2]),
            rest: Some(json!("7")),
        };
        assert_eq!(order, expected);
        let same: Order = parse(json!({
            "name": "Ada", "age": 36, "count": 2, "price": 15, "balance": -3, "sizes": ["small"], "size": "large",
            "ids": [1, 2], "rest": "7",
        }))
        .unwrap();
        assert_eq!(same, expected);
    }

    #[test]
    fn element_without_answer_is_absent() {
        let empty =
            json!({"name": "", "age": "", "count": null, "sizes": [], "ids": "", "size": ""});
        assert_eq!(parse::<Order>(empty.clone()), Ok(Order::default()));
        assert_eq!(parse::<Order>(json!({})), Ok(Order::default()));
        assert!(parse::<BTreeMap<String, Value>>(empty).unwrap().is_empty());
    }

    #[test]
    fn error_names_the_member() {
        for (values, member, text) in [
            (json!({"age": "many"}), "values.age", "\"many\""),
            (json!({"age": -1}), "values.age", "-1"),
            (json!({"count": "256"}), "values.count", "256"),
            (json!({"age": "1.5"}), "values.age", "1.5"),
            (json!({"size": "huge"}), "values.size", "huge"),
            (json!({"ids": [1, "x"]}), "values.ids[1]", "\"x\""),
            (json!({"price": "inf"}), "values.price", "inf"),
        ] {
            let error = parse::<Order>(values).unwrap_err();
            assert_eq!(error.member(), member, "{error}");
            assert!(error.to_string().contains(text), "{error}");
        }
        #[derive(Debug, Deserialize)]
        struct Named {
            #[expect(dead_code, reason = "only its absence is tested")]
            name: String,
        }
        let error = parse::<Named>(json!({"name": ""})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`values` does not fit the type of the handler: missing field `name`"
        );
    }

    #[test]
    fn error_never_contains_a_password() {
        #[derive(Debug, Deserialize)]
        struct Flat {
            #[serde(flatten)]
            _all: Login,
        }
        #[derive(Debug, Deserialize)]
        struct Login {
            #[serde(rename = "pin")]
            _pin: Vec<u8>,
            #[serde(rename = "age")]
            _age: u8,
        }
        let mut request = WorkerRequest::form_response("f", json!({"pin": "hunter2", "age": 1}));
        request.data.as_mut().unwrap()["has_value"] = json!(["pin"]);
        let answer = request.form().unwrap();
        let direct = answer.parse::<Login>().unwrap_err();
        assert_eq!(direct.member(), "values.pin[0]");
        for error in [direct, answer.parse::<Flat>().unwrap_err()] {
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
        let mut answer = answer;
        answer.values.insert("age".to_owned(), json!("old"));
        answer.values.insert("pin".to_owned(), json!(["1"]));
        let error = answer.parse::<Login>().unwrap_err().to_string();
        assert!(
            error.contains("`values.age`") && error.contains("old"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn form_answer_shows_the_state_of_the_form() {
        async fn extract(request: WorkerRequest) -> crate::Result<FormAnswer<Order>> {
            FormAnswer::from_turn(&Turn::new(request, WorkerResponse::recorder().0)).await
        }
        let message = extract(WorkerRequest::new("hello")).await.unwrap();
        assert_eq!(message, FormAnswer::NotAnswered);
        let cancelled = extract(WorkerRequest::form_cancelled("f")).await.unwrap();
        assert_eq!(cancelled, FormAnswer::Cancelled);
        let answered = WorkerRequest::form_response("f", json!({"age": 3}));
        let age = Some(3);
        let order = Order {
            age,
            ..Order::default()
        };
        assert_eq!(
            extract(answered).await.unwrap(),
            FormAnswer::Submitted(order)
        );
        let error = extract(WorkerRequest::form_response("f", json!({"age": "x"})))
            .await
            .unwrap_err();
        assert!(error.source().unwrap().is::<InvalidData>());
    }
}
