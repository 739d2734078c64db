//! One field of the settings.

use super::check::Validator;
use super::{InvalidValue, SettingValue};
use regex::Regex;
use serde_json::{Number, Value};
use std::fmt::Display;
use std::sync::Arc;

/// One field: what it is called, what it takes, and who sees it.
#[derive(Debug, Clone)]
pub struct Field {
    pub(super) id: String,
    pub(super) kind: FieldKind,
    pub(super) label: String,
    pub(super) description: Option<String>,
    /// Whether `null` is refused.
    pub(super) required: bool,
    /// Whether it may begin without a value.
    pub(super) optional: bool,
    pub(super) default: Option<Value>,
    /// The environment variable that has the default of a secret.
    pub(super) default_env: Option<String>,
    pub(super) readonly: bool,
    pub(super) visibility: Visibility,
    pub(super) user_editable: bool,
    pub(super) placeholder: Option<String>,
    /// Values and labels.
    pub(super) options: Vec<(String, String)>,
    /// Whether a number must be whole.
    pub(super) is_integer: bool,
    pub(super) min: Option<Number>,
    pub(super) max: Option<Number>,
    pub(super) step: Option<Number>,
    /// From where steps are counted: the smallest number, if one was given, and not that of the type.
    pub(super) step_from: Option<Number>,
    pub(super) rows: Option<u32>,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) min_length: Option<u32>,
    pub(super) max_length: Option<u32>,
    pub(super) pattern: Option<Pattern>,
    pub(super) validator: Option<Validator>,
}

/// How a form shows a field, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// Several lines of text.
    Textarea,
    /// A number.
    Number,
    /// Yes or no.
    Checkbox,
    /// One of several texts.
    Select,
    /// A text that is never shown.
    Password,
    /// A mail address.
    Email,
    /// A date.
    Date,
    /// An image that is only shown.
    Image,
}

/// Who sees a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Visibility {
    /// Everybody.
    User,
    /// Those who own or manage the organization.
    Creator,
    /// Nobody but the program.
    Internal,
}

/// An expression that a text must match somewhere.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) text: String,
    /// What is wrong with it, if it cannot be used.
    pub(super) compiled: Result<Regex, String>,
}

