//! Strict schemas, as OpenAI defines them.
//!
//! A strict schema is a subset of JSON Schema: every object lists its members, requires all of them and allows no others.
//! An optional member becomes nullable. Keywords that only restrict a value are left out if OpenAI does not know them,
//! because the arguments are checked against the original schema anyway. A keyword that describes the shape of a value
//! and cannot be expressed is an error.

use serde_json::{Map, Value, json};

/// The keywords that are kept as they are.
const KEPT: &[&str] = &[
    "$ref",
    "const",
    "description",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "maxItems",
    "maximum",
    "minItems",
    "minimum",
    "multipleOf",
    "title",
    "type",
];

/// The formats that OpenAI knows.
const FORMATS: &[&str] = &[
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "ipv4",
    "ipv6",
    "time",
    "uuid",
];

/// Keywords that describe the shape of a value and have no strict counterpart.
const SHAPES: &[&str] = &[
    "$dynamicRef",
    "patternProperties",
    "prefixItems",
    "unevaluatedItems",
];

/// Maximum nesting depth of objects and lists.
const MAX_LEVELS: usize = 10;

/// Converts a schema of arguments. The error is the reason why it cannot be strict, as a sentence that begins with its
/// subject.
pub(super) fn strict(schema: &Value) -> Result<Value, String> {
    let strict = Strict { root: schema };
    if schema.get("anyOf").is_some() || schema.get("oneOf").is_some() {
        return Err(refusal("", "has alternatives for all arguments together"));
    }
    let mut converted = strict.object(members_of("", schema)?, "", 0)?;
    for definitions in ["$defs", "definitions"] {
        let Some(given) = schema.get(definitions).and_then(Value::as_object) else {
            continue;
        };
        let convert = |(name, schema): (&String, &Value)| {
            let place = format!("{definitions}.{name}");
            Ok((name.clone(), strict.schema(schema, &place, 0)?))
        };
        let all: Result<Map<_, _>, String> = given.iter().map(convert).collect();
        converted.insert(definitions.to_owned(), Value::Object(all?));
    }
    Ok(Value::Object(converted))
}

fn refusal(place: &str, problem: &str) -> String {
    match place {
        "" => format!("its schema cannot be strict, because it {problem}"),
        place => format!("its schema cannot be strict, because `{place}` {problem}"),
    }
}

fn members_of<'a>(place: &str, schema: &'a Value) -> Result<&'a Map<String, Value>, String> {
    let members = schema.as_object().filter(|members| !members.is_empty());
    members.ok_or_else(|| refusal(place, "accepts any JSON; give it a type"))
}

/// A conversion.
struct Strict<'a> {
    /// The whole schema, which contains the definitions.
    root: &'a Value,
}

impl Strict<'_> {
    fn schema(&self, schema: &Value, place: &str, level: usize) -> Result<Value, String> {
        let members = members_of(place, schema)?;
        let has = |keyword: &str| members.contains_key(keyword);
        if let Some(shape) = SHAPES.iter().find(|keyword| has(keyword)) {
            return Err(refusal(
                place,
                &format!("has `{shape}`, which strict schemas do not have"),
            ));
        }
        if let Some(all) = members.get("allOf") {
            return self.combined(members, all, place, level);
        }
        if let Some(target) = members.get("$ref") {
            return self.reference(members, target, place);
        }
        if is_object(members) {
            return Ok(Value::Object(self.object(members, place, level)?));
        }
        let mut converted = plain(members);
        for keyword in ["anyOf", "oneOf"] {
            let alternatives = members.get(keyword).and_then(Value::as_array);
            let Some(alternatives) = alternatives else {
                continue;
            };
            let convert = |schema: &Value| self.schema(schema, place, level);
            let all: Result<Vec<_>, String> = alternatives.iter().map(convert).collect();
            converted.insert("anyOf".to_owned(), Value::Array(all?));
            // The types of the alternatives are in the alternatives.
            converted.shift_remove("type");
        }
        if has_type(members, "array") {
            let place = format!("{place}[]");
            let items = members.get("items").unwrap_or(&Value::Bool(true));
            let items = self.schema(items, &place, deeper(&place, level)?)?;
            converted.insert("items".to_owned(), items);
        }
        if ["type", "anyOf"]
            .iter()
            .all(|keyword| !converted.contains_key(*keyword))
        {
            return Err(refusal(place, "accepts any JSON; give it a type"));
        }
        Ok(Value::Object(converted))
    }

    fn object(
        &self,
        members: &Map<String, Value>,
        place: &str,
        level: usize,
    ) -> Result<Map<String, Value>, String> {
        let level = deeper(place, level)?;
        let empty = Map::new();
        let properties = members.get("properties").and_then(Value::as_object);
        let properties = properties.unwrap_or(&empty);
        let is_open = match members.get("additionalProperties") {
            None | Some(Value::Bool(true)) => properties.is_empty() && !place.is_empty(),
            Some(others) => others.is_object(),
        };
        if is_open {
            return Err(refusal(
                place,
                "allows members with any name; use a list of names and values instead",
            ));
        }
        let required = members.get("required").and_then(Value::as_array);
        let is_required = |name: &String| {
            let mut required = required.into_iter().flatten();
            required.any(|known| known == name)
        };
        let mut converted = plain(members);
        let mut strict = Map::new();
        for (name, schema) in properties {
            let place = match place {
                "" => name.clone(),
                place => format!("{place}.{name}"),
            };
            let schema = self.schema(schema, &place, level)?;
            let schema = if is_required(name) {
                schema
            } else {
                nullable(schema)
            };
            strict.insert(name.clone(), schema);
        }
        let names: Vec<_> = strict.keys().cloned().collect();
        converted.insert("properties".to_owned(), Value::Object(strict));
        converted.insert("required".to_owned(), json!(names));
        converted.insert("additionalProperties".to_owned(), Value::Bool(false));
        Ok(converted)
    }

    /// A schema with `allOf`. With a single schema in it, the two are joined.
    fn combined(
        &self,
        members: &Map<String, Value>,
        all: &Value,
        place: &str,
        level: usize,
    ) -> Result<Value, String> {
        let [Value::Object(only)] = all.as_array().map_or(&[][..], Vec::as_slice) else {
            return Err(refusal(
                place,
                "has `allOf`, which strict schemas do not have",
            ));
        };
        let mut joined = members.clone();
        joined.shift_remove("allOf");
        for (keyword, value) in only {
            joined.entry(keyword).or_insert_with(|| value.clone());
        }
        self.schema(&Value::Object(joined), place, level)
    }

    /// A reference. OpenAI allows no other keyword beside it, so its description goes around it.
    fn reference(
        &self,
        members: &Map<String, Value>,
        target: &Value,
        place: &str,
    ) -> Result<Value, String> {
        let path = target.as_str().unwrap_or_default();
        let found = path
            .strip_prefix('#')
            .and_then(|path| self.root.pointer(path));
        if found.is_none() {
            return Err(refusal(
                place,
                &format!("refers to `{path}`, which is not in the schema"),
            ));
        }
        if members.contains_key("properties") {
            return Err(refusal(place, "has both `$ref` and `properties`"));
        }
        let reference = json!({"$ref": path});
        Ok(match members.get("description") {
            Some(description) => json!({"anyOf": [reference], "description": description}),
            None => reference,
        })
    }
}

