//! A statement that is made of steps, of which it has only those that are needed.
//!
//! A select of a step names groups of rows and other steps in braces. It is left out if there are no such rows, or if that
//! step is left out; and a step is left out if all of its selects are. These names have a meaning of their own:
//!
//! * `{free}`: it is this statement's turn, and the thread of the row clashes with nothing;
//! * `{open}`: the thread of the row may be written;
//! * `{behind step}`: that step is done first, if there is one.
//!
//! Other names are left as they are.

use super::columns::Shape;
use super::written::Rows;
use std::collections::HashMap;

/// The numbers of parameters that come before the rows.
const FIRST: usize = 4;

/// A step of the statement: a query with a name, which may change rows.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) name: &'static str,
    /// What is around its selects, which stand in the place of `{all}`.
    pub(super) around: &'static str,
    /// One or several, all rows of which count.
    pub(super) selects: &'static [&'static str],
}

/// One with a single query.
pub(super) const fn step(name: &'static str, query: &'static [&'static str; 1]) -> Step {
    Step {
        name,
        around: "{all}",
        selects: query,
    }
}

/// The steps for batches of one shape.
#[derive(Debug)]
pub(super) struct Plan {
    all: &'static [Step],
    /// The groups that have rows, and how these are written.
    groups: HashMap<&'static str, String>,
    /// The names and queries of those steps that are not left out.
    steps: Vec<(&'static str, String)>,
}

impl Plan {
    pub(super) fn of(all: &'static [Step], shape: Shape) -> Self {
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
        for step in all {
            if let Some(query) = plan.query(step) {
                plan.steps.push((step.name, query));
            }
        }
        plan
    }

    /// The statement that has this step for its last. None if that one is left out.
    pub(super) fn statement(&self, last: &Step) -> Option<String> {
        let steps = self.steps.iter();
        let steps: Vec<String> = steps
            .map(|(name, query)| format!("{name} AS MATERIALIZED ({query}\n    )"))
            .collect();
        Some(format!("WITH {}{}", steps.join(", "), self.query(last)?))
    }

    /// None if all of the step's selects are left out.
    fn query(&self, step: &Step) -> Option<String> {
        let selects: Vec<String> = step
            .selects
            .iter()
            .filter_map(|select| self.fill(select))
            .collect();
        if selects.is_empty() {
            return None;
        }
        let around = step.around.replace("{all}", &selects.join(" UNION ALL "));
        self.fill(&around)
    }

    /// Puts what they stand for in the place of the names; those that are unknown here stay. None if one is left out.
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
        let has = |step: &str| self.steps.iter().any(|(name, _)| *name == step);
        let text = match name.split_once(' ') {
            None if name == "open" => OPEN.to_owned(),
            None if name == "free" && has("clash") => format!("{FREE} AND {UNLIKE}"),
            None if name == "free" => FREE.to_owned(),
            Some(("behind", step)) if has(step) => {
                format!("AND (SELECT count(*) FROM {step}) >= 0")
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
        is_group || self.all.iter().any(|step| step.name == name)
    }
}

/// What a name in braces stands for.
enum Meaning {
    Is(String),
    /// Rows of which there are none, or a step that is left out.
    LeftOut,
    Unknown,
}

/// What `{open}` and `{free}` stand for, and what is added to the latter if anything may clash.
const OPEN: &str = "x.thread_pk = ANY ((SELECT pks FROM gate)::bigint[])";
const FREE: &str = "EXISTS (SELECT FROM writer)";
const UNLIKE: &str = "x.thread_pk <> ALL (ARRAY(SELECT thread_pk FROM clash))";
