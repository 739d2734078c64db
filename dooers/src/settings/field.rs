//! The fields of settings.

use super::SettingValue;
use super::invalid_value::Validator;
use regex::Regex;
use serde_json::{Number, Value};
use std::fmt::Display;
use std::sync::Arc;

/// A field of the settings: its label, the values that it accepts and its audience.
#[derive(Debug, Clone)]
pub struct Field {
    pub(super) id: String,
    pub(super) kind: FieldKind,
    pub(super) label: String,
    pub(super) description: Option<String>,
    /// True if `null` is refused.
    pub(super) required: bool,
    /// True if the field may start without a value.
    pub(super) optional: bool,
    pub(super) default: Option<Value>,
    /// The name of the environment variable that contains the default of a secret.
    pub(super) default_env: Option<String>,
    pub(super) readonly: bool,
    pub(super) visibility: Visibility,
    pub(super) user_editable: bool,
    pub(super) placeholder: Option<String>,
    /// The options of a select: values and labels.
    pub(super) options: Vec<(String, String)>,
    /// True if a number must be whole.
    pub(super) is_integer: bool,
    pub(super) min: Option<Number>,
    pub(super) max: Option<Number>,
    pub(super) step: Option<Number>,
    /// The start of the steps: the minimum that was set with `min`. The lower bound of a type does not count.
    pub(super) step_from: Option<Number>,
    pub(super) rows: Option<u32>,
    pub(super) width: Option<u32>,
    pub(super) height: Option<u32>,
    pub(super) min_length: Option<u32>,
    pub(super) max_length: Option<u32>,
    pub(super) pattern: Option<Pattern>,
    pub(super) validator: Option<Validator>,
}

/// The form element of a field. It also determines the type of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// Several lines of text.
    Textarea,
    /// A number.
    Number,
    /// A boolean.
    Checkbox,
    /// One of several options.
    Select,
    /// A text that is never shown.
    Password,
    /// An email address.
    Email,
    /// A date.
    Date,
    /// An image that is only displayed.
    Image,
    /// A duration such as `1m30s`, in a line of text.
    Duration,
    /// A time of day such as `09:30`, in a line of text.
    Time,
    /// An address such as `https://example.org/`, in a line of text.
    Url,
    /// A color such as `#ff8000`, in a line of text.
    Color,
    /// A list with one item per line, in several lines of text.
    List,
}

/// The audience of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Visibility {
    /// All users.
    User,
    /// Users who own or manage the organization.
    Creator,
    /// Only the program.
    Internal,
}

/// A regular expression that must match some part of a text.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) text: String,
    /// The compiled expression, or the reason why it cannot be used.
    pub(super) compiled: Result<Regex, String>,
}