fn deeper(place: &str, level: usize) -> Result<usize, String> {
    if level == MAX_LEVELS {
        return Err(refusal(
            place,
            &format!("is nested deeper than {MAX_LEVELS} levels"),
        ));
    }
    Ok(level + 1)
}

fn has_type(members: &Map<String, Value>, name: &str) -> bool {
    match members.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    }
}

fn is_object(members: &Map<String, Value>) -> bool {
    has_type(members, "object") || members.contains_key("properties")
}

/// The keywords of a schema that have no schemas in them.
fn plain(members: &Map<String, Value>) -> Map<String, Value> {
    let is_kept = |keyword: &str, value: &Value| match keyword {
        "format" => value.as_str().is_some_and(|name| FORMATS.contains(&name)),
        // OpenAI does not know groups with options, such as look-around.
        "pattern" => value.as_str().is_some_and(|text| !text.contains("(?")),
        keyword => KEPT.contains(&keyword),
    };
    let members_kept = members
        .iter()
        .filter(|(keyword, value)| is_kept(keyword, value));
    let mut kept: Map<_, _> = members_kept
        .map(|(keyword, value)| (keyword.clone(), value.clone()))
        .collect();
    if !kept.contains_key("type")
        && !kept.contains_key("$ref")
        && let Some(types) = types_of_values(&kept)
    {
        kept.insert("type".to_owned(), types);
    }
    kept
}

/// The types of the values that `const` or `enum` list.
fn types_of_values(members: &Map<String, Value>) -> Option<Value> {
    let only = members.get("const").map(std::slice::from_ref);
    let several = members.get("enum").and_then(Value::as_array);
    let values = only.or(several.map(Vec::as_slice))?;
    let mut types: Vec<&str> = values.iter().map(type_of).collect();
    types.sort_unstable();
    types.dedup();
    match types[..] {
        [one] => Some(json!(one)),
        _ => Some(json!(types)),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Lets a schema accept `null`.
fn nullable(schema: Value) -> Value {
    let Value::Object(mut members) = schema else {
        return schema;
    };
    if accepts_null(&members) {
        return Value::Object(members);
    }
    let has_values = members.contains_key("enum") || members.contains_key("const");
    if let Some(Value::String(one)) = members.get("type")
        && !has_values
    {
        let types = json!([one, "null"]);
        members.insert("type".to_owned(), types);
        return Value::Object(members);
    }
    let absent = json!({"type": "null"});
    if let Some(Value::Array(alternatives)) = members.get_mut("anyOf") {
        alternatives.push(absent);
        return Value::Object(members);
    }
    let description = members.shift_remove("description");
    let mut optional = json!({"anyOf": [members, absent]});
    if let Some(description) = description {
        optional["description"] = description;
    }
    optional
}

fn accepts_null(members: &Map<String, Value>) -> bool {
    let alternatives = members.get("anyOf").and_then(Value::as_array);
    let mut alternatives = alternatives
        .into_iter()
        .flatten()
        .filter_map(Value::as_object);
    let lists_null = |keyword: &str| match members.get(keyword) {
        Some(Value::Array(values)) => values.contains(&Value::Null),
        _ => false,
    };
    alternatives.any(accepts_null)
        || lists_null("enum")
        || members.get("const").is_some_and(Value::is_null)
        || has_type(members, "null") && !members.contains_key("enum")
}
