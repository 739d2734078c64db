//! Groups of rows that a statement writes, column by column.
//!
//! A statement that writes many rows has one array for each of their columns. The names, types and arrays of a group's
//! columns are defined in one place.

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgArguments, PgHasArrayType};
use sqlx::{Arguments, Encode, Postgres, Type};
use std::error::Error;

/// A value of a column.
pub(crate) trait Value:
    for<'q> Encode<'q, Postgres> + Type<Postgres> + PgHasArrayType
{
    /// The name of the PostgreSQL type.
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

/// Adds a column to a statement's arguments: an array, or the single value if each group has at most one row.
pub(crate) fn add<T: Value>(
    arguments: &mut PgArguments,
    mut column: Vec<T>,
    shape: BatchShape,
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
pub(crate) struct RowGroup {
    pub(crate) name: &'static str,
    /// The names and types of the columns.
    pub(crate) columns: &'static [(&'static str, &'static str)],
}

/// The shape of a batch. Batches of the same shape are written by the same statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct BatchShape {
    /// The groups that have rows, as a bit set of their indices.
    groups: u32,
    /// `true` if no group has more than one row.
    is_single: bool,
}

impl BatchShape {
    /// Creates the shape from the number of rows in each group.
    pub(crate) fn of(lengths: &[usize]) -> Self {
        let places = lengths.iter().enumerate();
        Self {
            groups: places.fold(0, |set, (place, rows)| set | u32::from(*rows > 0) << place),
            is_single: lengths.iter().all(|rows| *rows <= 1),
        }
    }

    pub(crate) fn has(self, place: usize) -> bool {
        self.groups >> place & 1 == 1
    }

    pub(crate) fn is_empty(self) -> bool {
        self.groups == 0
    }

    /// Returns the rows of the group at this place as SQL. `first` is the number of the group's first parameter. `None`
    /// if the group has no rows.
    ///
    /// A single row is written as values, which costs the database much less than arrays. For several rows, only the
    /// first column is unnested, and the other columns are read by index, because PostgreSQL treats each unnested array
    /// as a table.
    pub(crate) fn rows(self, place: usize, group: &RowGroup, first: usize) -> Option<String> {
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

/// Defines groups of rows, at most 32, and a struct of all groups.
///
/// Each group gets a struct for a row and a struct for its columns.
macro_rules! groups {
    (
        $(#[$all_doc:meta])* $all:ident
        $($(#[$doc:meta])* $field:ident: $row:ident / $columns:ident { $($column:ident: $type:ty,)+ })+
    ) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub(crate) struct $row {
                $(pub(crate) $column: $type,)+
            }

            #[derive(Debug, Default)]
            pub(crate) struct $columns {
                $($column: Vec<$type>,)+
            }

            impl $columns {
                pub(crate) fn push(&mut self, row: $row) {
                    $(self.$column.push(row.$column);)+
                }

                /// Returns the number of rows, which is the number of values in each column.
                pub(crate) fn len(&self) -> usize {
                    [$(self.$column.len()),+][0]
                }
            }
        )+

        $(#[$all_doc])*
        #[derive(Debug, Default)]
        pub(crate) struct $all {
            $(pub(crate) $field: $columns,)+
        }

        impl $all {
            pub(crate) const GROUPS: &'static [$crate::store::postgres::write::columns::RowGroup] = &[
                $($crate::store::postgres::write::columns::RowGroup {
                    name: stringify!($field),
                    columns: &[$((
                        stringify!($column),
                        <$type as $crate::store::postgres::write::columns::Value>::TYPE,
                    )),+],
                }),+
            ];

            pub(crate) fn shape(&self) -> $crate::store::postgres::write::columns::BatchShape {
                $crate::store::postgres::write::columns::BatchShape::of(&[$(self.$field.len()),+])
            }

            /// Adds the columns of all groups that have rows, in the order of their definition.
            pub(crate) fn add_to(
                self,
                arguments: &mut sqlx::postgres::PgArguments,
            ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
                let shape = self.shape();
                $(if self.$field.len() > 0 {
                    $($crate::store::postgres::write::columns::add(arguments, self.$field.$column, shape)?;)+
                })+
                Ok(())
            }
        }
    };
}

pub(crate) use groups;