/// Converts an id to a label: `max_tokens` becomes "Max tokens".
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

    /// Creates a field with one line of text. Like every field, it needs a [`default`](Self::default) unless it is
    /// [`optional`](Self::optional).
    pub fn text(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Text)
    }

    /// Creates a field with one of these values, each with its label.
    pub fn select<V: Into<String>, L: Into<String>>(
        id: impl Into<String>,
        options: impl IntoIterator<Item = (V, L)>,
    ) -> Self {
        Self::new(id, FieldKind::Select).options(options)
    }

    /// Creates a number field. Decimals are allowed.
    pub fn number(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Number)
    }

    /// Creates a field for a whole number of 64 bits, with or without a sign.
    pub fn integer(id: impl Into<String>) -> Self {
        let mut field = Self::number(id).within(i64::MIN, u64::MAX);
        field.is_integer = true;
        field
    }

    /// Creates a boolean field.
    pub fn checkbox(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Checkbox)
    }

    /// Creates a field for a text that is never shown. It cannot have a [`default`](Self::default), so it needs a
    /// [`default_env`](Self::default_env) unless it is [`optional`](Self::optional).
    pub fn password(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Password)
    }

    /// Creates a field for an email address.
    pub fn email(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Email)
    }

    /// Creates a field for a date such as `2026-02-11`.
    pub fn date(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Date)
    }

    /// Creates a field for a duration such as `90s` or `1m30s`, in a line of text: numbers without a fraction, each with
    /// one of the units `d`, `h`, `m`, `s`, `ms`, `us` and `ns`. It is stored in its shortest form: `90s` as `1m30s`.
    /// The default [`placeholder`](Self::placeholder) of this and the other fields with a format is an example.
    pub fn duration(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Duration).placeholder("1m30s")
    }

    /// Creates a field for a time of day such as `09:30` or `09:30:15`, in a line of text. `09:30:00` is stored as `09:30`.
    pub fn time(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Time).placeholder("09:30")
    }

    /// Creates a field for an address such as `https://example.org/`, in a line of text. The scheme is `http` or
    /// `https`. An address with a user name or a password is refused, because it would be shown.
    pub fn url(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Url).placeholder("https://example.org/")
    }

    /// Creates a field for a color such as `#ff8000`, in a line of text.
    pub fn color(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Color).placeholder("#ff8000")
    }

    /// Creates a field for a list, in several lines of text: each line is an item. White space around an item and blank
    /// lines are not stored.
    ///
    /// ```
    /// use dooers::settings::Field;
    /// use serde_json::json;
    ///
    /// let hosts = Field::list("hosts").default("a.example\nb.example");
    /// assert_eq!(hosts.check(json!(" c.example\n\nd.example\n"))?, json!("c.example\nd.example"));
    /// # Ok::<(), dooers::settings::InvalidValue>(())
    /// ```
    pub fn list(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::List)
    }

    /// Creates a field for several of these values, each with its label, in several lines of text: each line is a
    /// value. A value that is repeated is stored once.
    pub fn choices<V: Into<String>, L: Into<String>>(
        id: impl Into<String>,
        options: impl IntoIterator<Item = (V, L)>,
    ) -> Self {
        let mut field = Self::select(id, options);
        field.kind = FieldKind::List;
        field.placeholder = Some(field.option_values("\n"));
        field
    }

    /// Creates a field for an image that is only displayed. It needs a [`src`](Self::src).
    pub fn image(id: impl Into<String>) -> Self {
        Self::new(id, FieldKind::Image).readonly()
    }

    /// Sets the name that users see. The default is the id in sentence case.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Sets the text that explains the field.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the default: the value of the field until another one is set, and again after a `null`.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// Names the environment variable that contains the default of a password: its value until another one is set, and
    /// again after a `null`.
    ///
    /// The server reads the variable when it starts, and never shows its value. If the variable is not set or is
    /// empty, an [`optional`](Self::optional) field has no value. For any other field, the server does not start. The
    /// server also does not start if the value does not fit the field.
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

    /// Allows the field to start without a value. A [`default`](Self::default) still applies.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Refuses `null`. Without this, `null` restores the [`default`](Self::default), or removes the value if there is
    /// no default. Forms mark the field as required.
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

    /// Sets the example that is shown while the field is empty.
    #[must_use]
    pub fn placeholder(mut self, placeholder: impl Into<String>) -> Self {
        self.placeholder = Some(placeholder.into());
        self
    }

    /// Sets the minimum. Values that are not finite numbers are ignored.
    #[must_use]
    pub fn min(mut self, min: impl Into<Value>) -> Self {
        self.min = number(min.into());
        self.step_from.clone_from(&self.min);
        self
    }

    /// Sets the bounds of the field's type.
    pub(super) fn within(mut self, min: impl Into<Value>, max: impl Into<Value>) -> Self {
        self.min = number(min.into());
        self.max = number(max.into());
        self
    }

    /// Sets the maximum. Values that are not finite numbers are ignored.
    #[must_use]
    pub fn max(mut self, max: impl Into<Value>) -> Self {
        self.max = number(max.into());
        self
    }

    /// Sets the distance between two numbers. Steps are counted from the minimum, or from 0 if no minimum was set.
    ///
    /// A number that misses a step only because of binary arithmetic counts as that step. This applies to numbers
    /// within 4 units in the last place of an `f64`, and to the step rounded to an `f32`. The exact step is stored and
    /// shown.
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

    /// Shows the text or the list in this number of lines.
    #[must_use]
    pub fn rows(mut self, rows: u32) -> Self {
        if self.kind != FieldKind::List {
            self.kind = FieldKind::Textarea;
        }
        self.rows = Some(rows);
        self
    }

    /// Adds options, each with its label, and makes the field a select.
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

    /// Sets the minimum length in characters (Unicode code points).
    #[must_use]
    pub fn min_length(mut self, characters: u32) -> Self {
        self.min_length = Some(characters);
        self
    }

    /// Sets the maximum length in characters (Unicode code points).
    #[must_use]
    pub fn max_length(mut self, characters: u32) -> Self {
        self.max_length = Some(characters);
        self
    }

    /// Sets a regular expression that must match some part of the text. Only syntax that the `regex` crate and
    /// ECMA-262 share is accepted, so that a browser and the server agree.
    #[must_use]
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        let text = pattern.into();
        let compiled = super::pattern::translated(&text)
            .and_then(|pattern| Regex::new(&pattern).map_err(|error| error.to_string()));
        self.pattern = Some(Pattern { text, compiled });
        self
    }

    /// Makes the field unchangeable.
    #[must_use]
    pub fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// Hides the field from all clients. Only the program sees it.
    #[must_use]
    pub fn internal(mut self) -> Self {
        self.visibility = Visibility::Internal;
        self
    }

    /// Shows the field only to users who own or manage the organization.
    #[must_use]
    pub fn creator(mut self) -> Self {
        self.visibility = Visibility::Creator;
        self
    }

    /// Sets whether users who are not creators may change the field.
    #[must_use]
    pub fn user_editable(mut self, user_editable: bool) -> Self {
        self.user_editable = user_editable;
        self
    }

    /// Sets the URL of an image.
    #[must_use]
    pub fn src(self, src: impl Into<String>) -> Self {
        self.default(src.into())
    }

    /// Sets the display width of an image, in pixels.
    #[must_use]
    pub fn width(mut self, pixels: u32) -> Self {
        self.width = Some(pixels);
        self
    }

    /// Sets the display height of an image, in pixels.
    #[must_use]
    pub fn height(mut self, pixels: u32) -> Self {
        self.height = Some(pixels);
        self
    }

    /// Adds a check that runs after all others. Its error is shown to users.
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

    /// The id of the field. Patches name the field by this id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The kind of the field.
    #[must_use]
    pub fn kind(&self) -> FieldKind {
        self.kind
    }

    /// The audience of the field.
    #[must_use]
    pub fn visibility(&self) -> Visibility {
        self.visibility
    }

    /// Returns true if the field refuses `null`, see [`required`](Self::required).
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// Returns true if the field cannot be changed.
    #[must_use]
    pub fn is_readonly(&self) -> bool {
        self.readonly
    }

    /// Returns true if the value of the field is a secret.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == FieldKind::Password
    }

    /// The default, which is the value until another one is set.
    #[must_use]
    pub fn default_value(&self) -> Option<&Value> {
        self.default.as_ref()
    }

    /// The name of the environment variable that contains the default of a password.
    #[must_use]
    pub fn default_env_variable(&self) -> Option<&str> {
        self.default_env.as_deref()
    }

    /// The values of the options with this text between them.
    pub(super) fn option_values(&self, between: &str) -> String {
        let values = self.options.iter().map(|(value, _)| value.as_str());
        values.collect::<Vec<_>>().join(between)
    }

    /// Returns true if there is a default, in the schema or in the environment.
    pub(super) fn begins_with_a_value(&self) -> bool {
        self.default.is_some() || self.default_env.is_some()
    }
}

fn number(value: Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number),
        _ => None,
    }
}