/// An id as a label: `max_tokens` is "Max tokens".
pub(super) fn sentence_case(id: &str) -> String {
    let words = id.replace(['_', '-', '.'], " ");
    let mut letters = words.trim().chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

impl Field {
    fn new(id: impl Into<String>, kind: FieldKind) -> Self {
        let id = id.into();
        Self {
            label: sentence_case(&id),
            id,
            kind,
            description: None,
            required: false,
            optional: false,
            default: None,
            default_env: None,
            readonly: false,
            visibility: Visibility::User,
            user_editable: true,
            placeholder: None,
            options: Vec::new(),
            is_integer: false,
            min: None,
            max: None,
            step: None,
            step_from: None,
            rows: None,
            width: None,
            height: None,
            min_length: None,
            max_length: None,
            pattern: None,
            validator: None,
        }
    }

    /// One line of text. Like every field it needs a [`default`](Self::default), unless it is
    /// [`optional`](Self::optional).
    pub fn text(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Text)
    }

    /// One of these values, each with its label.
    pub fn select<V: Into<String>, L: Into<String>>(
        id: impl Into<String>,
        options: impl IntoIterator<Item = (V, L)>,
    ) -> Self {
        Self::new(id, FieldKind::Select).options(options)
    }

    /// A number, with or without decimals.
    pub fn number(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Number)
    }

    /// A whole number of 64 bits, with or without a sign.
    pub fn integer(id: impl Into<String>) -> Self {
        let mut field = Self::number(id).within(i64::MIN, u64::MAX);
        field.is_integer = true;
        field
    }

    /// Yes or no.
    pub fn checkbox(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Checkbox)
    }

    /// A text that is never shown. It cannot have a [`default`](Self::default), so it needs a
    /// [`default_env`](Self::default_env), unless it is [`optional`](Self::optional).
    pub fn password(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Password)
    }

    /// A mail address.
    pub fn email(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Email)
    }

    /// A date, as `2026-02-11`.
    pub fn date(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Date)
    }

    /// An image that is only shown. It needs a [`src`](Self::src).
    pub fn image(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Image).readonly()
    }

    /// What people read as its name; otherwise the id in sentence case.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// What it is about.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the value that counts until another one is set, and again after a `null`.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// Names the environment variable whose value a password has until another one is set, and again after a `null`.
    ///
    /// It is read when a server starts, and never shown. If it is not set, or empty, the field has no value if it is
    /// [`optional`](Self::optional); otherwise the server does not start. So it is if the value does not fit the field.
    ///
    /// ```
    /// use dooers::settings::{Field, SettingsSchema};
    ///
    /// let key = Field::password("api_key").default_env("SUPPORT_API_KEY").min_length(8);
    /// let schema = SettingsSchema::builder().field(key).build()?;
    /// # Ok::<(), dooers::settings::SchemaError>(())
    /// ```
    #[must_use]
    pub fn default_env(mut self, variable: impl Into<String>) -> Self {
        self.default_env = Some(variable.into());
        self
    }

    /// Lets the field begin without a value. With a [`default`](Self::default) it has one all the same.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Refuses `null`, which otherwise restores the [`default`](Self::default), or leaves the field without a value if it
    /// has none. Forms mark the field as required.
    ///
    /// ```
    /// use dooers::settings::Field;
    /// use serde_json::Value;
    ///
    /// let name = Field::text("name").default("Ada");
    /// assert!(!name.is_required());
    /// assert!(name.check(Value::Null).is_ok());
    ///
    /// let name = name.required();
    /// assert!(name.is_required());
    /// assert!(name.check(Value::Null).is_err());
    /// ```
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What an empty field shows as an example.
    #[must_use]
    pub fn placeholder(mut self, placeholder: impl Into<String>) -> Self {
        self.placeholder = Some(placeholder.into());
        self
    }

    /// The smallest number. A value that is no finite number is taken for none.
    #[must_use]
    pub fn min(mut self, min: impl Into<Value>) -> Self {
        self.min = number(min.into());
        self.step_from.clone_from(&self.min);
        self
    }

    /// The bounds of the type.
    pub(super) fn within(mut self, min: impl Into<Value>, max: impl Into<Value>) -> Self {
        self.min = number(min.into());
        self.max = number(max.into());
        self
    }

    /// The largest number. A value that is no finite number is taken for none.
    #[must_use]
    pub fn max(mut self, max: impl Into<Value>) -> Self {
        self.max = number(max.into());
        self
    }

    /// The distance between two numbers, counted from the smallest, or else from 0.
    ///
    /// A number that misses a step only because it was computed in binary counts as that step: one within 4 units in the
    /// last place of an `f64`, or the step rounded to an `f32`. The exact step is stored and shown.
    ///
    /// ```
    /// use dooers::settings::Field;
    /// use serde_json::json;
    ///
    /// let field = Field::number("temperature").default(0.7).step(0.1);
    /// assert_eq!(field.check(json!(0.1 + 0.2))?, json!(0.3));
    /// assert_eq!(field.check(json!(0.3_f32))?, json!(0.3));
    /// assert!(field.check(json!(0.25)).is_err());
    /// # Ok::<(), dooers::settings::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn step(mut self, step: impl Into<Value>) -> Self {
        self.step = number(step.into());
        self
    }

    /// So many lines of text.
    #[must_use]
    pub fn rows(mut self, rows: u32) -> Self {
        self.kind = FieldKind::Textarea;
        self.rows = Some(rows);
        self
    }

    /// One of these values, each with its label, besides those that were given before.
    #[must_use]
    pub fn options<V: Into<String>, L: Into<String>>(
        mut self,
        options: impl IntoIterator<Item = (V, L)>,
    ) -> Self {
        self.kind = FieldKind::Select;
        let options = options.into_iter();
        self.options
            .extend(options.map(|(value, label)| (value.into(), label.into())));
        self
    }

    /// So many characters at the least (Unicode code points).
    #[must_use]
    pub fn min_length(mut self, characters: u32) -> Self {
        self.min_length = Some(characters);
        self
    }

    /// So many characters at the most (Unicode code points).
    #[must_use]
    pub fn max_length(mut self, characters: u32) -> Self {
        self.max_length = Some(characters);
        self
    }

    /// An expression that the text matches somewhere: what the `regex` crate and ECMA-262 have in common, so that a
    /// browser and the server agree.
    #[must_use]
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        let text = pattern.into();
        let compiled = super::pattern::translated(&text)
            .and_then(|pattern| Regex::new(&pattern).map_err(|error| error.to_string()));
        self.pattern = Some(Pattern { text, compiled });
        self
    }

    /// Cannot be changed.
    #[must_use]
    pub fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// Seen by nobody but the program.
    #[must_use]
    pub fn internal(mut self) -> Self {
        self.visibility = Visibility::Internal;
        self
    }

    /// Seen only by those who own or manage the organization.
    #[must_use]
    pub fn creator(mut self) -> Self {
        self.visibility = Visibility::Creator;
        self
    }

    /// Whether users who are no creators may change it.
    #[must_use]
    pub fn user_editable(mut self, user_editable: bool) -> Self {
        self.user_editable = user_editable;
        self
    }

    /// Where an image is.
    #[must_use]
    pub fn src(self, src: impl Into<String>) -> Self {
        self.default(src.into())
    }

    /// How wide an image is shown, in pixels.
    #[must_use]
    pub fn width(mut self, pixels: u32) -> Self {
        self.width = Some(pixels);
        self
    }

    /// How high an image is shown, in pixels.
    #[must_use]
    pub fn height(mut self, pixels: u32) -> Self {
        self.height = Some(pixels);
        self
    }

    /// A check of the program's own, after all others. Its error is what people read.
    #[must_use]
    pub fn validate<T, E>(self, check: impl Fn(&T) -> Result<(), E> + Send + Sync + 'static) -> Self
    where
        T: SettingValue,
        E: Display,
    {
        self.validated_by(T::from_value, check)
    }

    pub(super) fn validated_by<T: 'static, E: Display>(
        mut self,
        from_value: fn(&Value) -> Option<T>,
        check: impl Fn(&T) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let check = move |value: &Value| match from_value(value) {
            Some(value) => check(&value).map_err(|error| error.to_string()),
            None => Ok(()),
        };
        self.validator = Some(Validator(Arc::new(check)));
        self
    }

    /// Its id, by which it is patched.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> FieldKind {
        self.kind
    }

    /// Who sees it.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        self.visibility
    }

    /// Whether `null` is refused: only after [`required`](Self::required).
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// Whether it cannot be changed.
    #[must_use]
    pub fn is_readonly(&self) -> bool {
        self.readonly
    }

    /// Whether its value is a secret.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == FieldKind::Password
    }

    /// The value that counts until another one is set.
    #[must_use]
    pub fn default_value(&self) -> Option<&Value> {
        self.default.as_ref()
    }

    /// The environment variable whose value a password has until another one is set.
    #[must_use]
    pub fn default_env_variable(&self) -> Option<&str> {
        self.default_env.as_deref()
    }

    /// Whether there is a default, here or in the environment.
    pub(super) fn begins_with_a_value(&self) -> bool {
        self.default.is_some() || self.default_env.is_some()
    }

    /// The value as it is to be stored: a whole number's `1.0` is `1`, and a number near a [`step`](Self::step) is that
    /// step.
    ///
    /// # Errors
    ///
    /// [`InvalidValue`], if it is not right for the field.
    pub fn check(&self, value: Value) -> Result<Value, InvalidValue> {
        super::check::check(self, value)
    }
}

fn number(value: Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number),
        _ => None,
    }
}
