//! Statements that consist of steps, of which only the needed ones are rendered.
//!
//! The selects of a step name groups of rows and other steps in braces. A select is omitted if a group that it names
//! has no rows, or if a step that it names is omitted. A step is omitted if all of its selects are omitted. These names
//! have a special meaning:
//!
//! * `{free}`: the statement has the expected number, and the thread of the row does not clash with a stored row;
//! * `{open}`: the thread of the row may be written;
//! * `{behind step}`: the named step is executed first, if it is not omitted.
//!
//! Other names stay unchanged.

use super::columns::BatchShape;
use super::write_set::Rows;
use std::collections::HashMap;

/// The number of the first parameter that belongs to rows.
const FIRST: usize = 4;

/// A step of a statement: a named query, which may change rows.
#[derive(Debug)]
pub(crate) struct Cte {
    pub(crate) name: &'static str,
    /// The text around the selects. `{all}` stands for them.
    pub(crate) around: &'static str,
    /// The selects, whose rows are combined.
    pub(crate) selects: &'static [&'static str],
}

/// Creates a step with a single select.
pub(crate) const fn cte(name: &'static str, query: &'static [&'static str; 1]) -> Cte {
    Cte {
        name,
        around: "{all}",
        selects: query,
    }
}

/// The steps for batches of one shape.
#[derive(Debug)]
pub(crate) struct Plan {
    all: &'static [Cte],
    /// The groups that have rows, with their SQL.
    groups: HashMap<&'static str, String>,
    /// The names and queries of the steps that are not omitted.
    steps: Vec<(&'static str, String)>,
}

impl Plan {
    pub(crate) fn of(all: &'static [Cte], shape: BatchShape) -> Self {
        let mut parameter = FIRST;
        let mut groups = HashMap::new();
        for (place, group) in Rows::GROUPS.iter().enumerate() {
            if let Some(rows) = shape.rows(place, group, parameter) {
                groups.insert(group.name, rows);
                parameter += group.columns.len();
            }
        }
        let mut plan = Self {
            all,
            groups,
            steps: Vec::new(),
        };
        for cte in all {
            if let Some(query) = plan.query(cte) {
                plan.steps.push((cte.name, query));
            }
        }
        plan
    }

    /// Returns the statement that ends with this step. `None` if the step is omitted.
    pub(crate) fn statement(&self, last: &Cte) -> Option<String> {
        let steps = self.steps.iter();
        let steps: Vec<String> = steps
            .map(|(name, query)| format!("{name} AS MATERIALIZED ({query}\n    )"))
            .collect();
        Some(format!("WITH {}{}", steps.join(", "), self.query(last)?))
    }

    /// Returns the query of a step. `None` if all of its selects are omitted.
    fn query(&self, cte: &Cte) -> Option<String> {
        let selects: Vec<String> = cte
            .selects
            .iter()
            .filter_map(|select| self.fill(select))
            .collect();
        if selects.is_empty() {
            return None;
        }
        let around = cte.around.replace("{all}", &selects.join(" UNION ALL "));
        self.fill(&around)
    }

    /// Replaces the known names in braces. `None` if a named group or step is omitted.
    fn fill(&self, sql: &str) -> Option<String> {
        let mut parts = sql.split('{');
        let mut filled = parts.next()?.to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}')?;
            match self.meaning(name) {
                Meaning::Is(text) => filled.push_str(&text),
                Meaning::LeftOut => return None,
                Meaning::Unknown => filled.extend(["{", name, "}"]),
            }
            filled.push_str(rest);
        }
        Some(filled)
    }

    fn meaning(&self, name: &str) -> Meaning {
        let has = |cte: &str| self.steps.iter().any(|(name, _)| *name == cte);
        let text = match name.split_once(' ') {
            None if name == "open" => OPEN.to_owned(),
            None if name == "free" && has("clash") => format!("{FREE} AND {UNLIKE}"),
            None if name == "free" => FREE.to_owned(),
            Some(("behind", cte)) if has(cte) => {
                format!("AND (SELECT count(*) FROM {cte}) >= 0")
            }
            Some(("behind", _)) => String::new(),
            _ if has(name) => name.to_owned(),
            _ => match self.groups.get(name) {
                Some(rows) => rows.clone(),
                None if self.may_be_left_out(name) => return Meaning::LeftOut,
                None => return Meaning::Unknown,
            },
        };
        Meaning::Is(text)
    }

    fn may_be_left_out(&self, name: &str) -> bool {
        let is_group = Rows::GROUPS.iter().any(|group| group.name == name);
        is_group || self.all.iter().any(|cte| cte.name == name)
    }
}

/// The meaning of a name in braces.
enum Meaning {
    Is(String),
    /// A group without rows, or a step that is omitted.
    LeftOut,
    Unknown,
}

/// The meanings of `{open}` and `{free}`, and the condition that `{free}` has in addition if rows may clash.
const OPEN: &str = "x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])";
const FREE: &str = "EXISTS (SELECT FROM writer)";
const UNLIKE: &str = "x.thread_pk <> ALL (ARRAY(SELECT thread_pk FROM clash))";
