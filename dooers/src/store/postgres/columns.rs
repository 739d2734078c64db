//! Rows on their way into the database, column by column.
//!
//! A statement that takes many rows takes one array for each of their columns. What belongs to such a group of rows
//! stands in one place: the names and types of its columns, and its arrays.

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgHasArrayType};
use sqlx::{Arguments, Encode, Postgres, Type};
use std::error::Error;

/// A value in a column.
pub(super) trait Value:
    for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType
{
    /// Its type's name.
    const TYPE: &'static str;
}

impl Value for i64 {
    const TYPE: &'static str = "bigint";
}

impl Value for bool {
    const TYPE: &'static str = "boolean";
}

impl Value for String {
    const TYPE: &'static str = "text";
}

impl Value for DateTime<Utc> {
    const TYPE: &'static str = "timestamptz";
}

impl<T: Value> Value for Option<T>
where
    Self: for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType,
{
    const TYPE: &'static str = T::TYPE;
}

/// Adds a column to a statement's arguments: an array, or for single rows its only value.
pub(super) fn add<T: Value>(
    arguments: &mut PgArguments,
    mut column: Vec<T>,
    shape: Shape,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    match column.pop() {
        Some(single) if shape.is_single => arguments.add(single),
        last => {
            column.extend(last);
            arguments.add(column)
        }
    }
}

/// A group of rows.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: &'static str,
    /// The name and the type of each column.
    pub(super) columns: &'static [(&'static str, &'static str)],
}

/// What kind of a batch it is: batches of the same shape are written by the same statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Shape {
    /// Which groups have rows, by their places.
    groups: u32,
    /// Whether none has more than one.
    is_single: bool,
}

impl Shape {
    /// Of how many rows there are in each group.
    pub(super) fn of(lengths: &[usize]) -> Self {
        let places = lengths.iter().enumerate();
        Self {
            groups: places.fold(0, |set, (place, rows)| set | u32::from(*rows > 0) << place),
            is_single: lengths.iter().all(|rows| *rows <= 1),
        }
    }

    pub(super) fn has(self, place: usize) -> bool {
        self.groups >> place & 1 == 1
    }

    pub(super) fn is_empty(self) -> bool {
        self.groups == 0
    }

    /// The rows of the group at this place, whose first parameter has this number. None if there are none.
    ///
    /// A single one is spelled out, which the database makes much less of than of arrays. Of several only the first column is
    /// unnested, and tells the place in the others: each that is unnested costs the database a table of its own.
    pub(super) fn rows(self, place: usize, group: &Group, first: usize) -> Option<String> {
        if !self.has(place) {
            return None;
        }
        let (names, values): (Vec<&str>, Vec<String>) = (first..)
            .zip(group.columns)
            .map(|(parameter, (name, type_name))| (*name, format!("?{parameter}::{type_name}")))
            .unzip();
        if self.is_single {
            let (names, values) = (names.join(", "), values.join(", "));
            return Some(format!("(VALUES ({values})) AS x ({names})"));
        }
        let others: String = names
            .iter()
            .zip(&values)
            .skip(1)
            .map(|(name, value)| format!(", ({value}[])[place] AS {name}"))
            .collect();
        let (name, value) = (names.first()?, values.first()?);
        Some(format!(
            "(SELECT {name}{others} FROM unnest({value}[]) WITH ORDINALITY AS listed ({name}, place)) AS x"
        ))
    }
}

/// Declares groups of rows, at most 32, and a struct of all of them.
///
/// Each group gets a struct of a row, and one of its columns.
macro_rules! groups {
    (
        $(#[$all_doc:meta])* $all:ident
        $($(#[$doc:meta])* $field:ident: $row:ident / $columns:ident { $($column:ident: $type:ty,)+ })+
    ) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(super) struct $row {
                $(pub(super) $column: $type,)+
            }

            #[derive(Debug, Default)]
            pub(super) struct $columns {
                $($column: Vec<$type>,)+
            }

            impl $columns {
                pub(super) fn push(&mut self, row: $row) {
                    $(self.$column.push(row.$column);)+
                }

                /// How many rows there are: so many values are in each column.
                pub(super) fn len(&self) -> usize {
                    [$(self.$column.len()),+][0]
                }
            }
        )+

        $(#[$all_doc])*
        #[derive(Debug, Default)]
        pub(super) struct $all {
            $(pub(super) $field: $columns,)+
        }

        impl $all {
            pub(super) const GROUPS: &'static [$crate::store::postgres::columns::Group] = &[
                $($crate::store::postgres::columns::Group {
                    name: stringify!($field),
                    columns: &[$((
                        stringify!($column),
                        <$type as $crate::store::postgres::columns::Value>::TYPE,
                    )),+],
                }),+
            ];

            pub(super) fn shape(&self) -> $crate::store::postgres::columns::Shape {
                $crate::store::postgres::columns::Shape::of(&[$(self.$field.len()),+])
            }

            /// Adds the columns of the groups that have rows, in the order of both.
            pub(super) fn add_to(
                self,
                arguments: &mut sqlx::postgres::PgArguments,
            ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
                let shape = self.shape();
                $(if self.$field.len() > 0 {
                    $($crate::store::postgres::columns::add(arguments, self.$field.$column, shape)?;)+
                })+
                Ok(())
            }
        }
    };
}

pub(super) use groups;
